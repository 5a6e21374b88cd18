"""The page at `/`: static files of this package, under a policy that lets nothing else run."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

import novel_tasks_server
from novel_tasks_server.openapi import Operation, Tag

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page."""

_FOLDER = Path(novel_tasks_server.__file__).parent / "dashboard"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/dashboard/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/dashboard/style.css": ("style.css", "text/css; charset=utf-8"),
}


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [Operation("GET", path, show_file, tag=Tag.PAGES, scope=None, is_public=False) for path in _FILES]


async def show_file(request: web.Request) -> web.FileResponse:
    """Send a file of the page; browsers ask each time whether it changed."""
    name, content_type = _FILES[request.path]
    headers = {"Content-Type": content_type, "Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return web.FileResponse(_FOLDER / name, headers=headers)
