"""Those who follow all tasks: each has its own pace, and a bound on what waits for it."""

from __future__ import annotations

import asyncio

from novel_tasks_core.errors import EngineClosedError
from novel_tasks_core.events import Changes, TaskDeleted
from novel_tasks_core.models import TaskId, TaskSummary
from novel_tasks_core.news import MAX_TASKS


class Reader:
    """What waits for one follower: batches that it has not read are one by the time it does."""

    def __init__(self) -> None:
        self._tasks: dict[TaskId, TaskSummary] = {}
        self._deleted: dict[TaskId, TaskDeleted] = {}
        self._resync = False
        self._closed = False
        self._wake = asyncio.Event()

    def offer(self, changes: Changes) -> None:
        """Add a batch to what waits; when that becomes too much, only the advice to load anew is left."""
        self._tasks.update((task.id, task) for task in changes.tasks)
        for gone in changes.deleted:
            self._tasks.pop(gone.task_id, None)
            self._deleted[gone.task_id] = gone
        self._resync |= changes.resync
        if max(len(self._tasks), len(self._deleted)) > MAX_TASKS:
            self._tasks.clear()
            self._deleted.clear()
            self._resync = True
        self._wake.set()

    def close(self) -> None:
        """Let whoever reads know that nothing more comes."""
        self._closed = True
        self._wake.set()

    async def take(self) -> Changes:
        """Wait for something and return all that waits. Raises: EngineClosedError."""
        await self._wake.wait()
        if self._closed:
            raise EngineClosedError
        self._wake.clear()
        changes = Changes(tasks=tuple(self._tasks.values()), deleted=tuple(self._deleted.values()), resync=self._resync)
        self._tasks, self._deleted, self._resync = {}, {}, False
        return changes
