"""Changes that people make to single tasks: cancel, requeue, delete, priority, reports from outside.

Each locks the row of the task first, and only then looks where the task is, by statements of their
own: one statement over all locations would look at one moment, and lose against a claim that moves the
task meanwhile. The search is repeated until one place answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
from attrs import frozen

from novel_tasks_core.clock import Clock
from novel_tasks_core.conversion import clean_text, error_json, new_event
from novel_tasks_core.errors import (
    IllegalTransitionError,
    InvalidInputError,
    LeaseLostError,
    PreconditionFailedError,
    TaskNotFoundError,
)
from novel_tasks_core.events import (
    Event,
    StoredEvent,
    TaskCancelled,
    TaskCancelRequested,
    TaskDeleted,
    TaskProgressed,
    TaskReprioritized,
    TaskRequeued,
    TaskStarted,
)
from novel_tasks_core.models import (
    EXTERNAL_WORKER,
    Cancelled,
    Completed,
    ErrorInfo,
    Failed,
    TaskId,
    TaskStatus,
    WorkerId,
)
from novel_tasks_core.states import require_transition
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.endings import finish_columns, make_ending, numbered, stored_event
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.queue import Head

if TYPE_CHECKING:
    from novel_tasks_core.storage.database import Connection

_LOOKS = 100


@frozen(kw_only=True)
class Change:
    """What a change did: events to tell watchers, tasks that became ready, and the workers that must hear of it."""

    events: tuple[Event, ...] = ()
    heads: tuple[Head, ...] = ()
    workers: frozenset[WorkerId] = frozenset()


@frozen(kw_only=True)
class Report:
    """What an outside service says of a task. None is left as it is; `progress` is 0..1."""

    status: TaskStatus | None = None
    progress: float | None = None
    result_url: str | None = None
    error_message: str | None = None


class Transitions:
    """Changes of single tasks; each is one transaction."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._sql = load_queries("changes")
        self._finish = load_queries("queue")["finish"]

    async def _lock(self, connection: Connection, task_id: TaskId, if_version: str | None) -> asyncpg.Record:
        """Lock a task until the end of the transaction, so that nobody else changes it.

        Raises: TaskNotFoundError, PreconditionFailedError.
        """
        row = await connection.fetchrow(self._sql["lock"], task_id)
        if row is None:
            raise TaskNotFoundError(task_id)
        if if_version is not None:
            current = await connection.fetchval(self._sql["version"], task_id)
            if current != if_version:
                raise PreconditionFailedError(task_id, current)
        return row

    async def cancel(self, task_id: TaskId, *, reason: str, if_version: str | None) -> Change:
        """Cancel a waiting task now, or ask the worker of a running one to stop.

        Raises: IllegalTransitionError when the task is finished.
        """
        async with self._database.transaction() as connection:
            return await self.cancel_on(connection, task_id, reason=reason, if_version=if_version)

    async def cancel_on(
        self, connection: Connection, task_id: TaskId, *, reason: str, if_version: str | None = None
    ) -> Change:
        """Do as `cancel` inside the caller's transaction; what it returns may be told once that has committed.

        Raises: IllegalTransitionError when the task is finished.
        """
        row = await self._lock(connection, task_id, if_version)
        require_transition(task_id, TaskStatus(row["status"]), TaskStatus.CANCELLED, action="cancel it")
        async for _ in _looking(task_id):
            if await self._take_waiting(connection, task_id) is not None:
                return await self._end_waiting(connection, task_id, reason)
            flagged = await connection.fetchrow(self._sql["flag_cancel"], task_id)
            if flagged is not None and flagged["worker_id"] == EXTERNAL_WORKER:
                cancelled = Cancelled(reason=reason)
                return Change(events=(await self._end_external(connection, task_id, flagged["attempt"], cancelled),))
            if flagged is not None:
                told = await self._ask_to_cancel(connection, task_id, flagged["attempt"], reason)
                return Change(events=told, workers=frozenset({WorkerId(flagged["worker_id"])}))
        raise AssertionError("unreachable")

    async def _ask_to_cancel(
        self, connection: Connection, task_id: TaskId, attempt: int, reason: str
    ) -> tuple[StoredEvent, ...]:
        if await connection.fetchval(self._sql["ask_to_cancel"], task_id, clean_text(reason)) is None:
            return ()
        event = TaskCancelRequested(task_id=task_id, seq=0, at=self._clock.now(), attempt=attempt)
        return (await self._tell(connection, event, attempt=attempt),)

    async def _take_waiting(self, connection: Connection, task_id: TaskId) -> bool | None:
        """Take a task out of the ready table or the schedule; None if it is in neither."""
        if await connection.fetchrow(self._sql["take_ready"], task_id) is not None:
            return True
        if await connection.fetchrow(self._sql["take_scheduled"], task_id) is not None:
            return True
        return None

    async def _end_waiting(self, connection: Connection, task_id: TaskId, reason: str) -> Change:
        at = self._clock.now()
        event = TaskCancelled(task_id=task_id, seq=0, at=at, attempt=0, reason=clean_text(reason))
        error = error_json(ErrorInfo("Cancelled", reason))
        seq = await connection.fetchval(self._sql["end_cancelled"], task_id, at, error, new_event(event).data)
        return Change(events=(numbered(event, seq),))

    async def _tell(self, connection: Connection, event: StoredEvent, *, attempt: int = 0) -> StoredEvent:
        stored = new_event(event)
        seq = await connection.fetchval(self._sql["tell"], event.task_id, event.at, attempt, stored.kind, stored.data)
        return numbered(event, seq)

    async def requeue(self, task_id: TaskId, *, if_version: str | None) -> Change:
        """Send a finished task round again. Raises: IllegalTransitionError unless it is finished."""
        async with self._database.transaction() as connection:
            row = await self._lock(connection, task_id, if_version)
            current = TaskStatus(row["status"])
            if current is TaskStatus.PENDING:
                lease = await connection.fetchrow(self._sql["lease_of"], task_id)
                shown = TaskStatus.PENDING if lease is None else TaskStatus.PROCESSING
                raise IllegalTransitionError(task_id, shown.value, "requeue it before it is finished")
            require_transition(task_id, current, TaskStatus.PENDING, action="requeue it")
            at = self._clock.now()
            placed = await connection.fetchrow(self._sql["requeue"], task_id, at)
            assert placed is not None
        head = Head(placed["lane"], placed["priority"], placed["position"])
        return Change(events=(TaskRequeued(task_id=task_id, seq=placed["last_seq"], at=at),), heads=(head,))

    async def reprioritize(self, task_id: TaskId, priority: int, *, if_version: str | None) -> Change:
        """Change the priority of a task that is not finished; a running one keeps running.

        Raises: IllegalTransitionError when it is finished.
        """
        async with self._database.transaction() as connection:
            row = await self._lock(connection, task_id, if_version)
            current = TaskStatus(row["status"])
            if current.is_final:
                raise IllegalTransitionError(task_id, current.value, "change its priority")
            await connection.execute(self._sql["set_priority"], task_id, priority)
            heads = await self._move(connection, task_id, priority)
            event = TaskReprioritized(task_id=task_id, seq=0, at=self._clock.now(), priority=priority)
            return Change(events=(await self._tell(connection, event),), heads=heads)

    async def _move(self, connection: Connection, task_id: TaskId, priority: int) -> tuple[Head, ...]:
        async for _ in _looking(task_id):
            moved = await connection.fetchrow(self._sql["move_ready"], task_id, priority)
            if moved is not None:
                return (Head(moved["lane"], moved["priority"], moved["position"]),)
            for query in ("hold_scheduled", "lease_of"):
                if await connection.fetchrow(self._sql[query], task_id) is not None:
                    return ()
        raise AssertionError("unreachable")

    async def free_key(self, task_id: TaskId) -> None:
        """Let go of the keys that a task holds, so that another one can take them."""
        async with self._database.transaction() as connection:
            await self.free_key_on(connection, task_id)

    async def free_key_on(self, connection: Connection, task_id: TaskId) -> None:
        """Do as `free_key` inside the caller's transaction."""
        await connection.execute(self._sql["free_key"], task_id)

    async def delete(self, task_id: TaskId, *, if_version: str | None) -> Change:
        """Delete a task and all that is its own, wherever it stands. A worker that runs it is told to stop."""
        async with self._database.transaction() as connection:
            row = await self._lock(connection, task_id, if_version)
            if row["status"] == "pending":
                # Wait for a claim or promotion under way, so that the delete sees where the task went.
                async for _ in _looking(task_id):
                    if await self._take_waiting(connection, task_id) is not None:
                        break
                    if await connection.fetchrow(self._sql["lease_of"], task_id) is not None:
                        break
            gone = await connection.fetchrow(self._sql["delete"], task_id)
        workers = () if gone is None or gone["worker_id"] is None else (WorkerId(gone["worker_id"]),)
        return Change(events=(TaskDeleted(task_id=task_id, at=self._clock.now()),), workers=frozenset(workers))

    async def report(self, task_id: TaskId, said: Report, *, timeout_seconds: float, if_version: str | None) -> Change:
        """Apply what an outside service says of a task of processor `external`.

        Saying `processing`, progress or an end of a waiting task starts it first.

        Raises: IllegalTransitionError for tasks of other processors, or a step that the states do not allow.
        """
        async with self._database.transaction() as connection:
            row = await self._lock(connection, task_id, if_version)
            if row["processor"] != "external":
                raise IllegalTransitionError(
                    task_id, row["status"], "report on it",
                    reason=f"only tasks of processor 'external' take reports; this one belongs to {row['processor']!r}",
                )  # fmt: skip
            if said.result_url is not None:
                await connection.execute(self._sql["set_result_url"], task_id, said.result_url)
            if said.status is None and said.progress is None:
                return Change()
            started, attempt = await self._running(connection, row, timeout_seconds)
            events: list[Event] = [*started]
            if said.progress is not None:
                events.append(await self._report_progress(connection, task_id, attempt, said.progress))
            outcome = _reported_outcome(task_id, said)
            if outcome is not None:
                events.append(await self._end_external(connection, task_id, attempt, outcome))
            return Change(events=tuple(events))

    async def _running(
        self, connection: Connection, row: asyncpg.Record, timeout_seconds: float
    ) -> tuple[list[StoredEvent], int]:
        """Return the attempt that runs, started now if the task was waiting."""
        task_id = TaskId(row["id"])
        require_transition(task_id, TaskStatus(row["status"]), TaskStatus.PROCESSING, action="report on it")
        async for _ in _looking(task_id):
            lease = await connection.fetchrow(self._sql["lease_of"], task_id)
            if lease is not None:
                return [], int(lease["attempt"])
            if await self._take_waiting(connection, task_id) is not None:
                attempt = int(await connection.fetchval(self._sql["claim_external"], task_id, timeout_seconds))
                at = self._clock.now()
                event = TaskStarted(task_id=task_id, seq=0, at=at, attempt=attempt, worker_id=EXTERNAL_WORKER)
                return [await self._tell(connection, event, attempt=attempt)], attempt
        raise AssertionError("unreachable")

    async def _report_progress(
        self, connection: Connection, task_id: TaskId, attempt: int, fraction: float
    ) -> TaskProgressed:
        if not 0 <= fraction <= 1:
            raise InvalidInputError("progress", "must be between 0 and 1")
        if await connection.fetchval(self._sql["report_progress"], task_id, fraction) is None:
            raise LeaseLostError(task_id, attempt)
        row = await connection.fetchrow(self._sql["lock"], task_id)
        seq = row["last_seq"] if row else 0
        at = self._clock.now()
        return TaskProgressed(task_id=task_id, after_seq=seq, at=at, attempt=attempt, fraction=fraction, stage="")

    async def _end_external(
        self, connection: Connection, task_id: TaskId, attempt: int, outcome: Completed | Failed | Cancelled
    ) -> StoredEvent:
        ending = make_ending(task_id, outcome, attempt=attempt, at=self._clock.now())
        row = await connection.fetchrow(self._finish, *finish_columns([ending], EXTERNAL_WORKER, EXTERNAL_WORKER))
        if row is None:
            raise LeaseLostError(task_id, attempt)
        return stored_event(ending, row["last_seq"])


async def _looking(task_id: TaskId) -> AsyncIterator[int]:
    """Count the looks at all locations of a task; it is always in one, so a few are enough."""
    for look in range(_LOOKS):
        yield look
        await asyncio.sleep(0)
    raise AssertionError(f"{task_id} is in no location")


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
