"""What handlers share: JSON answers, ids from paths, bodies into classes, versions in headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from aiohttp import web

from novel_tasks_core import TaskSummary
from novel_tasks_server.keys import ENGINE
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.routes.bodies import read_body
from novel_tasks_server.schemas.decoding import FieldFault, InvalidRequestError, decode_json, decode_text
from novel_tasks_server.schemas.views import TaskDetail, encode

T = TypeVar("T")
_MAX_JSON_BYTES = 256 * 1024


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
    """Read the query parameters. Raises: InvalidRequestError."""
    repeated = [name for name in request.query if len(request.query.getall(name)) > 1]
    if repeated:
        raise InvalidRequestError(FieldFault(f"/{repeated[0]}", "given twice"))
    return decode_text({name: value for name, value in request.query.items() if value}, cls)


async def body_of(request: web.Request, cls: type[T]) -> T:
    """Read a JSON body. Raises: MalformedBodyError, InvalidRequestError, RequestRefusedError."""
    if request.content_type not in ("application/json", "application/octet-stream"):
        raise RequestRefusedError(415, "media-type-not-accepted", "Send the body as application/json.")
    return decode_json(await read_body(request, limit=_MAX_JSON_BYTES), cls)


def expected_version(request: web.Request) -> str | None:
    """Return the version that If-Match asks for, None when any will do. Raises: InvalidRequestError for several."""
    tags = request.if_match
    if tags is None or any(tag.value == "*" for tag in tags):
        return None
    if len(tags) != 1:
        raise InvalidRequestError(FieldFault("/headers/If-Match", "must be one entity tag"))
    return tags[0].value
