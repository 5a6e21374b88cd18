"""Reads what those need who follow all tasks: which are new, which run, how those with news stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from attrs import frozen

from novel_tasks_core.models import TaskId, TaskSummary
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.rows import summary_of


@frozen
class Arrived:
    """The newest tasks, newest first; and if they were asked for, how many tasks there are by stored status."""

    ids: Sequence[TaskId]
    counts: tuple[int, ...] | None


class Feed:
    """The statements of the feed: few, by index, and of no more rows than they are told."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("feed")
        self._lists = load_queries("lists")

    async def arrived(self, low: UUID, *, limit: int, counts: bool) -> Arrived:
        """Return the newest `limit` tasks from the id `low` on, and the counts of the same moment if wanted."""
        row = await self._database.fetchrow(self._sql["arrived"], low, limit, counts)
        assert row is not None
        return Arrived(row["ids"], None if row["counts"] is None else tuple(row["counts"]))

    async def running(self, *, limit: int) -> Mapping[TaskId, str] | None:
        """Return the tasks that run, each with what changes with its lease; None if there are more than `limit`."""
        rows = await self._database.fetch(self._sql["running"], limit + 1)
        return {TaskId(row["task_id"]): row["version"] for row in rows} if len(rows) <= limit else None

    async def summaries(self, task_ids: Iterable[TaskId]) -> list[TaskSummary]:
        """Return these tasks as they stand, oldest first; those that are gone are missing."""
        rows = await self._database.fetch(self._lists["summaries"], list(task_ids))
        return sorted(map(summary_of, rows), key=lambda task: task.id)
