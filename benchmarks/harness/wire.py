"""Counts statements and round trips on their way to PostgreSQL.

A relay between a program and its server, on a Unix socket, that reads the protocol as it passes. It sees
everything a program sends, on whichever connection, without a hook in the program.
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from attrs import define, field

from novel_tasks_core.storage.queries import load_queries, query_files

_BLOCK = 1 << 16
_PORT = 5432
_EXECUTE, _QUERY, _PARSE, _BIND, _SYNC, _FLUSH = b"EQPBSH"

CLOCKED = frozenset(
    (
        "workers.beat",
        "workers.flags",
        "workers.beats",
        "workers.orphans",
        "workers.overdue",
        "housekeeping.due",
        "housekeeping.roll_up",
        "housekeeping.unused_files",
        "pressure.holders",
        "pressure.dead_rows",
        "pressure.begin_warning",
        "pressure.end_warning",
        "queue.promote",
        "queue.ready_heads",
        "select pg_notify($1, $2)",
        "select pg_listening_channels()",
        "select number, checksum, min_compatible from schema_migratio",
    )
)
"""Statements that the clock alone sets off: a slow machine sees more of them."""


@define
class Traffic:
    """What was sent: how often each statement ran, and the round trips for it.

    Statements go by their name in the project, others by the beginning of their text.
    """

    statements: Counter[str] = field(factory=Counter)
    round_trips: Counter[str] = field(factory=Counter)

    def clear(self) -> None:
        """Begin anew."""
        self.statements.clear()
        self.round_trips.clear()

    def totals(self, *, without: frozenset[str]) -> tuple[int, int]:
        """Return how many statements ran and how many round trips they took, some statements left out."""
        return _total(self.statements, without), _total(self.round_trips, without)


def _total(counter: Counter[str], without: frozenset[str]) -> int:
    return sum(runs for name, runs in counter.items() if name not in without)


class Reader:
    """Reads the messages of one client, however they are cut."""

    def __init__(self, traffic: Traffic, names: Mapping[str, str]) -> None:
        self._traffic = traffic
        self._names = names
        self._buffer = bytearray()
        self._started = False
        self._prepared: dict[bytes, str] = {}
        self._bound: dict[bytes, str] = {}
        self._current = ""

    def feed(self, data: bytes) -> None:
        """Take in the next bytes that the client sent."""
        self._buffer += data
        while (message := self._take()) is not None:
            self._read(*message)

    def _take(self) -> tuple[int, bytes] | None:
        head = 1 if self._started else 0  # the first message has no type
        if len(self._buffer) < head + 4:
            return None
        (length,) = struct.unpack_from("!i", self._buffer, head)
        if len(self._buffer) < head + length:
            return None
        kind = self._buffer[0] if self._started else 0
        body = bytes(self._buffer[head + 4 : head + length])
        del self._buffer[: head + length]
        self._started = True
        return kind, body

    def _read(self, kind: int, body: bytes) -> None:
        if kind == _PARSE:
            name, text, _ = body.split(b"\0", 2)
            self._current = self._prepared[name] = self._named(text)
        elif kind == _BIND:
            portal, name, _ = body.split(b"\0", 2)
            self._current = self._bound[portal] = self._prepared[name]
        elif kind == _EXECUTE:
            self._traffic.statements[self._bound[body.split(b"\0", 1)[0]]] += 1
        elif kind == _QUERY:
            self._current = self._named(body.rstrip(b"\0"))
            self._traffic.statements[self._current] += 1
        if kind in (_QUERY, _SYNC, _FLUSH):
            self._traffic.round_trips[self._current] += 1

    def _named(self, text: bytes) -> str:
        decoded = text.decode()
        return self._names.get(decoded) or _shortened(decoded)


def _shortened(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" ;").lower()[:60]


def project_statements() -> dict[str, str]:
    """Return the name of each statement of the project by its text."""
    return {text: f"{file}.{name}" for file in query_files() for name, text in load_queries(file).items()}


@asynccontextmanager
async def counted(url: str, *, folder: Path) -> AsyncIterator[tuple[str, Traffic]]:
    """Relay to the server of `url` for the length of the block; yields the URL to use instead, and the counters.

    `folder` takes the socket: its path must be short.
    """
    traffic, names = Traffic(), project_statements()
    clients: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        clients.add(task)
        try:
            await _relay((reader, writer), await _upstream(url), Reader(traffic, names))
        finally:
            clients.discard(task)

    relay = await asyncio.start_unix_server(accept, folder / f".s.PGSQL.{_PORT}")
    try:
        yield urlunsplit(urlsplit(url)._replace(netloc=_user(url), query=f"host={quote(str(folder))}")), traffic
    finally:
        relay.close()
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _user(url: str) -> str:
    """Return the user part of a URL, without the host."""
    user, at, _ = urlsplit(url).netloc.rpartition("@")
    return user + at


async def _upstream(url: str) -> Stream:
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])[0]
    port = parts.port or _PORT
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


async def _relay(client: Stream, upstream: Stream, reader: Reader) -> None:
    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, *, reads: bool) -> None:
        while data := await source.read(_BLOCK):
            if reads:
                reader.feed(data)
            target.write(data)
            await target.drain()

    try:
        ways = (
            asyncio.create_task(pass_on(client[0], upstream[1], reads=True)),
            asyncio.create_task(pass_on(upstream[0], client[1], reads=False)),
        )
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                with suppress(ConnectionError):  # one side went away: the other is told below
                    way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
    finally:
        client[1].close()
        upstream[1].close()
