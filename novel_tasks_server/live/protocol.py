"""The messages of a socket, without I/O: what clients may say, and what they are told.

::

    in   {"type": "subscribe" | "unsubscribe", "task_id"}   {"type": "ping"}
    out  {"type": "task_update", "task_id", "status", "progress", "result_url", "error_message"}
         {"type": "pong"}   {"type": "error", "code", "message", "task_id"?}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from novel_tasks_core import TaskId, TaskNotFoundError, TaskSummary, format_task_id, parse_task_id
from novel_tasks_server.schemas.views import encode, error_message, percent, result_url

MAX_MESSAGE_BYTES = 4096
"""The longest message that a client may send; a longer one closes the socket with 1009."""


class ErrorCode(StrEnum):
    """What is wrong, for programs."""

    BAD_MESSAGE = "bad_message"
    UNKNOWN_TYPE = "unknown_type"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    TOO_MANY = "too_many_subscriptions"
    INTERNAL = "internal_error"


class MessageRefusedError(Exception):
    """A client's message cannot be followed; the socket stays open."""

    def __init__(self, code: ErrorCode, reason: str, *, task_id: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.task_id = task_id

    def message(self) -> bytes:
        """Return what the client is told."""
        return refusal(self.code, self.reason, task_id=self.task_id)


@frozen
class Subscribe:
    """Tell me of this task, now and whenever it changes."""

    task_id: TaskId


@frozen
class Unsubscribe:
    """Tell me no more of this task."""

    task_id: TaskId


@frozen
class Ping:
    """Are you there?"""


Command = Subscribe | Unsubscribe | Ping


def parse_command(text: str) -> Command:
    """Read a client's message. Raises: MessageRefusedError."""
    message = read_object(text)
    match message.get("type"):
        case "ping":
            return Ping()
        case "subscribe":
            return Subscribe(named_task(message))
        case "unsubscribe":
            return Unsubscribe(named_task(message))
        case _:
            raise MessageRefusedError(ErrorCode.UNKNOWN_TYPE, "'type' must be subscribe, unsubscribe or ping")


def read_object(text: str) -> dict[str, Any]:
    """Return the JSON object that a client sent. Raises: MessageRefusedError."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise MessageRefusedError(ErrorCode.BAD_MESSAGE, "not JSON") from None
    if not isinstance(message, dict):
        raise MessageRefusedError(ErrorCode.BAD_MESSAGE, "not a JSON object")
    return message


def named_task(message: Mapping[str, Any]) -> TaskId:
    """Return the task that a message names. Raises: MessageRefusedError."""
    given = message.get("task_id")
    if not isinstance(given, str):
        raise MessageRefusedError(ErrorCode.BAD_MESSAGE, "'task_id' must be a string")
    try:
        return parse_task_id(given)
    except TaskNotFoundError:
        raise MessageRefusedError(ErrorCode.NOT_FOUND, "no task has this id", task_id=_printable(given)) from None


def _printable(text: str) -> str:
    """Return the beginning of what a client said in a form that can be sent back."""
    return text[:64].encode("utf-8", "replace").decode()


PONG = encode({"type": "pong"})
"""The answer to a ping."""


def task_update(task: TaskSummary, *, fraction: float | None = None) -> bytes:
    """Return the message that shows `task`, or shows it `fraction` done."""
    return encode(
        {
            "type": "task_update",
            "task_id": format_task_id(task.id),
            "status": task.status.value,
            "progress": percent(task.progress if fraction is None else fraction),
            "result_url": result_url(task),
            "error_message": error_message(task),
        }
    )


def refusal(code: ErrorCode, reason: str, *, task_id: str | None = None) -> bytes:
    """Return the message that refuses something."""
    named = {} if task_id is None else {"task_id": task_id}
    return encode({"type": "error", "code": code.value, "message": reason, **named})
