"""The doors of live updates: the WebSocket, who may come in and from which page, and the stream of all changes."""

from __future__ import annotations

import asyncio

from aiohttp import web

from novel_tasks_server.keys import PRINCIPAL
from novel_tasks_server.live.connection import Connection
from novel_tasks_server.live.handshake import SwitchedProtocols, offered_protocols
from novel_tasks_server.live.hub import HUB
from novel_tasks_server.live.listing import listed_events
from novel_tasks_server.live.protocol_v1 import SUBPROTOCOL, ListWish
from novel_tasks_server.live.speech import SPEECHES
from novel_tasks_server.live.stream import MEDIA_TYPE
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.routes.access import visible_owner
from novel_tasks_server.routes.listening import serve_stream, token_of
from novel_tasks_server.routes.replies import query_of
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.requests import FollowQuery


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "GET", "/api/v1/ws/tasks/{client_id}", follow_tasks, tag=Tag.LIVE, scope=Scope.READ, answers={101: None}
        ),
        Operation(
            "GET",
            "/api/v1/events",
            stream_changes,
            tag=Tag.LIVE,
            scope=Scope.READ,
            query=FollowQuery,
            media_types=(MEDIA_TYPE,),
        ),
    ]


async def follow_tasks(request: web.Request) -> web.StreamResponse:
    """Serve one socket until it closes. Any number may come with the same client id."""
    hub = request.app[HUB]
    if hub.closed:
        raise RequestRefusedError(503, "stopping", "The service is stopping.", headers={"Retry-After": "5"})
    is_v1 = SUBPROTOCOL in offered_protocols(request)
    answer = SwitchedProtocols(request, protocol=SUBPROTOCOL if is_v1 else None)
    speeches = request.app[SPEECHES]

    def make(transport: asyncio.Transport) -> Connection:
        return Connection(
            transport,
            client_id=request.match_info["client_id"],
            principal=request[PRINCIPAL],
            token=token_of(request),
            speech=speeches.v1 if is_v1 else speeches.older,
            beats=hub.beats,
            metrics=hub.metrics,
        )

    await answer.switch(request, make)
    return answer


async def stream_changes(request: web.Request) -> web.StreamResponse:
    """Stream every change of the caller's tasks that match, of all for admins, live.

    `task` brings a task as lists show it, `left` the id of one that matches but for its status, `deleted` of one that
    is gone. `resync` comes first, and whenever something may have been missed: load the list then.
    """
    query = query_of(request, FollowQuery)
    wish = ListWish(query.status, query.processor, visible_owner(request, query.owner), query.q)
    source = listed_events(request.app[HUB].listing, request[PRINCIPAL].sees, wish)
    return await serve_stream(request, source)
