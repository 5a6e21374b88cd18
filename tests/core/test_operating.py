"""What operators see of connections: how the pool is used, and whether the server has room for everybody."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import asyncpg
import attrs
import pytest

from novel_tasks_core import AttemptContext, DatabaseUnavailableError, EngineConfig, Processors, TaskEngine
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.operating import LINKS, CapacityWatch

from .support import Db, eventually


async def test_the_pool_tells_who_holds_and_who_waits(engine_config: EngineConfig, database_url: str) -> None:
    """Lent, idle and awaited connections are counted as they come and go, a caller who gives up too."""
    config = attrs.evolve(engine_config, pool_size=2, pool_overflow=0, connect_timeout_seconds=2.0)
    async with Database.open(database_url, config=config) as database:
        async with database.connection(), database.connection():
            status = database.pool_status()
            assert (status.size, status.idle, status.in_use, status.limit, status.waiting) == (2, 0, 2, 2, 0)
            asking = asyncio.create_task(database.execute("select 1"))
            await asyncio.sleep(0)
            assert database.pool_status().waiting == 1
            with pytest.raises(DatabaseUnavailableError):
                await asking
            assert database.pool_status().waiting == 0
        assert database.pool_status().idle == 2


async def test_the_connections_beside_the_pool_are_as_many_as_are_counted(
    engine: TaskEngine, processors: Processors, db: Db
) -> None:
    """An engine that does all that it can has no more connections of its own, and no fewer, than it says."""

    @processors.register("quick")
    async def quick(ctx: AttemptContext) -> None:
        """Do nothing."""

    async with engine.worker():
        task = await engine.submit(processor="quick")
        await engine.submit(processor="quick", key="one")
        await engine.result(task.id)
        await engine.find(limit=1)
        await eventually(lambda: _has_its_own(db, LINKS))
    assert TaskEngine.connections_of(engine.config) == engine.pool_status().limit + LINKS


async def _has_its_own(db: Db, count: int) -> bool:
    """Say whether so many connections have names of their own; fail when there are more."""
    names = await db.fetch(
        "select application_name from pg_stat_activity"
        " where datname = current_database() and application_name like 'novel-tasks %'"
    )
    assert len(names) <= count, names
    return len(names) == count


@pytest.fixture
async def room(database_url: str) -> int:
    """How many connections the server of the tests allows."""
    db: Db = await asyncpg.connect(database_url)
    allowed = await db.fetchval("select current_setting('max_connections')::int")
    await db.close()
    return int(allowed)


async def test_too_many_processes_for_the_server_are_warned_about(
    engine_config: EngineConfig, another_engine: Any, room: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The second of two that may open more connections than the server allows says so as it starts; health notes it."""
    half: dict[str, Any] = {"pool_size": room // 2, "pool_overflow": 0}
    async with TaskEngine.open(attrs.evolve(engine_config, **half)) as first:
        assert first.pool_status().limit == room // 2
        assert (await first.health()).notes == ()
        async with another_engine(**half) as second:
            warnings = [r for r in caplog.records if r.getMessage() == "too_many_connections_possible"]
            assert {(w.levelno, w.__dict__["processes"]) for w in warnings} == {(logging.WARNING, 2)}
            await eventually(lambda: _has_looked(first))
            for engine in (first, second):
                health = await engine.health()
                assert health.healthy
                assert [note.partition(":")[0] for note in health.notes] == ["connections"]
            second._parts.capacity._note = ""  # as if it were over: the next look tells it again
            await eventually(lambda: _has_looked(second))
        assert (await first.health()).notes == ()  # at once, not when it looks again


async def test_a_process_that_is_silent_is_not_counted(
    engine_config: EngineConfig, database_url: str, room: int
) -> None:
    """A listening connection that asks nothing any more belongs to no process, before the server knows that it died."""
    config = attrs.evolve(engine_config, pool_size=room // 2, pool_overflow=0)
    listening: Db = await asyncpg.connect(database_url, server_settings={"application_name": "novel-tasks listen"})
    async with Database.open(database_url, config=config) as database:
        watch = CapacityWatch(database, config=config, own_listener=lambda: None, silent_seconds=0.2)
        await eventually(lambda: _finds(watch, listening, "select 1", notes=1))
        await eventually(lambda: _finds(watch, listening, "", notes=0))
        await eventually(lambda: _finds(watch, listening, "select 1", notes=1))
    await listening.close()


async def _finds(watch: CapacityWatch, other: Db, query: str, *, notes: int) -> bool:
    """Look after another process has asked something, or not, and say whether so much was found."""
    if query:
        await other.execute(query)
    await watch.look_first()
    return len(watch.notes()) == notes


async def _has_looked(engine: TaskEngine) -> bool:
    """Look again, and say whether something was found: an engine that is not seen yet does not look."""
    await engine._parts.capacity.look()
    return bool(engine._parts.capacity.notes())
