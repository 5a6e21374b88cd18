"""Two servers on one database: a socket on one is told at once what happens on the other."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import attrs
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, web

from novel_tasks_core import EngineConfig, TaskEngine, TaskStatus, format_task_id
from novel_tasks_core.engine import watching
from novel_tasks_core.storage import doorbell
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig

from ..core.support import eventually
from ..server.live.talking import V1, followed, told
from .proxy import Proxy

LISTEN = "novel-tasks listen"
Serve = Callable[[EngineConfig], Awaitable[tuple[TaskEngine, str]]]


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Start a server with an engine of its own; return that and the server's URL."""
    async with AsyncExitStack() as stack:

        async def start(config: EngineConfig) -> tuple[TaskEngine, str]:
            engine = await stack.enter_async_context(TaskEngine.open(config))
            runner = web.AppRunner(create_app(ServerConfig(engine=config, default_processor="external"), engine=engine))
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return engine, f"http://127.0.0.1:{runner.addresses[0][1]}"

        yield start


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A session of HTTP."""
    async with ClientSession() as session:
        yield session


async def follow(session: ClientSession, url: str, task_id: str) -> ClientWebSocketResponse:
    """Open a socket that follows a task."""
    socket = await session.ws_connect(f"{url}/api/v1/ws/tasks/c", protocols=V1)
    assert (await told(socket))["type"] == "hello"
    await followed(socket, task_id)
    return socket


async def delays(engine: TaskEngine, session: ClientSession, url: str, *, rounds: int) -> list[float]:
    """Let a task go round by way of `engine`; return in how many seconds a socket at `url` heard of each step."""
    task = await engine.submit(processor="external")
    socket = await follow(session, url, format_task_id(task.id))
    took = []
    for _ in range(rounds):
        for status, kind in ((TaskStatus.PROCESSING, "started"), (TaskStatus.FAILED, "failed")):
            began = time.perf_counter()
            await engine.report(task.id, status=status)
            while (await told(socket)).get("kind") != kind:
                pass
            took.append(time.perf_counter() - began)
        began = time.perf_counter()
        await engine.requeue(task.id)
        while (await told(socket)).get("kind") != "requeued":
            pass
    await socket.close()
    return took


async def test_a_socket_hears_at_once_of_another_server(
    serve: Serve, engine_config: EngineConfig, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What server B does, a socket on server A is told long before A would look by itself."""
    monkeypatch.setattr(watching, "LOOK_SECONDS", 3600.0)
    _, here = await serve(engine_config)
    other, _ = await serve(engine_config)
    took = await delays(other, session, here, rounds=6)
    assert min(took) < 0.25  # the others may wait for a busy machine


async def test_without_the_doorbell_it_is_only_later(
    serve: Serve, engine_config: EngineConfig, session: ClientSession, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Server A is deaf to notifications: its sockets hear all the same, when it looks by itself.

    That a finished task went round again they hear once A has found out that it is deaf.
    """
    monkeypatch.setattr(doorbell, "_CHECK_SECONDS", 3.0)
    _, here = await serve(attrs.evolve(engine_config, database_url=proxy.url, command_timeout_seconds=3.0))
    other, _ = await serve(engine_config)

    async def hears() -> bool:
        return LISTEN in proxy.names()

    await eventually(hears)
    assert proxy.silence(LISTEN) == 1
    took = await delays(other, session, here, rounds=1)
    assert max(took) > 0.3
