"""A relay in front of a server that cuts connections at random bytes, with a reset, as bad networks do."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Shears:
    """Forwards to a port of this machine; a connection carries `mean_bytes` on average, with 0 as many as it likes."""

    def __init__(self, port: int, *, mean_bytes: float, seed: int) -> None:
        self.cuts = 0
        self.mean_bytes = mean_bytes
        self.port = 0
        self._target = port
        self._chance = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Shears]:
        """Listen for the length of the block."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        left = int(self._chance.expovariate(1 / self.mean_bytes)) if self.mean_bytes else None
        up = asyncio.create_task(_pass(reader, there_writer, None))
        down = asyncio.create_task(_pass(there_reader, writer, left))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.cuts += int(left is not None and down.done())
            up.cancel()
            down.cancel()
            for each in (writer, there_writer):
                _reset(each)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None) -> None:
    """Forward up to so many bytes."""
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            if left is not None:
                data = data[:left]
                left -= len(data)
            writer.write(data)
            await writer.drain()
            if left == 0:
                return


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
