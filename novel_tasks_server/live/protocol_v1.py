"""The messages of `novel-tasks.v1`, without I/O. docs/websocket.md tells of each with an example.

Commands are read into values; what clients are told is written once, as JSON in UTF-8, for all who get it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from novel_tasks_core import (
    LogLevel,
    StoredEvent,
    Task,
    TaskEngine,
    TaskFilter,
    TaskId,
    TaskLogged,
    TaskProgressed,
    TaskStatus,
    TaskSummary,
    format_task_id,
)
from novel_tasks_server.live.protocol import ErrorCode, MessageRefusedError, named_task, read_object
from novel_tasks_server.schemas.access import Principal
from novel_tasks_server.schemas.views import TaskDetail, TaskView, encode, event_view, percent

SUBPROTOCOL = "novel-tasks.v1"
"""What clients name in Sec-WebSocket-Protocol to speak as this module says."""

EVERYTHING = "*"
"""The `task_id` that stands for all tasks."""

Ref = str | int | None
"""What a client calls its request by, so as to know the answer."""

_MAX_SEQ = 2**62
_MAX_REF = 64
_MAX_TEXT = 255
_LEVELS = {level: rank for rank, level in enumerate(LogLevel)}


TaskEvent = StoredEvent | TaskProgressed
"""What happens to a task while it exists."""


@frozen
class TaskWish:
    """Follow one task: from its present state on, or from after a seq. `logs` is the least level, None for none."""

    task_id: TaskId
    after_seq: int | None = None
    logs: LogLevel | None = None
    ref: Ref = None

    def wants(self, entry: TaskLogged) -> bool:
        """Whether this log entry is asked for."""
        return self.logs is not None and _LEVELS[entry.level] >= _LEVELS[self.logs]


@frozen
class ListWish:
    """Follow all tasks that match, live only. None is any; `query` is as in lists."""

    status: TaskStatus | None = None
    processor: str | None = None
    owner: str | None = None
    query: str | None = None
    _has_the_rest: Callable[[TaskSummary], bool] = field(init=False, eq=False, repr=False)

    @_has_the_rest.default
    def _matcher(self) -> Callable[[TaskSummary], bool]:
        return TaskEngine.matcher(TaskFilter(processor=self.processor, owner=self.owner, query=self.query))

    def could_match(self, task: TaskSummary) -> bool:
        """Whether the task matches but for its status, which is all that changes."""
        return self._has_the_rest(task)

    def matches(self, task: TaskSummary) -> bool:
        """Whether the task matches now."""
        return (self.status is None or task.status is self.status) and self.could_match(task)


@frozen
class StatsWish:
    """Tell the counts of tasks, at once and whenever they change."""


@frozen
class Subscribe:
    """Begin to tell."""

    wish: TaskWish | ListWish | StatsWish
    ref: Ref = None


@frozen
class Unsubscribe:
    """Tell no more. The wish of a task is its id."""

    wish: TaskId | ListWish | StatsWish
    ref: Ref = None


@frozen
class Ping:
    """Are you there?"""

    ref: Ref = None


Command = Subscribe | Unsubscribe | Ping


class CommandRefusedError(MessageRefusedError):
    """As its parent, with the client's own name for the request."""

    def __init__(self, cause: MessageRefusedError, ref: Ref) -> None:
        super().__init__(cause.code, cause.reason, task_id=cause.task_id)
        self.ref = ref


def parse_command(text: str) -> Command:
    """Read a client's message. Raises: CommandRefusedError."""
    ref: Ref = None
    try:
        message = read_object(text)
        ref = _ref(message)
        return _command(message, ref)
    except MessageRefusedError as exc:
        raise CommandRefusedError(exc, ref) from None


def _ref(message: Mapping[str, Any]) -> Ref:
    ref = message.get("ref")
    if ref is None or (isinstance(ref, int) and not isinstance(ref, bool) and abs(ref) < 2**53):
        return ref
    if isinstance(ref, str) and len(ref) <= _MAX_REF and _is_printable(ref):
        return ref
    raise MessageRefusedError(ErrorCode.BAD_MESSAGE, f"'ref' must be a number or up to {_MAX_REF} characters")


def _command(message: Mapping[str, Any], ref: Ref) -> Command:
    match message.get("type"):
        case "ping":
            return Ping(ref)
        case "subscribe":
            return Subscribe(_wish(message, ref), ref)
        case "resume":
            if "after_seq" not in message:
                raise MessageRefusedError(ErrorCode.BAD_MESSAGE, "'after_seq' is missing")
            return Subscribe(_task_wish(message, ref), ref)
        case "unsubscribe":
            wish = _wish(message, ref)
            return Unsubscribe(wish.task_id if isinstance(wish, TaskWish) else wish, ref)
        case _:
            raise MessageRefusedError(ErrorCode.UNKNOWN_TYPE, "'type' must be subscribe, resume, unsubscribe or ping")


def _wish(message: Mapping[str, Any], ref: Ref) -> TaskWish | ListWish | StatsWish:
    named = [name for name in ("task_id", "filter", "stats") if message.get(name) is not None]
    match named:
        case ["task_id"] if message["task_id"] == EVERYTHING:
            return ListWish()
        case ["task_id"]:
            return _task_wish(message, ref)
        case ["filter"]:
            return _list_wish(message["filter"])
        case ["stats"] if message["stats"] is True:
            return StatsWish()
    raise MessageRefusedError(ErrorCode.BAD_MESSAGE, "name one of 'task_id', 'filter' and 'stats': true")


def _task_wish(message: Mapping[str, Any], ref: Ref) -> TaskWish:
    return TaskWish(named_task(message), _after(message), _logs(message), ref)


def _after(message: Mapping[str, Any]) -> int | None:
    after = message.get("after_seq")
    if after is None or (isinstance(after, int) and not isinstance(after, bool) and 0 <= after <= _MAX_SEQ):
        return after
    raise MessageRefusedError(ErrorCode.BAD_MESSAGE, "'after_seq' must be a seq, or 0 for all events")


def _logs(message: Mapping[str, Any]) -> LogLevel | None:
    match message.get("logs"):
        case None | False:
            return None
        case True:
            return LogLevel.DEBUG
        case str() as level if level in set(LogLevel):
            return LogLevel(level)
    raise MessageRefusedError(ErrorCode.BAD_MESSAGE, f"'logs' must be true, false or one of {', '.join(LogLevel)}")


def _list_wish(given: Any) -> ListWish:
    if not isinstance(given, dict) or not given.keys() <= {"status", "processor", "owner", "q"}:
        raise MessageRefusedError(ErrorCode.BAD_MESSAGE, "'filter' may have status, processor, owner and q")
    for name, value in given.items():
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and _is_printable(value)):
            raise MessageRefusedError(ErrorCode.BAD_MESSAGE, f"'{name}' must have 1 to {_MAX_TEXT} characters")
    status = given.get("status")
    if status is not None and status not in set(TaskStatus):
        raise MessageRefusedError(ErrorCode.BAD_MESSAGE, f"'status' must be one of {', '.join(TaskStatus)}")
    return ListWish(
        status=None if status is None else TaskStatus(status),
        processor=given.get("processor"),
        owner=given.get("owner"),
        query=given.get("q"),
    )


def _is_printable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


# -- what clients are told --------------------------------------------------------------------------------------


def hello(principal: Principal, *, version: str, limits: Mapping[str, float], heartbeat_seconds: float) -> bytes:
    """Return the first message on a socket."""
    return encode(
        {
            "type": "hello",
            "protocol": SUBPROTOCOL,
            "server_version": version,
            "limits": limits,
            "heartbeat_seconds": heartbeat_seconds,
            "owner": principal.owner,
            "scopes": sorted(principal.scopes),
        }
    )


def acknowledgement(kind: str, wish: TaskId | TaskWish | ListWish | StatsWish, ref: Ref) -> bytes:
    """Return what says that a subscription has begun or ended."""
    return encode({"type": kind, **_named_wish(wish), **_reference(ref)})


def _named_wish(wish: TaskId | TaskWish | ListWish | StatsWish) -> dict[str, Any]:
    match wish:
        case StatsWish():
            return {"stats": True}
        case ListWish() if wish == ListWish():
            return {"task_id": EVERYTHING}
        case ListWish():
            shown = {"status": wish.status, "processor": wish.processor, "owner": wish.owner, "q": wish.query}
            return {"filter": {name: value for name, value in shown.items() if value is not None}}
        case TaskWish():
            return {"task_id": format_task_id(wish.task_id)}
    return {"task_id": format_task_id(wish)}


def _reference(ref: Ref) -> dict[str, Any]:
    return {} if ref is None else {"ref": ref}


def pong(ref: Ref) -> bytes:
    """Return the answer to a ping."""
    return encode({"type": "pong", **_reference(ref)})


def error(code: ErrorCode, message: str, *, task_id: str | None = None, ref: Ref = None) -> bytes:
    """Return the message that refuses something."""
    named = {} if task_id is None else {"task_id": task_id}
    return encode({"type": "error", "code": code.value, "message": message, **named, **_reference(ref)})


def snapshot(task: Task, *, seq: int, view: TaskDetail) -> bytes:
    """Return a task whole, as it is after the event with this seq."""
    return encode({"type": "snapshot", "task_id": format_task_id(task.id), "seq": seq, "task": view})


_STATUS_AFTER = {
    "started": TaskStatus.PROCESSING,
    "cancel_requested": TaskStatus.PROCESSING,
    "completed": TaskStatus.COMPLETED,
    "failed": TaskStatus.FAILED,
    "cancelled": TaskStatus.CANCELLED,
    "retry": TaskStatus.PENDING,
    "released": TaskStatus.PENDING,
    "requeued": TaskStatus.PENDING,
}


def stored_event(event: StoredEvent) -> bytes:
    """Return a stored event; a log entry has its own type, others tell the task's status after them if it is known."""
    task_id = format_task_id(event.task_id)
    if isinstance(event, TaskLogged):
        return encode({"type": "log", "task_id": task_id, **event_view(event)})
    status = _STATUS_AFTER.get(event.kind)
    known = {} if status is None else {"status": status.value}
    return encode({"type": "event", "task_id": task_id, **event_view(event), **known})


def progress(event: TaskProgressed) -> bytes:
    """Return how far the running attempt is, in whole percent and exactly."""
    return encode(
        {
            "type": "progress",
            "task_id": format_task_id(event.task_id),
            "after_seq": event.after_seq,
            "at": event.at,
            "attempt": event.attempt,
            "progress": percent(event.fraction),
            "fraction": event.fraction,
            "stage": event.stage,
        }
    )


def deleted(task_id: TaskId) -> bytes:
    """Return that a task is gone."""
    return encode({"type": "deleted", "task_id": format_task_id(task_id)})


def listed(view: TaskView) -> bytes:
    """Return a task as lists show it, because it is new or has changed."""
    return encode({"type": "task", "task": view})


def left(task_id: TaskId) -> bytes:
    """Return that a task may have matched a filter, and does not any longer."""
    return encode({"type": "left", "task_id": format_task_id(task_id)})


RESYNC = encode({"type": "resync"})
"""Changes of listed tasks were missed: ask for the list again."""
