"""A walk along the ids of all tasks that match, for changes of all of them.

It looks at each task once, in the order in which they were made, at most a few thousand at a time, and ends
at the newest task of the moment when it began. What it sees is a hint: by the time its row is locked a
task may stand otherwise.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
from attrs import define, frozen

from novel_tasks_core.models import TaskFilter, WorkerId
from novel_tasks_core.storage.changes import Standing
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.lists import Lists
from novel_tasks_core.storage.queries import load_queries

if TYPE_CHECKING:
    from novel_tasks_core.storage.database import Connection

WINDOW = 5000
"""Tasks that one look takes in."""

_FIRST = UUID(int=0)


@frozen(kw_only=True)
class Selection:
    """Which tasks: those of a filter that, if `finished_before` is given, were finished before it."""

    filter: TaskFilter
    finished_before: datetime | None = None

    def holds(self, task: Standing) -> bool:
        """Say whether what may change of a task while nobody has it locked is still as it was selected."""
        if self.filter.status is not None and task.status != self.filter.status:
            return False
        before = self.finished_before
        return before is None or (task.finished_at is not None and task.finished_at < before)


@asynccontextmanager
async def by_index(database: Database) -> AsyncIterator[Connection]:
    """Lend a connection inside a transaction whose statements find tasks by index, whatever the statistics say."""
    async with database.transaction() as connection:
        await connection.execute(load_queries("changes")["by_index"])
        yield connection


@define
class Walk:
    """Where a walk is: past `position`, on its way to `end`."""

    database: Database
    selection: Selection
    position: UUID
    end: UUID
    conditions: Sequence[Any]

    @classmethod
    async def begin(cls, database: Database, lists: Lists, selection: Selection) -> Walk:
        """Begin before the oldest task. Raises: InvalidFilterError."""
        conditions = await lists.conditions(selection.filter)
        newest = await database.fetchval(load_queries("changes")["newest_id"])
        if conditions is None or newest is None:
            return cls(database, selection, _FIRST, _FIRST, [None] * 6)
        low, high, *others = conditions
        end, position = min(high, UUID(int=newest.int + 1)), UUID(int=max(0, low.int - 1))
        return cls(database, selection, position, end, others)

    async def look(self) -> list[Standing] | None:
        """Return the next tasks that match, None at the end; a look may find none of those that it takes in."""
        if self.position >= self.end:
            return None
        args = (self.position, self.end, *self.conditions, self.selection.finished_before, WINDOW)
        async with by_index(self.database) as connection:
            rows = await connection.fetch(load_queries("changes")["walk"], *args)
        if not rows:
            return None
        self.position = rows[0]["last"]
        return [_standing(row) for row in rows if row["id"] is not None]


def _standing(row: asyncpg.Record) -> Standing:
    task, worker = Standing.of(row), row["worker_id"]
    return task if worker is None else task.run_by(WorkerId(worker), row["attempt"])
