"""The jobs that keep the tables right: promotion, rescue, sweeping, counters, and who does them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from novel_tasks_core import (
    EngineConfig,
    NewTask,
    OutcomeKind,
    Processors,
    RetryPolicy,
    TaskEngine,
    TaskId,
    TaskStatus,
)
from novel_tasks_core.testing import FakeClock

from .support import Db, Gate, ended, eventually


async def a_dead_worker_with(db: Db, task_id: TaskId, *, beat_at: str = "now()") -> int:
    """Give a ready task to a worker that will never beat again; returns the worker's id."""
    worker = await db.fetchval(
        "insert into workers (name, host, pid, version, slots, beat_at)"
        f" values ('dead', 'h', 1, '1', 1, {beat_at}) returning id"
    )
    await db.execute(
        "with r as (delete from task_ready where task_id = $1 returning *)"
        " insert into task_leases (task_id, worker_id, attempt, lane, position, started_at, deadline)"
        " select task_id, $2, attempt + 1, lane, position, now(), now() + interval '1 hour' from r",
        task_id,
        worker,
    )
    return int(worker)


@pytest.fixture
async def turned(engine_config: EngineConfig, processors: Processors, gate: Gate) -> Any:
    """An engine with a clock that the test turns, and its clock; its own jobs run too, by that clock."""
    clock = FakeClock(datetime.now(UTC))
    async with TaskEngine.open(engine_config, processors=processors, clock=clock) as engine:
        yield engine, clock


async def test_a_worker_is_dead_after_a_lease_without_a_beat(turned: Any, db: Db) -> None:
    """Not before; then its task waits again in its old place, with one failure more and a record of the loss."""
    engine, clock = turned
    task = await engine.submit(processor="gate", max_attempts=3)
    worker = await a_dead_worker_with(db, task.id)
    for seconds in (0.0, engine.config.lease_ttl_seconds - 0.1):
        clock.advance(seconds)
        assert await engine._parts.maintenance.rescue() == 0
    clock.advance(0.2)
    await eventually(lambda: _is_pending(engine, task.id))
    rescued = await engine.get(task.id)
    assert (rescued.attempt, rescued.failures, rescued.run_at) == (1, 1, None)
    [attempt] = await engine.attempts(task.id)
    assert (attempt.outcome, attempt.worker_id, attempt.error and attempt.error.type) == (
        OutcomeKind.LOST,
        worker,
        "worker_lost",
    )
    assert await db.fetchval("select count(*) from workers") == 0


async def _is_pending(engine: TaskEngine, task_id: TaskId) -> bool:
    return (await engine.get(task_id)).status is TaskStatus.PENDING


@pytest.mark.parametrize("beat_at", ["now() - interval '1 hour'", "now() + interval '1 hour'"])
async def test_a_clock_of_the_database_that_jumps_kills_nobody(turned: Any, db: Db, beat_at: str) -> None:
    """Only a beat that stays the same for a lease of our own time counts, whatever its date."""
    engine, clock = turned
    task = await engine.submit(processor="gate")
    worker = await a_dead_worker_with(db, task.id, beat_at=beat_at)
    await engine._parts.maintenance.rescue()
    for n in range(4):
        clock.advance(engine.config.lease_ttl_seconds * 0.7)
        await db.execute(f"update workers set beat_at = {beat_at} + {n} * interval '1 microsecond'")
        assert await engine._parts.maintenance.rescue() == 0
    assert await db.fetchval("select worker_id from task_leases") == worker


async def test_the_last_attempt_of_a_dead_worker_fails_the_task(turned: Any, db: Db) -> None:
    """A task that kills its worker again and again ends as lost, and is not run for ever."""
    engine, _clock = turned
    task = await engine.submit(processor="gate", max_attempts=1)
    await a_dead_worker_with(db, task.id)
    await db.execute("delete from workers")
    failed = await ended(engine, task)
    assert failed.error is not None
    assert (failed.status, failed.error.type, failed.failures) == (TaskStatus.FAILED, "worker_lost", 1)


async def test_a_policy_that_fails_itself_does_not_keep_the_tasks_of_the_dead(
    engine: TaskEngine, processors: Processors, db: Db
) -> None:
    """Its task fails, and those of others that died with it go on."""

    def broken(failures: int, error_type: str) -> float:
        raise ZeroDivisionError("in the formula")

    async def work(ctx: Any) -> None:
        return None

    processors.register("broken", work, retry=RetryPolicy(custom=broken))
    processors.register("sound", work)
    tasks = [await engine.submit(processor=name) for name in ("broken", "sound")]
    for task in tasks:
        await a_dead_worker_with(db, task.id)
    await db.execute("delete from workers")
    assert await engine._parts.maintenance.rescue() == 2
    assert [(await engine.get(task.id)).status for task in tasks] == [TaskStatus.FAILED, TaskStatus.PENDING]


async def test_two_rescuers_rescue_once(engine: TaskEngine, another_engine: Any, gate: Gate, db: Db) -> None:
    """Both look at the same leases at once; every task is put back by one of them."""
    ids = await engine.submit_many(NewTask(processor="gate", max_attempts=3) for _ in range(50))
    for task_id in ids:
        await a_dead_worker_with(db, task_id)
    async with another_engine() as other:
        await db.execute("delete from workers")
        await asyncio.gather(*(e._parts.maintenance.rescue() for e in (engine, other)))
        await eventually(lambda: _none_leased(db))
    assert await db.fetchval("select count(*) from all_attempts") == 50
    assert await db.fetchval("select count(*) from task_ready") == 50
    assert await db.fetchval("select max(failures) from tasks") == 1


async def _none_leased(db: Db) -> bool:
    return bool(await db.fetchval("select count(*) = 0 from task_leases"))


async def test_due_tasks_are_promoted_in_batches(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """More than one batch of them, each with its priority."""
    soon = datetime.now(UTC) + timedelta(seconds=60)
    await engine.submit_many(
        NewTask(processor="gate", run_at=soon + timedelta(milliseconds=n), priority=n % 2) for n in range(2100)
    )
    await db.execute("update task_schedule set run_at = run_at - interval '2 minutes'")
    await eventually(lambda: _count(db, "task_ready", 2100))
    assert await _count(db, "task_schedule", 0)
    rows = await db.fetch("select count(*) from task_ready group by priority order by priority")
    assert [row[0] for row in rows] == [1050, 1050]


async def _count(db: Db, table: str, wanted: int) -> bool:
    return bool(await db.fetchval(f"select count(*) from {table}") == wanted)


async def test_a_job_is_taken_by_one_process_in_each_period(engine: TaskEngine, another_engine: Any, db: Db) -> None:
    """Of many that ask at once one gets it, a new job as well as a known one; nobody before it is due again."""
    async with another_engine() as other:
        jobs = [e._parts.housekeeping for e in (engine, other)] * 5
        for _ in range(3):
            assert sum(await asyncio.gather(*(job.take("test", every_seconds=60) for job in jobs))) == 1
            assert not any(await asyncio.gather(*(job.take("test", every_seconds=60) for job in jobs)))
            await db.execute("update maintenance set next_at = now() where name = 'test'")


async def test_counters_are_rolled_up_without_a_wrong_moment(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """While tasks are added and rolled up at once the sum is right at every look."""
    least = 0

    async def add() -> None:
        for _ in range(30):
            await engine.submit(processor="gate")

    async def fold() -> None:
        for _ in range(15):
            await engine._parts.housekeeping.roll_up()

    async def look() -> None:
        nonlocal least
        for _ in range(30):
            present = await engine.count()
            assert least <= present <= 60
            least = present

    await asyncio.gather(add(), add(), fold(), fold(), look())
    await engine._parts.housekeeping.roll_up()
    assert [row["tasks"] for row in await db.fetch("select tasks from task_counts")] == [60]
