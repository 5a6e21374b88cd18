"""One log line and one observation for every answered request.

Paths are told by their template: an id would make every line, and every series, its own.
"""

from __future__ import annotations

from time import perf_counter

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from novel_tasks_server.access.addresses import client_address
from novel_tasks_server.keys import METRICS

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_SWITCHED = 101
_STREAM = "text/event-stream"
_QUIET = frozenset({"/livez", "/readyz", "/health", "/metrics", "/dashboard/{build}/{path}"})


@web.middleware
async def tell_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log method, path template, status and duration; a WebSocket's line comes when it opens,
    that of a stream of events when it ends. How long those last is not how long the server takes.
    """
    started = perf_counter()
    response = await handler(request)
    seconds = perf_counter() - started
    route = _template(request)
    write = _log.debug if route in _QUIET else _log.info
    write(
        "request",
        method=request.method,
        path=route,
        status=response.status,
        duration_ms=round(seconds * 1000, 1),
        remote=client_address(request),
    )
    if response.status != _SWITCHED and response.content_type != _STREAM:
        request.app[METRICS].observe_request(
            method=request.method, route=route, status=response.status, seconds=seconds
        )
    return response


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"
