"""The values that the engine takes and gives: frozen, without behaviour that touches the world.

Times are timezone-aware UTC. Durations are seconds as float. Ids are UUIDv7, made where the task is
submitted; outside the process they read `task-` and 32 hex digits.
"""

from __future__ import annotations

import os
import re
import struct
import time
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, NewType, TypeVar
from uuid import UUID

from attrs import Factory, field, frozen
from attrs.converters import optional

from novel_tasks_core.errors import TaskNotFoundError

TaskId = NewType("TaskId", UUID)
WorkerId = NewType("WorkerId", int)
JsonObject = Mapping[str, Any]
"""A JSON object as Python holds it: str keys, JSON values."""

EXTERNAL_WORKER = WorkerId(0)
"""The worker of tasks that an outside service runs. It never beats; its leases end by their deadline."""

MAX_JSON_BYTES = 65_536
"""How large the options of a task may be as JSON in UTF-8, and so its extra data."""

_TASK_ID = re.compile(r"task-([0-9a-f]{32})", re.ASCII)
_RANDOM_BITS = (1 << 62) - 1
_two_words = struct.Struct(">QQ").pack
_last_id_tick = 0


def new_id_bytes(count: int) -> list[bytes]:
    """Make UUIDv7 (RFC 9562), 16 bytes each: 48 bits of Unix milliseconds, 12 of the fraction, 62 random.

    Ids made by one process grow strictly, so that tasks list in the order of their submits.
    """
    global _last_id_tick
    tick = max(time.time_ns() * 4096 // 1_000_000, _last_id_tick + 1)
    _last_id_tick = tick + count - 1
    noise = struct.unpack(f">{count}Q", os.urandom(8 * count))
    return [
        _two_words((tick >> 12) << 16 | 0x7000 | tick & 0xFFF, random & _RANDOM_BITS | 1 << 63)
        for tick, random in enumerate(noise, start=tick)
    ]


def new_task_id() -> TaskId:
    """Make an id as `new_id_bytes` does."""
    return TaskId(UUID(bytes=new_id_bytes(1)[0]))


def format_task_id(task_id: UUID) -> str:
    """Write an id as the outside sees it: `task-` and 32 hex digits."""
    return f"task-{task_id.hex}"


def parse_task_id(text: str) -> TaskId:
    """Read an id from its outside form.

    Raises: TaskNotFoundError for anything else, because no task has such an id.
    """
    match = _TASK_ID.fullmatch(text)
    if match is None:
        raise TaskNotFoundError(text)
    return TaskId(UUID(hex=match[1]))


class TaskStatus(StrEnum):
    """Where a task is in its life. Scheduled and retrying tasks are pending with `run_at` in the future."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens unless a person requeues the task."""
        return self in FINAL_STATUSES


FINAL_STATUSES = (TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.COMPLETED)
"""The statuses of finished tasks."""


class OnDuplicate(StrEnum):
    """What a submit does when a live task of the same owner holds its key."""

    RETURN = "return"
    REPLACE = "replace"
    REJECT = "reject"
    ALLOW = "allow"


class ReleaseKey(StrEnum):
    """When a key becomes free again: at any finish, only when the task failed or was cancelled, or at its deletion."""

    FINISH = "finish"
    FAILURE = "failure"
    DELETE = "delete"


class SkipReason(StrEnum):
    """Why a change of many tasks left one as it was.

    `illegal`: its state does not allow the change. `already`: it was so before. `changed`: it matched the filter
    when it was looked at, but no longer when its turn came. `gone`: somebody deleted it meanwhile. `key_taken`:
    another live task holds its key.
    """

    ILLEGAL = "illegal"
    ALREADY = "already"
    CHANGED = "changed"
    GONE = "gone"
    KEY_TAKEN = "key_taken"


class LogLevel(StrEnum):
    """How much a log entry of a task matters to people."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class OutcomeKind(StrEnum):
    """How an attempt ended. `lost` is written by the rescuer of a dead worker's attempt."""

    COMPLETED = "completed"
    RETRY = "retry"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RELEASED = "released"
    LOST = "lost"


@frozen
class Source:
    """A stored original: what the file store knows it by, and what people call it.

    `sha256` is 64 hex digits, `size` in bytes, `name` the file name as uploaded (data, never a path).
    """

    sha256: str
    size: int
    name: str

    @property
    def file_type(self) -> str:
        """The extension in lower case with its dot, or "" without one."""
        stem, dot, extension = self.name.rpartition(".")
        return f".{extension.lower()}" if dot and stem else ""


@frozen
class ErrorInfo:
    """Why an attempt or a task failed: the class name of the error, and a sentence for people.

    `permanent` means that the same work fails again however often it is tried. `details` are the fields of an error
    of ours, as JSON, for programs that say it in words of their own.
    """

    type: str
    message: str
    permanent: bool = False
    details: JsonObject = field(factory=dict, hash=False)


@frozen(kw_only=True, slots=False)  # made for every submit, in half the time that slots take
class NewTask:
    """What to submit. Only `processor` is needed; the rest is checked when it is submitted.

    `options` and `extra_data` are JSON objects of up to 65,536 bytes of JSON each (`MAX_JSON_BYTES`), nested up
    to 32 levels deep. `priority` is -32768..32767, higher first. `run_at` in the future delays the first start.
    `max_attempts` (1..1000) and `timeout_seconds` (above 0, up to 31 days) override the processor's. `key`, up to
    512 characters, makes a submit idempotent per owner. `owner`, `session_id` and the name of the source have up
    to 255 characters. `note`, up to 4,000, becomes the first log entry, stored with the task or not at all.
    """

    processor: str
    source: Source | None = None
    options: JsonObject = Factory(dict)
    priority: int = 0
    run_at: datetime | None = None
    max_attempts: int | None = None
    timeout_seconds: float | None = None
    owner: str = ""
    key: str | None = None
    on_duplicate: OnDuplicate = OnDuplicate.RETURN
    release_at: ReleaseKey = ReleaseKey.FINISH
    extra_data: JsonObject = Factory(dict)
    session_id: str | None = None
    note: str | None = None


@frozen(kw_only=True, slots=False)  # made for every submit and every row of a list, see NewTask
class TaskSummary:
    """A task as lists show it: everything but options, result and checkpoint.

    `max_attempts` and `timeout_seconds` are the task's own, None for the processor's. `progress` is
    0..1, of the running attempt, 1 when completed. `version` names this state of the task; it is what
    ETag and If-Match carry. `duplicate` is true only on what a submit returns when it found a live task
    instead of making one.
    """

    id: TaskId
    processor: str
    status: TaskStatus
    priority: int
    owner: str
    source: Source | None
    session_id: str | None
    extra_data: JsonObject
    max_attempts: int | None
    timeout_seconds: float | None
    run_at: datetime | None
    attempt: int
    failures: int
    progress: float
    stage: str
    cancel_requested: bool
    error: ErrorInfo | None
    result_url: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_seq: int
    version: str
    duplicate: bool = False


@frozen(kw_only=True, slots=False)
class Task(TaskSummary):
    """A task whole. `result` is what the processor returned, of attempt `result_attempt`, whose artifacts are shown.

    `key` is the one that it was submitted with, whether or not it still holds it.
    """

    options: JsonObject = Factory(dict)
    key: str | None = None
    result: Any = None
    result_attempt: int | None = None


@frozen(kw_only=True)
class Attempt:
    """One finished run of a task."""

    task_id: TaskId
    number: int
    worker_id: WorkerId
    started_at: datetime
    finished_at: datetime
    outcome: OutcomeKind
    error: ErrorInfo | None


@frozen(kw_only=True)
class LogEntry:
    """One line of a task's log; `seq` is its place among the task's events."""

    task_id: TaskId
    seq: int
    at: datetime
    attempt: int
    level: LogLevel
    message: str


@frozen(kw_only=True)
class Artifact:
    """Named bytes that an attempt stored."""

    task_id: TaskId
    attempt: int
    name: str
    content_type: str
    size: int
    sha256: str


@frozen(kw_only=True)
class NewArtifact:
    """An artifact that an attempt has stored as a file and that is committed with its completion."""

    name: str
    content_type: str
    size: int
    sha256: str


@frozen(kw_only=True)
class TaskFilter:
    """Which tasks: all conditions must hold, None means any.

    `query` matches the start of a file name or of an id; after an asterisk, any part of a name.
    """

    status: TaskStatus | None = None
    processor: str | None = None
    owner: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    query: str | None = None


T_co = TypeVar("T_co", covariant=True)


@frozen(kw_only=True)
class Page(Generic[T_co]):
    """A part of a list. `next_cursor` is None on the last page. `total` counts all that match."""

    items: tuple[T_co, ...]
    next_cursor: str | None
    total: int
    total_is_estimate: bool = False


@frozen(kw_only=True)
class BulkResult:
    """What became of all tasks that a filter matched: `changed`, or left as they were, counted by reason.

    With `dry_run` nothing was changed; the counts say what would have been.
    """

    matched: int
    changed: int
    reasons: Mapping[SkipReason, int] = Factory(dict)
    dry_run: bool = False

    @property
    def skipped(self) -> int:
        """How many were left as they were."""
        return sum(self.reasons.values())


@frozen(kw_only=True)
class Statistics:
    """Counts of an owner's tasks, or of all.

    `average_seconds` is the mean duration of completed tasks, None without any; `success_rate` is
    completed / total, 0..1, None at 0.
    """

    pending: int
    processing: int
    completed: int
    failed: int
    cancelled: int
    average_seconds: float | None

    @property
    def total(self) -> int:
        """All tasks that exist."""
        return self.pending + self.processing + self.completed + self.failed + self.cancelled

    @property
    def success_rate(self) -> float | None:
        """Completed tasks as a share of all, None without any task."""
        return self.completed / self.total if self.total else None


@frozen(kw_only=True)
class QueueStatus:
    """One lane as operators see it. `oldest_seconds` is the age of its oldest ready task."""

    processor: str
    paused: bool
    ready: int
    scheduled: int
    processing: int
    oldest_seconds: float | None


@frozen(kw_only=True)
class WorkerInfo:
    """A registered worker; `beat_seconds` is the age of its last heartbeat by the database's clock.

    `processors` names what it claims tasks of; None while nobody can see that, as when its connection is broken.
    """

    id: WorkerId
    name: str
    host: str
    pid: int
    version: str
    state: str
    slots: int
    running: int
    beat_seconds: float
    processors: tuple[str, ...] | None = field(default=None, converter=optional(tuple))


@frozen(kw_only=True)
class Claim:
    """A task that a worker has taken, with all that its attempt needs.

    Options, extra data and checkpoint are JSON text as stored: most attempts never look at all of them.
    """

    task_id: TaskId
    attempt: int
    processor: str
    source: Source | None
    max_attempts: int | None
    failures: int
    timeout_seconds: float
    started_at: datetime
    last_seq: int = 0
    options_json: str | None = None
    extra_json: str | None = None
    checkpoint_json: str | None = None


@frozen(kw_only=True)
class Completed:
    """The attempt succeeded: what it returned, and what it stored.

    `text` is the result as storable JSON text, where somebody has written it already.
    """

    result: Any = None
    artifacts: tuple[NewArtifact, ...] = ()
    text: str | None = field(default=None, eq=False, repr=False)


@frozen(kw_only=True)
class Retrying:
    """Run again after `delay_seconds`; `counts` says whether this used up one of `max_attempts`."""

    delay_seconds: float
    error: ErrorInfo
    counts: bool = True


@frozen(kw_only=True)
class Failed:
    """The attempt failed and there is no other."""

    error: ErrorInfo


@frozen(kw_only=True)
class Cancelled:
    """The attempt stopped because somebody cancelled the task."""

    reason: str = "cancelled"


@frozen(kw_only=True)
class Released:
    """The attempt was given back unfinished, at shutdown; it does not count."""

    reason: str = "shutdown"


Outcome = Completed | Retrying | Failed | Cancelled | Released
"""What an attempt ends with: a closed set."""
