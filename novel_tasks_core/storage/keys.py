"""Keys: which live task holds one, and how it goes from one task to the next.

A key belongs to one owner. Who frees a key has locked the row of the task that holds it; so does who
replaces the holder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

from attrs import evolve, frozen

from novel_tasks_core.errors import DatabaseUnavailableError, IllegalTransitionError, NovelTasksError, TaskNotFoundError
from novel_tasks_core.models import Task, TaskId
from novel_tasks_core.storage.changes import Change
from novel_tasks_core.storage.database import Database, in_own_transaction, nested_transaction
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.submits import Row, Stored, Submitter, new_ids
from novel_tasks_core.storage.tasks import Tasks
from novel_tasks_core.storage.transitions import Transitions


class _HolderMovedError(NovelTasksError):
    """The key went to another task, or was let go, while we looked: nothing was done."""


@frozen
class Replaced:
    """What a replacement stored, and how it changed the task that held the key."""

    stored: Stored
    change: Change


class Keys:
    """The holders of keys."""

    def __init__(self, database: Database, *, tasks: Tasks, transitions: Transitions, submitter: Submitter) -> None:
        self._database = database
        self._tasks = tasks
        self._transitions = transitions
        self._submitter = submitter
        self._sql = load_queries("submits")
        self._turns: WeakValueDictionary[tuple[str, str | None], asyncio.Lock] = WeakValueDictionary()

    async def holder(self, row: Row, *, connection: Any = None) -> TaskId | None:
        """Return the live task that holds the key of a row, as the caller's `connection` sees it if one is given."""
        arguments = (row.owner, row.key)
        if connection is not None:
            found = await in_own_transaction(connection, self._sql["key_holder"], arguments)
        else:
            found = await self._database.fetch(self._sql["key_holder"], *arguments)
        return TaskId(found[0]["task_id"]) if found else None

    async def task(self, held: TaskId, *, connection: Any = None) -> Task | None:
        """Return the holder of a key as a duplicate, None if it was deleted just now, and its key with it."""
        try:
            return evolve(await self._tasks.get(held, connection=connection), duplicate=True)
        except TaskNotFoundError:
            return None

    async def replace(self, row: Row, *, connection: Any = None) -> Replaced | None:
        """Cancel the task that holds the key of a row and store the row instead, all or nothing.

        A holder that runs is asked to stop; its key is gone at once. None if the key has changed hands
        meanwhile: nothing was done then, and it can be tried again. With the caller's `connection` all this
        is part of the caller's transaction.

        Raises: SourceNotFoundError, InvalidInputError, DatabaseUnavailableError.
        """
        if connection is not None:
            return await self._try_to_replace(row, connection)
        # One at a time in this process: those who wait for the same key must not use up the connections.
        async with self._turns.setdefault((row.owner, row.key), asyncio.Lock()):
            return await self._try_to_replace(row, None)

    async def _try_to_replace(self, row: Row, connection: Any) -> Replaced | None:
        ids = new_ids(1)
        replaced = None
        try:
            async with self.transaction(connection) as inside:
                replaced = await self._replace(inside, row, ids)
        except _HolderMovedError:
            return None
        except DatabaseUnavailableError:
            if connection is not None or replaced is None or not await self._submitter.present(ids):
                raise
        return replaced

    async def _replace(self, connection: Any, row: Row, ids: list[TaskId]) -> Replaced:
        held = await self._lock_holder(connection, row)
        try:
            change = await self._transitions.cancel_on(connection, held, reason="replaced")
        except IllegalTransitionError:
            change = Change()  # it has finished, and was to hold the key beyond that
        if await connection.fetchrow(self._sql["take_key"], row.owner, row.key, ids[0], held) is None:
            raise _HolderMovedError
        return Replaced(await self._submitter.store([row], holder=ids[0], connection=connection), change)

    async def _lock_holder(self, connection: Any, row: Row) -> TaskId:
        """Lock the holder of a key, so that it keeps the key until the end of the transaction."""
        await connection.execute(self._sql["lock_key"], row.owner, row.key)
        held = await connection.fetchval(self._sql["lock_holder"], row.owner, row.key)
        # It may have lost the key while we waited for the lock: only the next statement sees that.
        if held is None or held != await self.holder(row, connection=connection):
            raise _HolderMovedError
        return TaskId(held)

    @asynccontextmanager
    async def transaction(self, connection: Any = None) -> AsyncIterator[Any]:
        """Open a transaction: of its own, or a savepoint of the caller's if its `connection` is given."""
        if connection is None:
            async with self._database.transaction() as own:
                yield own
        else:
            async with nested_transaction(connection):
                yield connection
