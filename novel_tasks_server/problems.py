"""Errors as RFC 9457 problem details: one table from error class to status.

Every body has `detail` and, for clients of the older service, the same sentence as `error`.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from attrs import evolve, field, frozen

from novel_tasks_core import (
    ArtifactNotFoundError,
    Complaint,
    DatabaseUnavailableError,
    DecodingError,
    DuplicateTaskError,
    EngineClosedError,
    FaultCode,
    FileStoreError,
    IllegalTransitionError,
    InvalidFilterError,
    InvalidInputError,
    InvalidOptionsError,
    LeaseLostError,
    PreconditionFailedError,
    SourceNotFoundError,
    TaskFailedError,
    TaskNotFoundError,
    TokenNotFoundError,
    UnknownProcessorError,
    format_task_id,
)
from novel_tasks_server.schemas.decoding import FieldFault, InvalidRequestError, MalformedBodyError
from novel_tasks_server.schemas.views import encode

TYPE_PREFIX = "urn:novel-tasks:problem:"
"""What the `type` of every problem of our own begins with; those of plain HTTP are `about:blank`."""

_RETRY_AFTER = {"Retry-After": "5"}
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class RequestRefusedError(Exception):
    """A handler refuses the request with this HTTP `status`; `kind` ends the problem's `type`."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        faults: tuple[FieldFault, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.faults = faults
        self.headers = dict(headers or {})


@frozen(kw_only=True)
class Problem:
    """What a client is told: `extensions` are further members of the body."""

    status: int
    kind: str
    detail: str
    faults: tuple[FieldFault, ...] = ()
    extensions: Mapping[str, Any] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)

    def body(self, *, request_id: str) -> dict[str, Any]:
        """Return the members of the JSON object."""
        return {
            "type": f"{TYPE_PREFIX}{self.kind}" if self.kind else "about:blank",
            "title": _title(self.kind, self.status),
            "status": self.status,
            "detail": _printable(self.detail),
            "error": _printable(self.detail),
            "errors": [_shown(fault) for fault in self.faults],
            "request_id": request_id,
            **self.extensions,
        }

    def response(self, *, request_id: str) -> web.Response:
        """Return the answer."""
        return web.Response(
            status=self.status,
            body=encode(self.body(request_id=request_id)),
            content_type="application/problem+json",
            headers=dict(self.headers),
        )


def _title(kind: str, status: int) -> str:
    return kind.replace("-", " ").capitalize() if kind else HTTPStatus(status).phrase


def _shown(fault: FieldFault) -> dict[str, Any]:
    said = fault.detail
    values = {name: _printable(value) if isinstance(value, str) else value for name, value in said.values.items()}
    return {"pointer": _printable(fault.pointer), "detail": _printable(said), "code": said.code, "values": values}


def _printable(text: str) -> str:
    """Return what of `text` can be sent: not at any length, and a client's lone surrogates as question marks."""
    return text[:2000].encode("utf-8", "replace").decode()


TABLE: dict[type[Exception], tuple[int, str]] = {
    TaskNotFoundError: (404, "task-not-found"),
    ArtifactNotFoundError: (404, "artifact-not-found"),
    SourceNotFoundError: (404, "source-not-found"),
    TokenNotFoundError: (404, "token-not-found"),
    IllegalTransitionError: (409, "illegal-transition"),
    LeaseLostError: (409, "lease-lost"),
    DuplicateTaskError: (409, "duplicate-task"),
    TaskFailedError: (409, "task-failed"),
    PreconditionFailedError: (412, "precondition-failed"),
    InvalidInputError: (422, "invalid-input"),
    InvalidFilterError: (422, "invalid-filter"),
    UnknownProcessorError: (422, "unknown-processor"),
    InvalidOptionsError: (422, "invalid-options"),
    InvalidRequestError: (422, "invalid-request"),
    MalformedBodyError: (400, "malformed-body"),
    HttpProcessingError: (400, "malformed-request"),
    web.RequestPayloadError: (400, "malformed-request"),
    DatabaseUnavailableError: (503, "database-unavailable"),
    EngineClosedError: (503, "stopping"),
    FileStoreError: (500, "file-store-failed"),
}
"""Status and kind of each error that is known beforehand; its subclasses have them too, if none of their own."""

_SENTENCES = {
    "malformed-request": "The request breaks off, or is not correct HTTP.",
    "database-unavailable": "The database cannot be reached just now. Trying again later may help.",
    "stopping": "The service is stopping. Another try will reach it when it is back.",
    "file-store-failed": "The file could not be stored.",
    "storage-full": "There is no space left to store the file.",
}
"""What is said instead of an error's own message, which is for the log."""


def problem_of(exc: Exception) -> Problem:
    """Return what a client is told of `exc`; an error that nobody foresaw is a 500 without any detail of it."""
    match exc:
        case RequestRefusedError():
            return Problem(status=exc.status, kind=exc.kind, detail=exc.detail, faults=exc.faults, headers=exc.headers)
        case web.HTTPException():
            return _http_problem(exc)
    for cls in type(exc).__mro__:
        if cls in TABLE:
            status, kind = TABLE[cls]
            return _detailed(exc, Problem(status=status, kind=kind, detail=_SENTENCES.get(kind, str(exc))))
    return Problem(status=500, kind="internal-error", detail="Something went wrong on our side.")


def _http_problem(exc: web.HTTPException) -> Problem:
    kept = {name: value for name, value in exc.headers.items() if name in ("Allow", "Retry-After")}
    if isinstance(exc, web.HTTPRequestEntityTooLarge):
        return Problem(status=413, kind="too-large", detail="The body is larger than this address takes.", headers=kept)
    return Problem(status=exc.status, kind="", detail=HTTPStatus(exc.status).description or exc.reason, headers=kept)


def _detailed(exc: Exception, problem: Problem) -> Problem:
    """Add what the error's fields tell."""
    match exc:
        case InvalidRequestError():
            return evolve(problem, detail=_summary(exc.faults), faults=exc.faults)
        case InvalidOptionsError():
            return evolve(problem, faults=tuple(_fault(f"/options{_pointer(path)}", why) for path, why in exc.problems))
        case DecodingError():
            return evolve(problem, faults=(_fault(_pointer(exc.field), _undecodable(exc)),))
        case InvalidInputError():
            return evolve(problem, faults=(_fault(_pointer(exc.field.replace(".", "/")), exc.reason),))
        case IllegalTransitionError():
            return evolve(problem, extensions={"task_id": format_task_id(exc.task_id), "task_status": str(exc.status)})
        case DuplicateTaskError():
            return evolve(
                problem,
                detail=f"{format_task_id(exc.existing)} is the same work: the same file, processor and options.",
                extensions={"task_id": format_task_id(exc.existing)},
            )
        case PreconditionFailedError():
            return evolve(problem, extensions={"task_id": format_task_id(exc.task_id), "version": exc.version})
        case DatabaseUnavailableError() | EngineClosedError():
            return evolve(problem, headers=_RETRY_AFTER)
        case FileStoreError(errno=number) if number in _DISK_FULL:
            return evolve(problem, status=507, kind="storage-full", detail=_SENTENCES["storage-full"])
    return problem


def _fault(pointer: str, reason: str) -> FieldFault:
    return FieldFault(pointer, Complaint.of(reason))


def _undecodable(exc: DecodingError) -> Complaint:
    known = {"format": exc.format, "encoding": exc.encoding, "offset": exc.offset}
    values = {name: value for name, value in known.items() if value is not None}
    return Complaint(exc.reason, FaultCode.UNDECODABLE, kind=str(exc.kind), **values)


def _summary(faults: tuple[FieldFault, ...]) -> str:
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{first.pointer.removeprefix('/') or 'the body'}: {first.detail}{more}"


def _pointer(path: str) -> str:
    return path if not path or path.startswith("/") else f"/{path}"
