"""Submits, coalesced: all that wait at one moment become one statement.

One flusher is in flight; what arrives meanwhile makes the next batch. So fifty callers pay for one
commit, and a single one waits for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import frozen

from novel_tasks_core.errors import (
    DatabaseUnavailableError,
    EngineClosedError,
    InvalidInputError,
    NovelTasksError,
    SourceNotFoundError,
    StorageError,
)
from novel_tasks_core.models import ReleaseKey, Source, TaskId
from novel_tasks_core.storage.database import Database, Link, in_own_transaction
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.queue import Head

BATCH = 1000
"""Rows in one statement."""

_RELEASE = {ReleaseKey.FINISH: "n", ReleaseKey.FAILURE: "f", ReleaseKey.DELETE: "d"}
_SOURCE_KEY = "tasks_source_sha256_fkey"


@frozen(kw_only=True)
class Row:
    """A task on its way into the database; texts are checked, values are JSON text already."""

    id: TaskId
    lane: int
    owner: str
    priority: int
    max_attempts: int | None
    timeout_seconds: float | None
    run_at: datetime | None
    source: Source | None
    options: str | None
    extra_data: str | None
    session_id: str | None
    key: str | None
    release_at: ReleaseKey
    note: str | None
    created_at: datetime

    def columns(self) -> tuple[Any, ...]:
        """Return the values in the order of the statement's parameters."""
        source = self.source
        return (
            self.id,
            self.lane,
            self.owner,
            self.priority,
            self.max_attempts,
            self.timeout_seconds,
            self.run_at,
            None if source is None else bytes.fromhex(source.sha256),
            None if source is None else source.size,
            None if source is None else source.name,
            self.options,
            self.extra_data,
            self.session_id,
            self.key,
            None if self.key is None else _RELEASE[self.release_at],
            self.note,
            self.created_at,
        )


@frozen
class Stored:
    """What a statement stored: `taken` are the rows whose key another task holds; `heads` where the new ones are."""

    taken: frozenset[TaskId]
    heads: tuple[Head, ...]


class Submitter:
    """Stores tasks: one by one from many callers at once, in bulk, or inside a caller's transaction."""

    def __init__(self, link: Link, database: Database) -> None:
        self._link = link
        self._database = database
        self._sql = load_queries("queue")["submit"]
        self._present_sql = load_queries("queue")["present"]
        self._waiting: deque[tuple[Row, asyncio.Future[Stored]]] = deque()
        self._arrived = asyncio.Event()
        self._closed = False

    async def submit(self, row: Row) -> Stored:
        """Store one task together with whatever others wait; returns once it is durable.

        A caller that is cancelled while it waits may find its task stored.

        Raises: SourceNotFoundError, InvalidInputError, DatabaseUnavailableError, EngineClosedError.
        """
        if self._closed:
            raise EngineClosedError
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        self._arrived.set()
        return await future

    async def run(self) -> None:
        """Flush for ever; cancelled at the end, when those that still wait get EngineClosedError."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                # Let every caller that is ready to run add its row first: costs one turn of the loop.
                await asyncio.sleep(0)
                while self._waiting:
                    count = min(BATCH, len(self._waiting))
                    await self._flush([self._waiting.popleft() for _ in range(count)])
        except asyncio.CancelledError:
            self._closed = True
            _settle(self._waiting, EngineClosedError())
            raise

    async def _flush(self, batch: Sequence[tuple[Row, asyncio.Future[Stored]]]) -> None:
        try:
            stored = await self.store([row for row, _ in batch])
        except NovelTasksError as exc:
            if len(batch) > 1 and isinstance(exc, InvalidInputError | SourceNotFoundError):
                half = len(batch) // 2
                await self._flush(batch[:half])
                await self._flush(batch[half:])
                return
            _settle(batch, exc)
        except asyncio.CancelledError:
            _settle(batch, EngineClosedError())
            raise
        except Exception as exc:
            # A fault of ours: whoever waits must hear of it too, not wait for ever.
            _settle(batch, StorageError(f"the submit failed: {type(exc).__name__}"))
            raise
        else:
            _settle(batch, stored)

    async def store(self, rows: Sequence[Row], *, connection: Any = None) -> Stored:
        """Store all rows by one statement, on the caller's `connection` if one is given.

        After a lost answer it asks what was stored, so that an unknown commit is reported as what it was.
        """
        columns = [list(column) for column in zip(*(row.columns() for row in rows), strict=True)]
        try:
            if connection is not None:
                found = await in_own_transaction(connection, self._sql, columns)
            else:
                found = await self._link.fetch(self._sql, *columns)
        except InvalidInputError as exc:
            if exc.field == _SOURCE_KEY and len(rows) == 1 and rows[0].source is not None:
                raise SourceNotFoundError(rows[0].source.sha256) from exc
            raise
        except DatabaseUnavailableError:
            if connection is None and (present := await self._present(rows)):
                return Stored(frozenset(row.id for row in rows if row.id not in present), ())
            raise
        heads = tuple(Head(r["lane"], r["priority"], r["position"]) for r in found if r["lane"] is not None)
        keyed = next(frozenset(r["keyed"]) for r in found if r["lane"] is None)
        return Stored(frozenset(row.id for row in rows if row.key is not None and row.id not in keyed), heads)

    async def _present(self, rows: Iterable[Row]) -> frozenset[UUID]:
        """Return what the statement whose answer was lost did store: nothing, or all but those whose key was taken."""
        with contextlib.suppress(DatabaseUnavailableError):
            found = await self._database.fetch(self._present_sql, [row.id for row in rows])
            return frozenset(row["id"] for row in found)
        return frozenset()


def _settle(batch: Iterable[tuple[Row, asyncio.Future[Stored]]], result: Stored | NovelTasksError) -> None:
    for _, future in batch:
        if future.done():
            continue
        if isinstance(result, Stored):
            future.set_result(result)
        else:
            future.set_exception(result)
