"""A name for every request: the client's own if it is sane, else a fresh one."""

from __future__ import annotations

import re
from uuid import uuid4

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from novel_tasks_server.keys import REQUEST_ID

HEADER = "X-Request-ID"
"""Carries the name in both directions."""

_SANE = re.compile(r"[A-Za-z0-9._:~+/=@-]{1,128}", re.ASCII)


@web.middleware
async def name_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Bind the request's id to every log line written while it is handled."""
    given = request.headers.get(HEADER, "")
    request[REQUEST_ID] = given if _SANE.fullmatch(given) else uuid4().hex
    with structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]):
        return await handler(request)


async def echo_request_id(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Send the request's id back."""
    if REQUEST_ID in request:
        response.headers[HEADER] = request[REQUEST_ID]
