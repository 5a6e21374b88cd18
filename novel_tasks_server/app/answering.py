"""Requests that are not HTTP: aiohttp answers them before the application sees them, here with problems too."""

from __future__ import annotations

from uuid import uuid4

from aiohttp import web
from aiohttp.web_request import BaseRequest

from novel_tasks_server.middlewares.request_id import HEADER
from novel_tasks_server.middlewares.security_headers import set_headers
from novel_tasks_server.problems import Problem, RequestRefusedError, problem_of


class _Protocol(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what cannot be read as a request, or failed outside the application, and close the connection.

        Raises: ConnectionError when a part of an answer has been sent already.
        """
        super().handle_error(request, status, exc, message)  # writes the log
        request_id = uuid4().hex
        answer = _problem(status, exc).response(request_id=request_id)
        answer.headers[HEADER] = request_id
        set_headers(answer)
        answer.force_close()
        return answer


def _problem(status: int, exc: BaseException | None) -> Problem:
    if status == web.HTTPBadRequest.status_code:
        return problem_of(RequestRefusedError(400, "malformed-request", "This is not a correct HTTP request."))
    return problem_of(exc if isinstance(exc, Exception) else RuntimeError())


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """An AppRunner whose connections answer even what is no request with a problem."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server  # aiohttp takes no other class of connections
        return server
