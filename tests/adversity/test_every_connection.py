"""Every connection of an engine is killed or falls silent while a worker works: it is replaced, and nothing is lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from novel_tasks_core import AttemptContext, DatabaseUnavailableError, EngineConfig, Processors, TaskEngine, TaskId
from novel_tasks_core.storage.database import Database

from ..core.support import AT_ONCE, Db, eventually
from .conftest import PATIENCE_SECONDS
from .proxy import Proxy
from .test_database_away import BOUND_SECONDS

POOL = "novel-tasks"
LISTEN = "novel-tasks listen"
NAMES = (POOL, LISTEN, *(f"novel-tasks {n}" for n in ("claim", "flush", "submit", "ring", "maintenance", "heartbeat")))
KILLS = 5


@pytest.fixture
def engine_config(engine_config: EngineConfig) -> EngineConfig:
    """Leases that outlast a busy machine: what is tested here is connections."""
    return attrs.evolve(engine_config, lease_ttl_seconds=10.0)


@pytest.fixture
def far_config(far_config: EngineConfig) -> EngineConfig:
    """The same for the engine behind the proxy."""
    return attrs.evolve(far_config, lease_ttl_seconds=10.0)


@pytest.fixture(autouse=True)
def short(processors: Processors) -> None:
    """The processor `short`, which says something, sets a checkpoint and ends."""

    async def run(ctx: AttemptContext) -> int:
        await ctx.log("begun")
        with suppress(DatabaseUnavailableError):
            await ctx.checkpoint(1)
        await asyncio.sleep(0.01)
        return ctx.attempt

    processors.register("short", run, retry=AT_ONCE)


class Usage:
    """What users do meanwhile, again and again: submit, now or for soon, and look; errors are theirs to repeat."""

    def __init__(self, engine: TaskEngine) -> None:
        self.engine = engine
        self.ids: list[TaskId] = []
        self.refused = 0

    async def once(self) -> None:
        """Do everything once."""
        soon = datetime.now(UTC) + timedelta(seconds=0.2)
        for run_at in (None, soon):
            try:
                self.ids.append((await self.engine.submit(processor="short", run_at=run_at)).id)
                await self.engine.find(limit=5)
            except DatabaseUnavailableError:
                self.refused += 1

    async def until(self, over: Callable[[], bool]) -> None:
        """Go on until told."""
        while not over():
            await self.once()
            await asyncio.sleep(0.005)


async def pids(db: Db, name: str) -> set[int]:
    """Return the server's processes behind the connections with a name."""
    rows = await db.fetch(
        "select pid from pg_stat_activity where datname = current_database() and application_name = $1", name
    )
    return {row["pid"] for row in rows}


async def kill(db: Db, name: str) -> int:
    """Terminate the connections with a name; returns how many there were."""
    found = await pids(db, name)
    for pid in found:
        await db.execute("select pg_terminate_backend($1)", pid)
    return len(found)


async def all_over(db: Db, ids: list[TaskId]) -> bool:
    """Say whether all these tasks are completed."""
    done = await db.fetchval("select count(*) from tasks where id = any($1::uuid[]) and status = 'completed'", ids)
    return bool(done == len(ids))


async def check_nothing_was_lost(engine: TaskEngine, db: Db, usage: Usage) -> None:
    """Every submitted task is completed by one attempt, none counted as failed; the engine is well again."""
    await eventually(lambda: all_over(db, usage.ids), within_seconds=60)
    completions = await db.fetch("select count(*) from all_attempts where outcome = 'completed' group by task_id")
    assert {row["count"] for row in completions} == {1}
    assert len(completions) >= len(usage.ids) > 0
    assert await db.fetchval("select max(failures) from tasks") == 0
    outcomes = await db.fetch("select distinct outcome from all_attempts")
    assert {row["outcome"] for row in outcomes} <= {"completed", "released"}
    await eventually(lambda: _is_well(engine))


async def _is_well(engine: TaskEngine) -> bool:
    health = await engine.health()
    return health.healthy and health.problems == health.notes == ()


@pytest.mark.parametrize("name", NAMES)
async def test_a_connection_that_is_killed_again_and_again_is_replaced(engine: TaskEngine, db: Db, name: str) -> None:
    """Whichever it is: a new one comes by itself, and every task is completed once."""
    usage, kills = Usage(engine), 0
    async with engine.worker(concurrency=3):
        using = asyncio.create_task(usage.until(lambda: kills >= KILLS))
        async with asyncio.timeout(60):
            while kills < KILLS:
                kills += await kill(db, name)
                await asyncio.sleep(random.uniform(0, 0.05))
            await using
        await usage.once()
        await check_nothing_was_lost(engine, db, usage)
        await eventually(lambda: pids(db, name))


@pytest.mark.parametrize("name", NAMES)
async def test_a_connection_that_falls_silent_is_replaced(
    far_engine: TaskEngine, proxy: Proxy, db: Db, name: str
) -> None:
    """Half open, as after a router forgot it: noticed within the bounds, and nobody waits for it for ever."""
    usage = Usage(far_engine)
    async with far_engine.worker(concurrency=3):
        await usage.once()
        await eventually(lambda: name in proxy.names())
        await usage.once()
        old = await pids(db, name)
        assert proxy.silence(name) > 0
        began = time.monotonic()
        using = asyncio.create_task(usage.until(lambda: time.monotonic() - began > 0.5))
        await eventually(lambda: _replaced(db, name, old), within_seconds=BOUND_SECONDS + 30.0)
        await using
        await check_nothing_was_lost(far_engine, db, usage)


async def _replaced(db: Db, name: str, old: set[int]) -> bool:
    return bool(await pids(db, name) - old)


async def test_many_calls_on_a_silent_link_wait_side_by_side(far_engine: TaskEngine, proxy: Proxy) -> None:
    """They queue up behind each other, but not each for the whole patience of the one before."""
    database: Database = far_engine._parts.database
    link = database.link("many")
    await link.fetch("select 1")
    proxy.black_hole = True
    began = time.monotonic()
    done = await asyncio.gather(*(link.fetch("select 1") for _ in range(100)), return_exceptions=True)
    assert time.monotonic() - began < 2 * BOUND_SECONDS < 100 * PATIENCE_SECONDS
    assert {type(one) for one in done} == {DatabaseUnavailableError}
    proxy.black_hole = False
    assert await link.fetchval("select 7") == 7
    await link.close()


async def test_health_notes_a_doorbell_that_is_not_heard(far_engine: TaskEngine, proxy: Proxy) -> None:
    """As long as it lasts; tasks are found by polling meanwhile, so that the engine is healthy."""
    await eventually(lambda: far_engine._parts.doorbell.heard)
    async with far_engine.worker(concurrency=1):
        await far_engine.result((await far_engine.submit(processor="short")).id)
        proxy.refusing = True
        assert proxy.cut(LISTEN) == 1
        await eventually(lambda: not far_engine._parts.doorbell.heard)
        health = await far_engine.health()
        assert (health.healthy, health.notes) == (
            True,
            ("doorbell: not heard, tasks of other processes are found by polling",),
        )
        proxy.refusing = False
        await eventually(lambda: far_engine._parts.doorbell.heard, within_seconds=60)
    assert (await far_engine.health()).notes == ()


async def test_health_answers_soon_whatever_the_patience_of_calls(
    far_config: EngineConfig, processors: Processors, proxy: Proxy
) -> None:
    """Whoever asks for it must not wait for the timeouts of a silent database."""
    patient = attrs.evolve(
        far_config, connect_timeout_seconds=600, command_timeout_seconds=600, shutdown_grace_seconds=0
    )
    async with TaskEngine.open(patient, processors=processors) as engine:
        proxy.black_hole = True
        began = time.monotonic()
        health = await engine.health()
        assert time.monotonic() - began < 60
        assert (health.database, health.storage) == (False, True)
        assert "no answer within 3 s" in health.problems[-1]
