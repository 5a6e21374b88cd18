"""Migrations: once each, one program at a time, and never on a schema that is not ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import attrs
import pytest

from novel_tasks_core import EngineConfig, SchemaError, TaskEngine
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.migrator import Migration, check_schema, load_migrations, migrate

NEXT = Migration(load_migrations()[-1].number + 1, "more", "create table more (id integer);", 1)


@pytest.fixture
async def empty(empty_database: str) -> AsyncIterator[Database]:
    """The pool over a database without a schema."""
    async with Database.open(empty_database, config=EngineConfig(database_url=empty_database)) as database:
        yield database


async def tables(database: Database) -> set[str]:
    """Return the names of all tables."""
    rows = await database.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row["tablename"] for row in rows}


async def test_migrations_apply_once(empty: Database) -> None:
    """The first run makes the schema, the second finds nothing to do."""
    applied = await migrate(empty)
    assert [m.number for m in applied] == [m.number for m in load_migrations()]
    assert {"tasks", "task_ready", "task_leases", "schema_migrations"} <= await tables(empty)
    assert await migrate(empty) == []
    await check_schema(empty)


async def test_programs_that_start_together_do_not_trip_over_each_other(empty: Database) -> None:
    """Five at once: every migration is applied by exactly one of them."""
    done = await asyncio.gather(*(migrate(empty) for _ in range(5)))
    assert sorted(m.number for applied in done for m in applied) == [m.number for m in load_migrations()]


async def test_a_migration_that_fails_leaves_nothing(empty: Database) -> None:
    """It is one transaction; the error names it, and what was applied before stays."""
    broken = attrs.evolve(NEXT, sql="create table half (id integer); select 1 / 0;")
    with pytest.raises(SchemaError, match=f"{NEXT.number:04} more failed: division by zero"):
        await migrate(empty, migrations=(*load_migrations(), broken))
    assert "half" not in await tables(empty)
    assert await migrate(empty, migrations=(*load_migrations(), NEXT)) == [NEXT]


async def test_a_changed_migration_is_refused(empty: Database) -> None:
    """A schema that was made by another text is not ours: neither migrated nor worked on."""
    [first, *rest] = load_migrations()
    await migrate(empty, migrations=(attrs.evolve(first, sql=first.sql + "\n-- changed"), *rest))
    for refused in (migrate, check_schema):
        with pytest.raises(SchemaError, match="0001 was applied with another text") as caught:
            await refused(empty)
        assert caught.value.found == 1


async def test_a_newer_schema_is_accepted_only_while_it_is_compatible(empty: Database) -> None:
    """An old program runs on through an additive migration, and refuses one that needs a newer program."""
    known = load_migrations()
    newest = known[-1].number
    await migrate(empty, migrations=(*known, attrs.evolve(NEXT, number=newest + 1, min_compatible=newest)))
    assert await migrate(empty) == []
    await check_schema(empty)
    newer = attrs.evolve(NEXT, number=newest + 2, sql="select 1", min_compatible=newest + 2)
    await empty.execute(
        "insert into schema_migrations (number, name, checksum, min_compatible) values ($1, 'x', $2, $1)",
        newer.number,
        newer.checksum,
    )
    for refused in (migrate, check_schema):
        with pytest.raises(SchemaError, match="upgrade novel-tasks") as caught:
            await refused(empty)
        assert (caught.value.found, caught.value.wanted) == (newer.number, newest)


async def test_a_schema_that_is_missing_or_behind_is_named(empty: Database) -> None:
    """`check_schema` changes nothing and says which command helps."""
    with pytest.raises(SchemaError, match="no schema yet: run `novel-tasks migrate`"):
        await check_schema(empty)
    await migrate(empty, migrations=())
    with pytest.raises(SchemaError, match="lacks migration 0001") as caught:
        await check_schema(empty)
    assert caught.value.found == 0


async def test_an_engine_can_be_told_not_to_migrate(empty: Database, engine_config: EngineConfig) -> None:
    """Then it refuses to open on a database without a schema, which stays as it was."""
    with pytest.raises(SchemaError):
        async with TaskEngine.open(attrs.evolve(engine_config, database_url=empty.url), migrate=False):
            pytest.fail("it opened")
    assert await tables(empty) == set()


async def test_programs_migrate_and_can_look_first(empty: Database, engine_config: EngineConfig) -> None:
    """A dry run names what is missing and changes nothing; what is applied is returned once."""
    config, known = attrs.evolve(engine_config, database_url=empty.url), TaskEngine.migrations()
    assert await TaskEngine.migrate(config, dry_run=True) == known
    assert await tables(empty) == set()
    await migrate(empty, migrations=known[:1])
    assert await TaskEngine.migrate(config, dry_run=True) == known[1:]
    assert await TaskEngine.migrate(config) == known[1:]
    for dry_run in (False, True):
        assert await TaskEngine.migrate(config, dry_run=dry_run) == ()
    await empty.execute("update schema_migrations set checksum = 'x' where number = 1")
    for dry_run in (False, True):
        with pytest.raises(SchemaError, match="0001 was applied with another text"):
            await TaskEngine.migrate(config, dry_run=dry_run)


def test_every_migration_states_its_oldest_program() -> None:
    """Numbers are 1, 2, 3, ... and none needs a program from the future."""
    known = load_migrations()
    assert [m.number for m in known] == list(range(1, len(known) + 1))
    assert all(1 <= m.min_compatible <= m.number for m in known)
