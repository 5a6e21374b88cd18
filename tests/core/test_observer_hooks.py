"""Every hook of an observer is really told, once, and with what is true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from novel_tasks_core import AttemptContext, EngineConfig, NewTask, OutcomeKind, Processors, TaskEngine
from novel_tasks_core.broadcast import LIMIT
from novel_tasks_core.events import TaskProgressed
from novel_tasks_core.testing import FakeClock

from .support import AT_ONCE, Db, Gate, ended, eventually, known_to_be_quick
from .test_maintenance import a_dead_worker_with
from .test_observers import Failing, Recording


class Listener(Recording):
    """An observer that is asked what it was told."""

    def told(self, hook: str) -> list[dict[str, Any]]:
        """Return what every call of a hook said."""
        return [said for name, said in self.heard if name == hook]

    def total(self, hook: str, field: str) -> int:
        """Return the sum of a number over all calls of a hook."""
        return sum(said[field] for said in self.told(hook))


@pytest.fixture
def listener() -> Listener:
    """The observer of the test's engine."""
    return Listener()


@pytest.fixture
async def watched(
    engine_config: EngineConfig, processors: Processors, listener: Listener, gate: Gate
) -> AsyncIterator[TaskEngine]:
    """An engine with the listener, and one before it that fails at everything."""
    config = attrs.evolve(engine_config, retention_days=1)
    async with TaskEngine.open(config, processors=processors, observers=[Failing(), listener]) as opened:
        yield opened


async def test_what_a_worker_does_is_told(watched: TaskEngine, listener: Listener, gate: Gate) -> None:
    """Submits, claims, starts, ends, flushes and slots; an observer that fails at all of it harms nothing."""
    async with watched.worker(concurrency=2):
        first = await watched.submit(processor="gate")
        ids = {first.id, *await watched.submit_many([NewTask(processor="gate")] * 3)}
        await gate.next()
        await gate.next()
        gate.let_go()
        for task_id in ids:
            await watched.result(task_id)
        await eventually(lambda: len(listener.told("attempt_finished")) == 4)
    assert listener.told("submitted") == [{"processor": "gate", "tasks": 1}, {"processor": "gate", "tasks": 3}]
    assert listener.total("claimed", "tasks") == listener.total("flushed", "tasks") == 4
    assert all(0 <= said["seconds"] < 60 for hook in ("claimed", "flushed") for said in listener.told(hook))
    started = [{"task_id": id, "processor": "gate", "attempt": 1} for id in ids]
    assert sorted(listener.told("attempt_started"), key=repr) == sorted(started, key=repr)
    for said in listener.told("attempt_finished"):
        assert 0 <= said.pop("seconds") < 60
        assert said.pop("outcome") is OutcomeKind.COMPLETED
        started.remove(said)
    assert started == []
    slots = listener.told("slots_changed")
    assert {said["total"] for said in slots} == {2}
    assert (max(said["used"] for said in slots), slots[-1]["used"]) == (2, 0)


async def test_large_results_are_stored_in_statements_of_a_bearable_size(
    engine_config: EngineConfig, processors: Processors, listener: Listener
) -> None:
    """Of six results of six megabytes that are ready at one moment at most two go together; small ones all do."""
    together = asyncio.Barrier(6)

    async def large(ctx: AttemptContext) -> str:
        await together.wait()
        return "x" * int(ctx.options["size"])

    processors.register("large", large)
    async with (
        TaskEngine.open(engine_config, processors=processors, observers=[listener]) as engine,
        engine.worker(concurrency=6),
    ):
        for size, together_at_most in ((6 << 20, range(1, 3)), (6, range(3, 7))):
            listener.heard.clear()
            ids = await engine.submit_many([NewTask(processor="large", options={"size": size})] * 6)
            assert [len(await engine.result(task_id)) for task_id in ids] == [size] * 6
            await eventually(lambda: listener.total("flushed", "tasks") == 6)
            assert max(said["tasks"] for said in listener.told("flushed")) in together_at_most


async def test_retries_are_ends_too(watched: TaskEngine, listener: Listener) -> None:
    """Each attempt ends once, with its own outcome."""

    async def fail(ctx: AttemptContext) -> None:
        raise ValueError("as wanted")

    watched.processors.register("fail", fail, retry=AT_ONCE)
    async with watched.worker():
        await ended(watched, await watched.submit(processor="fail"))
        await eventually(lambda: len(listener.told("attempt_finished")) == 3)
    told = [(said["attempt"], said["outcome"]) for said in listener.told("attempt_finished")]
    assert told == [(1, OutcomeKind.RETRY), (2, OutcomeKind.RETRY), (3, OutcomeKind.FAILED)]


async def test_a_lost_lease_is_told(watched: TaskEngine, listener: Listener, gate: Gate) -> None:
    """The attempt of a deleted task is fenced: one lease lost, and no end."""
    async with watched.worker():
        task = await watched.submit(processor="gate")
        await gate.next()
        await watched.delete(task.id)
        await eventually(lambda: listener.told("leases_lost"))
    assert listener.told("leases_lost") == [{"tasks": 1}]
    assert listener.told("attempt_finished") == []


async def test_time_of_an_attempt_that_was_lost_is_not_that_of_the_next(
    engine_config: EngineConfig, processors: Processors, listener: Listener
) -> None:
    """The slot that goes on with a task claimed ahead counts from the moment when it begins."""
    clock, held = FakeClock(), asyncio.Event()

    async def hold(ctx: AttemptContext) -> None:
        if ctx.options:
            held.set()
            await asyncio.Event().wait()

    processors.register("hold", hold)
    async with (
        TaskEngine.open(engine_config, processors=processors, observers=[listener], clock=clock) as engine,
        engine.worker(concurrency=1) as worker,
    ):
        await known_to_be_quick(engine, worker, "hold")
        new = [NewTask(processor="hold", options={"hold": 1}), NewTask(processor="hold")]
        holding, following = await engine.submit_many(new)
        await held.wait()
        clock.advance(100)
        await engine.delete(holding)
        await engine.result(following)
    [seconds] = [said["seconds"] for said in listener.told("attempt_finished") if said["task_id"] == following]
    assert seconds < 50


async def test_what_maintenance_does_is_told(watched: TaskEngine, listener: Listener, gate: Gate, db: Db) -> None:
    """Rescues, promotions, prunes and sweeps, each with how many."""
    orphan = await watched.submit(processor="gate", max_attempts=2)
    await a_dead_worker_with(db, orphan.id)
    await db.execute("delete from workers")
    await eventually(lambda: listener.told("tasks_rescued"))
    soon = datetime.now(UTC) + timedelta(hours=1)
    await watched.submit_many(NewTask(processor="gate", run_at=soon) for _ in range(5))
    await db.execute("update task_schedule set run_at = now() - interval '1 second'")
    await eventually(lambda: listener.total("tasks_promoted", "tasks") == 5)
    old = await watched.submit_many([NewTask(processor="gate")] * 2)
    for task_id in old:
        await watched.cancel(task_id)
    await watched.prune(older_than_days=0)
    await watched.store(b"nobody wants me", name="n")
    await db.execute("update files set touched_at = touched_at - interval '2 hours'")
    await watched._parts.maintenance.sweep()
    told = {hook: listener.told(hook) for hook in ("tasks_rescued", "tasks_pruned", "files_swept")}
    assert told == {"tasks_rescued": [{"tasks": 1}], "tasks_pruned": [{"tasks": 2}], "files_swept": [{"files": 1}]}


async def test_a_slow_watcher_is_told(watched: TaskEngine, listener: Listener, gate: Gate) -> None:
    """Progress that did not fit into its queue."""
    task = await watched.submit(processor="gate")
    parts = watched._parts
    log = (await watched.events((await watched.submit(processor="gate", note="n")).id))[0]
    at = datetime.now(UTC)
    progress = TaskProgressed(task_id=task.id, after_seq=0, at=at, attempt=1, fraction=0.5, stage="")
    with parts.broadcast.subscribe(task.id):
        parts.broadcast.publish([attrs.evolve(log, task_id=task.id)] * LIMIT)
        parts.broadcast.publish([progress] * 3)
    assert listener.told("progress_dropped") == [{"events": 1}] * 3


async def test_the_doorbell_is_told(watched: TaskEngine, listener: Listener, db: Db) -> None:
    """Heard from the start, not heard when its connection is gone, heard again."""
    await eventually(lambda: listener.told("doorbell_changed") == [{"heard": True}])
    await db.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'novel-tasks listen'"
    )
    await eventually(lambda: listener.told("doorbell_changed") == [{"heard": heard} for heard in (True, False, True)])
    assert (await watched.health()).notes == ()
