"""Requests without a body as fast as a server answers them, with as little work on this side as can be.

They are made beforehand, and each connection sends its next one as soon as it has the answer to the last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import cast

from benchmarks.harness.run import BenchmarkError

_END_OF_HEAD = b"\r\n\r\n"
_OK = b"HTTP/1.1 200 "
_LENGTH = b"\r\ncontent-length:"


def read_request(path: str) -> bytes:
    """Return a request for what is at a path."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n".encode()


async def read_all(port: int, requests: Sequence[bytes], *, connections: int) -> list[float]:
    """Send all requests over some connections that stay open; return the seconds that each answer took.

    Raises: BenchmarkError when an answer is not 200, or the server closes a connection.
    """
    left, took = iter(requests), list[float]()
    loop = asyncio.get_running_loop()
    readers = [
        (await loop.create_connection(lambda: _Reader(left, took), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    try:
        for reader in readers:
            reader.next()
        await asyncio.gather(*(reader.finished for reader in readers))
    finally:
        for reader in readers:
            reader.leave()
    return took


class _Reader(asyncio.Protocol):
    """One connection."""

    def __init__(self, left: Iterator[bytes], took: list[float]) -> None:
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = left
        self._took = took
        self._transport: asyncio.Transport | None = None
        self._part = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not of that class

    def next(self) -> None:
        """Send the next request, if there is another."""
        assert self._transport is not None
        request = next(self._left, None)
        if request is None:
            self.finished.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def leave(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        if self._part:
            data = self._part + data
        head = data.find(_END_OF_HEAD)
        if head >= 0 and not data.startswith(_OK):
            self._fail(f"a request was answered by {data[9:60]!r}")
        elif head < 0 or len(data) < head + len(_END_OF_HEAD) + _content_length(data[:head]):
            self._part = data
        else:
            self._part = b""
            self._took.append(time.perf_counter() - self._sent)
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("a server has closed a connection")

    def _fail(self, why: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(BenchmarkError(why))


def _content_length(head: bytes) -> int:
    at = head.lower().find(_LENGTH)
    if at < 0:
        raise BenchmarkError("an answer does not say how long it is")
    return int(head[at + len(_LENGTH) :].partition(b"\r\n")[0])
