"""Tasks one by one: list, show, report on, delete, retry, cancel."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import evolve

from novel_tasks_core import TaskStatus
from novel_tasks_server.keys import ENGINE, PRINCIPAL
from novel_tasks_server.live.hub import HUB
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.access import require_visible, visible_owner, visible_task
from novel_tasks_server.routes.paging import page_links
from novel_tasks_server.routes.replies import (
    body_of,
    expected_version,
    json_response,
    naming_filters,
    query_of,
    task_response,
    version_headers,
)
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.requests import ListQuery, ShowQuery, TaskReport
from novel_tasks_server.schemas.views import (
    MessageView,
    StatisticsView,
    TaskDetail,
    TaskListView,
    TaskView,
    TaskWithLogs,
)

_ALL = "/api/v1/tasks"
_ONE = f"{_ALL}/{{task_id}}"


def routes() -> list[Operation]:
    """Return the table of this module's routes; fixed paths before those with an id in them."""
    lists = Operation(
        "GET",
        _ALL,
        list_tasks,
        tag=Tag.TASKS,
        scope=Scope.READ,
        query=ListQuery,
        answers={200: TaskListView},
        sends=("Link",),
        leads_to=dict.fromkeys(("show_task", "requeue_task", "process_task"), "$response.body#/tasks/0/id"),
    )
    return [
        lists,
        evolve(lists, path=f"{_ALL}/", is_public=False),
        Operation(
            "GET", f"{_ALL}/statistics", show_statistics, tag=Tag.TASKS, scope=Scope.READ, answers={200: StatisticsView}
        ),
        Operation(
            "GET",
            _ONE,
            show_task,
            tag=Tag.TASKS,
            scope=Scope.READ,
            query=ShowQuery,
            answers={200: TaskDetail | TaskWithLogs, 304: None},
            takes=("If-None-Match",),
            sends=("ETag",),
        ),
        _change("PATCH", _ONE, report_on_task, TaskDetail, body=TaskReport),
        _change("DELETE", _ONE, delete_task, MessageView),
        _change("POST", f"{_ONE}/retry", requeue_task, TaskDetail),
        _change("POST", f"{_ONE}/cancel", cancel_task, TaskDetail),
    ]


def _change(method: str, path: str, handler: Handler, answer: type, *, body: type | None = None) -> Operation:
    """Describe a change of one task, which may be bound to a version of it."""
    shows_task = answer is TaskDetail
    return Operation(
        method,
        path,
        handler,
        tag=Tag.TASKS,
        scope=Scope.WRITE,
        body=body,
        answers={200: answer},
        takes=("If-Match",),
        sends=("ETag",) if shows_task else (),
        problems=(409,) if shows_task else (),
        leads_to={"show_task": "$response.body#/id", "requeue_task": "$response.body#/id"} if shows_task else {},
    )


async def list_tasks(request: web.Request) -> web.Response:
    """Answer with one page of tasks, by page number or by cursor."""
    query = query_of(request, ListQuery)
    engine = request.app[ENGINE]
    with naming_filters():
        page = await engine.find(
            query.filter(visible_owner(request, query.owner)),
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
    return json_response(view, headers=page_links(request, query, page))


async def show_statistics(request: web.Request) -> web.Response:
    """Answer with the counts of the caller's tasks; of all for admins."""
    counts = await request.app[ENGINE].statistics(owner=request[PRINCIPAL].sees)
    return json_response(StatisticsView.of(counts))


async def show_task(request: web.Request) -> web.Response:
    """Answer with one task; 304 if the client has this version of one that does not run.

    `include=logs` adds the beginning of its log, up to 1,000 lines.
    """
    query = query_of(request, ShowQuery)
    task = await visible_task(request)
    known = {tag.value for tag in request.if_none_match or ()}
    if task.status is not TaskStatus.PROCESSING and known & {task.version, "*"}:
        return web.Response(status=304, headers=version_headers(task))
    if query.include is None:
        return task_response(request, task)
    engine = request.app[ENGINE]
    view = TaskWithLogs.with_logs(task, await engine.logs(task.id), now=engine.clock.now())
    return json_response(view, headers=version_headers(task))


async def report_on_task(request: web.Request) -> web.Response:
    """Take what an outside service reports of a task that it runs."""
    task_id = await require_visible(request)
    report = await body_of(request, TaskReport)
    task = await request.app[ENGINE].report(
        task_id,
        status=report.status,
        progress=None if report.progress is None else report.progress / 100,
        result_url=report.result_url,
        error_message=report.error_message,
        if_version=await expected_version(request, task_id),
    )
    return task_response(request, task)


async def delete_task(request: web.Request) -> web.Response:
    """Delete a task with all its history and artifacts."""
    task_id = await require_visible(request)
    await request.app[ENGINE].delete(task_id, if_version=await expected_version(request, task_id))
    return json_response(MessageView("Task deleted successfully"))


async def requeue_task(request: web.Request) -> web.Response:
    """Retry a finished task: it goes to the end of the queue and begins anew."""
    task_id = await require_visible(request)
    task = await request.app[ENGINE].requeue(task_id, if_version=await expected_version(request, task_id))
    request.app[HUB].revive(task_id)
    return task_response(request, task)


async def cancel_task(request: web.Request) -> web.Response:
    """Cancel a task; one that runs is asked to stop, and says so until it has."""
    task_id = await require_visible(request)
    task = await request.app[ENGINE].cancel(task_id, if_version=await expected_version(request, task_id))
    return task_response(request, task)
