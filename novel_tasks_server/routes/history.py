"""What happened to a task: its events, its log, its attempts."""

from __future__ import annotations

from aiohttp import web

from novel_tasks_server.keys import ENGINE
from novel_tasks_server.live.stream import MEDIA_TYPE, task_events
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.access import require_visible, visible_task
from novel_tasks_server.routes.listening import last_event_id, serve_stream, wants_stream
from novel_tasks_server.routes.replies import json_response, query_of
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.requests import EventsQuery, LogsQuery
from novel_tasks_server.schemas.views import AttemptListView, EventListView, LogListView
from novel_tasks_server.schemas.why import WhyView

_ONE = "/api/v1/tasks/{task_id}"


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "GET",
            f"{_ONE}/events",
            list_events,
            tag=Tag.HISTORY,
            scope=Scope.READ,
            query=EventsQuery,
            answers={200: EventListView, 204: None},
            media_types=(MEDIA_TYPE,),
            takes=("Last-Event-ID",),
        ),
        Operation(
            "GET",
            f"{_ONE}/logs",
            list_logs,
            tag=Tag.HISTORY,
            scope=Scope.READ,
            query=LogsQuery,
            answers={200: LogListView},
        ),
        Operation(
            "GET", f"{_ONE}/attempts", list_attempts, tag=Tag.HISTORY, scope=Scope.READ, answers={200: AttemptListView}
        ),
        Operation("GET", f"{_ONE}/why", show_why, tag=Tag.HISTORY, scope=Scope.READ, answers={200: WhyView}),
    ]


async def list_events(request: web.Request) -> web.StreamResponse:
    """Answer with the stored events after a seq; `last_seq` is what to ask after next.

    Who accepts text/event-stream gets them as a stream that goes on live until the task has finished, without a
    limit and with the log. The header Last-Event-ID of one that comes back counts more than `after`; once there is
    nothing more to come the answer is 204.
    """
    query = query_of(request, EventsQuery)
    if wants_stream(request):
        return await _stream_events(request, after=last_event_id(request, query.after))
    events = await request.app[ENGINE].events(
        await require_visible(request), after=query.after, limit=query.limit, logs=query.logs
    )
    return json_response(EventListView.of(events, after=query.after))


async def _stream_events(request: web.Request, *, after: int) -> web.StreamResponse:
    task = await visible_task(request)
    if after == task.last_seq and task.status.is_final:
        return web.Response(status=204)
    engine = request.app[ENGINE]
    known = after if after <= task.last_seq else 0  # more than there is: as after a restored backup
    return await serve_stream(request, task_events(engine, task.id, after=known))


async def list_logs(request: web.Request) -> web.Response:
    """Answer with the log entries after a seq, of at least one level if asked; `last_seq` is what to ask after next."""
    query = query_of(request, LogsQuery)
    entries = await request.app[ENGINE].logs(
        await require_visible(request), level=query.level, after=query.after, limit=query.limit
    )
    return json_response(LogListView.of(entries, after=query.after))


async def list_attempts(request: web.Request) -> web.Response:
    """Answer with the finished attempts."""
    attempts = await request.app[ENGINE].attempts(await require_visible(request))
    return json_response(AttemptListView.of(attempts))


async def show_why(request: web.Request) -> web.Response:
    """Answer why a task runs, waits or has ended as it has: a reason of a closed set, a sentence, and the facts."""
    found = await request.app[ENGINE].explain(await require_visible(request))
    return json_response(WhyView.of(found))
