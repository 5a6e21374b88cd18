"""A server that wants tokens: it believes that other machines can reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from ipaddress import ip_network
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from attrs import evolve

from novel_tasks_core import TaskEngine
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig

Client = TestClient[web.Request, web.Application]
Connect = Callable[..., Awaitable[Client]]
MakeToken = Callable[..., Awaitable[dict[str, str]]]
Expire = Callable[[str, datetime], Awaitable[None]]

JWT_SECRET = "kK3-8fGq_nD0pZs5vY7xWb2eRt9uHc4m"
AUDIENCE, ISSUER = "novel-tasks-test", "https://issuer.example"


@pytest.fixture
def closed_config(server_config: ServerConfig) -> ServerConfig:
    """Settings of a server that other machines reach; a proxy on this machine says for whom it speaks."""
    return evolve(server_config, host="0.0.0.0", trusted_proxies=(ip_network("127.0.0.1"),))


@pytest.fixture
def jwt_config(closed_config: ServerConfig) -> ServerConfig:
    """Settings of a server that takes JWTs too."""
    return evolve(closed_config, jwt_algorithm="HS256", jwt_key=JWT_SECRET, jwt_audience=AUDIENCE, jwt_issuer=ISSUER)


@pytest.fixture
async def connect(engine: TaskEngine) -> AsyncIterator[Connect]:
    """Start an application with these settings on the engine of the test, and return a client of it."""
    clients: list[Client] = []

    async def start(config: ServerConfig) -> Client:
        client: Client = TestClient(TestServer(create_app(config, engine=engine)))
        clients.append(client)
        await client.start_server()
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
def make_token(engine: TaskEngine) -> MakeToken:
    """Make a token for an owner and return the header that shows it."""

    async def make(owner: str = "ann", *scopes: str, **more: Any) -> dict[str, str]:
        secret, _ = await engine.tokens.create(owner=owner, scopes=scopes or ("tasks:read", "tasks:write"), **more)
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
def expire(database_url: str) -> Expire:
    """Let the tokens of an owner end at a moment."""

    async def change(owner: str, moment: datetime) -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("update api_tokens set expires_at = $2 where owner = $1", owner, moment)
        await connection.close()

    return change


@pytest.fixture
async def closed(connect: Connect, closed_config: ServerConfig, make_token: MakeToken) -> Client:
    """A client of a server that wants tokens, for which there is one of an admin."""
    await make_token("root", "admin")
    return await connect(closed_config)
