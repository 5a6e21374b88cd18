"""Compressed bodies are refused: a small one could unfold to any size."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from novel_tasks_server.problems import RequestRefusedError


@web.middleware
async def refuse_encoded_bodies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse any Content-Encoding but `identity` with 415."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise RequestRefusedError(
            415,
            "content-encoding-not-accepted",
            "Send the body without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )
    return await handler(request)
