"""Sockets and streams that are open: they last no longer than the token that opened them, and are not too many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestClient

from novel_tasks_core import ApiToken, ApiTokens, DatabaseUnavailableError, TaskEngine
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.live import doorkeeper, looking

Client = TestClient[web.Request, web.Application]
Connect = Callable[..., Awaitable[Client]]
MakeToken = Callable[..., Awaitable[dict[str, str]]]
Expire = Callable[[str, datetime], Awaitable[None]]

SOCKET = "/api/v1/ws/tasks/c"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at tokens many times a second."""
    monkeypatch.setattr(doorkeeper, "RECHECK_SECONDS", 0.05)


async def revoke(engine: TaskEngine, headers: dict[str, str]) -> None:
    """Revoke the token of a header."""
    token = await engine.tokens.find(headers["Authorization"].removeprefix("Bearer "))
    assert token is not None
    await engine.tokens.revoke(token.id)


async def goodbye(socket: ClientWebSocketResponse) -> int:
    """Wait until the socket is closed, and return the code."""
    while (message := await socket.receive(timeout=60)).type is WSMsgType.TEXT:
        pass
    assert message.type is WSMsgType.CLOSE, message
    code: int = message.data
    return code


@pytest.mark.parametrize("protocols", [(), ("novel-tasks.v1",)])
async def test_revoking_a_token_closes_its_sockets_alone(
    closed: Client, engine: TaskEngine, make_token: MakeToken, protocols: tuple[str, ...]
) -> None:
    """4401 follows soon; sockets of other tokens of the same owner stay."""
    kept, revoked = await make_token("ann"), await make_token("ann")
    staying = await closed.ws_connect(SOCKET, headers=kept, protocols=protocols)
    leaving = [await closed.ws_connect(SOCKET, headers=revoked, protocols=protocols) for _ in range(3)]
    await revoke(engine, revoked)
    assert [await goodbye(socket) for socket in leaving] == [4401] * 3
    await staying.send_json({"type": "ping"})
    while (await staying.receive_json(timeout=60))["type"] != "pong":
        pass


async def test_an_expired_token_closes_its_sockets(closed: Client, make_token: MakeToken, expire: Expire) -> None:
    """The end of a token is the end of what it opened."""
    late = datetime.now(UTC) + timedelta(hours=1)
    socket = await closed.ws_connect(SOCKET, headers=await make_token("ann", expires_at=late))
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    await expire("ann", soon)
    assert await goodbye(socket) == 4401
    assert datetime.now(UTC) >= soon


async def test_a_token_may_come_as_a_subprotocol(closed: Client, make_token: MakeToken) -> None:
    """A page offers it beside ours; it is not chosen, and not sent back."""
    secret = (await make_token("ann"))["Authorization"].removeprefix("Bearer ")
    socket = await closed.ws_connect(SOCKET, protocols=("novel-tasks.v1", f"bearer.{secret}"))
    assert socket.protocol == "novel-tasks.v1"
    hello = await socket.receive_json(timeout=60)
    assert (hello["owner"], hello["scopes"]) == ("ann", ["tasks:read", "tasks:write"])
    older = await closed.ws_connect(SOCKET, protocols=(f"bearer.{secret}",))
    assert older.protocol is None


async def test_revoking_a_token_ends_its_streams(closed: Client, engine: TaskEngine, make_token: MakeToken) -> None:
    """A stream ends, and coming back is refused."""
    headers = {**await make_token("ann"), "Accept": "text/event-stream"}
    async with closed.get("/api/v1/events", headers=headers) as response, asyncio.timeout(60):
        assert response.status == 200
        await revoke(engine, headers)
        await response.content.read()
    async with asyncio.timeout(60):
        while (await closed.get("/api/v1/events", headers=headers)).status != 401:  # some time it is remembered
            pass


async def test_the_first_token_closes_what_was_open_to_everybody(
    connect: Connect, server_config: ServerConfig, engine: TaskEngine, make_token: MakeToken
) -> None:
    """Sockets of nobody were those of an admin: they do not outlast the moment when tokens are wanted."""
    open_to_all = await connect(server_config)
    socket = await open_to_all.ws_connect(SOCKET)
    await make_token("root", "admin")
    assert await goodbye(socket) == 4401


async def test_a_token_that_may_do_less_closes_its_sockets(
    closed: Client, make_token: MakeToken, database_url: str
) -> None:
    """4403 when the token is good, but not for this."""
    socket = await closed.ws_connect(SOCKET, headers=await make_token("ann"))
    connection = await asyncpg.connect(database_url)
    await connection.execute("update api_tokens set scopes = array['tasks:write'] where owner = 'ann'")
    await connection.close()
    assert await goodbye(socket) == 4403


async def test_a_database_that_is_away_closes_nobody(
    closed: Client, make_token: MakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever cannot be checked stays until they can."""
    asked = asyncio.Event()

    async def away(tokens: Any, secret: str) -> None:
        asked.set()
        raise DatabaseUnavailableError("away")

    socket = await closed.ws_connect(SOCKET, headers=await make_token("ann"))
    monkeypatch.setattr("novel_tasks_core.engine.tokens.ApiTokens.find", away)
    async with asyncio.timeout(60):
        for _ in range(3):
            asked.clear()
            await asked.wait()
    await socket.send_json({"type": "ping"})
    assert (await socket.receive_json(timeout=60))["type"] == "pong"


async def test_an_error_that_nobody_foresaw_ends_no_checking(
    closed: Client, engine: TaskEngine, make_token: MakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that fails is followed by others, and a token that is revoked then closes its sockets."""
    find, stumbled = ApiTokens.find, asyncio.Event()

    async def stumbling(tokens: ApiTokens, secret: str) -> ApiToken | None:
        if not stumbled.is_set():
            stumbled.set()
            raise RuntimeError("nobody foresaw this")
        return await find(tokens, secret)

    headers = await make_token("ann")
    socket = await closed.ws_connect(SOCKET, headers=headers)
    monkeypatch.setattr(looking, "_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(ApiTokens, "find", stumbling)
    async with asyncio.timeout(60):
        await stumbled.wait()
    await revoke(engine, headers)
    assert await goodbye(socket) == 4401


async def test_one_token_opens_so_many_and_no_more(
    closed: Client, make_token: MakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One socket too many is closed with 4429, one stream too many refused with 429; others' tokens have their own."""
    monkeypatch.setattr(doorkeeper, "MAX_GUESTS", 2)
    headers = await make_token("ann")
    first, _ = [await closed.ws_connect(SOCKET, headers=headers) for _ in range(2)]
    assert await goodbye(await closed.ws_connect(SOCKET, headers=headers)) == 4429
    response = await closed.get("/api/v1/events", headers={**headers, "Accept": "text/event-stream"})
    assert response.status == 429
    other = await closed.ws_connect(SOCKET, headers=await make_token("bob"))
    await other.send_json({"type": "ping"})
    assert (await other.receive_json(timeout=60))["type"] == "pong"
    await first.close()
    async with asyncio.timeout(60):
        while (await closed.get("/api/v1/events", headers=headers)).status == 429:
            pass
