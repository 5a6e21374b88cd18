"""Reading request bodies with a limit on size, on silence, and on slowness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from aiohttp import web

from novel_tasks_server.problems import RequestRefusedError

SILENCE_SECONDS = 30.0
"""How long a client may send nothing; also how long it has before its average speed counts."""

MIN_BYTES_PER_SECOND = 1024
"""The slowest that a body may come, on average: slower, and a few clients could hold every connection."""


async def body_chunks(request: web.Request, *, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes, at most `limit` bytes.

    Raises: RequestRefusedError: 413 beyond the limit, at once if the length was announced; 408 for a
    client that is silent or too slow.
    """
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    clock = asyncio.get_running_loop().time
    started, received = clock(), 0
    while not request.content.at_eof():
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                data = await request.content.readany()
        except TimeoutError:
            raise _too_slow() from None
        received += len(data)
        if received > limit:
            raise _too_large(limit)
        if received < (clock() - started - SILENCE_SECONDS) * MIN_BYTES_PER_SECOND:
            raise _too_slow()
        if data:
            yield data


async def read_body(request: web.Request, *, limit: int) -> bytes:
    """Return the whole body of at most `limit` bytes. Raises: as `body_chunks`."""
    return b"".join([chunk async for chunk in body_chunks(request, limit=limit)])


def _too_large(limit: int) -> RequestRefusedError:
    return RequestRefusedError(413, "too-large", f"The body is too large: at most {limit} bytes are accepted.")


def _too_slow() -> RequestRefusedError:
    return RequestRefusedError(408, "too-slow", "The body came too slowly.", headers={"Connection": "close"})
