"""Uploads as fast as a server takes them, with as little work on this side as can be.

Requests are made before the clock starts and go out over plain streams: a real HTTP client would cost as
much as the server and hide it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from benchmarks.harness.run import BenchmarkError

_BOUNDARY = b"----novel-tasks-benchmark"
_PIECE = 1 << 18
_PATH = b"/api/v1/tasks/upload"


def upload_request(name: str, content: bytes) -> bytes:
    """Return a request that uploads one file."""
    disposition = b'Content-Disposition: form-data; name="file"; filename="' + name.encode() + b'"'
    head = b"--" + _BOUNDARY + b"\r\n" + disposition + b"\r\nContent-Type: text/plain\r\n\r\n"
    tail = b"\r\n--" + _BOUNDARY + b"--\r\n"
    length = len(head) + len(content) + len(tail)
    return (
        b"POST " + _PATH + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=" + _BOUNDARY
        + b"\r\nContent-Length: " + str(length).encode() + b"\r\n\r\n" + head + content + tail
    )  # fmt: skip


async def send_all(port: int, requests: Sequence[bytes], *, connections: int) -> float:
    """Send all requests over some connections that stay open; return the seconds until the last answer.

    Raises: BenchmarkError when an answer is not 200.
    """
    left = iter(requests)
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    try:
        began = time.perf_counter()
        await asyncio.gather(*(_send(reader, writer, left) for reader, writer in streams))
        return time.perf_counter() - began
    finally:
        for _, writer in streams:
            writer.close()


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: Iterator[bytes]) -> None:
    for request in left:
        rest = memoryview(request)
        while rest:
            writer.write(rest[:_PIECE])
            rest = rest[_PIECE:]
            await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise BenchmarkError(f"an upload was answered by {head.partition(b' ')[2][:60]!r}")
        await reader.readexactly(_content_length(head))


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise BenchmarkError("an answer does not say how long it is")
