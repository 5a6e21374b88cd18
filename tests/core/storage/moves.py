"""What may be done to a task, each as a move of one side."""

from __future__ import annotations

from typing import Any

from novel_tasks_core.events import NewEvent
from novel_tasks_core.models import Completed, ErrorInfo, Failed, Released, TaskStatus, WorkerId
from novel_tasks_core.storage.endings import Recording
from novel_tasks_core.storage.transitions import Report

from .bench import RESCUER, lost
from .meetings import Move, Side, Subject

WORKER = WorkerId(1)
"""Who runs what runs."""


def claim(worker: int) -> Move:
    """Take the next task."""
    return lambda side, _: side.bench.claim(worker, queue=side.queue)


async def cancel(side: Side, task: Subject) -> Any:
    """Cancel the task."""
    return await side.transitions.cancel(task.task_id, reason="r", if_version=None)


async def delete(side: Side, task: Subject) -> Any:
    """Delete the task."""
    return await side.transitions.delete(task.task_id, if_version=None)


async def reprioritize(side: Side, task: Subject) -> Any:
    """Give the task priority 7."""
    return await side.transitions.reprioritize(task.task_id, 7, if_version=None)


async def requeue(side: Side, task: Subject) -> Any:
    """Send the task round again."""
    return await side.transitions.requeue(task.task_id, if_version=None)


async def report(side: Side, task: Subject) -> Any:
    """Say as an outside service that the task is half done."""
    return await side.transitions.report(task.task_id, Report(progress=0.5), timeout_seconds=60, if_version=None)


async def report_end(side: Side, task: Subject) -> Any:
    """Say as an outside service that the task is done."""
    said = Report(status=TaskStatus.COMPLETED)
    return await side.transitions.report(task.task_id, said, timeout_seconds=60, if_version=None)


async def promote(side: Side, task: Subject) -> Any:
    """Make what is due ready."""
    return await side.queue.promote()


async def complete(side: Side, task: Subject) -> bool:
    """End the attempt well; say whether that was accepted."""
    return await _end(side, task, Completed(result="r"))


async def give_back(side: Side, task: Subject) -> bool:
    """End the attempt as at shutdown."""
    return await _end(side, task, Released())


async def retry(side: Side, task: Subject) -> bool:
    """End the attempt with a failure that is tried again."""
    return await _end(side, task, lost())


async def rescue(side: Side, task: Subject) -> bool:
    """Put the task of a dead worker back."""
    return await _end(side, task, lost(), finisher=RESCUER)


async def give_up(side: Side, task: Subject) -> bool:
    """Fail the task of a dead worker for good."""
    return await _end(side, task, Failed(error=ErrorInfo("worker_lost", "gone")), finisher=RESCUER)


async def _end(side: Side, task: Subject, outcome: Any, *, finisher: WorkerId = WORKER) -> bool:
    ending = side.bench.ending(task.running, outcome)
    ended = await side.queue.end([ending], holder=WORKER, finisher=finisher)
    return task.task_id in ended.last_seq


async def checkpoint(side: Side, task: Subject) -> bool:
    """Store a checkpoint of the attempt."""
    return await side.queue.checkpoint(task.task_id, task.running.attempt, "c", worker_id=WORKER)


async def say(side: Side, task: Subject) -> bool:
    """Store a log entry of the attempt."""
    event = NewEvent("log", side.transitions._clock.now(), '{"level":"info","message":"x"}')
    recording = Recording(task.task_id, task.running.attempt, (event,))
    return bool((await side.queue.record([recording], worker_id=WORKER)).last_seq)
