"""What handlers share: JSON answers, ids from paths, bodies into classes, versions in headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import attrs
from aiohttp import ETag, web

from novel_tasks_core import Complaint, FaultCode, InvalidFilterError, PreconditionFailedError, TaskId, TaskSummary
from novel_tasks_server.keys import ENGINE
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.routes.bodies import read_body
from novel_tasks_server.schemas.decoding import FieldFault, InvalidRequestError, decode_json, decode_text
from novel_tasks_server.schemas.views import TaskDetail, encode

T = TypeVar("T", bound=attrs.AttrsInstance)
MAX_JSON_BYTES = 256 * 1024
"""The longest JSON body."""


def json_response(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with `value` as JSON."""
    return web.Response(body=encode(value), status=status, content_type="application/json", headers=headers)


def task_response(request: web.Request, task: TaskSummary) -> web.Response:
    """Answer with one task; its version is the ETag."""
    view = TaskDetail.of(task, now=request.app[ENGINE].clock.now())
    return json_response(view, headers=version_headers(task))


def version_headers(task: TaskSummary) -> dict[str, str]:
    """Return the headers that let a client ask whether a task has changed."""
    return {"ETag": f'"{task.version}"', "Cache-Control": "private, no-cache"}


def query_of(request: web.Request, cls: type[T]) -> T:
    """Read the query parameters; one without a value was not given. Raises: InvalidRequestError."""
    repeated = [name for name in request.query if len(request.query.getall(name)) > 1]
    if repeated:
        raise InvalidRequestError(FieldFault(f"/{repeated[0]}", Complaint("given twice", FaultCode.REPEATED)))
    known = attrs.fields_dict(cls)
    return decode_text({name: value for name, value in request.query.items() if value or name not in known}, cls)


@contextmanager
def naming_filters(prefix: str = "") -> Iterator[None]:
    """Make what the engine says of a filter in the block point at the field by which clients know it.

    Raises: InvalidRequestError for InvalidFilterError.
    """
    try:
        yield
    except InvalidFilterError as exc:
        name = _FILTERS.get(exc.field, exc.field)
        raise InvalidRequestError(FieldFault(f"{prefix}/{name}", Complaint.of(exc.reason))) from exc


_FILTERS = {"offset": "page", "limit": "page_size", "sort": "sort_by", "query": "q"}
"""What fields of requests are called that have other names in the engine."""


async def body_of(request: web.Request, cls: type[T], *, is_optional: bool = False) -> T:
    """Read a JSON body; without any, where that is allowed, the defaults of all fields.

    Raises: MalformedBodyError, InvalidRequestError, RequestRefusedError.
    """
    body = await read_body(request, limit=MAX_JSON_BYTES)
    if body and "Content-Type" in request.headers and request.content_type != "application/json":
        raise RequestRefusedError(
            415, "media-type-not-accepted", "Send the body as application/json.", headers={"Accept": "application/json"}
        )
    return decode_json(body or b"{}" if is_optional else body, cls)


async def expected_version(request: web.Request, task_id: TaskId) -> str | None:
    """Return the version of the task that If-Match asks for, None when any will do.

    Of several versions it is the one that the task has. Weak ones match nothing.

    Raises: PreconditionFailedError, TaskNotFoundError; InvalidRequestError when it is no list of entity tags.
    """
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    wanted = {tag.value for tag in _entity_tags(given, request.if_match or ()) if not tag.is_weak}
    if len(wanted) == 1:
        return wanted.pop()
    current = (await request.app[ENGINE].get(task_id)).version
    if current not in wanted:
        raise PreconditionFailedError(task_id, current)
    return current


def _entity_tags(given: str, read: Sequence[ETag]) -> Sequence[ETag]:
    """Return the tags that were read from a header, if they are all of it: guessing could lose an update."""
    written = ", ".join(f'{"W/" if tag.is_weak else ""}"{tag.value}"' for tag in read)
    if not read or re.sub(r"[\s,]", "", written) != re.sub(r"[\s,]", "", given):
        said = Complaint('must be entity tags such as "1.0.0", or *', FaultCode.ENTITY_TAGS)
        raise InvalidRequestError(FieldFault("/headers/If-Match", said))
    return read
