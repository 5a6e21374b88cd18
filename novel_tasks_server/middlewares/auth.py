"""Who asks, whether they may, and whether they may just now: before any handler runs."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from novel_tasks_server.access.bearer import scope_missing
from novel_tasks_server.access.gate import GATE
from novel_tasks_server.access.links import LINKS, is_linked, link_refused, linked_path
from novel_tasks_server.access.rates import RATES
from novel_tasks_server.keys import ENGINE, PRINCIPAL
from novel_tasks_server.openapi import OPERATIONS, Operation, Tag
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.access import Principal, Scope

_NOBODY = Principal.nobody()


@web.middleware
async def require_scopes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks, and let them pass if they have the scope that the route needs, and not too often.

    Where no scope is needed nobody is asked who they are: a token that came along is not looked at, and
    nothing is counted.
    """
    route = request.match_info.route
    operation = request.app[OPERATIONS].get(route)
    scope = _needed(route, operation)
    if scope is None:
        request[PRINCIPAL] = _NOBODY
        return await handler(request)
    principal = request[PRINCIPAL] = await _identified(request, operation)
    is_upload = operation is not None and operation.tag is Tag.UPLOADS
    request.app[RATES].count(request, principal, is_upload=is_upload)
    if not principal.may(scope):
        raise scope_missing(scope)
    return await handler(request)


async def _identified(request: web.Request, operation: Operation | None) -> Principal:
    gate = request.app[GATE]
    try:
        if operation is not None and operation.takes_links and is_linked(request):
            return await _holder(request, operation)
        outlives = operation is not None and operation.outlives_database
        return await (gate.identify_by_memory(request) if outlives else gate.identify(request))
    except RequestRefusedError:
        request.app[RATES].count_stranger(request)
        raise


async def _holder(request: web.Request, operation: Operation) -> Principal:
    """Return whoever the link was made for by which the request comes. Raises: RequestRefusedError (403)."""
    path = linked_path(operation.path, request.match_info)
    now = request.app[ENGINE].clock.now().timestamp()
    claimed = request.app[LINKS].holder(path, request.query, now=now)
    principal = await request.app[GATE].recheck_holder(request, claimed)
    if principal is None:
        raise link_refused()
    return principal


def _needed(route: web.AbstractRoute, operation: Operation | None) -> Scope | None:
    """Return the scope that the route needs; what is no operation of ours only admins may use."""
    if operation is not None:
        return operation.scope
    is_known = route.resource is not None
    return Scope.ADMIN if is_known else None  # everybody may know that there is no such path or method
