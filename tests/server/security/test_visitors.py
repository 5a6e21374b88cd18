"""Sockets and streams end when the token ends by which they were opened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

import pytest
from aiohttp import ClientPayloadError, ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient, TestServer
from attrs import evolve
from structlog.testing import capture_logs

from novel_tasks_core import TaskEngine
from novel_tasks_server.access import gate
from novel_tasks_server.app import create_app, visitors
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.live.hub import HUB

Client = Any
MakeToken = Callable[..., Awaitable[dict[str, str]]]
SOCKETS = "/api/v1/ws/tasks/c"
V1 = ("novel-tasks.v1",)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask visitors all the time, and believe nothing for long."""
    monkeypatch.setattr(visitors, "INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(gate, "FRESH_SECONDS", 0.01)


async def close_code(socket: ClientWebSocketResponse) -> int | None:
    """Read until the server says goodbye; return with which code."""
    async with asyncio.timeout(20):
        while (await socket.receive()).type is WSMsgType.TEXT:
            pass
    return socket.close_code


async def test_a_revoked_token_takes_its_sockets_and_streams_along(
    closed: Client, make_token: MakeToken, engine: TaskEngine
) -> None:
    """Sockets of both protocols get 4401, a stream ends; those of others stay."""
    ann, bob = await make_token("ann"), await make_token("bob")
    older = await closed.ws_connect(SOCKETS, headers=ann)
    newer = await closed.ws_connect(SOCKETS, headers=ann, protocols=V1)
    stream = await closed.get("/api/v1/events", headers=ann)
    other = await closed.ws_connect(SOCKETS, headers=bob)
    hers = next(one for one in await engine.tokens.list() if one.owner == "ann")
    await engine.tokens.revoke(hers.id)
    assert await close_code(older) == await close_code(newer) == 4401
    async with asyncio.timeout(20):
        with suppress(ClientPayloadError):
            await stream.content.read()
    await other.send_json({"type": "ping"})
    assert await other.receive_json(timeout=10) == {"type": "pong"}
    await other.close()


async def test_the_first_token_ends_what_was_opened_without_one(client: Client, make_token: MakeToken) -> None:
    """A socket that was opened while nobody needed a token does not outlast that."""
    socket = await client.ws_connect(SOCKETS)
    await socket.send_json({"type": "ping"})
    assert await socket.receive_json(timeout=10) == {"type": "pong"}
    await make_token("ann")
    assert await close_code(socket) == 4401


class Relay(Protocol):
    """The way to the database, which the fixture of this name can interrupt."""

    url: str
    cut: Callable[[], Awaitable[None]]
    restore: Callable[[], Awaitable[None]]


async def test_without_a_database_visitors_stay(
    relay: Relay, server_config: ServerConfig, make_token: MakeToken, engine: TaskEngine
) -> None:
    """An outage parts with nobody; when it is over, what was revoked meanwhile ends."""
    header = await make_token("ann")
    settings = evolve(
        server_config.engine, database_url=relay.url, connect_timeout_seconds=0.3, command_timeout_seconds=0.5
    )
    config = evolve(server_config, engine=settings, host="0.0.0.0", runs_worker=False)
    with capture_logs() as lines:
        async with TestClient(TestServer(create_app(config))) as client:
            socket = await client.ws_connect(SOCKETS, headers=header)
            await relay.cut()
            async with asyncio.timeout(20):
                while not any(line["event"] == "visitors_not_checked" for line in lines):
                    await client.get("/livez")
            await socket.send_json({"type": "ping"})
            assert await socket.receive_json(timeout=10) == {"type": "pong"}
            assert client.app is not None
            assert client.app[HUB].connections == 1
            (hers,) = await engine.tokens.list()
            await engine.tokens.revoke(hers.id)
            await relay.restore()
            assert await close_code(socket) == 4401
