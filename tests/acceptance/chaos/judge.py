"""Judges what a run left behind: promise by promise, who broke it. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from .evidence import EventRow, Evidence

FINAL = ("completed", "failed", "cancelled")
_KEEPS_FILES = ("artifacts", "child")
_EXPECTED_ERRORS = re.compile(
    "worker_lost_its_leases"
    # The driver's own words: a pooled connection broke while somebody who was cancelled gave it back, or came back
    # from somebody who was cancelled while he committed.
    "|Task exception was never retrieved\\s.*PoolConnectionHolder.release"
    "|Resetting connection with an active transaction"
)

Verdicts = Mapping[str, Sequence[str]]
"""By the name of a promise, what broke it, each with the task it is about."""


def judge(evidence: Evidence) -> dict[str, list[str]]:
    """Return every promise; those that were kept have an empty list."""
    walks = {task: Walk(events) for task, events in evidence.events.items()}
    return {
        "lost": list(_lost(evidence)),
        "doubled": list(_doubled(evidence, walks)),
        "unfinished": [task for task, row in evidence.tasks.items() if row.status == "pending"],
        "undead": [line.values[0] for line in evidence.said("deleted") if line.values[0] in evidence.tasks],
        "contradicted": list(_contradicted(evidence)),
        "denied": list(_denied(evidence)),
        "gaps": list(_gaps(evidence)),
        "disorder": [f"{task}: {fault}" for task, walk in walks.items() for fault in walk.disorder],
        "results": list(_wrong_results(evidence)),
        "checkpoints": list(_forgotten_checkpoints(evidence, walks)),
        "stuck": [f"{line.values[0]} after seq {line.values[1]}" for line in evidence.said("stuck")],
        "errors": list(_errors(evidence)),
        **{name: list(faults) for name, faults in evidence.faults.items()},
    }


class Walk:
    """The history of one task, followed event by event through what may come after what.

    `round_of` tells of every attempt how often the task had been requeued, `doubled` where it was finished a
    second time in one round, `disorder` every other step that no task may take.
    """

    def __init__(self, events: Sequence[EventRow]) -> None:
        self.rounds = 0
        self.round_of: dict[int, int] = {}
        self.doubled: list[str] = []
        self.disorder: list[str] = []
        self._running = 0
        self._ended = 0
        self._final = False
        self._to_stop_after = 0
        for event in events:
            self._step(event)

    def _step(self, event: EventRow) -> None:
        if event.attempt:
            self.round_of.setdefault(event.attempt, self.rounds)
        match event.kind:
            case "started":
                self._start(event)
            case "log" if event.attempt:
                self._require(event, self._running == event.attempt)
            case "retry" | "released":
                self._end(event)
            case "completed":
                self._require(event, self._final or self._running == event.attempt)
                self._finish(event)
            case "failed" | "cancelled":
                self._finish(event)
            case "cancel_requested":
                self._require(event, not self._final)
                self._to_stop_after = event.attempt
            case "requeued":
                self._require(event, self._final)
                self._final, self._to_stop_after = False, 0
                self.rounds += 1
            case "reprioritized":
                self._require(event, not self._final)

    def _require(self, event: EventRow, allowed: bool) -> None:
        if not allowed:
            self.disorder.append(f"{event.kind} of attempt {event.attempt} as event {event.seq}")

    def _start(self, event: EventRow) -> None:
        stopped = 0 < self._to_stop_after < event.attempt
        self._require(event, not self._final and not self._running and event.attempt > self._ended and not stopped)
        self._running = event.attempt

    def _end(self, event: EventRow) -> None:
        """End an attempt; of one that was lost nobody may have stored that it started."""
        new = event.attempt > self._ended and self._running in (0, event.attempt)
        self._require(event, not self._final and new)
        self._running, self._ended = 0, event.attempt

    def _finish(self, event: EventRow) -> None:
        if self._final:
            self.doubled.append(f"{event.kind} again as event {event.seq}")
        elif event.attempt:
            self._end(event)
        else:
            self._require(event, not self._running)
        self._final = True


def _lost(evidence: Evidence) -> Iterator[str]:
    """Acknowledged, never deleted, and not there."""
    deleted = {line.values[0] for line in evidence.said("deleting")}
    for line in evidence.said("submitted"):
        if line.values[0] not in evidence.tasks and line.values[0] not in deleted:
            yield line.values[0]


def _doubled(evidence: Evidence, walks: Mapping[str, Walk]) -> Iterator[str]:
    """Finished twice, by the events, the records of attempts or what workers were told; or run twice as one attempt."""
    for task, walk in walks.items():
        yield from (f"{task}: {fault}" for fault in walk.doubled)
    completed = Counter(row.task for row in evidence.attempts if row.outcome == "completed")
    for task, times in completed.items():
        if times > 1 + (walks[task].rounds if task in walks else 0):
            yield f"{task}: {times} attempts completed"
    asked = Counter(line.values[0] for line in evidence.said("requeuing"))
    believed = Counter(line.values[0] for line in evidence.said("ended") if line.values[2] == "completed")
    for task, times in believed.items():
        if times > 1 + asked[task]:
            yield f"{task}: {times} completions acknowledged"
    for what in ("ran", "ended"):
        for (task, attempt), times in Counter(line.values[:2] for line in evidence.said(what)).items():
            if times > 1:
                yield f"{task}: attempt {attempt} {what} {times} times"


def _contradicted(evidence: Evidence) -> Iterator[str]:
    """A worker was told that its end is stored, and the database has another one."""
    stored = {(row.task, row.attempt): row.outcome for row in evidence.attempts}
    for line in evidence.said("ended"):
        task, attempt, outcome = line.values
        found = stored.get((task, attempt), "nothing")
        if task in evidence.tasks and found != outcome:
            yield f"{task}: attempt {attempt} acknowledged as {outcome}, stored is {found}"


def _denied(evidence: Evidence) -> Iterator[str]:
    """A worker was told that it had lost its lease, and the database has its end."""
    stored = {(row.task, row.attempt, row.outcome, row.worker) for row in evidence.attempts}
    for line in evidence.said("refused"):
        if line.values in stored:
            yield f"{line.values[0]}: attempt {line.values[1]} is stored as {line.values[2]}, but was refused"


def _gaps(evidence: Evidence) -> Iterator[str]:
    """Numbers of events that are missing or come twice, in the database or to a watcher."""
    for task, row in evidence.tasks.items():
        numbers = [event.seq for event in evidence.events.get(task, ())]
        if numbers != list(range(1, row.last_seq + 1)):
            yield f"{task}: {len(numbers)} events, last seq {row.last_seq}"
    for line in evidence.said("gap"):
        yield "{}: a watcher got {} and then {}".format(*line.values)


def _wrong_results(evidence: Evidence) -> Iterator[str]:
    """A completed task must show the result and the files of an attempt that is recorded as completed."""
    completed = {(row.task, row.attempt) for row in evidence.attempts if row.outcome == "completed"}
    for task, row in evidence.tasks.items():
        if row.status != "completed":
            continue
        shown = row.result_attempt or 0
        if (task, shown) not in completed or row.attempt != shown or row.result != {"attempt": shown}:
            yield f"{task}: attempt {shown} shows {row.result}"
        elif row.processor in _KEEPS_FILES and (task, shown) not in evidence.artifacts:
            yield f"{task}: the files of attempt {shown} are missing"


def _forgotten_checkpoints(evidence: Evidence, walks: Mapping[str, Walk]) -> Iterator[str]:
    """Whoever runs a task again in the same round goes on at least from where the last acknowledged checkpoint was."""
    reached: dict[tuple[str, int], int] = defaultdict(int)
    newest: dict[str, int] = defaultdict(int)  # a zombie that begins late is fenced, wherever it begins from
    for line in evidence.said("ran", "checkpointed"):
        task, attempt, value = line.values
        if task not in walks or attempt not in walks[task].round_of:
            continue
        place = task, walks[task].round_of[attempt]
        newest[task] = max(newest[task], attempt)
        if line.what == "ran" and attempt == newest[task] and (value or 0) < reached[place]:
            yield f"{task}: attempt {attempt} began from {value}, stored was {reached[place]}"
        reached[place] = max(reached[place], value or 0)


def _errors(evidence: Evidence) -> Iterator[str]:
    """What the engine logged as an error, and what a client was told beyond "the database is away"."""
    for line in evidence.said("error", "wrong"):
        if not _EXPECTED_ERRORS.match(line.values[0]):
            yield f"{line.what} in {line.pid}: {line.values[0]}"
