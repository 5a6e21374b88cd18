"""The pool keeps its limits, asks connections that were idle before it lends them, and replaces old ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import attrs
import pytest

from novel_tasks_core import EngineConfig
from novel_tasks_core.storage import lending
from novel_tasks_core.storage.database import Database

from .proxy import Proxy

NAME = "novel-tasks"
PID = "select pg_backend_pid()"


@pytest.fixture
async def far_database(far_config: EngineConfig, proxy: Proxy) -> AsyncIterator[Database]:
    """A pool of at most eight connections, behind the proxy, that no busy machine makes impatient."""
    patient = attrs.evolve(far_config, connect_timeout_seconds=20.0, command_timeout_seconds=20.0)
    async with Database.open(proxy.url, config=patient) as database:
        yield database


async def test_no_more_connections_than_allowed(far_database: Database, far_config: EngineConfig, proxy: Proxy) -> None:
    """However many ask at once, there are as many connections as the pool and its overflow allow."""
    limit = far_config.pool_size + far_config.pool_overflow
    pids = await asyncio.gather(*(far_database.fetchval(f"{PID} from pg_sleep(0.02)") for _ in range(5 * limit)))
    assert len(set(pids)) <= limit
    assert proxy.names().count(NAME) <= limit


async def test_an_idle_connection_is_asked_before_it_is_lent(
    far_database: Database, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of connections that fell silent while nobody used them none reaches a caller, and one wait finds them all."""
    await asyncio.gather(*(far_database.fetchval(f"{PID} from pg_sleep(0.02)") for _ in range(4)))
    monkeypatch.setattr(lending, "CHECK_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(lending, "_ANSWER_SECONDS", 0.2)
    assert proxy.silence(NAME) >= 4
    for _ in range(8):
        assert await far_database.fetchval("select 1") == 1


async def test_a_busy_connection_is_not_asked(far_database: Database, proxy: Proxy) -> None:
    """Between two calls that follow each other nothing is sent."""
    first = await far_database.fetchval(PID)
    sent = "select query from pg_stat_activity where pid = $1"
    await far_database.execute("/* mine */ select 1")
    watcher = await asyncpg.connect(proxy.url)
    try:
        async with far_database.connection():
            assert (await watcher.fetchval(sent, first)).startswith("/* mine */")
    finally:
        await watcher.close()


async def test_old_connections_are_replaced(far_config: EngineConfig, proxy: Proxy) -> None:
    """A connection is used for its lifetime and no longer, however busy it is."""
    short = attrs.evolve(far_config, pool_recycle_seconds=1.0)
    async with Database.open(proxy.url, config=short) as database, asyncio.timeout(60):
        first = await database.fetchval(PID)
        while await database.fetchval(f"{PID} from pg_sleep(0.05)") == first:
            pass
