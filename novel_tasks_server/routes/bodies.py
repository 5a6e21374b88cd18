"""Reading request bodies with a limit on size, on silence, and on slowness."""

from __future__ import annotations

import asyncio

from aiohttp import web

from novel_tasks_server.problems import RequestRefusedError

SILENCE_SECONDS = 30.0
"""How long a client may send nothing; also how long it has before its average speed counts."""

MIN_BYTES_PER_SECOND = 1024
"""The slowest that a body may come, on average: slower, and a few clients could hold every connection."""


class BodyReader:
    """Reads one body as it comes, at most `limit` bytes.

    Raises: RequestRefusedError: 413 beyond the limit, at once if the length was announced; 408 for a
    client that is silent or too slow.
    """

    def __init__(self, request: web.Request, *, limit: int) -> None:
        if (request.content_length or 0) > limit:
            raise _too_large(limit)
        self._content = request.content
        self._limit = limit
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()
        self._received = 0

    async def read(self) -> bytes:
        """Return what has come, or what comes next; nothing at the end."""
        if self._content.at_eof():
            return b""
        data = self._content.read_nowait() or await self._wait()
        self._received += len(data)
        if self._received > self._limit:
            raise _too_large(self._limit)
        if data and self._received < (self._clock() - self._started - SILENCE_SECONDS) * MIN_BYTES_PER_SECOND:
            raise too_slow()
        return data

    async def _wait(self) -> bytes:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                return await self._content.readany()
        except TimeoutError:
            raise too_slow() from None


async def read_body(request: web.Request, *, limit: int) -> bytes:
    """Return the whole body of at most `limit` bytes. Raises: as `BodyReader`."""
    reader, chunks = BodyReader(request, limit=limit), []
    while chunk := await reader.read():
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> RequestRefusedError:
    return RequestRefusedError(413, "too-large", f"The body is too large: at most {limit} bytes are accepted.")


def too_slow() -> RequestRefusedError:
    """Return the refusal of a body that takes its time."""
    return RequestRefusedError(408, "too-slow", "The body came too slowly.", headers={"Connection": "close"})
