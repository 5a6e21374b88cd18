"""What people do to tasks, one by one and all that match: a part of `TaskEngine`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.config import MAX_RETENTION_DAYS
from novel_tasks_core.engine.checks import require_priority
from novel_tasks_core.errors import InvalidFilterError, InvalidInputError
from novel_tasks_core.models import FINAL_STATUSES, BulkResult, Task, TaskFilter, TaskId, TaskStatus
from novel_tasks_core.storage.changes import Cancel, Change, Delete, Reprioritize, Requeue, Wanted
from novel_tasks_core.storage.transitions import Report
from novel_tasks_core.storage.walking import Selection

if TYPE_CHECKING:
    from novel_tasks_core.engine.parts import EngineParts

MAX_REASON_CHARACTERS = 1000


class Changing:
    """The methods of `TaskEngine` that change tasks which exist.

    Those for one task raise PreconditionFailedError when `if_version` is given and the task is no longer at it.

    Those for all tasks of a filter take a filter without any condition for all tasks. They work in
    transactions of a few hundred tasks, oldest first, each of which is exact by itself, and look at every
    task that existed when the call began once. What cannot be changed is left as it is and counted, see
    `BulkResult`. `dry_run` counts exactly, and changes nothing. A call that is cancelled has done a part.
    """

    _parts: EngineParts

    async def cancel(self, task_id: TaskId, *, reason: str = "cancelled", if_version: str | None = None) -> Task:
        """Cancel a waiting task at once; ask a running one to stop, which ends it as cancelled soon after.

        `reason` is for people, at most 1,000 characters.

        Raises: IllegalTransitionError when it is finished, PreconditionFailedError, InvalidInputError.
        """
        require_reason(reason)
        return await self._changed(
            task_id, await self._parts.transitions.cancel(task_id, reason=reason, if_version=if_version)
        )

    async def requeue(self, task_id: TaskId, *, if_version: str | None = None) -> Task:
        """Retry a finished task, with no failures counted. Its result stays until the next one.

        A key that it gave back when it finished it takes again.

        Raises: IllegalTransitionError unless it is finished, DuplicateTaskError when another live task holds
        its key, PreconditionFailedError.
        """
        return await self._changed(task_id, await self._parts.transitions.requeue(task_id, if_version=if_version))

    async def reprioritize(self, task_id: TaskId, priority: int, *, if_version: str | None = None) -> Task:
        """Change the priority of an unfinished task; one that waits goes to the end of its new priority.

        Raises: IllegalTransitionError when it is finished, PreconditionFailedError, InvalidInputError.
        """
        require_priority(priority)
        change = await self._parts.transitions.reprioritize(task_id, priority, if_version=if_version)
        return await self._changed(task_id, change)

    async def report(
        self,
        task_id: TaskId,
        *,
        status: TaskStatus | None = None,
        progress: float | None = None,
        result_url: str | None = None,
        error_message: str | None = None,
        if_version: str | None = None,
    ) -> Task:
        """Say, for an outside service, how a task of processor `external` goes. `progress` is 0..1.

        Saying `processing`, progress, or an end of a waiting task starts it first.

        Raises: IllegalTransitionError, InvalidInputError, PreconditionFailedError.
        """
        said = Report(status=status, progress=progress, result_url=result_url, error_message=error_message)
        timeout = self._parts.config.task_timeout_seconds
        change = await self._parts.transitions.report(task_id, said, timeout_seconds=timeout, if_version=if_version)
        if not change.events:
            self._parts.announce((), [task_id])  # a result_url alone is no event, but shown
        return await self._changed(task_id, change)

    async def delete(self, task_id: TaskId, *, if_version: str | None = None) -> None:
        """Delete a task with its events, logs, attempts and artifacts; a running attempt is stopped.

        Raises: PreconditionFailedError.
        """
        self._parts.announce_change(await self._parts.transitions.delete(task_id, if_version=if_version))

    async def _changed(self, task_id: TaskId, change: Change) -> Task:
        self._parts.announce_change(change)
        return await self._parts.tasks.get(task_id)

    async def cancel_all(self, filter: TaskFilter, *, reason: str = "cancelled", dry_run: bool = False) -> BulkResult:
        """Cancel all tasks that match: waiting ones at once, running ones as soon as they stop.

        Raises: InvalidFilterError, InvalidInputError.
        """
        require_reason(reason)
        return await self._change_all(Cancel(reason), filter, dry_run)

    async def requeue_all(self, filter: TaskFilter, *, dry_run: bool = False) -> BulkResult:
        """Retry all finished tasks that match, oldest first. Raises: InvalidFilterError."""
        return await self._change_all(Requeue(), filter, dry_run)

    async def reprioritize_all(self, filter: TaskFilter, priority: int, *, dry_run: bool = False) -> BulkResult:
        """Give all unfinished tasks that match another priority. Raises: InvalidFilterError, InvalidInputError."""
        require_priority(priority)
        return await self._change_all(Reprioritize(priority), filter, dry_run)

    async def delete_all(self, filter: TaskFilter, *, dry_run: bool = False) -> BulkResult:
        """Delete all tasks that match, in whatever state, with all that is their own. Raises: InvalidFilterError."""
        return await self._change_all(Delete(), filter, dry_run)

    async def _change_all(self, wanted: Wanted, filter: TaskFilter, dry_run: bool) -> BulkResult:
        if not isinstance(filter, TaskFilter):
            raise InvalidFilterError("filter", "must be a TaskFilter; TaskFilter() stands for all tasks")
        return await self._parts.bulk.change(
            wanted, Selection(filter=filter), dry_run=dry_run, tell=self._parts.announce_change
        )


def require_days(field: str, days: Any) -> None:
    """Check a retention in days. Raises: InvalidInputError."""
    if not isinstance(days, int | float) or isinstance(days, bool) or not 0 <= days <= MAX_RETENTION_DAYS:
        said = f"must be a number of days between 0 and {MAX_RETENTION_DAYS:,}"
        raise InvalidInputError(field, Complaint(said, FaultCode.RANGE, low=0, high=MAX_RETENTION_DAYS))


def require_final(field: str, statuses: Any) -> tuple[TaskStatus, ...]:
    """Return the statuses in a collection of them. Raises: InvalidInputError unless all are final."""
    if isinstance(statuses, Collection) and not isinstance(statuses, str):
        chosen = tuple(status for status in FINAL_STATUSES if status in statuses)
        if len(chosen) == len(statuses):
            return chosen
    raise InvalidInputError(field, Complaint(f"must be some of {', '.join(FINAL_STATUSES)}", FaultCode.CHOICE))


def require_reason(reason: Any) -> None:
    """Check what somebody gives as the reason. Raises: InvalidInputError when it is empty or too long."""
    if not isinstance(reason, str) or not reason.strip():
        said = "must be a text that says why, or be left out"
        raise InvalidInputError("reason", Complaint(said, FaultCode.SHORT, n=1))
    if len(reason) > MAX_REASON_CHARACTERS:
        said = f"must be at most {MAX_REASON_CHARACTERS:,} characters long, not {len(reason):,}"
        raise InvalidInputError("reason", Complaint(said, FaultCode.LONG, n=MAX_REASON_CHARACTERS))
