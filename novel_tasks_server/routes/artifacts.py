"""What a task was made from and what came of it: result, artifacts, source.

User content is sent so that no browser runs it as ours: an own origin by CSP `sandbox`, no sniffing,
and downloaded rather than shown, the HTML report aside.
"""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from novel_tasks_core import IllegalTransitionError, Task, TaskStatus, format_task_id
from novel_tasks_server.keys import ENGINE
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.access import require_visible, visible_task
from novel_tasks_server.routes.downloads import StoredBytes, send_file
from novel_tasks_server.routes.names import content_disposition, download_name
from novel_tasks_server.routes.replies import json_response, query_of
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.requests import FileQuery, LinkQuery
from novel_tasks_server.schemas.views import ArtifactListView

_ONE = "/api/v1/tasks/{task_id}"
_DOWNLOAD_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
_REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
_REPORT = "report.html"


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "GET",
            f"{_ONE}/result",
            show_result,
            tag=Tag.FILES,
            scope=Scope.READ,
            query=LinkQuery,
            takes_links=True,
            answers={200: object},
            problems=(409,),
        ),
        Operation(
            "GET", f"{_ONE}/artifacts", list_artifacts, tag=Tag.FILES, scope=Scope.READ, answers={200: ArtifactListView}
        ),
        _download(f"{_ONE}/artifacts/{{name}}", download_artifact, media_type="*/*"),
        _download(f"{_ONE}/source", download_source, media_type="application/octet-stream"),
    ]


def _download(path: str, handler: Handler, *, media_type: str) -> Operation:
    return Operation(
        "GET",
        path,
        handler,
        tag=Tag.FILES,
        scope=Scope.READ,
        query=FileQuery,
        takes_links=True,
        answers={200: None, 206: None, 304: None},
        media_types=(media_type,),
        takes=("If-None-Match", "Range", "If-Range"),
        sends=("ETag", "Accept-Ranges", "Content-Disposition", "Repr-Digest"),
    )


async def show_result(request: web.Request) -> web.Response:
    """Answer with what the processor returned. 409 while there is none."""
    query_of(request, LinkQuery)
    return json_response((await completed_task(request)).result)


async def completed_task(request: web.Request) -> Task:
    """Return the task whose id is in the path, with its result.

    Raises: TaskNotFoundError; IllegalTransitionError while there is no result.
    """
    task = await visible_task(request)
    if task.status is not TaskStatus.COMPLETED:
        raise IllegalTransitionError(
            task.id,
            task.status,
            "show its result",
            reason=f"Task {format_task_id(task.id)} is {task.status}: it has no result",
        )
    return task


async def list_artifacts(request: web.Request) -> web.Response:
    """Answer with the artifacts of the shown result."""
    task_id = await require_visible(request)
    return json_response(ArtifactListView.of(await request.app[ENGINE].artifacts(task_id)))


async def download_artifact(request: web.Request) -> web.StreamResponse:
    """Send the bytes of an artifact; the HTML report may be shown, everything else is downloaded.

    Only pages of this server may show it in a frame. `download=1` has it downloaded too. It is saved under the name of
    the novel: two downloads are to be told apart.
    """
    wanted = query_of(request, FileQuery)
    task = await visible_task(request)
    stored = await request.app[ENGINE].open_artifact(task.id, request.match_info["name"])
    artifact = stored.artifact
    name = download_name(artifact.name, of=task.source.name if task.source else None)
    is_report = artifact.name == _REPORT and artifact.content_type.startswith("text/html")
    is_shown = is_report and not wanted.download
    headers = {
        "Content-Type": artifact.content_type,
        "Content-Disposition": content_disposition("inline" if is_shown else "attachment", name),
        "Content-Security-Policy": _REPORT_POLICY if is_report else _DOWNLOAD_POLICY,
        "X-Frame-Options": "SAMEORIGIN" if is_report else "DENY",
    }
    file = StoredBytes(path=stored.path, size=artifact.size, sha256=artifact.sha256)
    return await send_file(request, file, headers)


async def download_source(request: web.Request) -> web.StreamResponse:
    """Send the uploaded original, byte for byte."""
    query_of(request, FileQuery)
    source, path = await request.app[ENGINE].open_source(await require_visible(request))
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": content_disposition("attachment", source.name),
        "Content-Security-Policy": _DOWNLOAD_POLICY,
    }
    return await send_file(request, StoredBytes(path=path, size=source.size, sha256=source.sha256), headers)
