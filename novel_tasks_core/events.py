"""The immutable facts of a task, in the order of their `seq`.

Stored events are gapless per task: 1, 2, 3, ... `TaskProgressed` and `TaskDeleted` are told live and
not stored: the first says after which `seq` it came, the second is the last thing heard of a task.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from attrs import frozen

from novel_tasks_core.models import ErrorInfo, LogLevel, TaskId, TaskSummary, WorkerId


@frozen(kw_only=True)
class TaskEvent:
    """A stored fact: which task, its place in the task's history, when."""

    kind: ClassVar[str] = ""
    task_id: TaskId
    seq: int
    at: datetime


@frozen(kw_only=True)
class TaskLogged(TaskEvent):
    """A line for people. `attempt` is 0 for what was said outside any attempt."""

    kind: ClassVar[str] = "log"
    attempt: int
    level: LogLevel
    message: str


@frozen(kw_only=True)
class TaskStarted(TaskEvent):
    """A worker began an attempt."""

    kind: ClassVar[str] = "started"
    attempt: int
    worker_id: WorkerId


@frozen(kw_only=True)
class TaskCompleted(TaskEvent):
    """The task finished with a result."""

    kind: ClassVar[str] = "completed"
    attempt: int


@frozen(kw_only=True)
class TaskFailed(TaskEvent):
    """The task finished without a result: no attempt is left."""

    kind: ClassVar[str] = "failed"
    attempt: int
    error: ErrorInfo


@frozen(kw_only=True)
class TaskCancelled(TaskEvent):
    """The task finished because somebody cancelled it. `attempt` is 0 when none was running."""

    kind: ClassVar[str] = "cancelled"
    attempt: int
    reason: str


@frozen(kw_only=True)
class TaskRetryScheduled(TaskEvent):
    """The attempt ended; another will start at `run_at`."""

    kind: ClassVar[str] = "retry"
    attempt: int
    run_at: datetime
    error: ErrorInfo


@frozen(kw_only=True)
class TaskReleased(TaskEvent):
    """The attempt was handed back unfinished; the task waits again."""

    kind: ClassVar[str] = "released"
    attempt: int
    reason: str


@frozen(kw_only=True)
class TaskCancelRequested(TaskEvent):
    """Somebody cancelled the task while an attempt ran."""

    kind: ClassVar[str] = "cancel_requested"
    attempt: int


@frozen(kw_only=True)
class TaskRequeued(TaskEvent):
    """A person retried a finished task."""

    kind: ClassVar[str] = "requeued"


@frozen(kw_only=True)
class TaskReprioritized(TaskEvent):
    """The priority changed."""

    kind: ClassVar[str] = "reprioritized"
    priority: int


@frozen(kw_only=True)
class TaskProgressed:
    """How far the running attempt is: live only. `fraction` is 0..1; `after_seq` the last stored seq before it."""

    kind: ClassVar[str] = "progress"
    task_id: TaskId
    after_seq: int
    at: datetime
    attempt: int
    fraction: float
    stage: str


@frozen(kw_only=True)
class TaskDeleted:
    """The task and its history are gone: live only. `owner` is None where nobody knows any more whose it was."""

    kind: ClassVar[str] = "deleted"
    task_id: TaskId
    at: datetime
    owner: str | None = None


StoredEvent = (
    TaskLogged
    | TaskStarted
    | TaskCompleted
    | TaskFailed
    | TaskCancelled
    | TaskRetryScheduled
    | TaskReleased
    | TaskCancelRequested
    | TaskRequeued
    | TaskReprioritized
)
"""Every event that has a `seq` and is kept."""

Event = StoredEvent | TaskProgressed | TaskDeleted
"""Everything that `TaskEngine.watch` may yield."""


@frozen(kw_only=True)
class Changes:
    """What happened to any task within a moment, as `TaskEngine.changes` tells it.

    `tasks` are those that are new or changed, each once, as they stand now, oldest first; `deleted` those that are
    gone. The owner of a deleted task is known if this process deleted it, or was told of it lately (it remembers
    10,000 tasks), else it is None. `resync` says that something may have been missed: load anew what you show.
    """

    tasks: tuple[TaskSummary, ...] = ()
    deleted: tuple[TaskDeleted, ...] = ()
    resync: bool = False


STORED_EVENTS: dict[str, type[StoredEvent]] = {
    cls.kind: cls
    for cls in (
        TaskLogged,
        TaskStarted,
        TaskCompleted,
        TaskFailed,
        TaskCancelled,
        TaskRetryScheduled,
        TaskReleased,
        TaskCancelRequested,
        TaskRequeued,
        TaskReprioritized,
    )
}
"""The stored events by the `kind` under which they are kept."""


@frozen
class NewEvent:
    """An event on its way into the store, where it gets its seq.

    `data` is the JSON text of its own fields, None when it has none beyond the attempt.
    """

    kind: str
    at: datetime
    data: str | None = None


def is_final(event: Event) -> bool:
    """Whether this event finishes its task, so that a watcher may stop."""
    return isinstance(event, TaskCompleted | TaskFailed | TaskCancelled | TaskDeleted)


def own_fields(event: StoredEvent) -> dict[str, Any]:
    """Return the fields that this kind of event adds to (task_id, seq, at)."""
    names = type(event).__attrs_attrs__
    return {a.name: getattr(event, a.name) for a in names if a.name not in ("task_id", "seq", "at")}
