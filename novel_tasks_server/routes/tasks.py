"""Tasks: list, show, report on, delete, send round again, cancel."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from novel_tasks_core import Page, TaskStatus, TaskSummary
from novel_tasks_server.keys import ENGINE
from novel_tasks_server.live.hub import HUB
from novel_tasks_server.routes.replies import (
    body_of,
    expected_version,
    json_response,
    query_of,
    task_id_of,
    task_response,
    version_headers,
)
from novel_tasks_server.schemas.requests import ListQuery, TaskReport
from novel_tasks_server.schemas.views import MessageView, StatisticsView, TaskListView, TaskView

_ONE = "/api/v1/tasks/{task_id}"


def routes() -> list[web.RouteDef]:
    """Return the table of this module's routes; fixed paths before those with an id in them."""
    return [
        web.get("/api/v1/tasks", list_tasks),
        web.get("/api/v1/tasks/", list_tasks),
        web.get("/api/v1/tasks/statistics", show_statistics),
        web.get(_ONE, show_task),
        web.patch(_ONE, report_on_task),
        web.delete(_ONE, delete_task),
        web.post(f"{_ONE}/retry", requeue_task),
        web.post(f"{_ONE}/cancel", cancel_task),
    ]


async def list_tasks(request: web.Request) -> web.Response:
    """Answer with one page of tasks, by page number or by cursor."""
    query = query_of(request, ListQuery)
    engine = request.app[ENGINE]
    page = await engine.find(
        query.filter,
        sort=query.sort,
        order=query.order,
        limit=query.page_size,
        cursor=query.cursor,
        offset=query.offset,
    )
    now = engine.clock.now()
    view = TaskListView(
        tasks=[TaskView.of(task, now=now) for task in page.items],
        total=page.total,
        page=query.page,
        page_size=query.page_size,
        next_cursor=page.next_cursor,
        total_is_estimate=page.total_is_estimate,
    )
    return json_response(view, headers=_links(request, page))


def _links(request: web.Request, page: Page[TaskSummary]) -> dict[str, str]:
    """Return the Link header (RFC 8288) to the next page, relative to this one."""
    if page.next_cursor is None:
        return {}
    kept = {name: value for name, value in request.query.items() if name not in ("cursor", "page")}
    return {"Link": f'<?{urlencode({**kept, "cursor": page.next_cursor})}>; rel="next"'}


async def show_statistics(request: web.Request) -> web.Response:
    """Answer with the counts of all tasks."""
    return json_response(StatisticsView.of(await request.app[ENGINE].statistics()))


async def show_task(request: web.Request) -> web.Response:
    """Answer with one task; 304 if the client has this version of one that does not run."""
    task = await request.app[ENGINE].get(task_id_of(request))
    known = {tag.value for tag in request.if_none_match or ()}
    if task.status is not TaskStatus.PROCESSING and known & {task.version, "*"}:
        return web.Response(status=304, headers=version_headers(task))
    return task_response(request, task)


async def report_on_task(request: web.Request) -> web.Response:
    """Take what an outside service reports of a task that it runs."""
    task_id = task_id_of(request)
    report = await body_of(request, TaskReport)
    task = await request.app[ENGINE].report(
        task_id,
        status=report.status,
        progress=None if report.progress is None else report.progress / 100,
        result_url=report.result_url,
        error_message=report.error_message,
        if_version=expected_version(request),
    )
    return task_response(request, task)


async def delete_task(request: web.Request) -> web.Response:
    """Delete a task with all its history and artifacts."""
    await request.app[ENGINE].delete(task_id_of(request), if_version=expected_version(request))
    return json_response(MessageView("Task deleted successfully"))


async def requeue_task(request: web.Request) -> web.Response:
    """Send a finished task round again."""
    task_id = task_id_of(request)
    task = await request.app[ENGINE].requeue(task_id, if_version=expected_version(request))
    request.app[HUB].revive(task_id)
    return task_response(request, task)


async def cancel_task(request: web.Request) -> web.Response:
    """Cancel a task; one that runs is asked to stop, and says so until it has."""
    task = await request.app[ENGINE].cancel(task_id_of(request), if_version=expected_version(request))
    return task_response(request, task)
