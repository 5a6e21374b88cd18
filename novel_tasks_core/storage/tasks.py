"""Reads single tasks, and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import asyncpg

from novel_tasks_core.errors import ArtifactNotFoundError, TaskNotFoundError
from novel_tasks_core.models import Artifact, Attempt, Task, TaskId
from novel_tasks_core.storage.coalescing import Coalescer
from novel_tasks_core.storage.database import Database, Link, in_own_transaction
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.rows import artifact_of, attempt_of, task_of

_MOST_TOGETHER = 50
"""How many tasks are looked up by one statement: their results may be large."""


class Tasks:
    """Tasks as readers see them. What many callers look up at one moment goes over `link` by one statement."""

    def __init__(self, database: Database, *, link: Link) -> None:
        self._database = database
        self._link = link
        self._sql = load_queries("tasks")
        self._together = Coalescer(self._look_up, name="look-up", most=_MOST_TOGETHER, single=())

    def loops(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """Return what has to run for `get`, by name: for ever, cancelled at the end."""
        return {"look-ups": self._together.run}

    async def get(self, task_id: TaskId, *, connection: Any = None) -> Task:
        """Return a task whole, as the caller's `connection` sees it if one is given.

        Raises: TaskNotFoundError, DatabaseUnavailableError, EngineClosedError.
        """
        if connection is None:
            row = await self._together.add(task_id)
        else:
            row = next(iter(await in_own_transaction(connection, self._sql["get"], [[task_id]])), None)
        if row is None:
            raise TaskNotFoundError(task_id)
        return task_of(row)

    async def _look_up(self, ids: Sequence[TaskId]) -> list[asyncpg.Record | None]:
        """Return the rows of these tasks, None where there is none."""
        rows = {row["id"]: row for row in await self._link.fetch(self._sql["get"], list(set(ids)))}
        return [rows.get(task_id) for task_id in ids]

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
