"""Two versions on one database, as real processes: through an additive migration, and through one that is not."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import attrs
import pytest

from novel_tasks_core import (
    DatabaseUnavailableError,
    EngineConfig,
    NewTask,
    OnDuplicate,
    Processors,
    SchemaError,
    TaskEngine,
    TaskFilter,
    TaskStatus,
)
from novel_tasks_core.storage import migrator
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.migrator import load_migrations, migrate
from novel_tasks_core.testing import drain

from ..support import Db, Gate, ended, eventually
from . import upgrade_program
from .upgrade_program import ADDITIVE, BREAKING, NEWEST

PROGRAM = Path(upgrade_program.__file__)


class Program:
    """A running process of one version."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """Return the next line that it prints; "" at its end."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            return (await self._process.stdout.readline()).decode().strip()

    async def stop(self) -> int:
        """Tell it to stop, and return how many tasks it has submitted."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        said = await self.line()
        assert said.startswith("submitted "), said
        return int(said.split()[1])

    async def ended(self) -> int:
        """Wait for its end; returns its exit code."""
        async with asyncio.timeout(60):
            return await self._process.wait()

    async def kill(self) -> None:
        """End it now if it still runs."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


Start = Callable[[str], Awaitable[Program]]


@pytest.fixture
async def start(database_url: str, tmp_path: Path) -> AsyncIterator[Start]:
    """Start processes by their version, and wait until they run."""
    started: list[Program] = []

    async def start_one(version: str) -> Program:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(PROGRAM), database_url, str(tmp_path / "data"), version),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        program = Program(process)
        started.append(program)
        assert await program.line() == "ready"
        return program

    yield start_one
    for program in started:
        await program.kill()


async def finished_by(db: Db, version: str, *, more_than: int) -> bool:
    """Say whether the workers of a version have finished more tasks than that."""
    count = await db.fetchval(
        "select count(*) from tasks t join workers w on w.id = t.finished_worker where w.name = $1", version
    )
    return bool(count > more_than)


async def newest(db: Db) -> int:
    """Return the newest migration."""
    return int(await db.fetchval("select max(number) from schema_migrations"))


async def check_all_completed(db: Db, tasks: int) -> None:
    """Every task is stored, and completed once; no attempt failed or was lost, some were given back at a stop."""
    rows = await db.fetch("select status, failures, count(*) from tasks group by 1, 2")
    assert [tuple(row) for row in rows] == [("completed", 0, tasks)]
    outcomes = await db.fetch("select outcome, count(*) from all_attempts where outcome <> 'released' group by 1")
    assert [tuple(row) for row in outcomes] == [("completed", tasks)]


async def test_an_old_process_works_through_an_additive_migration(start: Start, db: Db, with_short: TaskEngine) -> None:
    """It submits, claims and finishes on, beside the new one that migrated under it; nothing is lost or run twice."""
    old = await start("old")
    assert await newest(db) == NEWEST
    await eventually(lambda: finished_by(db, "old", more_than=5))
    new = await start("new")
    assert await newest(db) == NEWEST + 1
    done = await db.fetchval("select count(*) from tasks t join workers w on w.id = finished_worker where name = 'old'")
    await eventually(lambda: finished_by(db, "old", more_than=done + 20))
    await eventually(lambda: finished_by(db, "new", more_than=20))
    another_old = await start("old")
    submitted = [await program.stop() for program in (old, another_old, new)]
    assert min(submitted) >= 3
    assert [await program.ended() for program in (old, another_old, new)] == [0, 0, 0]
    await drain(with_short)
    await check_all_completed(db, sum(submitted))


@pytest.fixture
async def with_short(engine_config: EngineConfig) -> AsyncIterator[TaskEngine]:
    """An engine of the old version in this process, which can run what the others submitted."""
    processors = Processors()
    processors.register("short", upgrade_program.short)
    async with TaskEngine.open(engine_config, processors=processors) as engine:
        yield engine


async def test_a_running_old_process_ends_when_it_is_outgrown(
    start: Start, db: Db, engine_config: EngineConfig
) -> None:
    """An incompatible migration comes: it stops claiming, finishes what it runs, says why, and has lost nothing."""
    old, new = await start("old"), await start("new")
    breaking = await start("breaking")
    for program in (old, new):
        said = await program.line()
        assert f"the schema is at migration {BREAKING.number:04}" in said
        assert said.endswith("upgrade novel-tasks")
        assert await program.ended() == 0
    assert await db.fetchval("select array_agg(name) from workers") == ["breaking"]
    with pytest.raises(SchemaError, match="upgrade novel-tasks") as caught:
        async with TaskEngine.open(engine_config):
            pytest.fail("it opened")
    assert (caught.value.found, caught.value.wanted) == (BREAKING.number, NEWEST)
    await eventually(lambda: _nothing_waits(db), within_seconds=60)
    await breaking.stop()
    rows = await db.fetch("select distinct failures, status from tasks where status <> 'pending'")
    assert [tuple(row) for row in rows] == [(0, "completed")]


async def _nothing_waits(db: Db) -> bool:
    """Say whether what the old processes have left behind is done."""
    waiting = "select count(*) = 0 from tasks where status = 'pending' and created_at < now() - interval '2 seconds'"
    return bool(await db.fetchval(waiting))


async def test_an_outgrown_engine_says_so(engine: TaskEngine, database: Database, gate: Gate, db: Db) -> None:
    """`outgrown` raises, `health` is unhealthy, submits and new workers are refused; what runs may finish."""
    waiting = asyncio.create_task(engine.outgrown())
    async with engine.worker(concurrency=1):
        task, later = await engine.submit(processor="gate"), await engine.submit(processor="gate")
        await gate.next()
        await migrate(database, migrations=(*load_migrations(), ADDITIVE))
        await engine._parts.schema.look()
        assert not waiting.done()
        assert (await engine.health()).healthy
        await migrate(database, migrations=(*load_migrations(), ADDITIVE, BREAKING))
        with pytest.raises(SchemaError, match=f"at migration {BREAKING.number:04}") as caught:
            await waiting
        assert (caught.value.found, caught.value.wanted) == (BREAKING.number, NEWEST)
        health = await engine.health()
        assert (health.healthy, health.problems) == (False, (str(caught.value),))
        for refused in (engine.submit(processor="gate"), engine.submit_many([NewTask(processor="gate")])):
            with pytest.raises(SchemaError):
                await refused
        gate.let_go()
        assert (await ended(engine, task)).status is TaskStatus.COMPLETED
        assert await db.fetchval("select status from tasks where id = $1", later.id) == "pending"
    with pytest.raises(SchemaError):
        async with engine.worker():
            pytest.fail("it works")


async def test_eight_programs_that_start_at_once_migrate_once(empty_database: str, tmp_path: Path) -> None:
    """Real processes on an empty database, let go at one moment: all come up, every migration was applied once."""
    code = (
        "import asyncio, sys; from pathlib import Path; from novel_tasks_core import EngineConfig, TaskEngine\n"
        "async def main():\n"
        "    async with TaskEngine.open(EngineConfig(database_url=sys.argv[1], data_dir=Path(sys.argv[2]))): pass\n"
        "print('ready', flush=True); sys.stdin.readline(); asyncio.run(main())"
    )
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, empty_database, str(tmp_path / "data")), stdin=pipe, stdout=pipe, stderr=pipe
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    done = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [(p.returncode, stderr) for p, (_, stderr) in zip(processes, done, strict=True)] == [(0, b"")] * 8
    connection = await asyncpg.connect(empty_database)
    numbers = await connection.fetchval("select array_agg(number order by number) from schema_migrations")
    await connection.close()
    assert numbers == [m.number for m in load_migrations()]


async def test_open_connections_outlive_a_change_of_what_they_prepared(
    database: Database, db: Db, engine_config: EngineConfig
) -> None:
    """A statement whose columns change under it works again at the next try, and is never a lasting failure."""
    await db.execute("create table changing (id integer); insert into changing values (1)")
    star = "select * from changing"
    link = database.link("prepared")
    assert len((await link.fetch(star))[0]) == len((await database.fetch(star))[0]) == 1
    await db.execute("alter table changing add column more integer")
    assert len((await link.fetch(star))[0]) == len((await database.fetch(star))[0]) == 2
    await link.close()


async def test_inside_a_transaction_such_a_change_is_told_as_a_reason_to_try_again(
    engine_config: EngineConfig, db: Db
) -> None:
    """There the driver cannot prepare anew by itself: the caller hears that the database is not available now."""
    await db.execute("create table changing (id integer); insert into changing values (1)")
    config = attrs.evolve(engine_config, pool_size=2, pool_overflow=0)
    assert config.database_url is not None
    async with Database.open(config.database_url, config=config) as database:

        async def count() -> int:
            async with database.transaction() as connection:
                return len((await connection.fetch("select * from changing"))[0])

        assert await count() == 1
        await db.execute("alter table changing add column more integer")
        with pytest.raises(DatabaseUnavailableError, match="cached"):
            await count()
        assert await count() == 2


async def test_a_migration_does_not_make_others_wait_behind_it(
    engine: TaskEngine, database: Database, gate: Gate, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody's long transaction keeps it from its locks, submits go on; afterwards it is applied."""
    monkeypatch.setattr(migrator, "_LOCK_SECONDS", 0.1)
    monkeypatch.setattr(migrator, "_PAUSE_SECONDS", 0.05)
    async with db.transaction():
        await db.fetch("select * from tasks")
        migrating = asyncio.create_task(migrate(database, migrations=(*load_migrations(), ADDITIVE)))
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            async with asyncio.timeout(60):
                await engine.submit(processor="gate")
        assert not migrating.done()
    assert await migrating == [ADDITIVE]


CROSSWISE = "lock table tasks; select pg_advisory_xact_lock(7); lock table workers"
BLOCKED = "select count(*) from pg_locks where not granted and locktype = $1"


async def test_a_migration_that_others_meet_crosswise_is_tried_again(
    database: Database, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has what they want and wants what they have: PostgreSQL ends it, and when they are done it is applied."""
    monkeypatch.setattr(migrator, "_LOCK_SECONDS", 60.0)
    monkeypatch.setattr(migrator, "_PAUSE_SECONDS", 0.05)
    crosswise = attrs.evolve(ADDITIVE, sql=CROSSWISE)
    async with database.transaction() as other:
        await other.execute("set local deadlock_timeout = '60s'")  # the migration notices, and is the one to end
        await other.execute("lock table workers")
        await db.execute("select pg_advisory_lock(7)")
        migrating = asyncio.create_task(migrate(database, migrations=(*load_migrations(), crosswise)))
        await eventually(lambda: db.fetchval(BLOCKED, "advisory"))
        crossing = asyncio.create_task(other.execute("lock table tasks"))
        await eventually(lambda: db.fetchval(BLOCKED, "relation"))
        await db.execute("select pg_advisory_unlock(7)")
        await crossing
        assert not migrating.done()
    assert await migrating == [crosswise]


async def test_a_migration_may_take_longer_than_a_command(database_url: str, engine_config: EngineConfig) -> None:
    """A large table takes its time; programs that start meanwhile wait for it."""
    config = attrs.evolve(engine_config, command_timeout_seconds=1.5)
    slow = attrs.evolve(ADDITIVE, sql="select pg_sleep(3)")
    async with Database.open(database_url, config=config) as one, Database.open(database_url, config=config) as two:
        both = (*load_migrations(), slow)
        done = await asyncio.gather(migrate(one, migrations=both), migrate(two, migrations=both))
    assert sorted(done, key=len) == [[], [slow]]


async def test_no_statement_of_ours_trips_over_new_columns(
    engine: TaskEngine, processors: Processors, database: Database, db: Db
) -> None:
    """Every statement that was prepared before an additive migration works after it, on the same connections."""
    processors.register("short", upgrade_program.short)

    async def use_everything() -> set[int]:
        async with engine.worker(concurrency=1):
            task = await engine.submit(processor="short", key="k", on_duplicate=OnDuplicate.REPLACE, note="n")
            soon = datetime.now(UTC) + timedelta(seconds=0.05)
            scheduled = await engine.submit(processor="short", run_at=soon)
            assert await engine.result(task.id) == 1
            assert await engine.result(scheduled.id) == 1
        await engine.requeue(task.id)
        await engine.reprioritize(task.id, 3)
        for status in (None, *TaskStatus):
            await engine.find(TaskFilter(status=status))
            await engine.count(TaskFilter(status=status))
        await engine.statistics()
        await engine.queue_status()
        await engine.attempts(task.id)
        await engine.artifacts(task.id)
        await engine.logs(task.id)
        await engine.cancel(task.id)
        await engine.delete(task.id)
        await engine.workers()
        return {
            row["pid"]
            for row in await db.fetch(
                "select pid from pg_stat_activity where datname = current_database() "
                " and application_name ~ 'claim|flush|submit'"
            )
        }

    before = await use_everything()
    await migrate(database, migrations=(*load_migrations(), ADDITIVE))
    assert await use_everything() == before
    assert (await engine.health()).problems == ()
