"""Who asks, and whether they may: before any handler runs."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from novel_tasks_server.keys import PRINCIPAL
from novel_tasks_server.openapi import OPERATIONS
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.access import Principal, Scope


@web.middleware
async def require_scopes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks, and let them pass if they have the scope that the route needs."""
    principal = request[PRINCIPAL] = Principal.anyone()
    scope = _needed(request)
    if scope is not None and not principal.may(scope):
        raise RequestRefusedError(403, "scope-missing", f"The token lacks the scope {scope}.")
    return await handler(request)


def _needed(request: web.Request) -> Scope | None:
    """Return the scope that the route needs; what is no operation of ours only admins may use."""
    route = request.match_info.route
    if route.resource is None:
        return None  # no such path or method, which everybody may know
    operation = request.app[OPERATIONS].get(route)
    return Scope.ADMIN if operation is None else operation.scope
