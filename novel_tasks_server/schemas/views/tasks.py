"""Tasks as clients get to see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from novel_tasks_core import (
    BulkResult,
    ErrorInfo,
    LogEntry,
    SkipReason,
    Statistics,
    Task,
    TaskStatus,
    TaskSummary,
    format_task_id,
)
from novel_tasks_server.schemas.requests import BulkAction
from novel_tasks_server.schemas.views.history import LogView


@frozen(kw_only=True, slots=False)
class TaskView:
    """A task as lists show it. `progress` is 0..100, `file_type` the extension with its dot.

    `run_at` is before when a waiting task does not begin.
    """

    id: str
    file_name: str | None
    file_size: int | None
    file_type: str | None
    status: TaskStatus
    progress: int
    priority: int
    uploaded_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    result_url: str | None
    error_message: str | None
    extra_data: Mapping[str, Any]
    processor: str
    stage: str
    attempt: int
    owner: str
    version: str
    eta_seconds: float | None
    run_at: datetime | None
    error: ErrorInfo | None

    @classmethod
    def of(cls, task: TaskSummary, *, now: datetime) -> TaskView:
        """Show `task` as it is at `now`."""
        return cls(**_shown(task, now))


@frozen(kw_only=True, slots=False)
class TaskDetail(TaskView):
    """A task alone: beside what lists show, how it was asked for and where it stands."""

    options: Mapping[str, Any]
    session_id: str | None
    failures: int
    max_attempts: int | None
    timeout_seconds: float | None
    cancel_requested: bool
    last_seq: int

    @classmethod
    def of(cls, task: TaskSummary, *, now: datetime) -> TaskDetail:
        """Show `task` as it is at `now`."""
        return cls(**_detailed(task, now))


@frozen(kw_only=True, slots=False)
class TaskWithLogs(TaskDetail):
    """A task alone with the beginning of its log, at most 1,000 lines."""

    logs: list[LogView]

    @classmethod
    def with_logs(cls, task: TaskSummary, entries: Iterable[LogEntry], *, now: datetime) -> TaskWithLogs:
        """Show `task` as it is at `now`, with these lines of its log."""
        return cls(**_detailed(task, now), logs=[LogView.of(entry) for entry in entries])


def _detailed(task: TaskSummary, now: datetime) -> dict[str, Any]:
    return {
        **_shown(task, now),
        "options": task.options if isinstance(task, Task) else {},
        "session_id": task.session_id,
        "failures": task.failures,
        "max_attempts": task.max_attempts,
        "timeout_seconds": task.timeout_seconds,
        "cancel_requested": task.cancel_requested,
        "last_seq": task.last_seq,
    }


def _shown(task: TaskSummary, now: datetime) -> dict[str, Any]:
    source = task.source
    return {
        "id": format_task_id(task.id),
        "file_name": source.name if source else None,
        "file_size": source.size if source else None,
        "file_type": source.file_type if source else None,
        "status": task.status,
        "progress": percent(task.progress),
        "priority": task.priority,
        "uploaded_at": task.created_at,
        "started_at": None if task.status is TaskStatus.PENDING else task.started_at,
        "completed_at": task.finished_at if task.status.is_final else None,
        "result_url": result_url(task),
        "error_message": error_message(task),
        "extra_data": task.extra_data,
        "processor": task.processor,
        "stage": task.stage,
        "attempt": task.attempt,
        "owner": task.owner,
        "version": task.version,
        "eta_seconds": _eta(task, now),
        "run_at": task.run_at,
        "error": task.error,
    }


def percent(fraction: float) -> int:
    """Return 0..1 as whole percent; 100 only for all of it."""
    return min(99, round(fraction * 100)) if fraction < 1 else 100


def error_message(task: TaskSummary) -> str | None:
    """Return why the task failed, or failed last; what was wrong before it was retried is past."""
    if task.error is None or not (task.status.is_final or task.failures):
        return None
    return task.error.message


def result_url(task: TaskSummary) -> str | None:
    """Return where the result is: what an outside service reported, else our own path once there is one."""
    if task.status is TaskStatus.PENDING:
        return None
    if task.result_url is not None or task.status is not TaskStatus.COMPLETED or task.processor == "external":
        return task.result_url
    return f"/api/v1/tasks/{format_task_id(task.id)}/result"


def _eta(task: TaskSummary, now: datetime) -> float | None:
    """Return the seconds left if the rest goes as fast as what is done; None before 2% tell anything."""
    if task.status is not TaskStatus.PROCESSING or task.started_at is None or not 0.02 <= task.progress < 1:
        return None
    spent = max(0.0, (now - task.started_at).total_seconds())
    return round(spent * (1 - task.progress) / task.progress, 1)


@frozen(kw_only=True, slots=False)
class TaskListView:
    """One page of tasks."""

    tasks: list[TaskView]
    total: int
    page: int
    page_size: int
    next_cursor: str | None
    total_is_estimate: bool


@frozen(kw_only=True, slots=False)
class StatisticsView:
    """Counts of tasks; the average in milliseconds and the rate in percent are null without data."""

    total: int
    pending: int
    processing: int
    completed: int
    failed: int
    cancelled: int
    avg_processing_time_ms: float | None
    success_rate: float | None

    @classmethod
    def of(cls, counts: Statistics) -> StatisticsView:
        """Show `counts`."""
        average, rate = counts.average_seconds, counts.success_rate
        return cls(
            total=counts.total,
            pending=counts.pending,
            processing=counts.processing,
            completed=counts.completed,
            failed=counts.failed,
            cancelled=counts.cancelled,
            avg_processing_time_ms=None if average is None else round(average * 1000, 2),
            success_rate=None if rate is None else round(rate * 100, 2),
        )


@frozen(kw_only=True, slots=False)
class BulkView:
    """What became of all tasks that a filter matched; those that were skipped are counted by reason.

    With `dry_run` nothing has changed, and the counts say what would have.
    """

    action: BulkAction
    dry_run: bool
    matched: int
    changed: int
    skipped: int
    reasons: Mapping[SkipReason, int]

    @classmethod
    def of(cls, action: BulkAction, result: BulkResult) -> BulkView:
        """Show `result`."""
        return cls(
            action=action,
            dry_run=result.dry_run,
            matched=result.matched,
            changed=result.changed,
            skipped=result.skipped,
            reasons=result.reasons,
        )
