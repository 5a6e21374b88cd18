"""Changes that people make to single tasks: cancel, requeue, delete, priority, reports from outside.

Each is one transaction, or a part of the caller's, and does to one task what `changes` does to many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from attrs import frozen

from novel_tasks_core.clock import Clock
from novel_tasks_core.conversion import clean_text, new_event
from novel_tasks_core.errors import (
    DuplicateTaskError,
    IllegalTransitionError,
    InvalidInputError,
    LeaseLostError,
    PreconditionFailedError,
    TaskNotFoundError,
)
from novel_tasks_core.events import Event, StoredEvent, TaskProgressed, TaskStarted
from novel_tasks_core.models import (
    EXTERNAL_WORKER,
    Cancelled,
    Completed,
    ErrorInfo,
    Failed,
    SkipReason,
    TaskId,
    TaskStatus,
)
from novel_tasks_core.states import require_transition
from novel_tasks_core.storage.changes import (
    Cancel,
    Change,
    Changes,
    Delete,
    Reprioritize,
    Requeue,
    Standing,
    Wanted,
    refusal,
)
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.endings import make_ending, numbered
from novel_tasks_core.storage.faults import driver_errors
from novel_tasks_core.storage.queries import load_queries

if TYPE_CHECKING:
    from novel_tasks_core.storage.database import Connection

__all__ = ["Change", "Report", "Transitions"]


@frozen(kw_only=True)
class Report:
    """What an outside service says of a task. None is left as it is; `progress` is 0..1."""

    status: TaskStatus | None = None
    progress: float | None = None
    result_url: str | None = None
    error_message: str | None = None


class Transitions:
    """Changes of single tasks. What they return may be told once their transaction has committed.

    They raise TaskNotFoundError, and PreconditionFailedError when the task is not at `if_version`.
    """

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._changes = Changes(clock=clock)
        self._sql = load_queries("changes")

    async def cancel(self, task_id: TaskId, *, reason: str, if_version: str | None) -> Change:
        """Cancel a waiting task now, or ask the worker of a running one to stop.

        Raises: IllegalTransitionError when the task is finished.
        """
        return await self._change(task_id, Cancel(reason), if_version)

    async def cancel_on(
        self, connection: Connection, task_id: TaskId, *, reason: str, if_version: str | None = None
    ) -> Change:
        """Do as `cancel` inside the caller's transaction.

        Raises: IllegalTransitionError when the task is finished.
        """
        return await self._change_on(connection, task_id, Cancel(reason), if_version)

    async def requeue(self, task_id: TaskId, *, if_version: str | None) -> Change:
        """Put a finished task back into the queue; it takes its key back.

        Raises: IllegalTransitionError unless it is finished, DuplicateTaskError when another task holds its key.
        """
        return await self._change(task_id, Requeue(), if_version)

    async def reprioritize(self, task_id: TaskId, priority: int, *, if_version: str | None) -> Change:
        """Change the priority of a task that is not finished; a running one keeps running.

        Raises: IllegalTransitionError when it is finished.
        """
        return await self._change(task_id, Reprioritize(priority), if_version)

    async def delete(self, task_id: TaskId, *, if_version: str | None) -> Change:
        """Delete a task and all that is its own, wherever it stands. A worker that runs it is told to stop."""
        return await self._change(task_id, Delete(), if_version)

    async def _change(self, task_id: TaskId, wanted: Wanted, if_version: str | None) -> Change:
        async with self._database.transaction() as connection:
            return await self._change_on(connection, task_id, wanted, if_version)

    async def _change_on(
        self, connection: Connection, task_id: TaskId, wanted: Wanted, if_version: str | None
    ) -> Change:
        with driver_errors():
            task = await self._locked(connection, task_id, if_version)
            match refusal(wanted, task):
                case SkipReason.ALREADY:
                    return Change()
                case SkipReason.ILLEGAL:
                    raise IllegalTransitionError(task_id, task.status.value, _said(wanted))
            applied = await self._changes.apply(connection, wanted, [task])
        if task_id in applied.key_taken:
            raise DuplicateTaskError(task.key or "", applied.key_taken[task_id])
        return applied.change

    async def _locked(self, connection: Connection, task_id: TaskId, if_version: str | None) -> Standing:
        tasks = await self._changes.locked(connection, [task_id])
        if not tasks:
            raise TaskNotFoundError(task_id)
        if if_version is not None:
            current = await connection.fetchval(self._sql["version"], task_id)
            if current != if_version:
                raise PreconditionFailedError(task_id, current)
        return tasks[0]

    async def report(self, task_id: TaskId, said: Report, *, timeout_seconds: float, if_version: str | None) -> Change:
        """Apply what an outside service says of a task of processor `external`.

        Saying `processing`, progress or an end of a waiting task starts it first.

        Raises: IllegalTransitionError for tasks of other processors, or a step that the states do not allow.
        """
        async with self._database.transaction() as connection:
            task = await self._locked(connection, task_id, if_version)
            if task.processor != "external":
                raise IllegalTransitionError(
                    task_id, task.status.value, "report on it",
                    reason=f"only tasks of processor 'external' take reports; this one belongs to {task.processor!r}",
                )  # fmt: skip
            if said.result_url is not None:
                await connection.execute(self._sql["set_result_url"], task_id, said.result_url)
            if said.status is None and said.progress is None:
                return Change()
            started, attempt = await self._running(connection, task, timeout_seconds)
            events: list[Event] = [*started]
            if said.progress is not None:
                seq = started[-1].seq if started else task.last_seq
                events.append(await self._report_progress(connection, task_id, attempt, said.progress, after_seq=seq))
            outcome = _reported_outcome(task_id, said)
            if outcome is not None:
                ending = make_ending(task_id, outcome, attempt=attempt, at=self._clock.now())
                events += await self._changes.end_external(connection, [ending])
            return Change(events=tuple(events))

    async def _running(
        self, connection: Connection, task: Standing, timeout_seconds: float
    ) -> tuple[list[StoredEvent], int]:
        """Return the attempt that runs, started now if the task was waiting."""
        if task.worker_id is not None:
            return [], task.attempt
        require_transition(task.id, task.status, TaskStatus.PROCESSING, action="report on it")
        attempt = int(await connection.fetchval(self._sql["claim_external"], task.id, timeout_seconds))
        at = self._clock.now()
        event = TaskStarted(task_id=task.id, seq=0, at=at, attempt=attempt, worker_id=EXTERNAL_WORKER)
        stored = new_event(event)
        seq = await connection.fetchval(self._sql["tell"], task.id, at, attempt, stored.kind, stored.data)
        return [numbered(event, seq)], attempt

    async def _report_progress(
        self, connection: Connection, task_id: TaskId, attempt: int, fraction: float, *, after_seq: int
    ) -> TaskProgressed:
        if not 0 <= fraction <= 1:
            raise InvalidInputError("progress", "must be between 0 and 1")
        if await connection.fetchval(self._sql["report_progress"], task_id, fraction) is None:
            raise LeaseLostError(task_id, attempt)
        at = self._clock.now()
        return TaskProgressed(task_id=task_id, after_seq=after_seq, at=at, attempt=attempt, fraction=fraction, stage="")


def _said(wanted: Wanted) -> str:
    """Name a change in the sentence "cannot ..."."""
    match wanted:
        case Cancel():
            return "cancel it"
        case Requeue():
            return "requeue it before it is finished"
        case Reprioritize():
            return "change its priority"
        case Delete():
            return "delete it"
    assert_never(wanted)


def _reported_outcome(task_id: TaskId, said: Report) -> Completed | Failed | Cancelled | None:
    match said.status:
        case TaskStatus.COMPLETED:
            return Completed()
        case TaskStatus.FAILED:
            message = clean_text(said.error_message or "failed without a message")
            return Failed(error=ErrorInfo("ExternalError", message))
        case TaskStatus.CANCELLED:
            return Cancelled(reason=said.error_message or "cancelled by the service that ran it")
        case TaskStatus.PENDING:
            raise IllegalTransitionError(task_id, "processing", "put it back; use requeue once it is finished")
        case _:
            return None
