"""The door of the WebSocket: who may come in, and from which page."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from aiohttp import web

from novel_tasks_server.keys import CONFIG, METRICS
from novel_tasks_server.live.hub import HUB
from novel_tasks_server.live.session import Session, open_socket
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.access import Scope

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "GET", "/api/v1/ws/tasks/{client_id}", follow_tasks, tag=Tag.LIVE, scope=Scope.READ, answers={101: None}
        ),
    ]


async def follow_tasks(request: web.Request) -> web.StreamResponse:
    """Serve one socket until it closes. Any number may come with the same client id."""
    _check_origin(request)
    hub = request.app[HUB]
    if hub.closed:
        raise RequestRefusedError(503, "stopping", "The service is stopping.", headers={"Retry-After": "5"})
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("the client has left")
    socket = await open_socket(request)
    session = Session(
        socket, transport, client_id=request.match_info["client_id"], hub=hub, metrics=request.app[METRICS]
    )
    try:
        await session.run()
    except Exception:
        _log.exception("socket_failed")  # there is no answering a request that has become a socket
    return socket


def _check_origin(request: web.Request) -> None:
    """Raise RequestRefusedError (403) for a page of another site that the settings do not name."""
    origin = request.headers.get("Origin")
    if origin is None or urlsplit(origin).netloc.lower() == request.host.lower():
        return
    if not request.app[CONFIG].allows_origin(origin):
        raise RequestRefusedError(403, "origin-not-allowed", "Pages of this origin may not connect.")
