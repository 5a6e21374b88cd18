"""How a worker ends: it stops claiming, lets finish, gives the rest back, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading
from types import ModuleType
from typing import Any

import attrs
import psutil
import pytest

from novel_tasks_core import (
    AttemptContext,
    EngineClosedError,
    EngineConfig,
    NewTask,
    OutcomeKind,
    Processors,
    TaskEngine,
    TaskStatus,
)

from ..support import Db, Gate, eventually, known_to_be_quick


async def test_what_runs_may_finish_within_the_grace(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """A drain claims nothing more and waits for the attempts that run."""
    async with engine.worker(concurrency=2) as worker:
        running = [await engine.submit(processor="gate") for _ in range(2)]
        for _ in running:
            await gate.next()
        waiting = await engine.submit(processor="gate")
        draining = asyncio.create_task(worker.drain(grace_seconds=600))
        await eventually(lambda: _state(db, "draining"))
        assert not draining.done()
        gate.let_go()
        await draining
        assert worker.running == 0
    assert {(await engine.get(task.id)).status.value for task in running} == {"completed"}
    assert (await engine.get(waiting.id)).status is TaskStatus.PENDING
    assert await db.fetchval("select count(*) from workers") == 0


async def _state(db: Db, state: str) -> bool:
    return bool(await db.fetchval("select count(*) = 1 from workers where state = $1", state))


async def test_what_does_not_finish_is_given_back_uncounted(
    engine: TaskEngine, processors: Processors, gate: Gate, child_processors: ModuleType, db: Db
) -> None:
    """After the grace it is cancelled, or killed, and waits in its old place for the next worker, without a failure."""
    processors.register("sleep", child_processors.sleep_for_ever)
    async with engine.worker() as worker:
        tasks = [await engine.submit(processor="gate", max_attempts=1), await engine.submit(processor="sleep")]
        later = await engine.submit(processor="external")
        await gate.next()
        pid = int(await eventually(lambda: _stage(engine, tasks[1].id)))
        await worker.drain(grace_seconds=0)
        await worker.close()
    assert not psutil.pid_exists(pid)
    for task in tasks:
        released = await engine.get(task.id)
        assert (released.status, released.attempt, released.failures) == (TaskStatus.PENDING, 1, 0)
        [attempt] = await engine.attempts(task.id)
        assert attempt.outcome is OutcomeKind.RELEASED
        assert [e.kind for e in await engine.events(task.id)][-1] == "released"
    order = [r["task_id"] for r in await db.fetch("select task_id from task_ready order by position")]
    assert order == [tasks[0].id, tasks[1].id, later.id]
    async with engine.worker(processors=["gate"]):
        gate.let_go()
        assert await engine.result(tasks[0].id) == {"attempt": 2}


async def _stage(engine: TaskEngine, task_id: Any) -> str:
    return (await engine.get(task_id)).stage


async def test_what_was_claimed_ahead_is_given_back_at_once(engine: TaskEngine, processors: Processors) -> None:
    """A worker in the same process gets it while the first still drains."""
    go, ran = asyncio.Event(), []

    async def note(ctx: AttemptContext) -> None:
        ran.append(ctx.task_id)
        if ctx.options.get("wait"):
            await go.wait()

    processors.register("note", note)
    async with engine.worker(concurrency=1) as worker:
        await known_to_be_quick(engine, worker, "note")
        blocker = await engine.submit(processor="note", options={"wait": 1}, priority=1)
        ahead = await engine.submit_many(NewTask(processor="note") for _ in range(20))
        await eventually(lambda: len(worker._flusher.held) == 21)
        draining = asyncio.create_task(worker.drain(grace_seconds=600))
        async with engine.worker(concurrency=1):
            for task_id in ahead:
                await engine.result(task_id)
            assert (await engine.get(blocker.id)).status is TaskStatus.PROCESSING
            go.set()
            await draining
    assert [a.outcome for a in await engine.attempts(ahead[0])] == [OutcomeKind.RELEASED, OutcomeKind.COMPLETED]


async def test_a_processor_that_ignores_its_cancellation_cannot_hold_up_the_end(
    engine_config: EngineConfig, processors: Processors, db: Db
) -> None:
    """It is given up after the grace; its task waits again, and what it brings later is dropped."""
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def deaf(ctx: AttemptContext) -> str:
        begun.set()
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                continue
        ended.set()
        return "too late"

    processors.register("deaf", deaf)
    config = attrs.evolve(engine_config, cancel_grace_seconds=0.1)
    async with TaskEngine.open(config, processors=processors) as engine:
        task = await engine.submit(processor="deaf")
        async with asyncio.timeout(60):
            async with engine.worker() as worker:
                await begun.wait()
                await worker.drain(grace_seconds=0)
        released = await engine.get(task.id)
        assert (released.status, released.attempt, released.result) == (TaskStatus.PENDING, 1, None)
        may_end.set()
        await ended.wait()
        assert await db.fetchval("select count(*) from task_leases") == 0
    await eventually(lambda: len(asyncio.all_tasks()) <= 2)


async def test_closing_twice_is_closing_once(engine: TaskEngine, gate: Gate) -> None:
    """Calls wait with the first; one that is cancelled does not stop it."""
    async with engine.worker() as worker:
        await engine.submit(processor="gate")
        await gate.next()
        first, second = asyncio.create_task(worker.close(grace_seconds=10)), asyncio.create_task(worker.close())
        await eventually(lambda: worker._draining)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert not first.done()
        gate.let_go()
        await first
        await worker.close()


async def test_an_engine_leaves_nothing_behind(
    engine_config: EngineConfig, processors: Processors, gate: Gate, child_processors: ModuleType, db: Db
) -> None:
    """After its block: no asyncio tasks, no threads, no connections, no child processes, no temporary files."""
    processors.register("child", child_processors.tell_pid)
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    children = set(psutil.Process().children(recursive=True))
    watchers = []
    async with TaskEngine.open(engine_config, processors=processors) as engine:
        async with engine.worker(), engine.worker(processors=["gate"]):
            await engine.result((await engine.submit(processor="child")).id)
            done = await engine.submit(await engine.store(b"x", name="n"), processor="gate")
            watchers.append(engine.watch(done.id))
            await gate.next()
            assert set(psutil.Process().children(recursive=True)) > children
            gate.let_go()
            await engine.result(done.id)
        assert set(psutil.Process().children(recursive=True)) == children
    assert asyncio.all_tasks() == tasks
    await eventually(lambda: _own_threads() <= {t.name for t in threads})
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    await eventually(lambda: _is_zero(db, others))
    assert list((engine_config.files / "tmp").iterdir()) == []


def _own_threads() -> set[str]:
    """Return the names of the threads that are not asyncio's own, which live as long as the loop."""
    return {thread.name for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}


async def _is_zero(db: Db, query: str) -> bool:
    return bool(await db.fetchval(query) == 0)


async def test_a_closed_engine_says_so(engine_config: EngineConfig, processors: Processors, gate: Gate, db: Db) -> None:
    """Every call fails with the same clear error, makes no connection, and `health` still does not raise."""
    async with TaskEngine.open(engine_config, processors=processors) as engine:
        task = await engine.submit(processor="gate")
        following = asyncio.ensure_future(anext(aiter(engine.watch(task.id))))
        await eventually(lambda: engine._parts.broadcast.watched(task.id))
    processors.register("new", gate.run)
    calls = [
        lambda: engine.submit(processor="gate"),
        lambda: engine.submit(processor="new"),
        lambda: engine.submit_many([NewTask(processor="gate")]),
        lambda: engine.get(task.id),
        lambda: engine.find(),
        lambda: engine.cancel(task.id),
        lambda: engine.store(b"x", name="n"),
        lambda: engine.pause("gate"),
        lambda: anext(aiter(engine.watch(task.id))),
        lambda: following,
    ]
    for call in calls:
        with pytest.raises(EngineClosedError):
            async with asyncio.timeout(60):
                await call()  # type: ignore[no-untyped-call]
    health = await engine.health()
    assert (health.database, health.storage, health.healthy) == (False, False, False)
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    await eventually(lambda: _is_zero(db, others))


async def test_restarts_at_any_moment_cost_no_failures(engine: TaskEngine, processors: Processors, db: Db) -> None:
    """Workers that come and go while quick tasks are claimed ahead give back all that they hold: nothing is lost."""

    async def quick(ctx: AttemptContext) -> None:
        await asyncio.sleep(0)

    processors.register("quick", quick)
    ids = await engine.submit_many(NewTask(processor="quick") for _ in range(2000))
    for restart in range(15):
        async with engine.worker(concurrency=2):
            await eventually(lambda: _some_ended(db))
            await asyncio.sleep(restart * 0.0007)  # each time at another moment of its work
    async with engine.worker(concurrency=8):
        await engine.result(ids[-1])
        await eventually(lambda: _is_zero(db, "select count(*) from tasks where status = 'pending'"), within_seconds=60)
    assert {row["outcome"] for row in await db.fetch("select distinct outcome from all_attempts")} <= {
        "completed",
        "released",
    }
    assert await _is_zero(db, "select count(*) from tasks where failures > 0 or status <> 'completed'")


async def _some_ended(db: Db) -> bool:
    return bool(await db.fetchval("select exists (select 1 from all_attempts)"))
