"""Signed links to the files of a task, for what a browser fetches without a header."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from novel_tasks_core import TaskId, format_task_id
from novel_tasks_server.access.links import LINK_SECONDS, LINKS, linked_path
from novel_tasks_server.keys import ENGINE, PRINCIPAL
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.access import require_visible
from novel_tasks_server.routes.artifacts import completed_task
from novel_tasks_server.routes.replies import body_of, json_response
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.requests import LinkRequest
from novel_tasks_server.schemas.views import LinkView

_ONE = "/api/v1/tasks/{task_id}"


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "POST",
            f"{_ONE}/links",
            make_link,
            tag=Tag.FILES,
            scope=Scope.READ,
            body=LinkRequest,
            answers={200: LinkView},
            problems=(409,),
        )
    ]


async def make_link(request: web.Request) -> web.Response:
    """Answer with a path by which anybody may fetch one file of the task, for five minutes and without a token.

    What is wrong with the file is told as where it is fetched. The link ends with its task, and with the token
    that asked for it; a download that has begun goes on.
    """
    wanted = await body_of(request, LinkRequest)
    task_id = await require_visible(request)
    kind, _, name = wanted.file.partition("/")
    await _require_file(request, task_id, kind, name)
    path = linked_path(
        f"{_ONE}/{kind}/{{name}}" if name else f"{_ONE}/{kind}", {"task_id": format_task_id(task_id), "name": name}
    )
    expires = int(request.app[ENGINE].clock.now().timestamp()) + LINK_SECONDS
    query = request.app[LINKS].sign(path, request[PRINCIPAL], expires=expires)
    return json_response(LinkView(url=f"{path}?{query}", expires_at=datetime.fromtimestamp(expires, UTC)))


async def _require_file(request: web.Request, task_id: TaskId, kind: str, name: str) -> None:
    """Raise what fetching the file would raise when there is none."""
    match kind:
        case "result":
            await completed_task(request)
        case "source":
            await request.app[ENGINE].open_source(task_id)
        case _:
            await request.app[ENGINE].open_artifact(task_id, name)
