"""A client of WebSockets that is only a socket: it sends what bytes it likes, and sees what bytes come."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.server.live.raw_frames import frame

_TEXT, _CLOSE, _PING = 1, 8, 9


class Wire:
    """One connection, after the handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    def say(self, **message: Any) -> None:
        """Send a message as it should be sent."""
        self.send(frame(_TEXT, json.dumps(message).encode()))

    async def frame(self) -> tuple[int, bytes]:
        """Read one frame of the server: its opcode and payload. Raises: asyncio.IncompleteReadError at the end."""
        async with asyncio.timeout(60):
            first, second = await self.reader.readexactly(2)
            assert first & 0x80, "a server of ours sends no fragments"
            assert not second & 0x80, "servers do not mask"
            size = second
            if size >= 126:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
            return first & 0x0F, await self.reader.readexactly(size)

    async def message(self) -> dict[str, Any]:
        """Read the next text message."""
        opcode, payload = await self.frame()
        while opcode != _TEXT:
            assert opcode != _CLOSE, payload
            opcode, payload = await self.frame()
        message: dict[str, Any] = json.loads(payload)
        return message

    async def goodbye(self) -> int:
        """Read to the close frame, and on to the end of the connection; return the code, 1005 for none."""
        opcode, payload = await self.frame()
        while opcode != _CLOSE:
            opcode, payload = await self.frame()
        self.writer.write_eof()
        async with asyncio.timeout(60):
            assert await self.reader.read() == b""
        return int.from_bytes(payload[:2]) if payload else 1005


@asynccontextmanager
async def wired(
    port: int, *, protocol: str = "", extra: bytes = b"", host: str = "127.0.0.1", receive_buffer: int = 0
) -> AsyncIterator[Wire]:
    """Connect and shake hands; `extra` is sent in one go with the request.

    With a `receive_buffer`, of so many bytes, the client takes no more than that until something is read.
    """
    line = socket.socket()
    line.setblocking(False)
    if receive_buffer:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(line, (host, port))
    reader, writer = await asyncio.open_connection(sock=line, limit=receive_buffer or 1 << 16)
    try:
        offered = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        request = (
            f"GET /api/v1/ws/tasks/wire HTTP/1.1\r\nHost: {host}:{port}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n{offered}\r\n"
        )
        writer.write(request.encode() + extra)
        async with asyncio.timeout(60):
            answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        yield Wire(reader, writer)
    finally:
        await dropped(writer)


async def dropped(writer: asyncio.StreamWriter) -> None:
    """Let go of a connection without any goodbye."""
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()
