"""Pages of other origins that the settings name may use the API."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from novel_tasks_server.keys import CONFIG

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match, Range, X-Request-ID",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "Content-Disposition, ETag, Link, Location, Retry-After, X-Request-ID"


@web.middleware
async def allow_origins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer preflights, and mark answers as readable for the origins that are allowed."""
    origin = request.headers.get("Origin")
    if origin is None or not request.app[CONFIG].allows_origin(origin):
        return await handler(request)
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response: web.StreamResponse = web.Response(status=204, headers=_PREFLIGHT)
    else:
        response = await handler(request)
    if not response.prepared:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        response.headers.add("Vary", "Origin")
    return response
