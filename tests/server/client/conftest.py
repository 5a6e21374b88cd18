"""Servers for the client: a real one that can be restarted, a line to it that breaks, made-up ones that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from novel_tasks_core import AttemptContext, LogLevel, Processors, TaskEngine
from novel_tasks_server.app import create_app
from novel_tasks_server.client import Client, UploadOptions
from novel_tasks_server.config import ServerConfig

from ...ports import held_port

TASK_ID = "task-" + "0" * 32
Handler = Callable[[web.Request], Any]


def task(status: str, progress: float = 0) -> dict[str, Any]:
    """Return a task as the server shows it, with a field that this client does not know."""
    known = {"id": TASK_ID, "file_name": "n.txt", "file_size": 3, "status": status, "progress": progress}
    return known | {"priority": 0, "uploaded_at": "2026-01-01T00:00:00Z", "invented_later": True}


@asynccontextmanager
async def serving(routes: Mapping[tuple[str, str], Handler]) -> AsyncIterator[str]:
    """Serve the handlers on the loopback address."""
    app = web.Application()
    for (method, path), handler in routes.items():
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class Site:
    """The real application on a port that stays the same; it can be stopped and started again."""

    def __init__(self, config: ServerConfig, engine: TaskEngine) -> None:
        self._config = config
        self._engine = engine
        self._runner: web.AppRunner | None = None
        self._holder = held_port()
        self._port = self._holder.getsockname()[1]
        self._missed = asyncio.Event()
        self._away: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Serve on the loopback address."""
        self._runner = web.AppRunner(create_app(self._config, engine=self._engine), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_port=True).start()

    async def leave_until_missed(self) -> None:
        """Stop, and come back once somebody has been turned away."""
        await self.stop()
        listener = await asyncio.start_server(self._turn_away, "127.0.0.1", self._port, reuse_port=True)
        self._away = asyncio.create_task(self._come_back(listener))

    def _turn_away(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        self._missed.set()

    async def _come_back(self, listener: asyncio.Server) -> None:
        await self._missed.wait()
        self._missed.clear()
        listener.close()
        await self.start()

    async def stop(self) -> None:
        """Break off whatever is going on, and listen no more."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def close(self) -> None:
        """Give the port back."""
        self._holder.close()


@pytest.fixture
async def site(server_config: ServerConfig, engine: TaskEngine) -> AsyncIterator[Site]:
    """The real server, running."""
    site = Site(server_config, engine)
    await site.start()
    yield site
    await site.stop()
    site.close()


@pytest.fixture
async def remote(site: Site) -> AsyncIterator[Client]:
    """A client of the real server."""
    async with Client(site.url, patience_seconds=30) as client:
        yield client


class Line:
    """A way to a server that breaks: how many bytes each connection brings, up and down, before it is reset.

    Takes from `up` and `down` as connections come; a connection for which there is nothing lasts. `sent` and
    `received` count what got through.
    """

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._server: asyncio.Server | None = None
        self.up: list[int] = []
        self.down: list[int] = []
        self.sent = 0
        self.received = 0
        self.connections = 0

    @property
    def url(self) -> str:
        """The server's address by way of this line."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def open(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)

    async def close(self) -> None:
        """Accept no more."""
        assert self._server is not None
        self._server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there_reader, there_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        up = self.up.pop(0) if self.up else None
        down = self.down.pop(0) if self.down else None
        pumps = [
            asyncio.create_task(self._pump(reader, there_writer, up, self._count_sent)),
            asyncio.create_task(self._pump(there_reader, writer, down, self._count_received)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for each in (writer, there_writer):
            each.transport.abort()
        await asyncio.wait(pumps)

    def _count_sent(self, number: int) -> None:
        self.sent += number

    def _count_received(self, number: int) -> None:
        self.received += number

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        budget: int | None,
        count: Callable[[int], None],
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                if budget is not None:
                    data, budget = data[:budget], budget - len(data)
                writer.write(data)
                await writer.drain()
                count(len(data))
                if budget is not None and budget <= 0:
                    return


@pytest.fixture
async def line(site: Site) -> AsyncIterator[Line]:
    """A line to the real server."""
    line = Line(site.url)
    await line.open()
    yield line
    await line.close()


@pytest.fixture
async def broken(line: Line) -> AsyncIterator[Client]:
    """A client of the real server by way of the line."""
    async with Client(line.url, patience_seconds=30) as client:
        yield client


class Gate:
    """Lets the processor `chatty` go on."""

    def __init__(self) -> None:
        self.open = asyncio.Event()


@pytest.fixture
def gate() -> Gate:
    """What the processor `chatty` waits for in the middle."""
    return Gate()


@pytest.fixture
def processors(gate: Gate) -> Processors:
    """The built-in processors, and one that says much, waits at the gate in the middle, and makes a large file."""
    known = Processors.builtin()

    @known.register("chatty")
    async def chatty(ctx: AttemptContext) -> dict[str, int]:
        for number in range(20):
            level = LogLevel.WARNING if number % 10 == 0 else LogLevel.INFO
            await ctx.log(f"line {number} " + "x" * 200, level=level)
            if number == 10:
                await ctx.progress(0.5, stage="half")
                await gate.open.wait()
        await ctx.save_artifact("large.bin", LARGE, content_type="application/octet-stream")
        return {"lines": 20}

    return known


LARGE = bytes(range(256)) * 8000
"""2 MB."""

Submit = Callable[..., Awaitable[str]]


@pytest.fixture
def submit(remote: Client) -> Submit:
    """Upload something for a processor and return the task's id."""

    async def submit(processor: str = "chatty", content: bytes = b"Once upon a time.") -> str:
        wanted = UploadOptions(processor=processor, on_duplicate="allow")
        return (await remote.upload(content, name="novel.txt", wanted=wanted)).task_id

    return submit
