"""A proxy in front of PostgreSQL that behaves as badly as a network can."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit


class Line:
    """One connection through the proxy; `name` is the application name that its client gave."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.name = ""
        self.deaf = False
        self.silent = False
        self.asks = False
        self._statements: dict[bytes, bool] = {}

    def note(self, kind: bytes, body: bytes) -> None:
        """Keep in mind whether what runs now is a named statement of ours: those begin with a comment."""
        if kind == b"P":
            name, text = body.split(b"\0")[:2]
            self._statements[name] = text.startswith(b"-- ")
        elif kind == b"B":
            self.asks = self._statements.get(body.split(b"\0")[1], False)

    def cut(self) -> None:
        """End both sides at once, with a reset towards the client."""
        raw = self.client.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.transport.abort()
        self.server.transport.abort()


class Proxy:
    """Forwards to the server that a URL names, until told otherwise.

    `refusing`: new connections are reset. `black_hole`: nothing is forwarded in either direction, new
    connections are accepted and get no answer; what was sent is forwarded once it ends.
    """

    def __init__(self, url: str) -> None:
        self.refusing = False
        self.lost: Counter[str] = Counter()
        self._url = url
        self._lines: set[Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._losing: Counter[str] = Counter()
        self._losing_commits: Counter[str] = Counter()
        self._shares: dict[str, float] = {}
        self._chance = random.Random(1)
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The database's URL by way of this proxy."""
        assert self._server is not None
        parts = urlsplit(self._url)
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}", query="sslmode=disable"))

    @property
    def black_hole(self) -> bool:
        """Whether everything is swallowed."""
        return not self._passing.is_set()

    @black_hole.setter
    def black_hole(self, value: bool) -> None:
        if value:
            self._passing.clear()
        else:
            self._passing.set()

    def lose_answers(self, name: str, times: int) -> None:
        """Let the next `times` of our statements on connections named so commit, and cut them instead of answering."""
        self._losing[name] = times

    def lose_commits(self, name: str, times: int) -> None:
        """Let the next `times` transactions on connections named so commit, and cut them instead of telling."""
        self._losing_commits[name] = times

    def lose_some_answers(self, share: float, *names: str) -> None:
        """Treat this share of the statements on connections named so in that way, of those that found something."""
        self._shares = dict.fromkeys(names, share)

    def cut(self, name: str = "") -> int:
        """Reset the connections with this name, or all; returns how many."""
        lines = [line for line in self._lines if not name or line.name == name]
        for line in lines:
            line.cut()
        return len(lines)

    def silence(self, name: str) -> int:
        """Swallow what the server says on the open connections with this name, for ever; returns how many."""
        lines = [line for line in self._lines if line.name == name]
        for line in lines:
            line.silent = True
        return len(lines)

    def names(self) -> list[str]:
        """Return the names of the open connections."""
        return sorted(line.name for line in self._lines)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Listen for the length of the block."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield self
        finally:
            self._server.close()
            self._passing.set()
            while self._tasks:
                self.cut()
                await asyncio.wait(self._tasks, timeout=0.1)
            await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.refusing:
            Line(writer, writer).cut()
            return
        try:
            server_reader, server_writer = await self._connect()
        except OSError:  # the server is down
            Line(writer, writer).cut()
            return
        line = Line(writer, server_writer)
        self._lines.add(line)
        pumps = [
            asyncio.create_task(self._upwards(line, reader)),
            asyncio.create_task(self._downwards(line, server_reader)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.wait(pumps)
            line.cut()
            self._lines.discard(line)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self._url)
        host = unquote(parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0])
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{parts.port or 5432}")
        return await asyncio.open_connection(host, parts.port or 5432)

    async def _upwards(self, line: Line, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            length = await reader.readexactly(4)
            data = length + await reader.readexactly(struct.unpack("!I", length)[0] - 4)
            line.name = _application_name(data)
            while True:
                await self._passing.wait()
                line.server.write(data)
                await line.server.drain()
                header = await reader.readexactly(5)
                body = await reader.readexactly(struct.unpack("!I", header[1:])[0] - 4)
                line.note(header[:1], body)
                data = header + body

    def _loses(self, name: str, tag: bytes) -> bool:
        if self._losing[name] > 0:
            self._losing[name] -= 1
            return True
        return tag != b"SELECT 0\0" and self._chance.random() < self._shares.get(name, 0)

    async def _downwards(self, line: Line, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                header = await reader.readexactly(5)
                body = await reader.readexactly(struct.unpack("!I", header[1:])[0] - 4)
                if line.silent:
                    continue
                if header[:1] == b"C" and line.asks and self._loses(line.name, body):
                    line.deaf = True
                if header[:1] == b"C" and body == b"COMMIT\0" and self._losing_commits[line.name] > 0:
                    self._losing_commits[line.name] -= 1
                    line.deaf = True
                if line.deaf and header[:1] == b"Z":  # the statement is committed
                    self.lost[line.name] += 1
                    return
                await self._passing.wait()
                if not line.deaf:
                    line.client.write(header + body)
                    await line.client.drain()


def _application_name(startup: bytes) -> str:
    words = startup[8:].split(b"\0")
    return next((v.decode() for k, v in pairwise(words) if k == b"application_name"), "")
