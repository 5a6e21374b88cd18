"""The database refuses, falls silent or drops its connections: bounded errors, and recovery without help."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import attrs
import pytest

from novel_tasks_core import (
    AttemptContext,
    DatabaseUnavailableError,
    EngineConfig,
    NewTask,
    OutcomeKind,
    Processors,
    TaskEngine,
    TaskStatus,
)
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.housekeeping import Housekeeping

from ..core.support import AT_ONCE, Db, Gate, ended, eventually, watching
from .conftest import PATIENCE_SECONDS
from .proxy import Proxy

LEASE_SECONDS = 6.0
"""Of what is to be lost: more than a busy machine delays a heartbeat."""

BOUND_SECONDS = 2 * PATIENCE_SECONDS + 2 * 2.0 + 30.0
"""Connect and command timeout, the two margins above them, and the machine's own slowness."""


@contextmanager
def bounded() -> Iterator[None]:
    """Fail when the block takes longer than any single call may."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < BOUND_SECONDS


async def test_an_engine_does_not_open_without_a_database(far_config: EngineConfig, proxy: Proxy) -> None:
    """Nobody listens, connections are reset, or nothing is answered: a clear error in time."""
    nobody = attrs.evolve(far_config, database_url="postgresql://postgres@127.0.0.1:9/none")
    nowhere = attrs.evolve(far_config, database_url="postgresql://postgres@/none?host=/no/such/folder")
    for config, refusing, black_hole in (
        (nobody, False, False),
        (nowhere, False, False),
        (far_config, True, False),
        (far_config, False, True),
    ):
        proxy.refusing, proxy.black_hole = refusing, black_hole
        with bounded(), pytest.raises(DatabaseUnavailableError):
            async with TaskEngine.open(config):
                pytest.fail("it opened")


async def test_a_cancellation_outlives_a_rollback_that_fails(
    far_engine: TaskEngine, far_config: EngineConfig, proxy: Proxy
) -> None:
    """Who is cancelled inside a transaction, and cannot roll back, has been cancelled: not told of the database."""
    async with Database.open(proxy.url, config=far_config) as database:
        inside = asyncio.Event()

        async def work() -> None:
            async with database.transaction() as connection:
                inside.set()
                await connection.execute("select pg_sleep(60)", timeout=60)

        for break_it in (lambda: setattr(proxy, "black_hole", True), proxy.cut):
            inside.clear()
            working = asyncio.create_task(work())
            await inside.wait()
            await asyncio.sleep(0)
            working.cancel()
            break_it()
            await asyncio.wait({working})
            assert working.cancelled()
            proxy.black_hole = False


async def test_an_engine_closes_though_maintenance_cannot_roll_back(
    far_config: EngineConfig, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is inside a transaction when the database falls silent hears that it is over, and closing ends."""
    inside = asyncio.Event()

    async def note_ranges(self: Housekeeping) -> None:
        async with self._database.transaction() as connection:
            inside.set()
            await connection.execute("select pg_sleep(600)", timeout=600)

    monkeypatch.setattr(Housekeeping, "note_ranges", note_ranges)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(TaskEngine.open(far_config))
        await inside.wait()
        proxy.black_hole = True
        closing = asyncio.create_task(stack.pop_all().aclose())
        await asyncio.wait({closing}, timeout=60)
        proxy.black_hole = False
        assert closing.done()


async def test_calls_on_a_silent_database_fail_in_time_and_recover(
    far_engine: TaskEngine, proxy: Proxy, gate: Gate
) -> None:
    """More callers than connections: all hear of it within the bounds; `health` says so; then all goes on."""
    task = await far_engine.submit(processor="gate")
    assert (await far_engine.health()).healthy
    proxy.black_hole = True
    calls = [
        *(far_engine.get(task.id) for _ in range(20)),
        *(far_engine.submit(processor="gate") for _ in range(5)),
        far_engine.find(),
        far_engine.statistics(),
        far_engine.cancel(task.id),
        far_engine.submit_many([NewTask(processor="gate")]),
        far_engine.pause("gate"),
        far_engine.store(b"x", name="n"),
    ]
    with bounded():
        done = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in done] == [DatabaseUnavailableError] * len(calls)
    with bounded():
        health = await far_engine.health()
    assert (health.database, health.storage) == (False, True)
    assert "database unavailable" in health.problems[-1]
    proxy.black_hole = False
    await eventually(lambda: _works(far_engine))
    assert (await far_engine.get(task.id)).status is TaskStatus.PENDING
    assert (await far_engine.health()).healthy


async def _works(engine: TaskEngine) -> bool:
    try:
        await engine.submit(processor="gate")
    except DatabaseUnavailableError:
        return False
    return True


async def test_callers_that_give_up_are_not_held(far_engine: TaskEngine, proxy: Proxy, gate: Gate) -> None:
    """Calls on a silent database that are cancelled end soon, and their connections do not stay blocked."""
    task = await far_engine.submit(processor="gate")
    proxy.black_hole = True
    reads = [asyncio.create_task(far_engine.get(task.id)) for _ in range(12)]
    writes = [asyncio.create_task(far_engine.submit(processor="gate")) for _ in range(3)]
    await asyncio.wait([*reads, *writes], timeout=PATIENCE_SECONDS / 4)
    for call in (*reads, *writes):
        call.cancel()
    with bounded():
        await asyncio.wait([*reads, *writes])
    proxy.black_hole = False
    await eventually(lambda: _works(far_engine))


@pytest.fixture
def counting(processors: Processors) -> None:
    """The processor `count`, which reports and then returns the number of its attempt."""

    async def count(ctx: AttemptContext) -> int:
        for n in range(3):
            await ctx.log(f"line {n}")
            await ctx.progress(n, total=3)
            await asyncio.sleep(0.002)
        return ctx.attempt

    processors.register("count", count, retry=AT_ONCE)


async def all_done(db: Db, tasks: int) -> bool:
    """Say whether so many tasks are completed."""
    return bool(await db.fetchval("select count(*) from tasks where status = 'completed'") == tasks)


async def test_connections_that_break_all_the_time_cost_nothing(
    far_engine: TaskEngine, proxy: Proxy, counting: None, db: Db
) -> None:
    """Every connection is reset again and again while tasks run: each is completed once and nothing is lost."""
    ids = await far_engine.submit_many(NewTask(processor="count") for _ in range(250))
    cuts = 0
    async with asyncio.timeout(60), far_engine.worker(concurrency=4):
        while not await all_done(db, len(ids)):
            cuts += proxy.cut()
            await asyncio.sleep(random.uniform(0.03, 0.3))
    assert cuts > 5
    completions = await db.fetch("select task_id, count(*) from all_attempts where outcome = 'completed' group by 1")
    assert [row["count"] for row in completions] == [1] * len(ids)
    gaps = await db.fetchval(
        "select count(*) from tasks t where last_seq <> (select count(*) from task_events where task_id = t.id)"
    )
    assert gaps == 0
    assert await db.fetchval("select max(failures) from tasks") == 0


async def test_a_worker_cut_off_for_too_long_stops_its_own_work(
    far_config: EngineConfig,
    processors: Processors,
    another_engine: Any,
    proxy: Proxy,
    stubborn_gate: Gate,
) -> None:
    """It cannot beat for half a lease: it stops, another takes over, and when it is back it works under a new id."""
    short = attrs.evolve(far_config, lease_ttl_seconds=LEASE_SECONDS)
    async with TaskEngine.open(short, processors=processors) as far_engine, far_engine.worker() as worker:
        task = await far_engine.submit(processor="again")
        await stubborn_gate.next()
        old = worker.id
        proxy.black_hole = True
        await eventually(lambda: stubborn_gate.stopped == [task.id])
        async with another_engine(lease_ttl_seconds=LEASE_SECONDS) as other, other.worker() as second:
            assert (await stubborn_gate.next()).attempt == 2
            proxy.black_hole = False
            await eventually(lambda: worker.id != old)
            stubborn_gate.let_go()
            done = await ended(other, task)
            assert (done.result, done.failures) == ({"attempt": 2}, 1)
            outcomes = [(a.outcome, a.worker_id) for a in await other.attempts(task.id)]
            assert outcomes == [(OutcomeKind.LOST, old), (OutcomeKind.COMPLETED, second.id)]
        again = await far_engine.submit(processor="again")
        assert await far_engine.result(again.id) == {"attempt": 1}


async def test_ends_wait_for_a_database_that_is_shortly_away(
    far_engine: TaskEngine, proxy: Proxy, gate: Gate, db: Db
) -> None:
    """An attempt that finishes while nothing can be stored is stored as soon as that is possible, and was run once."""
    async with far_engine.worker():
        task = await far_engine.submit(processor="gate")
        await gate.next()
        async with watching(far_engine, task.id) as watcher:
            await watcher.subscribed.wait()
            proxy.refusing = True
            proxy.cut()
            gate.let_go()
            await eventually(lambda: not gate.running)
            proxy.refusing = False
            assert (await watcher.finished())[-1].kind == "completed"
    assert await db.fetchval("select array_agg(outcome) from all_attempts") == ["completed"]


async def test_an_engine_closes_in_time_without_its_database(
    far_config: EngineConfig, processors: Processors, proxy: Proxy, gate: Gate
) -> None:
    """Whatever patience it was given for its calls; what it held is rescued, and counts as one failure."""
    config = attrs.evolve(
        far_config,
        shutdown_grace_seconds=0.2,
        connect_timeout_seconds=600,
        command_timeout_seconds=600,
    )
    async with TaskEngine.open(config, processors=processors) as engine, engine.worker():
        task = await engine.submit(processor="gate", max_attempts=2)
        await gate.next()
        await engine.submit(processor="external")
        proxy.black_hole = True
        closing = time.monotonic()
    assert time.monotonic() - closing < 60
    proxy.black_hole = False
    gate.let_go()
    short = attrs.evolve(far_config, lease_ttl_seconds=LEASE_SECONDS)
    async with TaskEngine.open(short, processors=processors) as engine, engine.worker():
        done = await ended(engine, task)
        assert (done.status, done.attempt, done.failures) == (TaskStatus.COMPLETED, 2, 1)
