"""What operators ask of the database: where a task stands, and whether the server has room for all of us."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import asyncpg
from attrs import frozen

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import TaskNotFoundError
from novel_tasks_core.health import Condition, ConditionCode
from novel_tasks_core.models import TaskId
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.migrator import Migration, pending_migrations
from novel_tasks_core.storage.queries import load_queries

logger = logging.getLogger(__name__)

MAX_AHEAD = 10_001
"""Up to how many tasks ahead of another are counted: beyond, nobody cares how many."""

LINKS = 10
"""The engine's connections beside the pool: claim, flush, heartbeat, submit twice, look-ups, pages, maintenance, ring,
listen."""


SILENT_SECONDS = 60.0
"""After how long without a question a listening connection is nobody's: a doorbell asks every few seconds, but the
server learns only after hours that the machine at the other end is gone."""


@frozen(kw_only=True)
class DatabaseFacts:
    """What a database is, as far as it matters to us.

    `version_number` is PostgreSQL's own (150004 for 15.4). `connections` is how many ordinary users may have,
    `processes` how many of ours are connected. `clock_seconds` is how far its clock is ahead of ours, exact to
    half of `answer_seconds`, which is what the question took. `unsafe` names the settings under which a commit
    may be lost; `pending` are the migrations that the schema lacks.
    """

    version: str
    version_number: int
    encoding: str
    is_standby: bool
    unsafe: tuple[str, ...]
    connections: int
    processes: int
    clock_seconds: float
    answer_seconds: float
    pending: tuple[Migration, ...]


_FILES_SECONDS = 0.5
"""How long the stored files may be added up."""


@frozen(kw_only=True)
class StorageSizes:
    """How much there is: bytes of the database, tasks, and bytes of all stored files, None where these are too many."""

    database_bytes: int
    tasks: int
    files_bytes: int | None


async def measure(database: Database) -> StorageSizes:
    """Add up what is stored, within a second or so. Raises: DatabaseUnavailableError."""
    sql = load_queries("operating")
    room = await database.fetchrow(sql["room"])
    assert room is not None
    async with database.snapshot(limit_seconds=_FILES_SECONDS) as connection:
        try:
            files = await connection.fetchval(sql["stored_bytes"])
        except asyncpg.QueryCanceledError:
            files = None
    return StorageSizes(database_bytes=room["database_bytes"], tasks=room["tasks"], files_bytes=files)


async def examine(database: Database) -> DatabaseFacts:
    """Look at a database, whatever its schema; changes nothing. Raises: DatabaseUnavailableError, SchemaError."""
    sql = load_queries("operating")
    await database.execute("select 1")  # connecting is not to count in the time of the answer
    began, before = time.monotonic(), time.time()
    row = await database.fetchrow(sql["facts"])
    took = time.monotonic() - began
    capacity = await database.fetchrow(sql["capacity"], SILENT_SECONDS)
    assert row is not None
    assert capacity is not None
    return DatabaseFacts(
        version=row["version"],
        version_number=row["version_number"],
        encoding=row["encoding"],
        is_standby=row["is_standby"],
        unsafe=tuple(row["unsafe"]),
        connections=capacity["usable"],
        processes=len(capacity["listeners"]),
        clock_seconds=row["clock"] - (before + took / 2),
        answer_seconds=took,
        pending=tuple(await pending_migrations(database)),
    )


class Standings:
    """Reads where single tasks stand."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("operating")

    async def of(self, task_id: TaskId) -> dict[str, Any]:
        """Return the columns of one task, all of it of one moment. Raises: TaskNotFoundError."""
        row = await self._database.fetchrow(self._sql["standing"], task_id, MAX_AHEAD)
        if row is None:
            raise TaskNotFoundError(task_id)
        return dict(row)


def connections_of(config: EngineConfig) -> int:
    """Return how many connections one process with these settings may open."""
    return config.pool_size + config.pool_overflow + LINKS


class CapacityWatch:
    """Sees whether the server allows the connections that all processes on this database may open together.

    Each is taken to have the settings of this one. `own_listener` tells the process id of the connection by which
    the others see this process, None while there is none. A process that has been silent for `silent_seconds` does not
    count. A warning is logged when they begin to be too many.
    """

    def __init__(
        self,
        database: Database,
        *,
        config: EngineConfig,
        own_listener: Callable[[], int | None],
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._database = database
        self._silent_seconds = silent_seconds
        self._own_listener = own_listener
        self._each = connections_of(config)
        self._sql = load_queries("operating")
        self._note: Condition | None = None

    async def look_first(self) -> None:
        """Look before this process is to be seen. Raises: DatabaseUnavailableError."""
        await self._look(None)

    async def look(self) -> None:
        """Look once, unless nobody sees this process just now. Raises: DatabaseUnavailableError."""
        own = self._own_listener()
        if own is not None:
            await self._look(own)

    async def look_again(self) -> None:
        """Look whether what was wrong at the last look still is; asks nobody when nothing was.

        A connection of ours that is about to listen may be taken for another process's until the next look.

        Raises: DatabaseUnavailableError.
        """
        if self._note:
            await self._look(self._own_listener())

    async def _look(self, own: int | None) -> None:
        row = await self._database.fetchrow(self._sql["capacity"], self._silent_seconds)
        assert row is not None
        processes = len(set(row["listeners"]) - {own}) + 1
        wanted = processes * self._each
        before, self._note = self._note, None
        if wanted <= row["usable"]:
            return
        values = {"processes": processes, "each": self._each, "allowed": row["usable"]}
        told = (
            f"connections: {processes} processes may open {self._each} each, but the server allows {row['usable']}:"
            " raise max_connections, or lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW"
        )
        self._note = Condition(code=ConditionCode.TOO_MANY_CONNECTIONS, text=told, values=values)
        if self._note != before:
            logger.warning("too_many_connections_possible", extra=values)

    def notes(self) -> tuple[Condition, ...]:
        """Return what was wrong at the last look."""
        return (self._note,) if self._note else ()
