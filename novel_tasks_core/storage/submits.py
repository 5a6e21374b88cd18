"""Submits, coalesced: all that wait at one moment become one statement.

Tasks with a key have a statement of their own: it may have to wait until somebody else's transaction,
which has the same key, comes to its end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as DriverUUID
from attrs import frozen

from novel_tasks_core.clock import Clock
from novel_tasks_core.errors import (
    DatabaseUnavailableError,
    InvalidInputError,
    SourceNotFoundError,
)
from novel_tasks_core.models import ReleaseKey, TaskId, new_id_bytes
from novel_tasks_core.storage.coalescing import Coalescer
from novel_tasks_core.storage.database import Database, Link, in_own_transaction, nested_transaction
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.queue import Head

BATCH = 1000
"""Rows in one statement."""

KEY_RELEASE = {ReleaseKey.FINISH: "n", ReleaseKey.FAILURE: "f", ReleaseKey.DELETE: "d"}
SOURCE_KEY = "tasks_source_sha256_fkey"
_NEVER_NULL = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAME_CLOCK = timedelta(seconds=1)


class Row(NamedTuple):
    """A task on its way into the database: the parameters of the statement, in its order.

    Texts are checked, values are JSON text already. The first three are never None.
    """

    lane: int
    owner: str
    priority: int
    max_attempts: int | None
    timeout_seconds: float | None
    run_at: datetime | None
    source_sha256: bytes | None
    source_size: int | None
    source_name: str | None
    options: str | None
    extra_data: str | None
    session_id: str | None
    key: str | None
    key_release: str | None
    note: str | None


class Placed(NamedTuple):
    """What a stored task got: its id, and when it was created."""

    id: TaskId
    created_at: datetime
    keyed: bool = True
    """Whether it has the key that was given for it, if one was."""


@frozen
class Stored:
    """What a statement stored: an id for each row, None where the key is taken; `heads` where the new ones are."""

    ids: tuple[TaskId | None, ...]
    created_at: datetime
    heads: tuple[Head, ...]

    def placed(self) -> list[Placed | None]:
        """Return what each row got, None where its key is taken."""
        return [None if task_id is None else Placed(task_id, self.created_at) for task_id in self.ids]


def new_ids(count: int) -> list[TaskId]:
    """Make ids as the driver has them: what it need not convert."""
    return [TaskId(DriverUUID(made)) for made in new_id_bytes(count)]


def creation_time(first: UUID, *, now: datetime) -> datetime:
    """Return when tasks of which this is the first id were created: the time in the id, by which lists find them.

    If the clock shows another time than the machine, it is the clock's.
    """
    milliseconds, fraction = first.int >> 80, first.int >> 64 & 0xFFF
    made = _EPOCH + timedelta(milliseconds=milliseconds, microseconds=fraction * 1000 // 4096)
    return made if abs(made - now) < _SAME_CLOCK else now


class Submitter:
    """Stores tasks: one by one from many callers at once, in bulk, or inside a caller's transaction."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        plain: Link,
        keyed: Link,
        on_stored: Callable[[Sequence[Head]], None] = lambda heads: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._link = plain
        self._on_stored = on_stored
        self._sql = load_queries("submits")
        self._plain = _coalescer(lambda rows: self._flush(rows, plain))
        self._keyed = _coalescer(lambda rows: self._flush(rows, keyed))

    def submit(self, row: Row) -> asyncio.Future[Placed | None]:
        """Store one task together with whatever others wait; done once it is durable, None if its key is taken.

        A caller that is cancelled while it waits may find its task stored.

        Raises: SourceNotFoundError, InvalidInputError, DatabaseUnavailableError, EngineClosedError.
        """
        return (self._plain if row.key is None else self._keyed).add(row)

    def loops(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """Return what has to run for `submit`, by name: for ever, cancelled at the end."""
        return {"submits": self._plain.run, "submits with keys": self._keyed.run}

    async def _flush(self, rows: Sequence[Row], link: Link) -> list[Placed | None]:
        stored = await self.store(rows, link=link)
        self._on_stored(stored.heads)
        return stored.placed()

    async def store(
        self,
        rows: Sequence[Row],
        *,
        holder: TaskId | None = None,
        link: Link | None = None,
        connection: Any = None,
    ) -> Stored:
        """Store all rows by one statement: on the caller's `connection` if one is given, else over a link.

        `holder` is the id for a single row whose key it has been given already.
        After a lost answer over a link it asks what was stored, so that an unknown commit is reported as what it was.

        Raises: SourceNotFoundError, InvalidInputError, DatabaseUnavailableError.
        """
        ids = new_ids(len(rows)) if holder is None else [holder]
        created_at = creation_time(ids[0], now=self._clock.now()) if ids else self._clock.now()
        arguments = [ids, *submit_columns(rows), created_at, holder is not None]
        try:
            if connection is None:
                found = await (link or self._link).fetch(self._sql["submit"], *arguments)
            elif any(row.source_sha256 is not None for row in rows):
                async with nested_transaction(connection):  # a missing source must not spoil the caller's
                    found = await in_own_transaction(connection, self._sql["submit"], arguments)
            else:
                found = await in_own_transaction(connection, self._sql["submit"], arguments)
        except InvalidInputError as exc:
            if exc.field == SOURCE_KEY and link is None:
                await self.require_sources(rows, connection)
            elif exc.field == SOURCE_KEY and len(rows) == 1 and rows[0].source_sha256 is not None:
                raise SourceNotFoundError(rows[0].source_sha256.hex()) from exc
            raise
        except DatabaseUnavailableError:
            if connection is None and (present := await self.present(ids)):
                return Stored(tuple(id if id in present else None for id in ids), created_at, ())
            raise
        heads = tuple(Head(r["lane"], r["priority"], r["position"]) for r in found if r["lane"] is not None)
        stored = tuple(ids) if holder is not None else _stored_ids(rows, ids, found)
        return Stored(stored, created_at, heads)

    async def require_sources(self, rows: Iterable[Row], connection: Any = None) -> None:
        """Check that all sources of these rows are stored. Raises: SourceNotFoundError for the first that is not."""
        hashes = [row.source_sha256 for row in rows if row.source_sha256 is not None]
        if connection is not None:
            missing = await in_own_transaction(connection, self._sql["missing_source"], [hashes])
        else:
            missing = await self._database.fetch(self._sql["missing_source"], hashes)
        if missing:
            raise SourceNotFoundError(missing[0]["sha256"].hex())

    async def present(self, ids: Sequence[TaskId]) -> frozenset[UUID]:
        """Return what a transaction whose answer was lost did store: nothing, or all but those whose key was taken."""
        with contextlib.suppress(DatabaseUnavailableError):
            return frozenset(row["id"] for row in await self._database.fetch(self._sql["present"], ids))
        return frozenset()


def submit_columns(rows: Sequence[Row]) -> list[Sequence[Any]]:
    """Turn rows into columns, none longer than what it says."""
    columns: list[Sequence[Any]] = []
    for place, column in enumerate(zip(*rows, strict=True)):
        if column.count(column[0]) < len(column):
            columns.append(column)
        elif place < _NEVER_NULL:
            columns.append(column[:1])
        else:
            columns.append(() if column[0] is None else column)
    return columns


def _stored_ids(rows: Sequence[Row], ids: Sequence[TaskId], found: Iterable[Any]) -> tuple[TaskId | None, ...]:
    """Return the ids without those whose key is taken."""
    if all(row.key is None for row in rows):
        return tuple(ids)
    keyed = next(frozenset(r["keyed"]) for r in found if r["lane"] is None)
    return tuple(id if row.key is None or id in keyed else None for row, id in zip(rows, ids, strict=True))


def _coalescer(
    flush: Callable[[Sequence[Row]], Coroutine[Any, Any, Sequence[Placed | None]]],
) -> Coalescer[Row, Placed | None]:
    return Coalescer(flush, name="submit", most=BATCH, single=(InvalidInputError, SourceNotFoundError))
