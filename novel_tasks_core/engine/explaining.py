"""Why a task is where it is: a part of `TaskEngine`, and the decision, which is pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attrs import frozen

from novel_tasks_core.conversion import read_error
from novel_tasks_core.errors import UnknownProcessorError
from novel_tasks_core.models import EXTERNAL_WORKER, ErrorInfo, TaskId, TaskStatus, WorkerId
from novel_tasks_core.retries import RetryPolicy

if TYPE_CHECKING:
    from novel_tasks_core.engine.parts import EngineParts


class Reason(StrEnum):
    """Why a task stands where it does; the first that holds, from the top."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CANCELLING = "cancelling"
    """It runs, and was asked to stop."""
    REPORTED = "reported"
    """An outside service works on it, and has until the lease's deadline."""
    WORKER_GONE = "worker_gone"
    """Its worker is not registered any more: it will be put back at the next look."""
    WORKER_SILENT = "worker_silent"
    """Its worker has missed heartbeats for half a lease: unless it comes back, the task is put back."""
    RUNNING = "running"
    RETRYING = "retrying"
    """It ran before, and waits for the time of its next attempt."""
    SCHEDULED = "scheduled"
    """Nobody runs it before the time that was asked for."""
    OUTSIDE = "outside"
    """It waits for an outside service to report on it."""
    PAUSED = "paused"
    """Its processor is paused."""
    NO_WORKER = "no_worker"
    """No worker that runs tasks of its processor is registered."""
    QUEUED = "queued"
    """It waits for its turn: others are ahead, or every slot is taken."""
    NEXT = "next"
    """Nothing is ahead of it and a slot is free: it is about to be claimed."""


@frozen(kw_only=True)
class Lease:
    """Who runs a task: `heartbeat_seconds` is the age of the worker's last heartbeat, None for one that is gone.

    An outside service has the worker id 0 and no name, host or process id.
    """

    worker_id: WorkerId
    worker_name: str
    host: str
    pid: int | None
    since: datetime
    deadline: datetime
    heartbeat_seconds: float | None


@frozen(kw_only=True)
class Explanation:
    """Why a task stands where it does, as everything stood `at` one moment by the database's clock.

    `paused` is whether its processor is, `workers` how many claim its kind of work, with `slots` in all of
    which `running` are taken. `ahead` is how many tasks of its processor come before it, 10,001 for more than
    10,000, None unless it is ready. `attempt` is the number of the attempt that runs or ended last;
    `failures` of at most `attempts_allowed` have been counted against it.
    """

    task_id: TaskId
    status: TaskStatus
    reason: Reason
    processor: str
    at: datetime
    paused: bool
    workers: int
    slots: int
    running: int
    ahead: int | None
    run_at: datetime | None
    attempt: int
    failures: int
    attempts_allowed: int
    lease: Lease | None
    error: ErrorInfo | None
    cancel_reason: str | None
    finished_at: datetime | None

    @property
    def attempts_left(self) -> int:
        """How many more attempts may fail before the task does; none once it has."""
        return 0 if self.reason is Reason.FAILED else self._unused

    @property
    def permanent(self) -> bool:
        """Whether it failed with attempts unused: the error, its policy or the outside service allows no other."""
        return self.reason is Reason.FAILED and self._unused > 0

    @property
    def _unused(self) -> int:
        return max(0, self.attempts_allowed - self.failures)


class Explaining:
    """The method of `TaskEngine` that explains."""

    _parts: EngineParts

    async def explain(self, task_id: TaskId) -> Explanation:
        """Say why a task runs, waits, or has ended as it has. Raises: TaskNotFoundError."""
        row = await self._parts.standings.of(task_id)
        policy, outside = self._policy_of(row)
        error = read_error(row["error"])
        return explanation(
            task_id,
            row,
            attempts_allowed=policy.limit(error_type=error.type if error else "", max_attempts=row["max_attempts"]),
            outside=outside,
            silent_seconds=self._parts.config.lease_ttl_seconds / 2,
        )

    def _policy_of(self, row: Mapping[str, Any]) -> tuple[RetryPolicy, bool]:
        """Return how often the task may fail, as far as we know, and whether outside services do its kind of work."""
        try:
            processor = self._parts.processors.get(row["processor"])
        except (
            UnknownProcessorError
        ):  # another process has its code: of a failure nobody here knows whether it was the last
            failed = row["stored_status"] == TaskStatus.FAILED
            return RetryPolicy(max_attempts=max(1, row["failures"])) if failed else RetryPolicy(), False
        return processor.retry, processor.function is None


def explanation(
    task_id: TaskId, row: Mapping[str, Any], *, attempts_allowed: int, outside: bool, silent_seconds: float
) -> Explanation:
    """Make sense of what was found.

    `outside` is whether outside services do this kind of work, `silent_seconds` after how long without a
    heartbeat a worker is in doubt.
    """
    lease = _lease(row)
    return Explanation(
        task_id=task_id,
        status=TaskStatus.PROCESSING if lease else TaskStatus(row["stored_status"]),
        reason=_reason(row, lease, outside=outside, silent_seconds=silent_seconds),
        processor=row["processor"],
        at=row["at"],
        paused=row["paused"],
        workers=row["workers"],
        slots=row["slots"],
        running=row["running"],
        ahead=row["ahead"],
        run_at=row["run_at"],
        attempt=row["attempt"],
        failures=row["failures"],
        attempts_allowed=attempts_allowed,
        lease=lease,
        error=read_error(row["error"]),
        cancel_reason=row["cancel_reason"],
        finished_at=row["finished_at"],
    )


def _lease(row: Mapping[str, Any]) -> Lease | None:
    if row["worker_id"] is None:
        return None
    return Lease(
        worker_id=WorkerId(row["worker_id"]),
        worker_name=row["worker_name"] or "",
        host=row["host"] or "",
        pid=row["pid"],
        since=row["since"],
        deadline=row["deadline"],
        heartbeat_seconds=row["beat_seconds"],
    )


def _reason(row: Mapping[str, Any], lease: Lease | None, *, outside: bool, silent_seconds: float) -> Reason:
    status = TaskStatus(row["stored_status"])
    if status.is_final:
        return Reason(status.value)
    if lease is not None:
        return _reason_of_running(lease, cancelling=row["cancel_requested"], silent_seconds=silent_seconds)
    if row["run_at"] is not None:
        return Reason.RETRYING if row["attempt"] else Reason.SCHEDULED
    if outside:
        return Reason.OUTSIDE
    if row["paused"]:
        return Reason.PAUSED
    if row["workers"] == 0:
        return Reason.NO_WORKER
    return Reason.QUEUED if row["ahead"] or row["running"] >= row["slots"] else Reason.NEXT


def _reason_of_running(lease: Lease, *, cancelling: bool, silent_seconds: float) -> Reason:
    if cancelling:
        return Reason.CANCELLING
    if lease.worker_id == EXTERNAL_WORKER:
        return Reason.REPORTED
    if lease.heartbeat_seconds is None:
        return Reason.WORKER_GONE
    return Reason.WORKER_SILENT if lease.heartbeat_seconds > silent_seconds else Reason.RUNNING
