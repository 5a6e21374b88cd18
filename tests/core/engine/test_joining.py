"""Submits that are part of a caller's transaction: they share its fate, whatever that is."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from novel_tasks_core import (
    DuplicateTaskError,
    NewTask,
    OnDuplicate,
    Processors,
    Source,
    SourceNotFoundError,
    TaskEngine,
    TaskFilter,
    TaskStatus,
)

from ..support import Db, Gate, ended, watching

MISSING = Source("0" * 64, 1, "n")
TABLES = ("tasks", "task_ready", "task_schedule", "task_keys", "task_events")


async def left(db: Db) -> dict[str, int]:
    """Return the tables that have rows, with their number."""
    counts = {table: await db.fetchval(f"select count(*) from {table}") for table in TABLES}
    return {table: count for table, count in counts.items() if count}


async def test_a_submit_shares_the_fate_of_the_transaction(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """Rolled back it leaves nothing, not even its key; committed it runs."""
    async with engine.worker():
        transaction = db.transaction()
        await transaction.start()
        gone = await engine.submit(processor="gate", key="k", note="n", connection=db)
        assert gone.status is TaskStatus.PENDING
        await transaction.rollback()
        assert await left(db) == {}
        async with db.transaction():
            kept = await engine.submit(processor="gate", key="k", connection=db)
            same = await engine.submit(processor="gate", key="k", connection=db)
            with pytest.raises(DuplicateTaskError):
                await engine.submit(processor="gate", key="k", on_duplicate=OnDuplicate.REJECT, connection=db)
        assert (same.id, same.duplicate) == (kept.id, True)
        gate.let_go()
        assert (await ended(engine, kept)).status is TaskStatus.COMPLETED


async def test_a_savepoint_takes_back_only_what_came_after_it(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """The task before it stays, and the key of the one after it is free again."""
    async with db.transaction():
        kept = await engine.submit(processor="gate", connection=db)
        inner = db.transaction()
        await inner.start()
        await engine.submit(processor="gate", key="k", connection=db)
        await engine.submit_many([NewTask(processor="gate", key="l"), NewTask(processor="gate")], connection=db)
        assert await engine.import_tasks([NewTask(processor="gate")], connection=db) == 1
        await inner.rollback()
        again = await engine.submit(processor="gate", key="k", connection=db)
    assert not again.duplicate
    assert {task.id for task in (await engine.find(TaskFilter())).items} == {kept.id, again.id}


async def test_nobody_sees_the_task_before_the_commit_and_it_runs_soon_after(
    engine: TaskEngine, gate: Gate, db: Db
) -> None:
    """A worker that was told too early finds nothing, and looks again by itself."""
    async with engine.worker() as worker:
        transaction = db.transaction()
        await transaction.start()
        task = await engine.submit(processor="gate", connection=db)
        await worker.check_flags()
        for _ in range(3):  # whatever it does when it is told, it does in vain
            worker.look()
            await asyncio.sleep(0)
        assert await engine.count() == 0
        assert gate.begun.empty()
        await transaction.commit()
        assert (await gate.next()).task_id == task.id
        gate.let_go()
        await ended(engine, task)


async def test_an_idle_worker_finds_it_within_a_poll(
    another_engine: Any, processors: Processors, gate: Gate, db: Db
) -> None:
    """Nothing but the poll tells it: the doorbell of the engine that submits rings before the commit."""
    async with another_engine(poll_max_seconds=0.05) as working, another_engine() as submitting, working.worker():
        async with db.transaction():
            task = await submitting.submit(processor="gate", connection=db)
        assert (await gate.next()).task_id == task.id
        gate.let_go()


async def test_a_refused_submit_leaves_the_transaction_usable(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """A source that is not stored is told by name, in all three ways to submit; what came before is committed."""
    async with db.transaction():
        kept = await engine.submit(processor="gate", connection=db)
        for attempt in (
            engine.submit(MISSING, processor="gate", connection=db),
            engine.submit_many([NewTask(processor="gate"), NewTask(processor="gate", source=MISSING)], connection=db),
            engine.import_tasks([NewTask(processor="gate"), NewTask(processor="gate", source=MISSING)], connection=db),
        ):
            with pytest.raises(SourceNotFoundError, match="0000"):
                await attempt
    assert [task.id for task in (await engine.find(TaskFilter())).items] == [kept.id]


@pytest.mark.parametrize("commits", [True, False])
async def test_a_replacement_shares_the_fate_of_the_transaction(
    engine: TaskEngine, gate: Gate, db: Db, commits: bool
) -> None:
    """Rolled back, the old task goes on and nobody heard otherwise; committed, its watchers hear at their next look."""
    first = await engine.submit(processor="gate", key="k")
    async with watching(engine, first.id) as watcher:
        transaction = db.transaction()
        await transaction.start()
        second = await engine.submit(processor="gate", key="k", on_duplicate=OnDuplicate.REPLACE, connection=db)
        assert (await engine.get(first.id)).status is TaskStatus.PENDING
        assert watcher.events == []
        await (transaction.commit() if commits else transaction.rollback())
        if commits:
            assert [event.kind for event in await watcher.finished()] == ["cancelled"]
    assert (await engine.get(first.id)).status is (TaskStatus.CANCELLED if commits else TaskStatus.PENDING)
    assert (await engine.submit(processor="gate", key="k")).id == (second.id if commits else first.id)


async def test_without_a_transaction_each_submit_is_its_own(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """A connection that is in none commits at once, a replacement as a whole."""
    first = await engine.submit(processor="gate", key="k", connection=db)
    second = await engine.submit(processor="gate", key="k", on_duplicate=OnDuplicate.REPLACE, connection=db)
    states = [(await engine.get(task.id)).status for task in (first, second)]
    assert states == [TaskStatus.CANCELLED, TaskStatus.PENDING]


async def test_a_connection_of_a_pool_will_do(engine: TaskEngine, gate: Gate, database_url: str) -> None:
    """As callers have it: acquired from a pool of their own."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool, pool.acquire() as connection:
        async with connection.transaction():
            task = await engine.submit(processor="gate", connection=connection)
            ids = await engine.submit_many([NewTask(processor="gate", key="k")] * 2, connection=connection)
        assert (await engine.get(task.id)).id == task.id
        assert ids[0] == ids[1]
