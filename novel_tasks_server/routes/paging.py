"""The way from one page of a list to the others: Link headers (RFC 8288), relative to the page."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from aiohttp import web

from novel_tasks_core import Page, TaskSummary
from novel_tasks_server.schemas.requests import ListQuery


def page_links(request: web.Request, query: ListQuery, page: Page[TaskSummary]) -> dict[str, str]:
    """Return the header that leads to the first, the previous and the next page, as far as there are such.

    From a page that was asked for by cursor no way leads back but to the first.
    """
    kept = {name: value for name, value in request.query.items() if name not in ("cursor", "page")}
    links = [f'<?{urlencode({**kept, **place})}>; rel="{name}"' for name, place in _places(query, page)]
    return {"Link": ", ".join(links)}


def _places(query: ListQuery, page: Page[TaskSummary]) -> Iterator[tuple[str, dict[str, str]]]:
    yield "first", {}
    if query.cursor is None and query.page > 1:
        yield "prev", {"page": str(query.page - 1)}
    if page.next_cursor is not None:
        yield "next", {"cursor": page.next_cursor}
    elif query.cursor is None and query.page * query.page_size < page.total and page.items:
        yield "next", {"page": str(query.page + 1)}
