"""The judge of the chaos runs: it finds every kind of broken promise, and nothing in a history that is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from .chaos.evidence import AttemptRow, EventRow, Evidence, TaskRow
from .chaos.journal import Journal, Line, read_journals
from .chaos.judge import judge
from .chaos.plan import WORKERS, Kind, make_plan
from .chaos.recovery import percentile, recoveries

KINDS = ("started", "retry", "started", "log", "completed")
ATTEMPTS = (1, 1, 2, 2, 2)
EVENTS = [EventRow(seq, kind, attempt) for seq, (kind, attempt) in enumerate(zip(KINDS, ATTEMPTS, strict=True), 1)]
DONE = TaskRow(
    processor="artifacts", status="completed", attempt=2, result_attempt=2, result={"attempt": 2}, last_seq=5
)


def line(what: str, *values: Any, at: float = 1.0, pid: int = 1) -> Line:
    """Make a line of a journal."""
    return Line(at, pid, what, values)


RIGHT = Evidence(
    tasks={"t": DONE},
    events={"t": EVENTS},
    attempts=(
        AttemptRow(task="t", attempt=1, outcome="lost", worker=1, began=1.0, ended=5.0),
        AttemptRow(task="t", attempt=2, outcome="completed", worker=2, began=5.5, ended=6.0),
    ),
    artifacts=frozenset({("t", 2)}),
    lines=(
        line("submitted", "t", at=0.5),
        line("worker", 1, pid=1),
        line("worker", 2, pid=2),
        line("ran", "t", 1, None, at=1.0, pid=1),
        line("checkpointed", "t", 1, 3, at=1.5, pid=1),
        line("ran", "t", 2, 3, at=5.6, pid=2),
        line("ended", "t", 2, "completed", at=6.1, pid=2),
        line("refused", "t", 1, "completed", 1, at=6.2, pid=1),
        line("error", "worker_lost_its_leases", at=6.2, pid=1),
    ),
)


def with_line(what: str, *values: Any, at: float = 7.0) -> Evidence:
    """Return the right history with one line more."""
    return attrs.evolve(RIGHT, lines=(*RIGHT.lines, line(what, *values, at=at)))


def with_events(*more: tuple[str, int]) -> Evidence:
    """Return the right history with further events of the task."""
    events = [*EVENTS, *(EventRow(seq, kind, attempt) for seq, (kind, attempt) in enumerate(more, 6))]
    return attrs.evolve(RIGHT, tasks={"t": attrs.evolve(DONE, last_seq=len(events))}, events={"t": events})


BROKEN: dict[str, tuple[str, Evidence]] = {
    "an acknowledged task is not there": ("lost", with_line("submitted", "u")),
    "a deleted task is there": ("undead", with_line("deleted", "t")),
    "a task is left": ("unfinished", attrs.evolve(RIGHT, tasks={"t": attrs.evolve(DONE, status="pending")})),
    "it was finished twice": ("doubled", with_events(("cancelled", 0))),
    "two attempts are recorded as completed": (
        "doubled",
        attrs.evolve(RIGHT, attempts=(attrs.evolve(RIGHT.attempts[0], outcome="completed"), *RIGHT.attempts[1:])),
    ),
    "two completions were acknowledged": ("doubled", with_line("ended", "t", 1, "completed")),
    "an attempt ran twice": ("doubled", with_line("ran", "t", 2, 3)),
    "an acknowledged end is not the stored one": ("contradicted", with_line("ended", "t", 1, "retry")),
    "a stored end was refused": ("denied", with_line("refused", "t", 2, "completed", 2)),
    "an event is missing": ("gaps", attrs.evolve(RIGHT, events={"t": EVENTS[:2] + EVENTS[3:]})),
    "the last event is missing": ("gaps", attrs.evolve(RIGHT, tasks={"t": attrs.evolve(DONE, last_seq=6)})),
    "a watcher missed an event": ("gaps", with_line("gap", "t", 2, 4)),
    "a finished task started": ("disorder", with_events(("started", 3))),
    "it was requeued before it was finished": ("disorder", with_events(("requeued", 0), ("requeued", 0))),
    "an attempt number came again": ("disorder", with_events(("requeued", 0), ("started", 2))),
    "it ended without a start": ("disorder", with_events(("requeued", 0), ("completed", 3))),
    "it started though it was to be cancelled": (
        "disorder",
        with_events(("requeued", 0), ("started", 3), ("cancel_requested", 3), ("retry", 3), ("started", 4)),
    ),
    "an attempt spoke after its end": ("disorder", with_events(("log", 2))),
    "the result is of another attempt": (
        "results",
        attrs.evolve(RIGHT, tasks={"t": attrs.evolve(DONE, result={"attempt": 1})}),
    ),
    "its files are missing": ("results", attrs.evolve(RIGHT, artifacts=frozenset())),
    "a checkpoint was forgotten": ("checkpoints", with_line("checkpointed", "t", 1, 4, at=1.6)),
    "a watch did not end": ("stuck", with_line("stuck", "t", 5)),
    "the engine failed": ("errors", with_line("error", "service_failed claim")),
    "a client was told nonsense": ("errors", with_line("wrong", "cancel: StorageError()")),
    "a query found something": ("misplaced", attrs.evolve(RIGHT, faults={"misplaced": ["id=t"]})),
}


def test_a_right_history_breaks_nothing() -> None:
    """A task that was rescued, went on from its checkpoint, and was completed; the zombie was refused."""
    assert {name: faults for name, faults in judge(RIGHT).items() if faults} == {}


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_promise_is_found(name: str) -> None:
    """And it is found under its own name."""
    promise, evidence = BROKEN[name]
    assert judge(evidence)[promise]


def test_a_task_may_be_finished_once_in_every_round() -> None:
    """A requeue begins a new one."""
    again = with_events(("requeued", 0), ("started", 3), ("failed", 3), ("requeued", 0), ("cancelled", 0))
    verdicts = judge(again)
    assert (verdicts["doubled"], verdicts["disorder"], verdicts["gaps"]) == ([], [], [])


def test_a_requeued_task_may_begin_anew() -> None:
    """Checkpoints are of a round."""
    more = with_events(("requeued", 0), ("started", 3))
    anew = attrs.evolve(more, lines=(*more.lines, line("ran", "t", 3, None, at=9.0)))
    assert judge(anew)["checkpoints"] == []


def test_recovery_counts_from_the_last_sign_of_life() -> None:
    """From the kill or the stop of whoever held the task to the next start."""
    [killed] = recoveries(RIGHT, kills={1: 2.0}, stops=())
    assert (killed.killed, killed.rescued, round(killed.seconds, 3)) == (True, 3.0, 3.6)
    [stopped] = recoveries(RIGHT, kills={2: 1.5}, stops=((1, 2.5, 6.0), (1, 8.0, 9.0)))
    assert (stopped.killed, round(stopped.seconds, 3)) == (False, 3.1)
    assert list(recoveries(RIGHT, kills={1: 7.0}, stops=())) == []


def test_a_recovery_may_take_as_long_as_the_database_was_away() -> None:
    """And no longer than promised beyond that."""
    [one] = recoveries(RIGHT, kills={1: 2.0}, stops=())
    late = attrs.evolve(one, seconds=30.0)
    assert late.is_slow((), start_seconds=0.5)
    assert not late.is_slow([(4.0, 29.0)], start_seconds=0.5)


def test_percentiles_are_values_that_occurred() -> None:
    """The smallest that so many do not exceed."""
    assert [percentile([4.0, 1.0, 3.0, 2.0], share) for share in (0.5, 0.75, 0.95, 1)] == [2.0, 3.0, 4.0, 4.0]
    assert percentile([], 0.5) == 0.0


def test_a_seed_is_a_plan() -> None:
    """The same one gives the same faults, another one others; 45 s have faults of every kind, for every worker."""
    plan = make_plan(7, 45)
    assert plan == make_plan(7, 45)
    assert plan != make_plan(8, 45)
    assert {fault.kind for fault in plan} == set(Kind)
    assert {fault.place for fault in plan} == set(range(WORKERS))
    assert [fault.at for fault in plan] == sorted(fault.at for fault in plan)


def test_a_journal_outlives_its_process(tmp_path: Path) -> None:
    """Lines are read back as they were written; what a kill tore apart is left out."""
    Journal(tmp_path).write("ran", "é", 1, None)
    [path] = tmp_path.iterdir()
    with path.open("a") as file:
        file.write('[12.5, "ra')
    [found] = read_journals(tmp_path)
    assert (found.what, found.values) == ("ran", ("é", 1, None))
