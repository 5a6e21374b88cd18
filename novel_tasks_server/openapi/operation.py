"""One route of the API: the handler, and what has to be known of it without running it.

The scope that a route needs stands here and nowhere else: the middleware that checks it, and the document
that tells of it, read the same field.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from types import UnionType

from aiohttp import HttpVersion11, web
from aiohttp.typedefs import Handler
from attrs import field, frozen

from novel_tasks_server.schemas.access import Scope


class Tag(StrEnum):
    """The groups in which the document shows the routes."""

    TASKS = "tasks"
    UPLOADS = "uploads"
    HISTORY = "history"
    FILES = "files"
    LIVE = "live"
    QUEUE = "queue"
    TOKENS = "tokens"
    SERVICE = "service"
    PAGES = "pages"


Answer = type | UnionType | None
"""The class of an answer or the union of several; `object` is any JSON, None no body."""


@frozen
class Operation:
    """A method on a path. GET answers HEAD too.

    The first sentence of the handler's docstring is its summary. `scope` None lets everybody in, without
    a token. `query` and `body` are request classes, `answers` the classes of what is answered by status;
    `media_types` names what an answer that is no JSON is. `is_public` False leaves it out of the document. With
    `takes_links`, a signed link to the path lets somebody in like a token.

    With `file`, the name of a field, the body is a form with that file in it. `takes` names the headers of a
    request that matter, `sends` those of a successful answer. `problems` are the statuses of refusals beside
    those that follow from the rest. `outlives_database` lets in who was known a few minutes ago while the database
    cannot say who asks. `leads_to` says, by the name of another handler, where in the answer the
    `task_id` is that it may be asked for next.
    """

    method: str
    path: str
    handler: Handler
    tag: Tag = field(kw_only=True)
    scope: Scope | None = field(kw_only=True)
    query: type | None = field(default=None, kw_only=True)
    body: type | None = field(default=None, kw_only=True)
    answers: Mapping[int, Answer] = field(factory=dict, kw_only=True)
    media_types: tuple[str, ...] = field(default=(), kw_only=True)
    is_public: bool = field(default=True, kw_only=True)
    takes_links: bool = field(default=False, kw_only=True)
    file: str | None = field(default=None, kw_only=True)
    needs_body: bool = field(default=True, kw_only=True)
    takes: tuple[str, ...] = field(default=(), kw_only=True)
    sends: tuple[str, ...] = field(default=(), kw_only=True)
    problems: tuple[int, ...] = field(default=(), kw_only=True)
    outlives_database: bool = field(default=False, kw_only=True)
    leads_to: Mapping[str, str] = field(factory=dict, kw_only=True)

    @property
    def name(self) -> str:
        """The handler's name, which names the operation too."""
        return str(getattr(self.handler, "__name__", ""))

    @property
    def description(self) -> str:
        """The handler's docstring."""
        return inspect.getdoc(self.handler) or ""

    @property
    def summary(self) -> str:
        """Its first line, without the full stop."""
        return self.description.partition("\n")[0].rstrip(".")


_TASK_ID = "{task_id:task-[^{}/]*}"
"""Ids begin like this: what does not is no task, and must not hide that a fixed path refuses a method."""

OPERATIONS: web.AppKey[dict[web.AbstractRoute, Operation]] = web.AppKey("operations", dict)
"""The operation of every route of the application."""


def add_operations(app: web.Application, operations: Iterable[Operation]) -> None:
    """Make routes of operations.

    Raises: RuntimeError for one whose handler does not say what it does: it could not be documented.
    """
    known = app.setdefault(OPERATIONS, {})
    for operation in operations:
        if not operation.summary:
            raise RuntimeError(f"{operation.method} {operation.path} has no description")
        resource = app.router.add_resource(operation.path.replace("{task_id}", _TASK_ID))
        methods = ("HEAD", "GET") if operation.method == "GET" else (operation.method,)
        for method in methods:
            known[resource.add_route(method, operation.handler, expect_handler=_answer_expectation)] = operation


async def _answer_expectation(request: web.Request) -> None:
    """Tell a client that waits for it to go on; expectations of any other kind are ignored (RFC 9110, 10.1.1).

    They would otherwise be quoted in a refusal, which fails when they are not text.
    """
    if request.version == HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        with suppress(ConnectionError):  # they have left: the handler finds out
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # the answer has not begun


def documented(app: web.Application) -> list[Operation]:
    """Return the operations of an application that the document tells of, in the order of its routes.

    Raises: RuntimeError when two have the same name.
    """
    public = {operation.name: operation for operation in app[OPERATIONS].values() if operation.is_public}
    for operation in app[OPERATIONS].values():
        if operation.is_public and public[operation.name] is not operation:
            raise RuntimeError(f"two operations are named {operation.name}")
    return list(public.values())
