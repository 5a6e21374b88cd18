"""From an HTTP request to a socket of our own: RFC 6455, section 4.2, with any of the protocols that we speak.

After the answer the connection is ours: aiohttp is told that it has lost it, and keeps nothing of it. So an open
socket costs neither the asyncio tasks nor the request and parser that served the handshake.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import socket
from collections.abc import Callable

from aiohttp import HttpVersion11, web

from novel_tasks_server.live.connection import KERNEL_BUFFER_BYTES, WRITE_BUFFER_BYTES, Connection
from novel_tasks_server.problems import RequestRefusedError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSION = "13"


def offered_protocols(request: web.BaseRequest) -> list[str]:
    """Return the subprotocols that the client offers, best first."""
    lines = request.headers.getall("Sec-WebSocket-Protocol", [])
    return [word.strip() for line in lines for word in line.split(",") if word.strip()]


class SwitchedProtocols(web.StreamResponse):
    """The answer 101, after which the connection speaks WebSocket."""

    _length_check = False

    def __init__(self, request: web.BaseRequest, *, protocol: str | None) -> None:
        """Check the handshake. Raises: RequestRefusedError for what is none, or of another version."""
        super().__init__(status=101)
        self.headers.update(
            {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": _accepted(request)}
        )
        if protocol is not None:
            self.headers["Sec-WebSocket-Protocol"] = protocol

    async def switch(self, request: web.BaseRequest, make: Callable[[asyncio.Transport], Connection]) -> Connection:
        """Send the answer and hand the connection over to what `make` makes of its transport.

        Raises: ConnectionResetError when the client has left.
        """
        await self.prepare(request)
        transport, served = request.transport, request.protocol
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        connection = make(transport)
        early = _Early()
        served.set_parser(early)  # type: ignore[arg-type] # takes over what came behind the request
        was_paused = served.writing_paused
        transport.set_protocol(connection)
        served.transport = None
        served.connection_lost(None)
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        _bound_kernel_buffer(transport)
        if was_paused:
            connection.pause_writing()
        connection.open()
        if early.data:
            connection.data_received(early.data)
        return connection

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: the connection is not the response's any longer."""


def _bound_kernel_buffer(transport: asyncio.Transport) -> None:
    """Keep the system from taking megabytes for a client that does not read, before we learn that it does not."""
    line = transport.get_extra_info("socket")
    if line is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)


class _Early:
    """Takes what the client sent before it knew that it may."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Keep it."""
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """Know that no more comes here."""


def _accepted(request: web.BaseRequest) -> str:
    """Return what the client gets for its key. Raises: RequestRefusedError."""
    headers = request.headers
    if headers.get("Sec-WebSocket-Version", _VERSION) != _VERSION:
        raise RequestRefusedError(
            426, "websocket-version", "Only version 13 is spoken here.", headers={"Sec-WebSocket-Version": _VERSION}
        )
    key = headers.get("Sec-WebSocket-Key", "")
    words = [word.strip().lower() for word in ",".join(headers.getall("Connection", [])).split(",")]
    is_handshake = (
        request.method == "GET"
        and request.version == HttpVersion11
        and headers.get("Upgrade", "").strip().lower() == "websocket"
        and "upgrade" in words
        and "Sec-WebSocket-Version" in headers
        and _is_key(key)
        and not request.can_read_body
    )
    if not is_handshake:
        raise RequestRefusedError(
            400, "websocket-expected", "This address takes WebSocket handshakes only (RFC 6455).",
            headers={"Upgrade": "websocket"},
        )  # fmt: skip
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
