"""What clients get to see: the wire contract, field by field.

The classes have no slots: Python sorts those by name, and an answer should begin with what matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import msgspec
from attrs import frozen

from novel_tasks_core import (
    Artifact,
    Attempt,
    ErrorInfo,
    Health,
    LogEntry,
    Statistics,
    StoredEvent,
    Task,
    TaskStatus,
    TaskSummary,
    format_task_id,
)


@frozen(kw_only=True, slots=False)
class TaskView:
    """A task as lists show it. `progress` is 0..100, `file_type` the extension with its dot."""

    id: str
    file_name: str | None
    file_size: int | None
    file_type: str | None
    status: str
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

    @classmethod
    def of(cls, task: TaskSummary, *, now: datetime) -> TaskView:
        """Show `task` as it is at `now`."""
        return cls(**_shown(task, now))


@frozen(kw_only=True, slots=False)
class TaskDetail(TaskView):
    """A task alone: beside what lists show, how it was asked for and where it stands."""

    options: Mapping[str, Any]
    session_id: str | None
    run_at: datetime | None
    failures: int
    max_attempts: int | None
    timeout_seconds: float | None
    cancel_requested: bool
    error: ErrorInfo | None
    last_seq: int

    @classmethod
    def of(cls, task: TaskSummary, *, now: datetime) -> TaskDetail:
        """Show `task` as it is at `now`."""
        return cls(
            **_shown(task, now),
            options=task.options if isinstance(task, Task) else {},
            session_id=task.session_id,
            run_at=task.run_at,
            failures=task.failures,
            max_attempts=task.max_attempts,
            timeout_seconds=task.timeout_seconds,
            cancel_requested=task.cancel_requested,
            error=task.error,
            last_seq=task.last_seq,
        )


def _shown(task: TaskSummary, now: datetime) -> dict[str, Any]:
    source = task.source
    return {
        "id": format_task_id(task.id),
        "file_name": source.name if source else None,
        "file_size": source.size if source else None,
        "file_type": source.file_type if source else None,
        "status": task.status.value,
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
    }


def percent(fraction: float) -> int:
    """Return 0..1 as whole percent; 100 only for all of it."""
    return min(99, round(fraction * 100)) if fraction < 1 else 100


def error_message(task: TaskSummary) -> str | None:
    """Return why the task failed, or failed last; what was wrong before it was sent round again is past."""
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
class UploadView:
    """What an upload answers. `duplicate` says that the task was there before."""

    task_id: str
    file_name: str
    file_size: int
    status: str
    message: str
    duplicate: bool


@frozen(slots=False)
class MessageView:
    """An answer that is only a sentence."""

    message: str


@frozen(kw_only=True, slots=False)
class HealthView:
    """Whether the service can do its work."""

    status: str
    database: str
    storage: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, health: Health) -> HealthView:
        """Show `health`."""
        return cls(
            status="healthy" if health.healthy else "unhealthy",
            database="connected" if health.database else "unavailable",
            storage="available" if health.storage else "unavailable",
            problems=health.problems,
            notes=health.notes,
        )


def event_view(event: StoredEvent) -> dict[str, Any]:
    """Show a stored event: its kind, seq and time, and the fields of its own."""
    own = {a.name: getattr(event, a.name) for a in attrs.fields(type(event)) if a.name != "task_id"}
    return {"kind": event.kind, **own}


def log_view(entry: LogEntry) -> dict[str, Any]:
    """Show a log entry."""
    return {
        "seq": entry.seq,
        "at": entry.at,
        "level": entry.level.value,
        "message": entry.message,
        "attempt": entry.attempt,
    }


def attempt_view(attempt: Attempt) -> dict[str, Any]:
    """Show a finished attempt and how long it ran."""
    return {
        "number": attempt.number,
        "worker_id": attempt.worker_id,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
        "duration_seconds": round((attempt.finished_at - attempt.started_at).total_seconds(), 3),
        "outcome": attempt.outcome.value,
        "error": attempt.error,
    }


def artifact_view(artifact: Artifact, *, url: str) -> dict[str, Any]:
    """Show an artifact, and where its bytes are."""
    return {
        "name": artifact.name,
        "content_type": artifact.content_type,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "attempt": artifact.attempt,
        "url": url,
    }


def encode(value: Any) -> bytes:
    """Write a value as JSON in UTF-8; times as RFC 3339 in UTC, NaN and infinities as null."""
    return msgspec.json.encode(value)
