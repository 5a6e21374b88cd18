"""The API's own description: the OpenAPI document, and a page that shows it.

The page is Swagger UI as its makers ship it, under a policy that lets only these files run.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from aiohttp import web

import novel_tasks_server
from novel_tasks_server.keys import CONFIG
from novel_tasks_server.openapi import Operation, Tag, build_document, documented

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page and its files."""

_FOLDER = Path(novel_tasks_server.__file__).parent / "swagger"
_FILES = {
    "/api/docs": ("index.html", "text/html; charset=utf-8"),
    "/api/docs/start.js": ("start.js", "text/javascript; charset=utf-8"),
    "/api/docs/swagger-ui-bundle.js": ("swagger-ui-bundle.js.gz", "text/javascript; charset=utf-8"),
    "/api/docs/swagger-ui.css": ("swagger-ui.css.gz", "text/css; charset=utf-8"),
}


class Document:
    """The OpenAPI document of an application, made when it is first asked for."""

    def __init__(self, app: web.Application) -> None:
        self._app = app

    @cached_property
    def text(self) -> str:
        """The document as JSON for people."""
        config = self._app[CONFIG]
        made = build_document(documented(self._app), title=config.title, version=config.version)
        return json.dumps(made, indent=2, ensure_ascii=False) + "\n"

    @cached_property
    def etag(self) -> str:
        """What names this state of the document."""
        return sha256(self.text.encode()).hexdigest()[:32]


DOCUMENT = web.AppKey("document", Document)


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "GET",
            "/api/openapi.json",
            show_document,
            tag=Tag.SERVICE,
            scope=None,
            answers={200: object, 304: None},
            takes=("If-None-Match",),
            sends=("ETag",),
        ),
        *(Operation("GET", path, show_reference, tag=Tag.PAGES, scope=None, is_public=False) for path in _FILES),
    ]


async def show_document(request: web.Request) -> web.Response:
    """Answer with this document."""
    document = request.app[DOCUMENT]
    headers = {"ETag": f'"{document.etag}"', "Cache-Control": "no-cache"}
    if {tag.value for tag in request.if_none_match or ()} & {document.etag, "*"}:
        return web.Response(status=304, headers=headers)
    return web.Response(text=document.text, content_type="application/json", headers=headers)


async def show_reference(request: web.Request) -> web.StreamResponse:
    """Send a file of the page that shows the API; the large ones lie here compressed."""
    name, content_type = _FILES[request.path]
    headers = {"Content-Type": content_type, "Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    if not name.endswith(".gz"):
        return web.FileResponse(_FOLDER / name, headers=headers)
    headers["Vary"] = "Accept-Encoding"
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.FileResponse(_FOLDER / name, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=await asyncio.to_thread(_unpacked, name), headers=headers)


def _unpacked(name: str) -> bytes:
    return gzip.decompress((_FOLDER / name).read_bytes())
