"""What people do to single tasks: cancel, change the priority, delete, pause."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from novel_tasks_core import (
    AttemptContext,
    IllegalTransitionError,
    InvalidInputError,
    PreconditionFailedError,
    Processors,
    Task,
    TaskEngine,
    TaskNotFoundError,
    TaskStatus,
    UnknownProcessorError,
    Worker,
)
from novel_tasks_core.testing import drain

from ..support import Db, Gate, ended, eventually, known_to_be_quick

FAR = datetime(2999, 1, 1, tzinfo=UTC)


async def quick(ctx: AttemptContext) -> int:
    """Return the number of the attempt, or fail as wanted."""
    if ctx.options.get("fail"):
        raise ValueError("as wanted")
    return ctx.attempt


@pytest.fixture(autouse=True)
def quick_processor(processors: Processors) -> None:
    """The processor `quick`."""
    processors.register("quick", quick)


@pytest.mark.parametrize("run_at", [None, FAR])
async def test_a_waiting_task_is_cancelled_at_once(engine: TaskEngine, run_at: datetime | None) -> None:
    """Ready or scheduled: it never runs, tells why, and cannot be cancelled twice."""
    task = await engine.submit(processor="quick", run_at=run_at)
    cancelled = await engine.cancel(task.id, reason="a better idea")
    assert (cancelled.status, cancelled.attempt) == (TaskStatus.CANCELLED, 0)
    assert cancelled.error is not None
    assert cancelled.error.message == "a better idea"
    [event] = await engine.events(task.id)
    assert (event.kind, getattr(event, "reason", "")) == ("cancelled", "a better idea")
    await drain(engine)
    with pytest.raises(IllegalTransitionError) as caught:
        await engine.cancel(task.id)
    assert (caught.value.status, caught.value.action) == ("cancelled", "cancel it")


async def test_odd_words_of_people_are_stored_as_far_as_possible(engine: TaskEngine) -> None:
    """A reason with NUL is repaired, an address with NUL is refused."""
    task = await engine.submit(processor="quick", note="no\x00te")
    cancelled = await engine.cancel(task.id, reason="no \x00\ud800 more")
    assert cancelled.error is not None
    assert cancelled.error.message == "no \ufffd\ufffd more"
    assert (await engine.logs(task.id))[0].message == "no\ufffdte"
    outside = await engine.submit(processor="external")
    with pytest.raises(InvalidInputError):
        await engine.report(outside.id, result_url="http://\x00")
    failed = await engine.report(outside.id, status=TaskStatus.FAILED, error_message="\x00")
    assert failed.error is not None
    assert failed.error.message == "\ufffd"


async def test_asking_twice_is_told_once(engine: TaskEngine, processors: Processors) -> None:
    """A second cancel of a running task changes nothing, and the first reason stands."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def tidy(ctx: AttemptContext) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()

    processors.register("tidy", tidy)
    async with engine.worker():
        task = await engine.submit(processor="tidy")
        await begun.wait()
        await eventually(lambda: engine.events(task.id))  # that it started is stored a moment later
        first = await engine.cancel(task.id, reason="one")
        second = await engine.cancel(task.id, reason="two")
        assert first.cancel_requested
        assert first.version == second.version
        may_end.set()
        done = await ended(engine, task)
    assert done.error is not None
    assert done.error.message == "one"
    kinds = [e.kind for e in await engine.events(task.id)]
    assert sorted(kinds) == ["cancel_requested", "cancelled", "started"]


def deafen(worker: Worker) -> None:
    """Keep from a worker what its heartbeats tell it."""
    vars(worker)["apply_flags"] = lambda flags: None


@pytest.mark.parametrize("how", ["fails", "is released"])
async def test_a_cancel_is_not_lost_to_an_attempt_that_would_run_again(
    engine: TaskEngine, another_engine: Any, processors: Processors, how: str
) -> None:
    """An attempt fails, or is given back, after its task was cancelled but before its worker knew: no other runs."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fail(ctx: AttemptContext) -> None:
        begun.set()
        await go_on.wait()
        raise ValueError("would be tried again")

    processors.register("fail", fail)
    task = await engine.submit(processor="fail")
    async with another_engine(heartbeat_seconds=5, lease_ttl_seconds=10, shutdown_grace_seconds=0) as other:
        other._parts.doorbell._on_ring = lambda ring: None
        async with other.worker() as worker:
            deafen(worker)
            await begun.wait()
            assert (await engine.cancel(task.id, reason="enough")).status is TaskStatus.PROCESSING
            if how == "fails":
                go_on.set()
                await ended(engine, task)
    done = await engine.get(task.id)
    assert (done.status, done.attempt, done.failures) == (TaskStatus.CANCELLED, 1, 0)
    assert done.error is not None
    assert done.error.message == "enough"
    kinds = [e.kind for e in await engine.events(task.id) if e.kind != "log"]
    assert sorted(kinds) == ["cancel_requested", "cancelled", "started"]


async def test_priorities_can_change_until_the_end(engine: TaskEngine, gate: Gate) -> None:
    """Of ready, scheduled and running tasks; then the order follows; out of range or finished is an error."""
    low, high = await engine.submit(processor="gate"), await engine.submit(processor="gate", priority=5)
    scheduled = await engine.submit(processor="gate", run_at=FAR)
    assert (await engine.reprioritize(low.id, 9)).priority == 9
    assert (await engine.reprioritize(scheduled.id, -3)).priority == -3
    async with engine.worker(concurrency=1):
        assert (await gate.next()).task_id == low.id
        running = await engine.reprioritize(low.id, 2)
        assert (running.priority, running.status) == (2, TaskStatus.PROCESSING)
        gate.let_go()
        await ended(engine, high)
    with pytest.raises(IllegalTransitionError):
        await engine.reprioritize(low.id, 1)
    with pytest.raises(InvalidInputError, match="priority"):
        await engine.reprioritize(scheduled.id, 1 << 15)
    kinds = [e.kind for e in await engine.events(low.id)]
    assert sorted(kinds) == ["completed", "reprioritized", "reprioritized", "started"]


async def test_a_new_priority_holds_wherever_the_task_goes(
    engine: TaskEngine, another_engine: Any, gate: Gate, db: Db
) -> None:
    """One that was scheduled or running when it changed is ready under the new one afterwards."""
    scheduled = await engine.submit(processor="gate", run_at=FAR)
    await engine.reprioritize(scheduled.id, 7)
    running = await engine.submit(processor="gate")
    async with another_engine(shutdown_grace_seconds=0) as other, other.worker(concurrency=1):
        await gate.next()
        await engine.pause("gate")
        await engine.reprioritize(running.id, 5)
        await db.execute("update task_schedule set run_at = now()")
        await eventually(lambda: db.fetchval("select count(*) from task_ready"))
    rows = await db.fetch("select task_id, priority from task_ready order by priority")
    assert [tuple(row) for row in rows] == [(running.id, 5), (scheduled.id, 7)]


async def test_the_same_priority_again_changes_nothing(engine: TaskEngine, db: Db) -> None:
    """The task keeps its place before others, and tells nobody."""
    first, _second = [await engine.submit(processor="quick", priority=3) for _ in range(2)]
    assert await engine.reprioritize(first.id, 3) == first
    assert await db.fetchval("select task_id from task_ready order by position limit 1") == first.id
    assert await engine.events(first.id) == []


async def test_a_deleted_task_leaves_nothing(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """Waiting, scheduled, running or finished; a running attempt is stopped and what it makes is dropped."""
    source = await engine.store(b"x", name="n")
    waiting = await engine.submit(source, processor="gate", key="k", note="n", priority=-1)
    scheduled = await engine.submit(source, processor="gate", run_at=FAR)
    finished = await engine.submit(source, processor="quick", priority=1)
    running = await engine.submit(source, processor="gate", note="n")
    async with engine.worker(concurrency=1):
        await ended(engine, finished)
        assert (await gate.next()).task_id == running.id
        for task in (waiting, scheduled, finished, running):
            await engine.delete(task.id)
            with pytest.raises(TaskNotFoundError):
                await engine.get(task.id)
        await eventually(lambda: gate.stopped == [running.id])
    tables = ["tasks", "task_ready", "task_schedule", "task_leases", "task_events", "task_attempts"]
    for table in [*tables, "task_keys", "task_checkpoints", "artifacts"]:
        assert await db.fetchval(f"select count(*) from {table}") == 0, table
    assert (await engine.statistics()).total == 0


async def test_a_change_can_depend_on_the_version(engine: TaskEngine, gate: Gate) -> None:
    """Every change, and progress too, makes a new version; what was seen before it can no longer be changed."""
    task = await engine.submit(processor="gate")
    changed = await engine.reprioritize(task.id, 3, if_version=task.version)
    assert changed.version != task.version
    changes: list[Any] = [engine.cancel, engine.requeue, engine.delete]
    for change in (*changes, lambda i, if_version: engine.reprioritize(i, 4, if_version=if_version)):
        with pytest.raises(PreconditionFailedError) as caught:
            await change(task.id, if_version=task.version)
        assert caught.value.version == changed.version
    async with engine.worker():
        ctx = await gate.next()
        await ctx.progress(0.5)
        running = await eventually(lambda: _if_progressed(engine, task))
        assert running.version not in (task.version, changed.version)
        with pytest.raises(PreconditionFailedError):
            await engine.cancel(task.id, if_version=changed.version)
        gate.let_go()
        done = await ended(engine, task)
    await engine.delete(task.id, if_version=done.version)


async def _if_progressed(engine: TaskEngine, task: Task) -> Task | None:
    found = await engine.get(task.id)
    return found if found.progress else None


async def test_a_paused_processor_is_not_claimed_anywhere(engine: TaskEngine, another_engine: Any, gate: Gate) -> None:
    """In every process, at once; others go on; after the resume its tasks run."""
    async with another_engine() as other, other.worker(), engine.worker():
        await engine.pause("gate")
        paused = [await engine.submit(processor="gate") for _ in range(3)]
        assert await engine.result((await engine.submit(processor="quick")).id) == 1
        await engine.result((await other.submit(processor="quick")).id)
        assert not gate.running
        assert {lane.processor: lane.paused for lane in await other.queue_status()}["gate"]
        await other.resume("gate")
        gate.let_go()
        for task in paused:
            await ended(engine, task)
    with pytest.raises(UnknownProcessorError):
        await engine.pause("nonsense")


async def test_a_task_claimed_ahead_can_be_cancelled(engine: TaskEngine, processors: Processors) -> None:
    """One that its worker holds but has not begun ends as cancelled before it does anything."""
    ran: list[Any] = []
    go = asyncio.Event()

    async def note(ctx: AttemptContext) -> None:
        ran.append(ctx.task_id)
        if ctx.options.get("wait"):
            await go.wait()

    processors.register("note", note)
    async with engine.worker(concurrency=1) as worker:
        await known_to_be_quick(engine, worker, "note")
        blocker = await engine.submit(processor="note", options={"wait": 1}, priority=1)
        ahead = await engine.submit(processor="note")
        await eventually(lambda: len(worker._flusher.held) == 2)
        assert (await engine.get(ahead.id)).status is TaskStatus.PROCESSING
        await engine.cancel(ahead.id)
        await eventually(lambda: worker._flusher.held[ahead.id, 1].scope.reason)
        go.set()
        assert (await ended(engine, ahead)).status is TaskStatus.CANCELLED
        await ended(engine, blocker)
    assert ahead.id not in ran
