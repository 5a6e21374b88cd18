"""The server as a whole: it starts, says where, and stops gently and in time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import pytest
from aiohttp import ClientConnectorError, ClientSession, ClientWebSocketResponse, WSCloseCode, WSMsgType
from attrs import define, evolve

from novel_tasks_core import AttemptContext, ConfigError, Processors, TaskEngine, TaskStatus, parse_task_id
from novel_tasks_server.app import serve
from novel_tasks_server.config import ServerConfig

FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def form(text: str, processor: str) -> bytes:
    """Write an upload of a text for a processor."""
    return (
        f'--b\r\nContent-Disposition: form-data; name="processor"\r\n\r\n{processor}\r\n'
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n{text}\r\n--b--\r\n'
    ).encode()


@define
class Serving:
    """A server that runs in this loop: where it is, a client of it, and what `serve` will return."""

    url: str
    session: ClientSession
    stop: asyncio.Event
    ended: asyncio.Task[signal.Signals | None]

    async def submit(self, processor: str, text: str = "text") -> str:
        """Upload a text and return the id of its task."""
        async with self.session.post(
            f"{self.url}/api/v1/tasks/upload", data=form(text, processor), headers=FORM
        ) as made:
            assert made.status == 200, await made.text()
            task_id: str = (await made.json())["task_id"]
            return task_id

    async def follow(self, task_id: str, status: TaskStatus) -> ClientWebSocketResponse:
        """Open a socket and read until the task has the status."""
        socket = await self.session.ws_connect(f"{self.url}/api/v1/ws/tasks/test")
        await socket.send_json({"type": "subscribe", "task_id": task_id})
        while (await socket.receive_json(timeout=60))["status"] != status:
            pass
        return socket


Start = Callable[..., Any]


@pytest.fixture
def go() -> asyncio.Event:
    """Set to let the processor `gated` finish."""
    return asyncio.Event()


@pytest.fixture
def processors(go: asyncio.Event) -> Processors:
    """The built-in processors, and one that waits for `go`."""
    known = Processors.builtin()

    @known.register("gated")
    async def gated(ctx: AttemptContext) -> str:
        await go.wait()
        return "went"

    return known


@pytest.fixture
def start(server_config: ServerConfig, processors: Processors) -> Start:
    """Start a server on a free port for the length of a block; whatever happens, it is stopped."""

    @asynccontextmanager
    async def started(config: ServerConfig | None = None) -> AsyncIterator[Serving]:
        config = config or evolve(server_config, port=0)
        url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        ended = asyncio.create_task(serve(config, processors=processors, on_started=url.set_result, stop=stop))
        async with ClientSession() as session:
            await asyncio.wait((ended, url), timeout=60, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                ended.result()
            try:
                yield Serving(await url, session, stop, ended)
            finally:
                stop.set()
                async with asyncio.timeout(60):
                    await ended

    return started


async def test_it_listens_until_told_to_stop(start: Start) -> None:
    """It answers at the address that it tells, and not after it was stopped."""
    async with start() as serving:
        async with serving.session.get(f"{serving.url}/readyz") as ready:
            assert ready.status == 200
        serving.stop.set()
        assert await serving.ended is None
        with pytest.raises(ClientConnectorError):
            await serving.session.get(f"{serving.url}/readyz")


async def test_sigterm_lets_running_tasks_finish(start: Start, go: asyncio.Event) -> None:
    """While it drains it is alive but not ready, takes nothing new, and tells sockets the end of what they follow."""
    async with asyncio.timeout(60), start() as serving:
        task_id = await serving.submit("gated")
        socket = await serving.follow(task_id, TaskStatus.PROCESSING)
        signal.raise_signal(signal.SIGTERM)
        while True:
            async with serving.session.get(f"{serving.url}/readyz") as ready:
                if ready.status == 503:
                    break
        async with serving.session.post(
            f"{serving.url}/api/v1/tasks/upload", data=form("x", "gated"), headers=FORM
        ) as refused:
            assert (refused.status, "Retry-After" in refused.headers) == (503, True)
        assert not serving.ended.done()
        go.set()
        messages = [message async for message in socket]
        assert [m.json()["status"] for m in messages if m.type is WSMsgType.TEXT][-1] == "completed"
        assert socket.close_code == WSCloseCode.SERVICE_RESTART
        assert await serving.ended is signal.SIGTERM


async def test_what_does_not_finish_within_the_grace_is_handed_back(
    start: Start, server_config: ServerConfig, engine: TaskEngine
) -> None:
    """A task that runs on is stopped, and waits for the next worker as if nothing had failed."""
    config = evolve(server_config, port=0, engine=evolve(server_config.engine, shutdown_grace_seconds=0.2))
    async with asyncio.timeout(60), start(config) as serving:
        task_id = await serving.submit("gated")
        await serving.follow(task_id, TaskStatus.PROCESSING)
        serving.stop.set()
        await serving.ended
    task = await engine.get(parse_task_id(task_id))
    assert (task.status, task.failures) == (TaskStatus.PENDING, 0)


async def test_a_second_signal_skips_the_waiting(start: Start, server_config: ServerConfig, engine: TaskEngine) -> None:
    """Who asks twice does not wait for the grace."""
    config = evolve(server_config, port=0, engine=evolve(server_config.engine, shutdown_grace_seconds=600.0))
    async with asyncio.timeout(60), start(config) as serving:
        task_id = await serving.submit("gated")
        await serving.follow(task_id, TaskStatus.PROCESSING)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert await serving.ended is signal.SIGINT
    assert (await engine.get(parse_task_id(task_id))).status is TaskStatus.PENDING


async def test_an_upload_on_its_way_arrives(start: Start, engine: TaskEngine) -> None:
    """Stopping waits for a body that is being sent, and its task is there afterwards."""
    body = form("on its way", "gated")
    begun, finish = asyncio.Event(), asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield body[:100]
        begun.set()
        await finish.wait()
        yield body[100:]

    async def send(serving: Serving) -> dict[str, Any]:
        async with serving.session.post(f"{serving.url}/api/v1/tasks/upload", data=pieces(), headers=FORM) as made:
            answer: dict[str, Any] = await made.json()
            return answer

    async with asyncio.timeout(60), start() as serving:
        sending = asyncio.create_task(send(serving))
        await begun.wait()
        async with serving.session.get(f"{serving.url}/metrics") as figures:
            assert "uploads_in_progress 1.0" in await figures.text()
        serving.stop.set()
        async with serving.session.get(f"{serving.url}/readyz") as ready:
            assert ready.status == 503
        finish.set()
        made = await sending
    assert (await engine.get(parse_task_id(made["task_id"]))).source is not None


class Relay(Protocol):
    """The way to the database, which the fixture of this name can interrupt."""

    url: str
    cut: Callable[[], Awaitable[None]]
    silence: Callable[[], None]


async def test_stopping_is_bounded_without_a_database(
    start: Start, relay: Relay, server_config: ServerConfig, engine: TaskEngine
) -> None:
    """A task that runs and a socket that is open do not keep a server whose database is gone."""
    settings = evolve(server_config.engine, database_url=relay.url, shutdown_grace_seconds=0.5)
    async with start(evolve(server_config, port=0, engine=settings)) as serving:
        task_id = await serving.submit("gated")
        await serving.follow(task_id, TaskStatus.PROCESSING)
        await relay.cut()
        serving.stop.set()
        async with asyncio.timeout(60):
            await serving.ended


async def test_stopping_is_bounded_with_a_silent_database(
    start: Start, relay: Relay, server_config: ServerConfig, engine: TaskEngine
) -> None:
    """Nor does one that does not answer any more, however patient the settings are with it."""
    settings = evolve(
        server_config.engine,
        database_url=relay.url,
        shutdown_grace_seconds=0.5,
        connect_timeout_seconds=600,
        command_timeout_seconds=600,
    )
    async with start(evolve(server_config, port=0, engine=settings)) as serving:
        task_id = await serving.submit("gated")
        await serving.follow(task_id, TaskStatus.PROCESSING)
        relay.silence()
        serving.stop.set()
        async with asyncio.timeout(60):
            await serving.ended


async def test_a_taken_port_is_named(start: Start, server_config: ServerConfig) -> None:
    """A second server at the same address does not start, and says which setting is wrong."""
    async with start() as serving:
        port = int(serving.url.rpartition(":")[2])
        with pytest.raises(ConfigError, match="already in use") as caught:
            await serve(evolve(server_config, port=port))
        assert caught.value.variable == "API_PORT"


async def test_a_foreign_address_is_named(server_config: ServerConfig) -> None:
    """An address that is not this machine's is a wrong setting."""
    with pytest.raises(ConfigError) as caught:
        await serve(evolve(server_config, host="203.0.113.1", port=0))
    assert caught.value.variable == "API_HOST"


async def test_being_stopped_before_it_started(server_config: ServerConfig) -> None:
    """A server that is told to stop while it starts never listens."""
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(60):
        assert await serve(evolve(server_config, port=0), stop=stop, on_started=pytest.fail) is None
