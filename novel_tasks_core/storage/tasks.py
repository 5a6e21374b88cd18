"""Reads single tasks, and what belongs to them."""

from __future__ import annotations

from typing import Any

import asyncpg

from novel_tasks_core.errors import ArtifactNotFoundError, TaskNotFoundError
from novel_tasks_core.models import Artifact, Attempt, Task, TaskId
from novel_tasks_core.storage.database import Database, in_own_transaction
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.rows import artifact_of, attempt_of, task_of


class Tasks:
    """Tasks as readers see them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("tasks")
        self._queue_sql = load_queries("queue")

    async def get(self, task_id: TaskId, *, connection: Any = None) -> Task:
        """Return a task whole, as the caller's `connection` sees it if one is given. Raises: TaskNotFoundError."""
        rows = await self._fetch(connection, self._sql["get"], task_id)
        if not rows:
            raise TaskNotFoundError(task_id)
        return task_of(rows[0])

    async def _fetch(self, connection: Any, query: str, *args: Any) -> list[asyncpg.Record]:
        if connection is None:
            return await self._database.fetch(query, *args)
        return await in_own_transaction(connection, query, args)

    async def owner(self, task_id: TaskId) -> str:
        """Return whose task it is. Raises: TaskNotFoundError."""
        rows = await self._database.fetch(self._sql["owner"], task_id)
        if not rows:
            raise TaskNotFoundError(task_id)
        return str(rows[0]["owner"])

    async def attempts(self, task_id: TaskId) -> list[Attempt]:
        """Return the finished attempts of a task, first to last."""
        return [attempt_of(row) for row in await self._database.fetch(self._sql["attempts"], task_id)]

    async def artifacts(self, task_id: TaskId) -> list[Artifact]:
        """Return the artifacts of the result that is shown, by name."""
        return [artifact_of(row) for row in await self._database.fetch(self._sql["artifacts"], task_id)]

    async def artifact(self, task_id: TaskId, name: str) -> Artifact:
        """Return one artifact of the result that is shown. Raises: ArtifactNotFoundError."""
        for artifact in await self.artifacts(task_id):
            if artifact.name == name:
                return artifact
        raise ArtifactNotFoundError(task_id, name)
