"""Imports: any number of tasks by COPY, in one transaction and with bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from attrs import Factory, define

from novel_tasks_core.clock import Clock
from novel_tasks_core.errors import DatabaseUnavailableError, InvalidInputError, NovelTasksError
from novel_tasks_core.models import TaskId
from novel_tasks_core.storage.database import Database, nested_transaction
from novel_tasks_core.storage.faults import driver_errors
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.queue import Head
from novel_tasks_core.storage.submits import SOURCE_KEY, Row, Submitter, creation_time, new_ids

CHUNK = 5_000
"""Rows that are in memory at a time."""

_TASKS = Row._fields[: Row._fields.index("key")]
_COLUMNS = {
    "tasks": ("id", *_TASKS, "created_at", "last_seq"),
    "task_ready": ("lane", "priority", "task_id"),
    "task_schedule": ("run_at", "task_id"),
    "task_events": ("task_id", "seq", "at", "kind", "data"),
}


class _OfferedError(NovelTasksError):
    """Carries what the caller's own iterator raised past the translation of the driver's errors."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


@define
class Imported:
    """What an import stored so far: how many tasks, the last of them, and where the ready ones are."""

    tasks: int = 0
    last: TaskId | None = None
    heads: set[Head] = Factory(set)
    chunk: Sequence[Row] = ()


class Importer:
    """Copies tasks in."""

    def __init__(self, database: Database, *, clock: Clock, submitter: Submitter) -> None:
        self._database = database
        self._clock = clock
        self._submitter = submitter
        self._sql = load_queries("submits")

    async def run(self, chunks: AsyncIterator[Sequence[Row]], *, connection: Any = None) -> Imported:
        """Copy all rows in, in one transaction: the caller's if its `connection` is given.

        Raises: SourceNotFoundError, InvalidInputError, DatabaseUnavailableError; whatever `chunks` raises.
        Nothing is stored then.
        """
        imported = Imported()
        try:
            async with self._transaction(connection) as inside:
                await self._copy_all(inside, chunks, imported)
        except _OfferedError as exc:
            raise exc.error  # noqa: B904 - it is as it was where it came from
        except InvalidInputError as exc:
            if exc.field == SOURCE_KEY:
                await self._submitter.require_sources(imported.chunk, connection)
            raise
        except DatabaseUnavailableError:
            if connection is not None or imported.last is None or not await self._submitter.present([imported.last]):
                raise
        return imported

    @asynccontextmanager
    async def _transaction(self, connection: Any) -> AsyncIterator[Any]:
        """Begin a transaction that may take as long as it wants; each of its statements may not.

        It has a connection of its own, which is thrown away if it fails: what it was told last is not known.
        """
        if connection is not None:
            async with nested_transaction(connection):
                yield connection
            return
        link = self._database.link("import")
        try:
            with driver_errors():
                own = await link.connected()
            async with nested_transaction(own):
                yield own
        except BaseException:
            link.drop()
            raise
        finally:
            await link.close()

    async def _copy_all(self, connection: Any, chunks: AsyncIterator[Sequence[Row]], imported: Imported) -> None:
        first = await connection.fetchval(self._sql["next_position"])
        while rows := await _next(chunks):
            imported.chunk = rows
            ids = new_ids(len(rows))
            await self._copy(connection, rows, ids, creation_time(ids[0], now=self._clock.now()))
            imported.tasks += len(rows)
            imported.last = ids[-1]
            imported.heads |= {Head(row.lane, row.priority, first) for row in rows if row.run_at is None}

    async def _copy(self, connection: Any, rows: Sequence[Row], ids: Sequence[TaskId], at: datetime) -> None:
        # First a plain statement: after a long wait for rows it finds out quietly whether we are still connected.
        counts = Counter((row.owner, row.lane) for row in rows)
        owners, lanes = zip(*counts, strict=True)
        await connection.execute(self._sql["count_imported"], owners, lanes, list(counts.values()))
        both = list(zip(ids, rows, strict=True))
        width = len(_TASKS)
        records: dict[str, list[tuple[Any, ...]]] = {
            "tasks": [(id, *row[:width], at, 0 if row.note is None else 1) for id, row in both],
            "task_ready": [(row.lane, row.priority, id) for id, row in both if row.run_at is None],
            "task_schedule": [(row.run_at, id) for id, row in both if row.run_at is not None],
            "task_events": [(id, 1, at, "log", row.note) for id, row in both if row.note is not None],
        }
        for table, some in records.items():
            if some:
                await connection.copy_records_to_table(table, records=some, columns=_COLUMNS[table])


async def _next(chunks: AsyncIterator[Sequence[Row]]) -> Sequence[Row]:
    try:
        return await anext(chunks, None) or ()
    except NovelTasksError:
        raise
    except Exception as exc:
        raise _OfferedError(exc) from exc
