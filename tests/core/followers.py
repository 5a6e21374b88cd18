"""A follower of all tasks, for tests: what it was told, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from novel_tasks_core import Changes, TaskEngine, TaskId, TaskSummary

from .support import eventually


class Follower:
    """Follows all tasks in the background, and keeps what it was told."""

    def __init__(self) -> None:
        self.batches: list[Changes] = []
        self.told: dict[TaskId, list[TaskSummary]] = {}
        self.deleted: dict[TaskId, str | None] = {}
        self.error: Exception | None = None

    @property
    def resyncs(self) -> int:
        """How often it was told to load anew."""
        return sum(batch.resync for batch in self.batches)

    async def follow(self, engine: TaskEngine) -> None:
        """Follow until cancelled."""
        try:
            async with aclosing(engine.changes()) as changes:
                async for batch in changes:
                    self._take(batch)
        except Exception as exc:
            self.error = exc

    def _take(self, batch: Changes) -> None:
        self.batches.append(batch)
        assert len({task.id for task in batch.tasks}) == len(batch.tasks)
        for task in batch.tasks:
            assert task.id not in self.deleted
            self.told.setdefault(task.id, []).append(task)
        for gone in batch.deleted:
            assert gone.task_id not in self.deleted
            self.deleted[gone.task_id] = gone.owner

    def statuses(self, task_id: TaskId) -> list[str]:
        """Return the statuses of a task as they were told, each once in a row."""
        told = [task.status.value for task in self.told.get(task_id, ())]
        return [status for place, status in enumerate(told) if place == 0 or told[place - 1] != status]

    async def heard(self, task_id: TaskId, status: str, *, within_seconds: float = 60.0) -> TaskSummary:
        """Wait until a task was told to be so."""
        await eventually(lambda: status in self.statuses(task_id), within_seconds=within_seconds)
        return next(task for task in reversed(self.told[task_id]) if task.status == status)


@asynccontextmanager
async def following(engine: TaskEngine) -> AsyncIterator[Follower]:
    """Follow all tasks for the length of the block, which begins once nothing is missed any more."""
    follower = Follower()
    await eventually(lambda: engine._parts.doorbell.heard)
    task = asyncio.create_task(follower.follow(engine))
    try:
        await eventually(lambda: follower.batches)
        yield follower
    finally:
        task.cancel()
        await asyncio.wait([task])
