"""The bound of sockets: an aiohttp server that keeps them open and does nothing else.

`python -m benchmarks.harness.bare_sockets PORT CONTROL_PORT`

An update is one frame, made once and written to the transport of each socket.
"""

from __future__ import annotations

import struct
import sys
from asyncio import Transport
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from benchmarks.harness.machine import runner
from benchmarks.harness.updates import controlled, update

_TEXT = 0x81
_TWO_BYTES_OF_LENGTH = 126


def frame_of(text: str) -> bytes:
    """Return the frame that a server sends a text of 126 to 65,535 bytes in."""
    payload = text.encode()
    return struct.pack("!BBH", _TEXT, _TWO_BYTES_OF_LENGTH, len(payload)) + payload


def make_app(control_port: int) -> web.Application:
    """Build the application. The settings of a socket are those of the service."""
    transports: set[Transport] = set()

    async def control(app: web.Application) -> AsyncIterator[None]:
        server = await controlled(control_port, publish)
        yield
        server.close()

    async def publish(percentage: int) -> None:
        frame = frame_of(update(percentage))
        for transport in transports:
            transport.write(frame)

    async def follow(request: web.Request) -> web.WebSocketResponse:
        """Keep a socket open; whatever it says is answered by the present state, as a subscription is."""
        socket = web.WebSocketResponse(
            timeout=2.0, heartbeat=25.0, compress=False, max_msg_size=4096, writer_limit=16 * 1024
        )
        await socket.prepare(request)
        transport = request.transport
        assert transport is not None
        transports.add(transport)
        try:
            async for _ in socket:
                transport.write(frame_of(update(0)))
        finally:
            transports.discard(transport)
        return socket

    app = web.Application()
    app.cleanup_ctx.append(control)
    app.router.add_get("/api/v1/ws/tasks/{client_id}", follow)
    return app


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM."""
    port, control_port = map(int, arguments)
    with runner() as loops:
        app = make_app(control_port)
        web.run_app(
            app,
            host="127.0.0.1",
            port=port,
            print=None,
            access_log=None,
            loop=loops.get_loop(),
            backlog=1024,
            shutdown_timeout=1.0,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
