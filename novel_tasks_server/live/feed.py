"""One task's events as messages."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from attrs import frozen

from novel_tasks_core import (
    Task,
    TaskDeleted,
    TaskEngine,
    TaskId,
    TaskLogged,
    TaskNotFoundError,
    TaskProgressed,
    TaskStatus,
)
from novel_tasks_server.live.protocol import task_update


@frozen
class Update:
    """A message for every subscriber of a task; `is_progress` says that a later one makes up for it."""

    message: bytes
    is_progress: bool = False


async def follow(engine: TaskEngine, task_id: TaskId) -> AsyncGenerator[Update, None]:
    """Yield the task as it is, then every change until it has finished.

    A change of state is shown as the database has it then, so that status, result and error always fit
    together; progress is shown as it comes. An update that shows nothing new is left out.

    Raises: TaskNotFoundError when there is no such task, or no more; StorageError.
    """
    task = await engine.get(task_id)
    shown = task_update(task)
    yield Update(shown)
    watch = engine.watch(task_id, after=task.last_seq)
    async with aclosing(watch) as events:
        async for event in events:
            if isinstance(event, TaskDeleted):
                raise TaskNotFoundError(task_id)
            if isinstance(event, TaskLogged):
                continue
            is_progress = isinstance(event, TaskProgressed)
            if not isinstance(event, TaskProgressed):
                task = await engine.get(task_id)
                message = task_update(task)
            elif _is_current(event, task):
                message = task_update(task, fraction=event.fraction)
            else:
                continue
            if message != shown:
                shown = message
                yield Update(message, is_progress=is_progress)


def _is_current(event: TaskProgressed, task: Task) -> bool:
    return task.status is TaskStatus.PROCESSING and event.attempt == task.attempt
