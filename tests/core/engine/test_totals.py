"""Totals while everything moves: at no moment do the counters say anything but what the tables hold."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from novel_tasks_core import (
    AttemptContext,
    IllegalTransitionError,
    NewTask,
    Processors,
    Snooze,
    TaskEngine,
    TaskFilter,
    TaskId,
    TaskNotFoundError,
    TaskStatus,
)
from novel_tasks_core.storage.queries import load_queries

from ..support import AT_ONCE, Db

FAULTS = load_queries("tasks")["count_faults"]
ROUNDS = 60


async def restless(ctx: AttemptContext) -> str:
    """Complete, fail, try again or wait, by turns."""
    match ctx.task_id.int % 4:
        case 0 if ctx.attempt < 3:
            raise Snooze(for_=0)
        case 1:
            raise ValueError("as wanted")
    return "done"


async def submit_some(engine: TaskEngine) -> list[TaskId]:
    """Submit tasks that are ready, and one that is scheduled."""
    later = datetime.now(UTC) + timedelta(seconds=0.2)
    new = [NewTask(processor="restless", owner=f"o{n % 3}", run_at=later if n == 5 else None) for n in range(6)]
    return await engine.submit_many(new)


Change = Callable[[TaskEngine, TaskId], Awaitable[object]]

CHANGES: Sequence[Change] = (
    lambda engine, task_id: engine.cancel(task_id),
    lambda engine, task_id: engine.requeue(task_id),
    lambda engine, task_id: engine.delete(task_id),
    lambda engine, task_id: engine.reprioritize(task_id, 5),
    lambda engine, task_id: engine.requeue_all(TaskFilter(owner="o1", status=TaskStatus.FAILED)),
    lambda engine, task_id: engine.delete_all(TaskFilter(owner="o2", status=TaskStatus.COMPLETED)),
)


async def change(engine: TaskEngine) -> None:
    """Submit, and do one thing after another to tasks, wherever they are."""
    known: list[TaskId] = []
    for _ in range(ROUNDS):
        known += await submit_some(engine)
        for act in random.choices(CHANGES, weights=(3, 3, 3, 3, 1, 1), k=3):
            try:
                await act(engine, random.choice(known))
            except (TaskNotFoundError, IllegalTransitionError):
                continue


async def repeat(done: asyncio.Event, act: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Do something again and again until all else is done; return what came of it, unless it was nothing."""
    answers: list[Any] = []
    while not done.is_set():
        answers += filter(None, [await act()])
    return answers


async def race(engine: TaskEngine, db: Db) -> list[Any]:
    """Let writers, a worker and two roll-ups run at once, and return the faults that a reader saw meanwhile."""
    done, housekeeping = asyncio.Event(), engine._parts.housekeeping
    async with engine.worker(concurrency=4), asyncio.TaskGroup() as group:
        rolling = [group.create_task(repeat(done, housekeeping.roll_up)) for _ in range(2)]
        reading = group.create_task(repeat(done, lambda: db.fetch(FAULTS)))
        await asyncio.gather(change(engine), change(engine))
        done.set()
        await asyncio.wait(rolling)
    return reading.result() + await db.fetch(FAULTS)


async def test_totals_are_right_at_every_moment(engine: TaskEngine, processors: Processors, db: Db) -> None:
    """Through submits, ends, retries, cancels, requeues, deletes, priorities and roll-ups, all at the same time."""
    processors.register("restless", restless, retry=AT_ONCE)
    assert await race(engine, db) == []
    page = await engine.find(TaskFilter(owner="o1"), limit=1000)
    assert (len(page.items), page.total) == (await engine.count(TaskFilter(owner="o1")), page.total)
    rows = await db.fetch("select status, count(*) from task_current group by status")
    statistics = await engine.statistics()
    assert {row["status"]: row["count"] for row in rows} == {
        status.value: n for status in TaskStatus if (n := getattr(statistics, status.value))
    }


@pytest.mark.parametrize("guarded", [True, False])
async def test_a_roll_up_folds_only_what_it_deletes(
    engine: TaskEngine, processors: Processors, db: Db, guarded: bool
) -> None:
    """Two at once: the second leaves alone what the first has; a sum over all that it sees would count it twice."""
    processors.register("restless", restless)
    for _ in range(3):
        await submit_some(engine)
    housekeeping = engine._parts.housekeeping
    first = housekeeping._sql["roll_up"]
    careless = first.replace("from gone\n    group", "from task_counts\n    group")
    assert careless != first
    if not guarded:
        housekeeping._sql = MappingProxyType({**housekeeping._sql, "roll_up": careless})
    async with db.transaction():
        assert await db.fetchval(first, 1000, 100) > 1
        await housekeeping.roll_up()
    assert bool(await db.fetch(FAULTS)) is not guarded
    await db.execute("delete from task_counts")
    await db.execute("insert into task_counts select owner, lane, status, count(*) from tasks group by 1, 2, 3")


async def test_roll_ups_fold_everything_and_nothing_that_is_gone(
    engine: TaskEngine, processors: Processors, db: Db
) -> None:
    """Any number of deltas, over several statements; a group without tasks leaves no row."""
    processors.register("restless", restless)
    ids = await submit_some(engine)
    lane = await db.fetchval("select lane from tasks limit 1")
    await db.execute("insert into task_counts (owner, lane, status, tasks) select 'o1', $1, 'failed', n from"
                     " (select 1 - 2 * (g % 2) as n from generate_series(1, 50000) g) deltas", lane)  # fmt: skip
    assert (await engine.statistics()).total == len(ids)
    await engine._parts.housekeeping.roll_up()
    await engine._parts.housekeeping.roll_up()
    rows = await db.fetch("select owner, status, tasks from task_counts order by owner")
    assert [(row["owner"], row["status"], row["tasks"]) for row in rows] == [
        (f"o{n}", "pending", len(ids) // 3) for n in range(3)
    ]
