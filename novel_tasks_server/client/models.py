"""What the server is asked and what it tells, as frozen values.

Times are aware UTC, `progress` is 0..100, sizes are bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, fields, frozen

from novel_tasks_core import ErrorInfo, LogLevel, OutcomeKind, QueueStatus, TaskStatus


@frozen(kw_only=True)
class Upload:
    """What the server says of an accepted file. `duplicate` means that `task_id` existed before."""

    task_id: str
    file_name: str
    file_size: int
    status: TaskStatus
    duplicate: bool = False
    message: str = ""


@frozen(kw_only=True)
class RemoteTask:
    """A task as the server shows it. One without a file has no name.

    What has a default here is shown of a single task only, or only by newer servers. `version` names this
    state of the task: given as `if_version` to a change, that is refused (412) once there is another.
    """

    id: str
    file_name: str | None
    file_size: int | None
    status: TaskStatus
    progress: float
    priority: int
    uploaded_at: datetime
    file_type: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    result_url: str | None = None
    error_message: str | None = None
    processor: str = ""
    stage: str | None = None
    attempt: int = 0
    owner: str = ""
    version: str = ""
    eta_seconds: float | None = None
    extra_data: Mapping[str, Any] | None = None
    options: Mapping[str, Any] | None = None
    session_id: str | None = None
    run_at: datetime | None = None
    failures: int = 0
    max_attempts: int | None = None
    timeout_seconds: float | None = None
    cancel_requested: bool = False
    error: ErrorInfo | None = None
    last_seq: int = 0


@frozen(kw_only=True)
class TaskUpdate:
    """News of a task that is being followed."""

    task_id: str
    status: TaskStatus
    progress: float
    result_url: str | None = None
    error_message: str | None = None

    @classmethod
    def of(cls, task: RemoteTask) -> TaskUpdate:
        """Tell of a task as it is."""
        return cls(
            task_id=task.id,
            status=task.status,
            progress=task.progress,
            result_url=task.result_url,
            error_message=task.error_message,
        )


@frozen(kw_only=True)
class TaskPage:
    """A part of a list. `next_cursor` is None on the last page; `total` counts all that match."""

    tasks: tuple[RemoteTask, ...]
    total: int
    page: int
    page_size: int
    next_cursor: str | None = None
    total_is_estimate: bool = False


@frozen(kw_only=True)
class RemoteStatistics:
    """Counts of the caller's tasks; the average and the rate (in percent) are None without data."""

    total: int
    pending: int
    processing: int
    completed: int
    failed: int
    cancelled: int = 0
    avg_processing_time_ms: float | None = None
    success_rate: float | None = None


@frozen(kw_only=True)
class RemoteLogEntry:
    """A line of a task's log. `attempt` is 0 for what was said outside any."""

    seq: int
    at: datetime
    level: LogLevel
    message: str
    attempt: int = 0


@frozen(kw_only=True)
class RemoteAttempt:
    """A finished run of a task."""

    number: int
    started_at: datetime
    finished_at: datetime
    duration_seconds: float
    outcome: OutcomeKind
    worker_id: int = 0
    error: ErrorInfo | None = None


@frozen(kw_only=True)
class RemoteArtifact:
    """Named bytes that a task made."""

    name: str
    size: int
    content_type: str = "application/octet-stream"
    sha256: str = ""


@frozen(kw_only=True)
class RemoteProcessor:
    """A kind of work that can be asked for; `options_schema` is the JSON schema of its options."""

    name: str
    version: str = ""
    description: str = ""
    runs_in: str = ""
    timeout_seconds: float | None = None
    options_schema: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class RemoteLimits:
    """How much one request may ask for, in bytes and tasks; the rates are None without one."""

    max_file_size: int
    max_page_size: int = 100
    rate_limit: str | None = None
    upload_rate_limit: str | None = None


@frozen(kw_only=True)
class ServerMeta:
    """What the server can do. `allowed_extensions` are those of uploads, with their dots."""

    title: str
    version: str
    software_version: str
    default_processor: str
    processors: tuple[str, ...]
    allowed_extensions: tuple[str, ...]
    limits: RemoteLimits


@frozen(kw_only=True)
class RemoteWorker:
    """A worker of any process; `beat_seconds` is the age of its last sign of life. Only admins see its host."""

    id: int
    state: str
    slots: int
    running: int
    beat_seconds: float
    name: str = ""
    version: str = ""
    host: str | None = None
    pid: int | None = None


@frozen(kw_only=True)
class RemoteQueue:
    """The queue of each processor, the workers, and what is wrong with them, in words."""

    queues: tuple[QueueStatus, ...]
    workers: tuple[RemoteWorker, ...] = ()
    warnings: tuple[str, ...] = ()


@frozen(kw_only=True)
class UploadOptions:
    """What may be asked for with an upload, or of a novel that is there; what is None or empty is left to the server.

    `on_duplicate` is return, replace, reject or allow; `run_at` needs a time zone.
    """

    processor: str | None = None
    options: Mapping[str, Any] = Factory(dict)
    priority: int | None = None
    on_duplicate: str | None = None
    run_at: datetime | None = None
    extra_data: Mapping[str, Any] = Factory(dict)
    session_id: str | None = None
    max_attempts: int | None = None
    timeout_seconds: float | None = None

    def members(self) -> dict[str, Any]:
        """Return the members of the JSON object that says it."""
        wanted = {a.name: getattr(self, a.name) for a in fields(type(self))}
        if self.run_at is not None:
            wanted["run_at"] = self.run_at.isoformat()
        return {name: value for name, value in wanted.items() if value is not None and value != {}}

    def fields(self) -> dict[str, str]:
        """Return the form fields that say it."""
        return {
            name: json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else str(value)
            for name, value in self.members().items()
        }


@frozen(kw_only=True)
class Wanted:
    """Which tasks: all conditions must hold, None means any.

    `q` matches the beginning of an id or of a file name, with a leading `*` any part of the name. `owner` is
    for admins: others see only their own tasks.
    """

    status: TaskStatus | None = None
    processor: str | None = None
    owner: str | None = None
    q: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def query(self) -> dict[str, str]:
        """Return the query parameters, which are also the members of a filter in JSON."""
        wanted = {a.name: getattr(self, a.name) for a in fields(type(self))}
        return {
            name: value.isoformat() if isinstance(value, datetime) else str(value)
            for name, value in wanted.items()
            if value is not None
        }
