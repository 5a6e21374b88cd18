"""What can go wrong with a server that is asked over a network.

The tree::

    NovelTasksError
    |-- ServerRefusedError       the server answered, and said no
    |-- ServerUnreachableError   nobody answers, or the connection broke
    |-- UnexpectedAnswerError    what answers is not this service
    `-- DamagedDownloadError     what arrived is not what the server has
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from attrs import field, frozen

from novel_tasks_core import NovelTasksError

_PASSING = (429, 502, 503, 504)
"""Refusals that say nothing of the request itself: sent again later, it may be taken."""

_WORDS = {
    400: "the server cannot read the request",
    401: "the server wants a valid token",
    403: "this token may not do that",
    404: "there is no such task",
    409: "the task is not in a state that allows this",
    412: "the task has changed meanwhile",
    413: "the file is larger than the server takes",
    415: "the server does not take files of this type",
    422: "the server cannot use these values",
    429: "too many requests",
    503: "the server cannot work just now",
    507: "the server has no space left",
}
"""What is said of a refusal for which the server gives no reason of its own."""


@frozen
class Fault:
    """One thing wrong with a request: where, as a JSON pointer, and what would be right.

    `code` names the rule that is broken, and `values` are what it says; older servers tell neither.
    """

    pointer: str
    detail: str
    code: str | None = None
    values: Mapping[str, Any] = field(factory=dict)


class ServerRefusedError(NovelTasksError):
    """The server answered, and said no.

    `status` is the HTTP status, `detail` the server's reason, `kind` the reason for programs, such as
    "task-not-found" ("" when it is plain HTTP). `errors` are all faults of the request, `request_id` is what
    the server's logs know it by, `retry_after` the seconds after which to ask again, `members` the whole
    problem (RFC 9457).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str = "",
        errors: tuple[Fault, ...] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        told = "; ".join(f"{e.pointer.lstrip('/') or 'the request'}: {e.detail}" for e in errors[:5])
        hint = f", try again in {retry_after:.0f} s" if status == 429 and retry_after else ""
        super().__init__(f"{told if len(errors) > 1 else detail} (HTTP {status}{hint})")
        self.status = status
        self.detail = detail
        self.kind = kind
        self.errors = errors
        self.request_id = request_id
        self.retry_after = retry_after
        self.members = dict(members or {})

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], problem: Any) -> ServerRefusedError:
        """Read the refusal from an answer: `problem` is its body as JSON, None if it was none."""
        members = problem if isinstance(problem, Mapping) else {}
        detail = members.get("detail") or members.get("error")
        faults = members.get("errors")
        return cls(
            status,
            str(detail or _WORDS.get(status, "refused")),
            kind=_kind(members.get("type")),
            errors=tuple(_faults(faults if isinstance(faults, list) else [])),
            request_id=members.get("request_id") or headers.get("X-Request-ID"),
            retry_after=_seconds(headers.get("Retry-After")),
            members=members,
        )

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be taken later: the server is busy, or being restarted."""
        return self.status in _PASSING


class ServerUnreachableError(NovelTasksError):
    """Nothing that speaks HTTP answers at `url`, or the connection broke; `reason` says how.

    `reached` says that there was a connection: the server may have got the request.
    """

    def __init__(self, url: str, reason: str, *, reached: bool = False) -> None:
        super().__init__(f"no server at {url}: {reason}" if not reached else f"{url} broke off: {reason}")
        self.url = url
        self.reason = reason
        self.reached = reached


class UnexpectedAnswerError(NovelTasksError):
    """What answers at `url` is not this service, or speaks another version of its language."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"unexpected answer from {url}: {reason}")
        self.url = url
        self.reason = reason


class DamagedDownloadError(NovelTasksError):
    """What arrived for the file `path` is not what the server has: nothing was kept."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} arrived damaged and was not kept: {reason}")
        self.path = path
        self.reason = reason


def _kind(type_: Any) -> str:
    return type_.rpartition(":")[2] if isinstance(type_, str) and type_.startswith("urn:") else ""


def _faults(found: list[Any]) -> list[Fault]:
    return [
        Fault(str(one.get("pointer", "")), str(one.get("detail", "")), one.get("code"), one.get("values") or {})
        for one in found
        if isinstance(one, Mapping)
    ]


def _seconds(value: str | None) -> float | None:
    """Read a Retry-After: seconds, or a date. None for neither."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value).astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
