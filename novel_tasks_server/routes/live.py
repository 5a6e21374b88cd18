"""The door of the WebSocket: who may come in, and from which page."""

from __future__ import annotations

import asyncio

from aiohttp import web

from novel_tasks_server.keys import PRINCIPAL
from novel_tasks_server.live.connection import Connection
from novel_tasks_server.live.handshake import SwitchedProtocols, offered_protocols
from novel_tasks_server.live.hub import HUB
from novel_tasks_server.live.protocol_v1 import SUBPROTOCOL
from novel_tasks_server.live.speech import SPEECHES
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.access import Scope


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "GET", "/api/v1/ws/tasks/{client_id}", follow_tasks, tag=Tag.LIVE, scope=Scope.READ, answers={101: None}
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
            speech=speeches.v1 if is_v1 else speeches.older,
            beats=hub.beats,
            metrics=hub.metrics,
        )

    await answer.switch(request, make)
    return answer
