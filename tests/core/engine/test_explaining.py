"""Why a task is where it is: every reason, of the real thing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import attrs
import pytest

from novel_tasks_core import (
    AttemptContext,
    EngineConfig,
    InvalidInputError,
    Processors,
    Reason,
    RetryPolicy,
    TaskEngine,
    TaskId,
    TaskNotFoundError,
)
from novel_tasks_core import TaskStatus as S
from novel_tasks_core.engine.explaining import explanation

from ..support import Db, Gate, ended, eventually


@pytest.fixture(autouse=True)
def broken(processors: Processors, gate: Gate) -> None:
    """A processor that fails, and once more an hour later, beside the one that waits at the gate."""

    @processors.register("broken", retry=RetryPolicy(max_attempts=2, base_seconds=3600, jitter=0))
    async def broken(ctx: Any) -> None:
        raise ValueError("no good")


async def test_what_waits_for_a_worker(engine: TaskEngine) -> None:
    """Without any worker of its kind a task waits for one; one of another kind does not count."""
    task = await engine.submit(processor="gate")
    found = await engine.explain(task.id)
    assert (found.status, found.reason, found.workers, found.ahead) == (S.PENDING, Reason.NO_WORKER, 0, 0)
    async with engine.worker(processors=["split"]):
        await eventually(lambda: _serves(engine, "split"))
        assert (await engine.explain(task.id)).reason is Reason.NO_WORKER
    await engine.pause("gate")
    found = await engine.explain(task.id)
    assert (found.reason, found.paused) == (Reason.PAUSED, True)


async def _serves(engine: TaskEngine, processor: str) -> bool:
    """Say whether a worker is seen to claim tasks of the processor: then it is seen not to claim others."""
    rows = await engine._parts.database.fetch(
        "select l.id from pg_locks k join lanes l on l.processor = $1 and k.objid::bigint & 65535 = l.id"
        " where k.locktype = 'advisory' and k.classid::bigint >> 16 = 28276"
        " and k.database = (select oid from pg_database where datname = current_database())",
        processor,
    )
    return bool(rows)


async def test_what_waits_for_its_turn(engine: TaskEngine, gate: Gate) -> None:
    """Those ahead by priority and by age are counted; who runs is named, with the worker's last heartbeat."""
    first = await engine.submit(processor="gate")
    async with engine.worker(concurrency=1, name="north") as worker:
        await gate.next()
        later = await engine.submit(processor="gate")
        await engine.submit(processor="gate", priority=5)
        await engine.submit(processor="gate", priority=-5)
        running, waiting = await engine.explain(first.id), await engine.explain(later.id)
        assert (running.status, running.reason, running.attempt) == (S.PROCESSING, Reason.RUNNING, 1)
        assert running.lease is not None
        assert (running.lease.worker_id, running.lease.worker_name) == (worker.id, "north")
        assert running.lease.since <= running.at < running.lease.deadline
        assert running.lease.heartbeat_seconds is not None
        assert (waiting.status, waiting.reason, waiting.ahead) == (S.PENDING, Reason.QUEUED, 1)
        assert (waiting.workers, waiting.slots, waiting.running) == (1, 1, 1)
        gate.let_go()
        done = await ended(engine, first)
    assert (await engine.explain(done.id)).reason is Reason.COMPLETED


async def test_a_free_slot_takes_the_next(engine: TaskEngine) -> None:
    """A ready task with nothing ahead of it and a slot free is about to be claimed."""
    task = await engine.submit(processor="gate")
    await engine._parts.workers.register(name="idle", slots=2)
    assert (await engine.explain(task.id)).reason is Reason.NEXT


async def test_what_waits_for_its_time(engine: TaskEngine) -> None:
    """A time that was asked for is told apart from the wait after a failure, which says why and how often more."""
    at = datetime.now(UTC) + timedelta(hours=1)
    scheduled = await engine.explain((await engine.submit(processor="gate", run_at=at)).id)
    assert (scheduled.reason, scheduled.run_at) == (Reason.SCHEDULED, at)
    task = await engine.submit(processor="broken")
    async with engine.worker():
        await eventually(lambda: _reason_is(engine, task.id, Reason.RETRYING))
    retrying = await engine.explain(task.id)
    assert retrying.error is not None
    assert (retrying.error.type, retrying.failures, retrying.attempts_left) == ("ValueError", 1, 1)


async def _reason_is(engine: TaskEngine, task_id: TaskId, reason: Reason) -> bool:
    return (await engine.explain(task_id)).reason is reason


async def test_what_failed_for_good(engine: TaskEngine) -> None:
    """A failed task says why, and that no attempt is left; a cancelled one that it was."""
    task = await engine.submit(processor="broken", max_attempts=1)
    async with engine.worker():
        await ended(engine, task)
    failed = await engine.explain(task.id)
    assert failed.error is not None
    assert (failed.reason, failed.error.message, failed.attempts_left) == (Reason.FAILED, "no good", 0)
    assert not failed.permanent
    cancelled = await engine.submit(processor="gate")
    await engine.cancel(cancelled.id, reason="not wanted")
    assert (await engine.explain(cancelled.id)).reason is Reason.CANCELLED


async def test_what_is_not_tried_again(engine: TaskEngine, processors: Processors) -> None:
    """A failure that no other attempt can mend is told apart from the last of several; none is left after both."""

    @processors.register("choosy", retry=RetryPolicy(max_attempts=9, by_error={"KeyError": RetryPolicy.never()}))
    async def choosy(ctx: AttemptContext) -> None:
        raise KeyError("lost") if ctx.options else InvalidInputError("title", "is missing")

    hopeless = await engine.submit(processor="choosy")
    last = await engine.submit(processor="choosy", options={"lose": True})
    async with engine.worker():
        await ended(engine, hopeless)
        await ended(engine, last)
    found = [await engine.explain(task.id) for task in (hopeless, last)]
    assert [(one.permanent, one.failures, one.attempts_left) for one in found] == [(True, 1, 0), (False, 1, 0)]


async def test_failures_of_unknown_code_are_not_judged(
    engine: TaskEngine, engine_config: EngineConfig, processors: Processors
) -> None:
    """Who does not know how often a processor may fail does not say that a failure is permanent."""

    @processors.register("once", retry=RetryPolicy.never())
    async def once(ctx: AttemptContext) -> None:
        raise ValueError("no good")

    task = await engine.submit(processor="once")
    async with engine.worker():
        await ended(engine, task)
    async with TaskEngine.open(engine_config, processors=Processors()) as stranger:
        found = await stranger.explain(task.id)
        assert (found.reason, found.permanent, found.attempts_left) == (Reason.FAILED, False, 0)


async def test_what_outside_services_do(engine: TaskEngine) -> None:
    """No worker is missed where an outside service does the work: it is waited for, or has the lease."""
    task = await engine.submit(processor="external")
    assert (await engine.explain(task.id)).reason is Reason.OUTSIDE
    await engine.report(task.id, progress=0.5)
    reported = await engine.explain(task.id)
    assert reported.lease is not None
    assert (reported.reason, reported.lease.worker_id) == (Reason.REPORTED, 0)


async def test_a_worker_that_has_gone_silent(
    engine_config: EngineConfig, processors: Processors, gate: Gate, database_url: str
) -> None:
    """Who has not beaten for half a lease is in doubt."""
    config = attrs.evolve(engine_config, lease_ttl_seconds=3600, heartbeat_seconds=600)
    db = await asyncpg.connect(database_url)
    async with TaskEngine.open(config, processors=processors) as engine:
        task = await engine.submit(processor="gate")
        async with engine.worker() as worker:
            await gate.next()
            await eventually(lambda: _silenced(db, engine, worker.id, task.id))
            gate.let_go()
            await ended(engine, task)
    await db.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, Reason.RUNNING),
        ({"beat_seconds": 15.1}, Reason.WORKER_SILENT),
        ({"beat_seconds": None, "worker_name": None}, Reason.WORKER_GONE),
        ({"cancel_requested": True}, Reason.CANCELLING),
        ({"cancel_requested": True, "beat_seconds": None}, Reason.CANCELLING),
        ({"worker_id": 0, "beat_seconds": None}, Reason.REPORTED),
    ],
)
def test_what_is_made_of_a_lease(change: dict[str, Any], reason: Reason) -> None:
    """A worker that is heard runs the task; a cancellation is told first; worker 0 is an outside service."""
    now = datetime.now(UTC)
    row = {
        "stored_status": "pending", "worker_id": 7, "worker_name": "north", "host": "mill", "pid": 11, "since": now,
        "deadline": now, "beat_seconds": 14.9, "cancel_requested": False, "processor": "split", "at": now,
        "paused": False, "workers": 1, "slots": 1, "running": 1, "ahead": None, "run_at": None, "attempt": 1,
        "failures": 0, "error": None, "cancel_reason": None, "finished_at": None,
    }  # fmt: skip
    found = explanation(TaskId(uuid4()), row | change, attempts_allowed=3, outside=False, silent_seconds=15)
    assert (found.status, found.reason) == (S.PROCESSING, reason)


async def _silenced(db: Db, engine: TaskEngine, worker_id: int, task_id: TaskId) -> bool:
    """Take the worker's last heartbeat back, and say whether it is missed."""
    await db.execute("update workers set beat_at = now() - interval '40 minutes' where id = $1", worker_id)
    return await _reason_is(engine, task_id, Reason.WORKER_SILENT)


async def test_nobody_knows_why_of_nothing(engine: TaskEngine) -> None:
    """A task that does not exist is not found."""
    with pytest.raises(TaskNotFoundError):
        await engine.explain(TaskId(uuid4()))
