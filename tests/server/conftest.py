"""The application on a real socket, with a real engine on a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse, FormData, web
from aiohttp.test_utils import TestClient, TestServer

from novel_tasks_core import EngineConfig, TaskEngine
from novel_tasks_core.engine import operating
from novel_tasks_server.access import gate
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.routes import health, previews, queue, system

from ..ports import held_port

Client = TestClient[web.Request, web.Application]
Upload = Callable[..., Awaitable[ClientResponse]]

MAX_FILE_SIZE = 200_000


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be given up, or be asked again, because the machine is busy; what a test wants sooner, it says."""
    for module, name in (
        (gate, "_PATIENCE_SECONDS"),
        (health, "_QUEUE_SECONDS"),
        (operating, "_HEALTH_SECONDS"),
        (previews, "PREVIEW_SECONDS"),
        (queue, "_HISTORY_SECONDS"),
        (system, "_SYSTEM_SECONDS"),
        (system, "_PATIENCE_SECONDS"),
        (system, "_DISK_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 60.0)


@pytest.fixture
def server_config(engine_config: EngineConfig) -> ServerConfig:
    """Settings with a small limit on files, and tasks that nobody runs unless told."""
    return ServerConfig(
        engine=engine_config,
        max_file_size=MAX_FILE_SIZE,
        default_processor="external",
        cors_origins=("https://friend.example",),
    )


@pytest.fixture
def app(server_config: ServerConfig, engine: TaskEngine) -> web.Application:
    """The application, on the engine of the test."""
    return create_app(server_config, engine=engine)


@pytest.fixture
async def client(app: web.Application) -> AsyncIterator[Client]:
    """A client of the application."""
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def upload(client: Client) -> Upload:
    """Upload bytes as a form: `data`, `name`, and any text fields, before or after the file."""

    async def send(
        data: bytes = b"Once upon a time.",
        name: str = "novel.txt",
        *,
        after: dict[str, str] | None = None,
        **before: str,
    ) -> ClientResponse:
        form = FormData(quote_fields=False)
        for field, text in before.items():
            form.add_field(field, text)
        form.add_field("file", data, filename=name, content_type="application/octet-stream")
        for field, text in (after or {}).items():
            form.add_field(field, text)
        return await client.post("/api/v1/tasks/upload", data=form)

    return send


@pytest.fixture
def make_task(upload: Upload) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Upload something and return the answer; the arguments are those of `upload`."""

    async def make(*args: Any, **kwargs: Any) -> dict[str, Any]:
        response = await upload(*args, **kwargs)
        assert response.status == 200, await response.text()
        made: dict[str, Any] = await response.json()
        return made

    return make


@pytest.fixture
def stored_files(engine: TaskEngine) -> Callable[[], list[Path]]:
    """List all files in the engine's store, half-written ones too."""
    return lambda: [path for path in engine.config.files.rglob("*") if path.is_file()]


class Relay:
    """A way to the database that can be interrupted: bytes pass through a socket of our own."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._server: asyncio.Server | None = None
        self._holder = held_port()
        self._port = self._holder.getsockname()[1]
        self._writers: set[asyncio.StreamWriter] = set()
        self._silent = False

    @property
    def url(self) -> str:
        """The URL of the database by way of this relay."""
        return f"postgresql://{self._target.username or 'postgres'}@127.0.0.1:{self._port}{self._target.path}"

    def silence(self) -> None:
        """Pass nothing on any more, and tell nobody: until it is cut and restored."""
        self._silent = True

    async def restore(self) -> None:
        """Accept connections, again at the same port."""
        self._silent = False
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self._port, reuse_port=True)

    async def cut(self) -> None:
        """Break every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()

    def close(self) -> None:
        """Give the port back."""
        self._holder.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await self._dial()
        self._writers |= {writer, there_writer}
        try:
            await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
        finally:
            self._writers -= {writer, there_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if self._silent:
                    continue
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = parse_qs(self._target.query).get("host")
        if folder:
            return await asyncio.open_unix_connection(f"{folder[0]}/.s.PGSQL.{self._target.port or 5432}")
        return await asyncio.open_connection(self._target.hostname, self._target.port)


@pytest.fixture
async def relay(database_url: str) -> AsyncIterator[Relay]:
    """A relay to the test's own database."""
    relay = Relay(database_url)
    await relay.restore()
    yield relay
    await relay.cut()
    relay.close()
