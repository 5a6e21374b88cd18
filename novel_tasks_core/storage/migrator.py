"""Migrations: numbered SQL files, applied once each, in order, under an advisory lock.

A migration states in a line `-- min_compatible: N` the oldest program, by its newest migration, that
can go on running against the schema it makes. So an additive migration lets old processes live, and
a program refuses a schema that is too new for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING

import asyncpg
from attrs import frozen

from novel_tasks_core.errors import SchemaError
from novel_tasks_core.storage.database import Database

if TYPE_CHECKING:
    from novel_tasks_core.storage.database import Connection

logger = logging.getLogger(__name__)

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_MIN_COMPATIBLE = re.compile(r"^-- min_compatible: (\d+)$", re.MULTILINE)
_LOCK_KEY = 0x6E6F76656C  # "novel", so that two programs that start together migrate one after the other
_LOCK_SECONDS = 2.0
_PAUSE_SECONDS = 1.0
_MIGRATION_SECONDS = 3600.0
"""How long a migration may take, and how long programs wait for one that another applies."""


@frozen
class Migration:
    """One step of the schema."""

    number: int
    name: str
    sql: str
    min_compatible: int

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations() -> tuple[Migration, ...]:
    """Read all migrations of this program, in order."""
    found = []
    for file in (files(__package__) / "migrations").iterdir():
        match = _FILE.fullmatch(file.name)
        if match is None:
            continue
        sql = file.read_text(encoding="utf-8")
        compatible = _MIN_COMPATIBLE.search(sql)
        if compatible is None:
            raise SchemaError(f"migration {file.name} has no line `-- min_compatible: N`")
        found.append(Migration(int(match[1]), match[2], sql, int(compatible[1])))
    return tuple(sorted(found, key=lambda m: m.number))


async def migrate(database: Database, *, migrations: tuple[Migration, ...] | None = None) -> list[Migration]:
    """Bring the schema up to date and return what was applied; nothing when it already is.

    Each migration is one transaction, of at most an hour. Programs that start together wait for each other.
    A migration that must wait for a lock lets go every two seconds and tries again: whoever comes behind it
    would have to wait too. So does one that PostgreSQL ends because others and it wait for each other.

    Raises: SchemaError when an applied migration was changed since, or the schema is too new for us.
    """
    known = load_migrations() if migrations is None else migrations
    applied: list[Migration] = []
    deadline = time.monotonic() + _MIGRATION_SECONDS
    while True:
        try:
            done = await _step(database, known)
        except _LocksTakenError as exc:
            logger.warning("migration_waits", extra={"migration": str(exc)})
            if time.monotonic() > deadline:
                raise SchemaError(f"migration {exc}: others hold the locks that it needs") from exc
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        if done is None:
            return applied
        applied.append(done)


class _LocksTakenError(Exception):
    """A migration, which this names, did not get its locks in time."""


async def _step(database: Database, known: tuple[Migration, ...]) -> Migration | None:
    async with database.transaction(within_seconds=_MIGRATION_SECONDS) as connection:
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK_KEY, timeout=_MIGRATION_SECONDS)
        await connection.execute(
            "create table if not exists schema_migrations (number integer primary key, name text not null,"
            " checksum text not null, min_compatible integer not null, applied_at timestamptz not null default now())"
        )
        present = await _check(connection, known)
        for migration in known:
            if migration.number in present:
                continue
            await _apply(connection, migration)
            return migration
    return None


async def _apply(connection: Connection, migration: Migration) -> None:
    await connection.execute("select set_config('lock_timeout', $1, true)", f"{_LOCK_SECONDS * 1000:.0f}ms")
    try:
        await connection.execute(migration.sql, timeout=_MIGRATION_SECONDS)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as exc:
        raise _LocksTakenError(f"{migration.number:04} {migration.name}") from exc
    except asyncpg.PostgresError as exc:
        raise SchemaError(f"migration {migration.number:04} {migration.name} failed: {exc}") from exc
    await connection.execute(
        "insert into schema_migrations (number, name, checksum, min_compatible) values ($1, $2, $3, $4)",
        migration.number, migration.name, migration.checksum, migration.min_compatible,
    )  # fmt: skip


async def _check(connection: Connection, known: tuple[Migration, ...]) -> set[int]:
    """Return the numbers of the applied migrations after making sure that they are ours."""
    rows = await connection.fetch("select number, checksum, min_compatible from schema_migrations")
    newest = known[-1].number if known else 0
    ours = {m.number: m for m in known}
    for row in rows:
        if row["min_compatible"] > newest:
            raise SchemaError(
                f"the schema is at migration {row['number']:04}, which needs a program that knows"
                f" {row['min_compatible']:04}; this one knows {newest:04}: upgrade novel-tasks",
                found=row["number"],
                wanted=newest,
            )
        mine = ours.get(row["number"])
        if mine is not None and mine.checksum != row["checksum"]:
            raise SchemaError(
                f"migration {row['number']:04} was applied with another text than this program's",
                found=row["number"],
                wanted=newest,
            )
    return {row["number"] for row in rows}


async def _present(database: Database, known: tuple[Migration, ...]) -> set[int] | None:
    """Return the numbers of the applied migrations, None for a database that never had any."""
    async with database.connection() as connection:
        if await connection.fetchval("select to_regclass('schema_migrations')") is None:
            return None
        return await _check(connection, known)


async def pending_migrations(database: Database) -> list[Migration]:
    """Return what `migrate` would apply, without changing anything.

    Raises: SchemaError when an applied migration was changed since, or the schema is too new for us.
    """
    known = load_migrations()
    present = await _present(database, known) or set()
    return [m for m in known if m.number not in present]


async def check_schema(database: Database) -> None:
    """Make sure that this program can work on the schema as it is, without changing anything.

    Raises: SchemaError when it is missing, behind, too new, or was changed.
    """
    known = load_migrations()
    present = await _present(database, known)
    if present is None:
        raise SchemaError("the database has no schema yet: run `novel-tasks migrate`", wanted=known[-1].number)
    missing = [m.number for m in known if m.number not in present]
    if missing:
        raise SchemaError(
            f"the schema lacks migration {missing[0]:04}: run `novel-tasks migrate`",
            found=max(present, default=0),
            wanted=missing[-1],
        )


class SchemaWatch:
    """Notices a migration that this program cannot live with, applied while it runs.

    `problem` is what it found, for good; `on_problem` is called once.
    """

    def __init__(self, database: Database, *, on_problem: Callable[[], object]) -> None:
        self.problem: SchemaError | None = None
        self._database = database
        self._on_problem = on_problem
        self._found = asyncio.Event()
        self._known = load_migrations()

    async def look(self) -> None:
        """Look at what has been applied since. Raises: DatabaseUnavailableError."""
        if self.problem is not None:
            return
        try:
            async with self._database.connection() as connection:
                await _check(connection, self._known)
        except SchemaError as exc:
            if exc.found is None:
                return  # the table is gone: whoever needs the others will say so
            logger.critical("schema_incompatible", extra={"reason": str(exc)})
            self.problem = exc
            self._found.set()
            self._on_problem()

    async def wait(self) -> None:
        """Wait until there is a problem. Raises: SchemaError, then."""
        await self._found.wait()
        self.require()

    def require(self) -> None:
        """Refuse to go on once there is a problem. Raises: SchemaError."""
        if self.problem is not None:
            raise self.problem
