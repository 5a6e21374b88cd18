"""Every error becomes a problem document; one that is our own fault is logged, once."""

from __future__ import annotations

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from novel_tasks_server.keys import REQUEST_ID
from novel_tasks_server.problems import Problem, RequestRefusedError, problem_of

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_CLIENT_GONE = 499


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what `handler` raises with application/problem+json."""
    try:
        return await handler(request)
    except web.HTTPException as exc:
        if exc.status < 400:
            raise
        return _answer(request, problem_of(exc))
    except ConnectionError:
        if not is_gone(request):
            raise
        return web.Response(status=_CLIENT_GONE)  # nobody reads it; the log tells that they left
    except Exception as exc:
        problem = problem_of(exc)
        _report(exc, problem)
        return _answer(request, problem)


def is_gone(request: web.Request) -> bool:
    """Say whether the client has left."""
    return request.transport is None or request.transport.is_closing()


def _answer(request: web.Request, problem: Problem) -> web.Response:
    if request.method == "OPTIONS" and problem.status == web.HTTPMethodNotAllowed.status_code:
        return web.Response(status=204, headers=problem.headers)
    return problem.response(request_id=request[REQUEST_ID])


def _report(exc: Exception, problem: Problem) -> None:
    if problem.status in (500, 507):
        _log.error("request_failed", error=type(exc).__name__, exc_info=exc)
    elif problem.status >= 500 and not isinstance(exc, RequestRefusedError):  # what is refused on purpose is no fault
        _log.warning("request_not_served", error=type(exc).__name__, reason=str(exc))
