"""Two at once on one task: one wins, the other sees it, and the task is always in one place.

Every meeting is played in lock step, in both orders and with the commit at every moment, and as a free race.
Every guard is taken out once: then the same meeting must go wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from attrs import frozen

from novel_tasks_core.errors import IllegalTransitionError, LeaseLostError
from novel_tasks_core.models import Claim

from .bench import LATER, Bench, row
from .meetings import LOSERS, Move, Ring, Side, Subject, faults, tries
from .moves import (
    cancel,
    checkpoint,
    claim,
    complete,
    delete,
    give_back,
    give_up,
    promote,
    report,
    report_end,
    reprioritize,
    requeue,
    rescue,
    retry,
    say,
)
from .mutants import UNLOCKED, Sabotage, look_without_holding, unfenced, without

LONG = os.environ.get("NOVEL_TASKS_LONG") == "1"
ROUNDS = 200 if LONG else 5
"""Of each way in which two may meet."""


# -- where they meet ------------------------------------------------------------------------------------------


async def ready(bench: Bench) -> Subject:
    """A task that waits."""
    return Subject(await bench.submit())


async def external(bench: Bench) -> Subject:
    """A task of the outside that waits."""
    bench.lane = await bench.queue.make_lane("external")
    return Subject(await bench.submit())


async def due(bench: Bench) -> Subject:
    """A task whose time has come."""
    task = Subject(await bench.submit(run_at=(await bench.database.fetchval("select now()")) + LATER))
    await bench.other.execute("update task_schedule set run_at = now() - interval '1 second'")
    return task


async def last_of_many_due(bench: Bench) -> Subject:
    """A task that a promotion comes to a while after it has begun."""
    later = (await bench.database.fetchval("select now()")) + LATER
    await bench.submitter.store([row(bench.lane, run_at=later) for _ in range(10)])
    task = Subject(await bench.submit(run_at=later))
    await bench.other.execute(
        "update task_schedule set run_at = now() - interval '1 second' * case task_id when $1 then 1 else 2 end",
        task.task_id,
    )
    return task


async def running(bench: Bench) -> Subject:
    """A task that worker 1 runs."""
    task_id = await bench.submit()
    [claimed] = await bench.claim(1)
    return Subject(task_id, claimed)


async def over(bench: Bench) -> Subject:
    """A completed task."""
    task = await running(bench)
    await bench.complete(task.running, holder=1)
    return task


# -- what must come of it -------------------------------------------------------------------------------------

Verdict = Callable[[Bench, Subject, Any, Any], Awaitable[bool]]


async def status(bench: Bench, task: Subject) -> str | None:
    """Return the stored status of a task, None when it is gone."""
    found: str | None = await bench.other.fetchval("select status from tasks where id = $1", task.task_id)
    return found


async def lease(bench: Bench, task: Subject) -> Any:
    """Return the lease of a task."""
    return await bench.other.fetchrow("select * from task_leases where task_id = $1", task.task_id)


async def cancelled_or_told(bench: Bench, task: Subject, change: Any, claimed: list[Claim]) -> bool:
    """Either the task is cancelled and nobody has it, or its worker is asked to stop."""
    held = await lease(bench, task)
    if not claimed:
        return await status(bench, task) == "cancelled" and held is None
    return bool(change.workers == {1} and held["cancel_requested"])


async def is_cancelled(bench: Bench, task: Subject, change: Any, _: Any) -> bool:
    """The task is cancelled, whoever came first."""
    return await status(bench, task) == "cancelled"


async def is_gone(bench: Bench, task: Subject, change: Any, _: Any) -> bool:
    """Nothing of the task is left (of rows without a task the faults tell)."""
    return not isinstance(change, Exception) and await status(bench, task) is None


async def has_moved(bench: Bench, task: Subject, change: Any, _: Any) -> bool:
    """The task has its new priority."""
    return bool(await bench.other.fetchval("select priority = 7 from tasks where id = $1", task.task_id))


async def is_completed(bench: Bench, task: Subject, change: Any, completed: Any) -> bool:
    """The end counts; a cancel that came later was told so, one that came first was heard."""
    return completed is True and await status(bench, task) == "completed"


async def has_one_owner(bench: Bench, task: Subject, reported: Any, claimed: list[Claim]) -> bool:
    """The task is held by the service or by the worker; the loser knows."""
    held = await lease(bench, task)
    if claimed:
        return bool(held["worker_id"] == 1 and isinstance(reported, LeaseLostError))
    return bool(held["worker_id"] == 0 and not isinstance(reported, Exception))


async def one_has_won(bench: Bench, task: Subject, one: Any, two: Any) -> bool:
    """Exactly one of two requeues is done, the other is told what the task became."""
    return sorted(isinstance(told, IllegalTransitionError) for told in (one, two)) == [False, True]


async def counted_once(bench: Bench, task: Subject, one: Any, two: Any) -> bool:
    """Exactly one of two ends is accepted, and counted."""
    row = await bench.other.fetchrow("select attempt, failures, status from tasks where id = $1", task.task_id)
    assert row is not None
    attempts = await bench.other.fetch("select outcome from all_attempts where task_id = $1", task.task_id)
    failures = sum(a["outcome"] in ("retry", "failed") for a in attempts)
    return sorted((one, two)) == [False, True] and (row["attempt"], row["failures"]) == (1, failures)


async def says_nothing_more(bench: Bench, task: Subject, said: Any, _: Any) -> bool:
    """What the attempt said is part of the history only if it came before its end."""
    kinds = await bench.other.fetch("select kind from task_events where task_id = $1 order by seq", task.task_id)
    return [row["kind"] for row in kinds] == ["log"] * bool(said) + ["retry"]


async def is_fine(bench: Bench, task: Subject, one: Any, two: Any) -> bool:
    """Nothing but the general promises."""
    return True


@frozen
class Race:
    """A task, two moves on it, and what must come of them in either order."""

    begin: Callable[[Bench], Awaitable[Subject]]
    one: Move
    two: Move
    verdict: Verdict
    slow: tuple[str, str, str] | None = None
    """A statement, a part of it, and what makes that take a while."""

    def ring(self, bench: Bench) -> Ring:
        """Return where the two meet."""
        ring = Ring(bench)
        if self.slow is not None:
            ring.spoil(*self.slow)
        return ring


SLEEPY = ("promote", "run_at <= now() order by", "run_at <= now() and pg_sleep(0.003) is not null order by")

RACES = {
    "cancel against claim": Race(ready, cancel, claim(1), cancelled_or_told),
    "delete against claim": Race(ready, delete, claim(1), is_gone),
    "reprioritize against claim": Race(ready, reprioritize, claim(1), has_moved),
    "report against claim": Race(external, report, claim(1), has_one_owner),
    "claim against claim": Race(ready, claim(1), claim(2), is_fine),
    "cancel against promotion": Race(due, cancel, promote, is_cancelled),
    "delete against promotion": Race(due, delete, promote, is_gone),
    "reprioritize against promotion": Race(due, reprioritize, promote, has_moved),
    "reprioritize against a long promotion": Race(last_of_many_due, reprioritize, promote, has_moved, SLEEPY),
    "promotion against promotion": Race(due, promote, promote, is_fine),
    "cancel against completion": Race(running, cancel, complete, is_completed),
    "cancel against retry": Race(running, cancel, retry, is_cancelled),
    "cancel against release": Race(running, cancel, give_back, is_cancelled),
    "cancel against rescue": Race(running, cancel, rescue, is_cancelled),
    "cancel against cancel": Race(ready, cancel, cancel, is_cancelled),
    "cancel against a report of the end": Race(external, cancel, report_end, is_fine),
    "delete against completion": Race(running, delete, complete, is_gone),
    "delete against retry": Race(running, delete, retry, is_gone),
    "delete against a log entry": Race(running, delete, say, is_gone),
    "delete against a checkpoint": Race(running, delete, checkpoint, is_gone),
    "delete against delete": Race(ready, delete, delete, is_fine),
    "reprioritize against completion": Race(running, reprioritize, complete, is_fine),
    "reprioritize against retry": Race(running, reprioritize, retry, has_moved),
    "requeue against requeue": Race(over, requeue, requeue, one_has_won),
    "delete against requeue": Race(over, delete, requeue, is_gone),
    "completion against rescue": Race(running, complete, rescue, counted_once),
    "release against rescue": Race(running, give_back, rescue, counted_once),
    "completion against giving up": Race(running, complete, give_up, counted_once),
    "rescue against rescue": Race(running, rescue, rescue, counted_once),
    "a log entry against rescue": Race(running, say, rescue, says_nothing_more),
}


async def violations(bench: Bench, ring: Ring, race: Race, *, enough: int = ROUNDS) -> list[str]:
    """Let two meet many times, in every way, until `enough` went wrong, and say what."""
    home, wrong = bench.lane, []

    async def play(way: str, meet: Callable[[Subject], Awaitable[tuple[Any, Any]]], *, swapped: bool) -> None:
        bench.lane = home
        task = await race.begin(bench)
        first, second = await meet(task)
        one, two = (second, first) if swapped else (first, second)
        odd = [repr(t) for t in (one, two) if isinstance(t, Exception) and not isinstance(t, LOSERS)]
        broken = odd + await faults(bench.other)
        if not odd and not await race.verdict(bench, task, one, two):
            broken.append((race.verdict.__doc__ or "").strip())
        if broken:
            wrong.append(f"{way}: {'; '.join(broken)} ({one!r}, {two!r})")
        await bench.clear()

    for round_ in range(ROUNDS * 5):
        if len(wrong) >= enough:
            break
        match round_ % 5:
            case 0 | 1 as n:
                await play("one first", partial(ring.in_lock_step, race.one, race.two, wait=n == 0), swapped=False)
            case 2 | 3 as n:
                await play("two first", partial(ring.in_lock_step, race.two, race.one, wait=n == 2), swapped=True)
            case _:
                await play("at once", partial(ring.at_once, race.one, race.two), swapped=False)
    bench.lane = home
    return wrong


@pytest.mark.parametrize("name", RACES)
async def test_two_that_meet_leave_no_doubt(bench: Bench, name: str) -> None:
    """Whoever comes first, the outcome is one of those that are promised, and all tables agree."""
    race = RACES[name]
    assert await violations(bench, race.ring(bench), race) == []


# -- and without the guards -----------------------------------------------------------------------------------

MUTANTS: dict[str, tuple[str, Sabotage]] = {
    "claim: take": (
        "claim against claim",
        without("claim", "delete from task_ready where ctid", "update task_ready set attempt = attempt where ctid"),
    ),
    "delete: hold": ("delete against claim", look_without_holding),
    "delete: hold, promotion": ("delete against promotion", look_without_holding),
    "delete: hold, checkpoint": ("delete against a checkpoint", look_without_holding),
    "delete: lock": ("delete against completion", UNLOCKED),
    "cancel: lock": ("cancel against completion", UNLOCKED),
    "cancel: hold": ("cancel against claim", look_without_holding),
    "report: hold": ("report against claim", look_without_holding),
    "reprioritize: hold": ("reprioritize against promotion", look_without_holding),
    "reprioritize: renew": (
        "reprioritize against a long promotion",
        without("reprioritize", "update task_schedule set run_at = run_at where task_id = any($1)", "select"),
    ),
    "promote: take": (
        "promotion against promotion",
        without("promote", "delete from task_schedule where", "update task_schedule set run_at = run_at where"),
    ),
    "postpone: cancel, retry": ("cancel against retry", without("postpone", "and t.cancel_reason is null")),
    "postpone: cancel, release": ("cancel against release", without("postpone", "and t.cancel_reason is null")),
    "postpone: cancel, rescue": ("cancel against rescue", without("postpone", "and t.cancel_reason is null")),
    "requeue: lock": ("requeue against requeue", UNLOCKED),
    "finish: attempt": ("completion against rescue", unfenced("finish")),
    "postpone: attempt": ("completion against rescue", unfenced("postpone")),
    "record: attempt": ("a log entry against rescue", without("record", "t.attempt = g.attempt - 1 and")),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
async def test_without_a_guard_two_that_meet_break_a_promise(
    bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutants: the same meetings with one guard taken out, each of which must be seen to go wrong."""
    met, sabotage = MUTANTS[name]
    race = RACES[met]
    ring = race.ring(bench)
    await sabotage(ring, monkeypatch)
    for _ in tries():
        if await violations(bench, ring, race, enough=1):
            return
    pytest.fail("nothing went wrong")


NAIVE_CANCEL = """
with r as (delete from task_ready where task_id = $1 returning task_id),
     s as (delete from task_schedule where task_id = $1 returning task_id),
     l as (update task_leases set cancel_requested = true where task_id = $1 returning task_id)
select count(*) from (select task_id from r union all select task_id from s union all select task_id from l) found
"""


async def naive_cancel(side: Side, task: Subject) -> Any:
    """Cancel by one statement over all locations."""
    return await side.bench.database.fetchval(NAIVE_CANCEL, task.task_id)


@pytest.mark.parametrize(("move", "loses"), [(cancel, False), (naive_cancel, True)], ids=["ours", "one statement"])
async def test_a_cancel_in_one_statement_is_lost_against_a_claim(bench: Bench, move: Move, loses: bool) -> None:
    """It sees one moment only, and finds the task nowhere; ours is heard by the worker every time."""
    ring, lost, rounds = Ring(bench), 0, 0
    for _ in tries():
        if lost or (not loses and rounds == (3000 if LONG else 60)):
            break
        rounds += 1
        task = await ready(bench)
        claimed, _change = await ring.in_lock_step(claim(1), move, task, wait=False)
        assert [one.task_id for one in claimed] == [task.task_id]
        lost += not (await lease(bench, task))["cancel_requested"]
        await bench.clear()
    sys.stdout.write(f"\n{lost} of {rounds} cancels lost\n")
    assert (lost > 0) is loses
