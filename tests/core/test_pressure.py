"""Old transactions and dead rows: seen, told, warned about once, and never a reason to be unhealthy."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import attrs
import pytest

from novel_tasks_core import EngineConfig, Processors, TaskEngine
from novel_tasks_core.storage.pressure import DeadRows, Holder, Pressure

from .support import Db, Gate, eventually
from .test_observer_hooks import Listener


@pytest.fixture
def listener() -> Listener:
    """The observer of the test's engine."""
    return Listener()


@pytest.fixture
async def strict(
    engine_config: EngineConfig, processors: Processors, listener: Listener, gate: Gate
) -> AsyncIterator[TaskEngine]:
    """An engine that warns soon."""
    config = attrs.evolve(engine_config, oldest_transaction_warning_seconds=1.0, dead_rows_warning=100)
    async with TaskEngine.open(config, processors=processors, observers=[listener]) as opened:
        yield opened


@asynccontextmanager
async def an_open_snapshot(url: str, name: str) -> AsyncIterator[Any]:
    """Hold a snapshot under an application name for the length of the block."""
    connection = await asyncpg.connect(url, server_settings={"application_name": name})
    try:
        async with connection.transaction(isolation="repeatable_read"):
            await connection.fetchval("select 'a secret' is not null")
            yield connection
    finally:
        await connection.close()


def events(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return what was logged of pressure: event and condition."""
    return [(r.getMessage(), r.__dict__["condition"]) for r in caplog.records if "pressure" in r.getMessage()]


async def test_an_old_transaction_is_warned_about_once(
    strict: TaskEngine,
    another_engine: Any,
    listener: Listener,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By one process of all, with who holds it and never with a query; noted by `health`; told when it is over."""
    caplog.set_level(logging.INFO)
    watch = strict._parts.pressure
    async with (
        an_open_snapshot(database_url, "a report") as holding,
        another_engine(oldest_transaction_warning_seconds=1.0) as other,
    ):
        await eventually(lambda: _old_enough(strict, 1.1))
        for _ in range(3):
            await watch.look()
            await other._parts.pressure.look()
        assert events(caplog) == [("database_pressure", "old_transaction")]
        [warning] = [r for r in caplog.records if r.getMessage() == "database_pressure"]
        assert warning.levelno == logging.WARNING
        reason = warning.__dict__["reason"]
        assert f"session {holding.get_server_pid()} 'a report' idle in transaction for " in reason
        assert "secret" not in reason
        for engine in (strict, other):
            health = await engine.health()
            assert (health.healthy, health.problems) == (True, ())
            assert [note.partition(":")[0] for note in health.notes] == ["old_transaction"]
        assert listener.told("database_pressure")[-1]["oldest_transaction_seconds"] > 1.1
    await strict._parts.pressure.look()
    await strict._parts.pressure.look()
    assert events(caplog)[1:] == [("database_pressure_over", "old_transaction")]
    assert (await strict.health()).notes == ()


async def _old_enough(engine: TaskEngine, seconds: float) -> bool:
    return (await engine._parts.pressure.look()).oldest_seconds > seconds


async def test_transactions_that_keep_nothing_are_not_counted(strict: TaskEngine, database_url: str) -> None:
    """One that is open but has neither a snapshot nor an id harms nobody."""
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute("select 1")
        pid = connection.get_server_pid()
        assert pid not in [holder.pid for holder in (await strict._parts.pressure.look()).holders]
    await connection.close()


async def test_dead_rows_of_busy_tables_are_counted(
    strict: TaskEngine, listener: Listener, db: Db, caplog: pytest.LogCaptureFixture
) -> None:
    """Those of the ready table here; a warning names the table."""
    await db.execute("alter table task_ready set (autovacuum_enabled = false)")
    await db.execute(
        "insert into task_ready (lane, priority, task_id) select 9, 0, gen_random_uuid() from generate_series(1, 300)"
    )
    await db.execute("delete from task_ready")
    await db.execute("select pg_stat_force_next_flush()")
    await eventually(lambda: _dead(strict, "task_ready", 300))
    assert listener.told("database_pressure")[-1]["dead_rows"]["task_ready"] == 300
    assert ("database_pressure", "dead_rows") in events(caplog)
    [warning] = [r for r in caplog.records if r.__dict__.get("condition") == "dead_rows"]
    assert "300 in task_ready, held by " in warning.__dict__["reason"]
    assert (await strict.health()).healthy


async def _dead(engine: TaskEngine, table: str, rows: int) -> bool:
    pressure = await engine._parts.pressure.look()
    assert set(pressure.tables) == {"task_leases", "task_ready", "task_schedule", "tasks"}
    return pressure.tables[table].dead >= rows


def test_a_share_of_dead_rows_is_usual() -> None:
    """A fifth of a large table may be dead before PostgreSQL sees to it."""
    assert DeadRows(dead=200, live=1000).unusual == 0
    assert DeadRows(dead=1200, live=1000).unusual == 1000


def test_whoever_holds_is_named_as_far_as_known() -> None:
    """A session by its process and seconds, a slot by its name and the transactions since."""
    session = Holder(kind="session", name="psql", pid=7, state="active", seconds=12.4, transactions=3)
    slot = Holder(kind="slot", name="standby", pid=None, state="inactive", seconds=None, transactions=900)
    assert str(session) == "session 7 'psql' active for 12 s"
    assert str(slot) == "slot 'standby' inactive for 900 transactions"
    assert Pressure(holders=(slot,)).oldest_seconds == 0.0
    assert Pressure(holders=(session, slot)).oldest_seconds == 12.4
