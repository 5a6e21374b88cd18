"""Trying chapter rules out before anything is uploaded."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import PurePath
from typing import Any

from aiohttp import web

from novel_tasks_server.keys import CONFIG
from novel_tasks_server.middlewares.errors import is_gone
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.bodies import too_slow
from novel_tasks_server.routes.forms import FileForm
from novel_tasks_server.routes.previews import MAX_PREVIEW_BYTES, PREVIEWS
from novel_tasks_server.routes.replies import json_response
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.decoding import decode_text
from novel_tasks_server.schemas.requests import PreviewFields
from novel_tasks_server.schemas.views import PreviewView

_ARRIVAL_SECONDS = 60.0


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "POST",
            "/api/v1/chapters/preview",
            preview_chapters,
            tag=Tag.UPLOADS,
            scope=Scope.WRITE,
            body=PreviewFields,
            file="file",
            answers={200: PreviewView},
        )
    ]


async def preview_chapters(request: web.Request) -> web.Response:
    """Answer with the chapters that would be found in a novel, by a `chapter_rule` or without; nothing is kept.

    The beginning of the novel is enough: at most 2 MiB are taken. `options` are those of the processor `split`. A
    rule that takes longer than some seconds is refused. It counts as an upload.
    """
    previews = request.app[PREVIEWS]
    with previews.place():
        options: dict[str, Any] = {}
        extensions = request.app[CONFIG].allowed_extensions
        form = FileForm(
            request,
            max_file_size=MAX_PREVIEW_BYTES,
            extensions=extensions,
            check=lambda texts: options.update(previews.options(decode_text(texts, PreviewFields).options)),
        )
        name, beginning = await _arrived(form)
        found = await previews.look(
            beginning, extension=PurePath(name).suffix, options=options, is_unwanted=lambda: is_gone(request)
        )
        return json_response(PreviewView.of(found))


async def _arrived(form: FileForm) -> tuple[str, bytes]:
    """Return name and bytes of the file, once the whole form is here. Raises: RequestRefusedError, as the form does."""
    try:
        async with asyncio.timeout(_ARRIVAL_SECONDS):
            name = await form.find_file()
            async with aclosing(form.file_then_rest()) as stream:
                return name, b"".join([data async for data in stream])
    except TimeoutError:
        raise too_slow() from None
