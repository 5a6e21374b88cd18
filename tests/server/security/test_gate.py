"""When a server wants tokens, and which of them it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from aiohttp import WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer
from attrs import evolve

from novel_tasks_core import ApiTokens, TaskEngine
from novel_tasks_server.access import gate
from novel_tasks_server.app import create_app
from novel_tasks_server.config import Environment, ServerConfig

Client = Any
Connect = Callable[..., Awaitable[Client]]
MakeToken = Callable[..., Awaitable[dict[str, str]]]
Expire = Callable[[str, datetime], Awaitable[None]]
TASKS = "/api/v1/tasks"
SOCKET = "/api/v1/ws/tasks/c"
OPEN_ROUTES = ("/", "/health", "/livez", "/readyz")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what the database said of tokens be believed for no time at all."""
    monkeypatch.setattr(gate, "FRESH_SECONDS", 0.0)


async def until_status(client: Client, status: int, headers: dict[str, str] | None = None) -> None:
    """Ask again and again until the answer has this status, a minute at most."""
    async with asyncio.timeout(60):
        while (await client.get(TASKS, headers=headers)).status != status:
            pass


async def test_a_server_of_its_own_machine_is_open(client: Client) -> None:
    """On loopback, while nobody was given a token, none is wanted."""
    assert (await client.get(TASKS)).status == 200
    assert (await client.get(TASKS, headers={"Authorization": "Bearer whatever"})).status == 200


async def test_a_token_from_another_process_closes_an_open_server(
    client: Client, engine: TaskEngine, impatient: None
) -> None:
    """Without a restart it wants tokens once there is one, also an expired one, and opens when all are revoked."""
    assert (await client.get(TASKS)).status == 200
    async with ApiTokens.open(engine.config) as elsewhere:
        secret, token = await elsewhere.create(owner="ann", scopes=["tasks:read"])
        await until_status(client, 401)
        assert (await client.get(TASKS, headers={"Authorization": f"Bearer {secret}"})).status == 200
        await elsewhere.revoke(token.id)
    await until_status(client, 200)


async def test_what_a_proxy_passes_on_is_not_from_this_machine(client: Client) -> None:
    """A server that is open to its own machine is not open to those whom a proxy lets through."""
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        for said in ("203.0.113.9", "127.0.0.1", ""):
            assert (await client.get(TASKS, headers={header: said})).status == 401


async def test_a_revoked_token_is_refused_within_seconds(
    closed: Client, make_token: MakeToken, engine: TaskEngine, impatient: None
) -> None:
    """A token that worked works no more soon after it was revoked, wherever that was done."""
    token = await make_token("ann")
    assert (await closed.get(TASKS, headers=token)).status == 200
    (mine,) = [one for one in await engine.tokens.list() if one.owner == "ann"]
    await engine.tokens.revoke(mine.id)
    await until_status(closed, 401, token)


async def test_an_expired_token_is_refused(
    closed: Client, make_token: MakeToken, expire: Expire, impatient: None
) -> None:
    """A token works until its time and not after it."""
    token = await make_token("ann", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert (await closed.get(TASKS, headers=token)).status == 200
    await expire("ann", datetime.now(UTC) + timedelta(seconds=0.1))
    await until_status(closed, 401, token)


async def test_without_a_token_the_answer_says_what_is_wanted(closed: Client, make_token: MakeToken) -> None:
    """RFC 6750: 401 without an error code, with one for a bad token, and 403 with the scope that is missing."""
    missing = await closed.get(TASKS)
    assert (missing.status, missing.content_type) == (401, "application/problem+json")
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="novel-tasks"'
    basic = await closed.get(TASKS, headers={"Authorization": "Basic dTpw"})
    assert (basic.status, basic.headers["WWW-Authenticate"]) == (401, 'Bearer realm="novel-tasks"')
    bad = await closed.get(TASKS, headers={"Authorization": "Bearer nt_" + "A" * 43})
    assert (bad.status, bad.headers["WWW-Authenticate"]) == (401, 'Bearer realm="novel-tasks", error="invalid_token"')
    reader = await make_token("ann", "tasks:read")
    refused = await closed.delete(f"{TASKS}/task-{'0' * 32}", headers=reader)
    assert refused.status == 403
    assert refused.headers["WWW-Authenticate"].endswith('error="insufficient_scope", scope="tasks:write"')


async def test_open_routes_look_at_no_token(closed: Client) -> None:
    """Health and the page answer anybody, with any token or none."""
    for path in OPEN_ROUTES:
        for headers in ({}, {"Authorization": "Bearer rubbish"}, {"Authorization": "Bearer a.b.c"}):
            assert (await closed.get(path, headers=headers)).status == 200


async def test_the_metrics_are_for_this_machine_and_for_admins(closed: Client, make_token: MakeToken) -> None:
    """From elsewhere they need the scope admin."""
    outside = {"X-Forwarded-For": "203.0.113.9"}
    assert (await closed.get("/metrics")).status == 200
    assert (await closed.get("/metrics", headers=outside)).status == 401
    assert (await closed.get("/metrics", headers=outside | await make_token("ann"))).status == 403
    assert (await closed.get("/metrics", headers=outside | await make_token("ops", "admin"))).status == 200


async def test_a_token_in_the_url_is_none(closed: Client, make_token: MakeToken) -> None:
    """Tokens are taken from the header, never from a query, a form or a cookie."""
    secret = (await make_token("root", "admin"))["Authorization"].removeprefix("Bearer ")
    for name in ("token", "access_token", "api_key"):
        assert (await closed.get(TASKS, params={name: secret})).status == 401
        assert (await closed.get(TASKS, headers={"Cookie": f"{name}={secret}"})).status == 401


async def test_a_socket_may_bring_its_token_as_a_subprotocol(closed: Client, make_token: MakeToken) -> None:
    """Pages cannot set headers on a socket; the token is not echoed, and two tokens are none."""
    header = await make_token("ann")
    secret = header["Authorization"].removeprefix("Bearer ")
    socket = await closed.ws_connect(SOCKET, protocols=("novel-tasks.v1", f"bearer.{secret}"))
    assert secret not in (socket.protocol or "")
    await socket.close()
    await (await closed.ws_connect(SOCKET, headers=header)).close()
    for protocols, headers in (
        ((), {}),
        (("bearer.",), {}),
        ((f"bearer.{secret}x",), {}),
        ((f"bearer.{secret}",), header),
    ):
        with pytest.raises(WSServerHandshakeError) as caught:
            await closed.ws_connect(SOCKET, protocols=protocols, headers=headers)
        assert caught.value.status == 401
    plain = await closed.get(TASKS, headers={"Sec-WebSocket-Protocol": f"bearer.{secret}"})
    assert plain.status == 401


class Relay(Protocol):
    """The way to the database, which the fixture of this name can interrupt."""

    url: str
    cut: Callable[[], Awaitable[None]]


@pytest.fixture
async def relayed(relay: Relay, server_config: ServerConfig) -> ServerConfig:
    """Settings of a server that reaches its database by the relay."""
    settings = evolve(server_config.engine, database_url=relay.url)
    return evolve(server_config, engine=settings, runs_worker=False)


async def test_without_a_database_nothing_is_open(
    relay: Relay, relayed: ServerConfig, engine: TaskEngine, impatient: None
) -> None:
    """A server that cannot ask whether tokens are wanted, or good, answers 503 to everything that needs one."""
    async with TestClient(TestServer(create_app(relayed))) as client:
        assert (await client.get(TASKS)).status == 200
        await relay.cut()
        for path in (TASKS, "/api/v1/tokens", f"{TASKS}/statistics"):
            answer = await client.get(path)
            assert (answer.status, "Retry-After" in answer.headers) == (503, True)
        with pytest.raises(WSServerHandshakeError) as caught:
            await client.ws_connect(SOCKET)
        assert caught.value.status == 503


async def test_a_token_that_is_known_costs_no_query(
    relay: Relay, relayed: ServerConfig, make_token: MakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the time for which it is believed, a token is good without the database being asked."""
    monkeypatch.setattr(gate, "FRESH_SECONDS", 60.0)
    headers = {"X-Forwarded-For": "203.0.113.9"} | await make_token("ops", "admin")
    stranger = {"X-Forwarded-For": "203.0.113.9"} | await make_token("ops", "admin")
    async with TestClient(TestServer(create_app(evolve(relayed, host="0.0.0.0")))) as client:
        assert (await client.get("/metrics", headers=headers)).status == 200
        await relay.cut()
        assert (await client.get("/metrics", headers=headers)).status == 200
        assert (await client.get("/metrics", headers=stranger)).status == 503


async def test_tokens_are_remembered_in_bounded_memory(
    closed: Client, make_token: MakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tokens come, only so many are kept, and wrong ones not at all."""
    monkeypatch.setattr(gate, "MAX_REMEMBERED", 3)
    door = closed.app[gate.GATE]
    for _ in range(5):
        assert (await closed.get(TASKS, headers=await make_token("ann"))).status == 200
        assert (await closed.get(TASKS, headers={"Authorization": "Bearer nt_" + "A" * 43})).status == 401
    assert len(door._remembered) == 3


async def test_a_server_for_other_machines_makes_its_first_token(
    connect: Connect, closed_config: ServerConfig, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It is printed once, on stderr, is in no log, and lets its bearer do everything; a restart prints none."""
    client = await connect(closed_config)
    lines = [line for line in capfd.readouterr().err.splitlines() if "nt_" in line]
    assert len(lines) == 1
    secret = lines[0].rpartition(" ")[2]
    assert (await client.get(TASKS)).status == 401
    assert (await client.get("/api/v1/tokens", headers={"Authorization": f"Bearer {secret}"})).status == 200
    assert secret not in caplog.text
    await connect(closed_config)
    assert "nt_" not in capfd.readouterr().err


async def test_production_prints_no_token(
    connect: Connect, closed_config: ServerConfig, engine: TaskEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    """There it starts shut, and opens to whoever is given a token on the command line."""
    client = await connect(evolve(closed_config, environment=Environment.PRODUCTION))
    assert "nt_" not in capfd.readouterr().err
    assert await engine.tokens.list() == []
    assert (await client.get(TASKS)).status == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("127.0.0.1", 200), ("localhost", 200), ("LocalHost", 200), ("127.9.8.7", 200), ("::1", 200)),
        *(("0.0.0.0", 401), ("::", 401), ("192.0.2.1", 401), ("novels.example", 401), ("localhost.evil.example", 401)),
    ],
)
async def test_only_loopback_is_open(connect: Connect, server_config: ServerConfig, host: str, status: int) -> None:
    """An address that other machines may reach wants tokens; so does a name that may be any address."""
    client = await connect(evolve(server_config, host=host))
    assert (await client.get(TASKS)).status == status


async def test_a_good_token_may_come_many_times_at_once(closed: Client, make_token: MakeToken) -> None:
    """A program that begins with many requests at once is not taken for one that guesses."""
    ann = await make_token("ann")
    statuses = await asyncio.gather(*(_status(closed, ann) for _ in range(60)))
    assert set(statuses) == {200}


async def test_a_wrong_token_shown_again_and_again_is_a_guess_each_time(closed: Client) -> None:
    """Answers are shared only among those who ask at the same moment."""
    wrong = {"Authorization": "Bearer nt_" + "x" * 43}
    statuses = [await _status(closed, wrong) for _ in range(25)]
    assert (statuses[0], statuses[-1]) == (401, 429)


async def _status(client: Client, headers: dict[str, str]) -> int:
    async with client.get(TASKS, headers=headers) as response:
        status: int = response.status
        return status
