"""Requests and answers: connections, token, errors, and JSON into classes."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

import aiohttp
import cattrs

from novel_tasks_core import ConfigError
from novel_tasks_server.client.errors import ServerRefusedError, ServerUnreachableError, UnexpectedAnswerError
from novel_tasks_server.client.patience import OnPause, Patience, insist, is_busy, was_not_done

P = ParamSpec("P")
T = TypeVar("T")

_CONNECT_TIMEOUT_SECONDS = 10.0
_READ_TIMEOUT_SECONDS = 60.0
"""The longest silence in an answer; a stream of events is never so long without a sign of life."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
_BROKEN = (aiohttp.ClientError, TimeoutError, ConnectionError)


def _moment(value: Any, _: Any) -> datetime:
    return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).astimezone(UTC)


CONVERTER = cattrs.Converter()
"""From the server's JSON to classes; fields that this client does not know are passed over."""

CONVERTER.register_structure_hook(datetime, _moment)


class Transport:
    """The connections to one server; an async context manager that owns them."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        patience_seconds: float,
        obeys_limits: bool = False,
        on_pause: OnPause | None = None,
    ) -> None:
        """Raises: ConfigError for a token that cannot be sent."""
        self.url = url.rstrip("/")
        self.patience_seconds = patience_seconds
        self._obeys_limits = obeys_limits
        self._on_pause = on_pause
        self._headers = {"Authorization": f"Bearer {_checked(token)}"} if token else {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_TIMEOUT_SECONDS, sock_read=_READ_TIMEOUT_SECONDS
        )
        self._session = aiohttp.ClientSession(timeout=timeout, headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session. Raises: RuntimeError while the client is not open."""
        if self._session is None:
            raise RuntimeError("the client is not open: use `async with Client(...)`")
        return self._session

    def patience(self) -> Patience:
        """Return a fresh patience."""
        return Patience(self.patience_seconds, obeys_limits=self._obeys_limits, on_pause=self._on_pause)

    async def ask(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        if_version: str | None = None,
    ) -> T:
        """Make a request and return the answer as `kind`; a server that is busy is asked again.

        What changes something is sent again only when it was certainly not done.
        """
        return await insist(
            lambda: self.ask_once(method, path, kind, query=query, body=body, if_version=if_version),
            patience=self.patience(),
            may_repeat=is_busy if method == "GET" else was_not_done,
        )

    async def ask_once(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        if_version: str | None = None,
    ) -> T:
        """Make a request and return the answer as `kind`."""
        headers = {} if if_version is None else {"If-Match": f'"{if_version}"'}
        async with self.answer(method, path, headers=headers, params=query, json=body) as response:
            return self.structure(await self.read_json(response), kind)

    @asynccontextmanager
    async def answer(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make one request; the answer is a yes, and its connection is free again after the block.

        The errors of the connection are translated in the block too. Redirects are not followed: the token
        is for the server that was named.
        """
        reached = False
        try:
            async with self.session.request(
                method, self.url + path, headers=headers, allow_redirects=False, **request
            ) as response:
                reached = True
                await self._check(response)
                yield response
        except _BROKEN as exc:
            raise self.unreachable(exc, reached=reached) from exc

    async def read_json(self, response: aiohttp.ClientResponse) -> Any:
        """Return the body as JSON. Raises: UnexpectedAnswerError."""
        try:
            return await response.json(content_type=None)
        except ValueError as exc:
            raise UnexpectedAnswerError(str(response.url), "it is not JSON") from exc

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        """Raise what an answer that is not a yes means."""
        if 300 <= response.status < 400:
            where = response.headers.get("Location", "elsewhere")
            raise UnexpectedAnswerError(self.url, f"it redirects to {where}: give the final address")
        if response.status < 400:
            return
        try:
            problem = await response.json(content_type=None)
        except ValueError:
            problem = None
        raise ServerRefusedError.of(response.status, response.headers, problem)

    def unreachable(self, error: Exception, *, reached: bool = False) -> ServerUnreachableError:
        """Return what an error of the connection means."""
        if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
            return ServerUnreachableError(self.url, "this is not a URL such as http://127.0.0.1:8000")
        if isinstance(error, aiohttp.ClientConnectorError):
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            return ServerUnreachableError(self.url, reason)
        reached = reached or not isinstance(error, aiohttp.ConnectionTimeoutError)
        return ServerUnreachableError(self.url, str(error) or type(error).__name__, reached=reached)

    def structure(self, content: Any, kind: type[T]) -> T:
        """Return JSON as a class. Raises: UnexpectedAnswerError."""
        return self.guarded(CONVERTER.structure, content, kind)

    def guarded(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `read` makes of an answer. Raises: UnexpectedAnswerError when it can make nothing of it."""
        try:
            return read(*args, **kwargs)
        except cattrs.BaseValidationError as exc:
            raise UnexpectedAnswerError(self.url, "; ".join(cattrs.transform_error(exc))) from exc
        except (ValueError, TypeError, AttributeError, LookupError) as exc:
            raise UnexpectedAnswerError(self.url, str(exc)) from exc


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise ConfigError("NOVEL_TASKS_TOKEN", "must be one word of ASCII characters")
    return token
