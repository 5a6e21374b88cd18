"""Pages of other origins that the settings name may use the API."""

from __future__ import annotations

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from novel_tasks_server.keys import CONFIG

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, If-Match, If-None-Match, If-Range, Last-Event-ID, Range, X-Request-ID"
    ),
    "Access-Control-Max-Age": "600",
}
_EXPOSED = (
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Link, Location, RateLimit, RateLimit-Policy, "
    "Repr-Digest, Retry-After, WWW-Authenticate, X-Request-ID"
)


@web.middleware
async def allow_origins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer preflights, and mark answers as readable for the origins that are allowed."""
    config = request.app[CONFIG]
    if not config.cors_origins:
        return await handler(request)
    origin = request.headers.get(hdrs.ORIGIN)
    is_allowed = origin is not None and config.allows_origin(origin)
    if is_allowed and request.method == "OPTIONS" and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
        response: web.StreamResponse = web.Response(status=204, headers=_PREFLIGHT)
    else:
        response = await handler(request)
    if not response.prepared:
        response.headers.add(hdrs.VARY, "Origin")  # also where nothing is allowed: a cache must not mix the two
        if is_allowed and origin is not None:
            _allow(response, origin, is_named=origin.lower() in config.cors_origins)
    return response


def _allow(response: web.StreamResponse, origin: str, *, is_named: bool) -> None:
    """Mark an answer as readable; what a browser sends by itself goes along only for origins that are named."""
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin if is_named else "*"
    if is_named:
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
    response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED
