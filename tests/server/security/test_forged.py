"""Forged tokens: whatever is tried, none is accepted, and none makes the server fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from attrs import evolve
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from novel_tasks_core import TaskEngine
from novel_tasks_server.config import ServerConfig

from .conftest import AUDIENCE, ISSUER, JWT_SECRET
from .forging import World, forgeries

Client = Any
Connect = Callable[..., Awaitable[Client]]
TASKS = "/api/v1/tasks"


def rsa_pair() -> tuple[str, str]:
    """Return a private and its public key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.fixture(scope="module")
def hmac_world() -> World:
    """Tokens are signed with a shared secret."""
    return World(audience=AUDIENCE, issuer=ISSUER, algorithm="HS256", secret=JWT_SECRET)


@pytest.fixture(scope="module")
def rsa_world() -> World:
    """Tokens are signed with a private key; the server, and every forger, have the public one."""
    private, public = rsa_pair()
    return World(
        audience=AUDIENCE, issuer=ISSUER, algorithm="RS256", secret=private, public=public, other_private=rsa_pair()[0]
    )


@pytest.fixture(params=["hmac_world", "rsa_world"])
def world(request: pytest.FixtureRequest) -> World:
    """Each way of signing."""
    made: World = request.getfixturevalue(request.param)
    return made


@pytest.fixture
async def guarded(connect: Connect, jwt_config: ServerConfig, world: World) -> Client:
    """A client of a server that takes the JWTs of this world."""
    key = world.public.replace("\n", "\\n") if world.public else world.secret
    return await connect(evolve(jwt_config, jwt_algorithm=world.algorithm, jwt_key=key))


async def raw_status(client: Client, *lines: bytes) -> int:
    """Send a request with these header lines, byte for byte, and return the status of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    try:
        head = b"GET " + TASKS.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        writer.write(head + b"".join(line + b"\r\n" for line in lines) + b"\r\n")
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()
        await writer.wait_closed()


async def test_no_forged_token_is_accepted(guarded: Client, world: World, engine: TaskEngine) -> None:
    """Of all the forgeries accepted are 0, and every one gets a 401, or a 400 if it is not even HTTP."""
    opaque, _ = await engine.tokens.create(owner="ann", scopes=["admin"])
    tried = list(forgeries(world, opaque=opaque))
    answers = {}
    for number, (name, value) in enumerate(tried):
        # each from a client of its own, which has not been wrong before
        origin = f"X-Forwarded-For: 198.51.{number // 250}.{number % 250}".encode()
        answers[name, number] = await raw_status(guarded, origin, b"Authorization: " + value.encode("utf-8"))
    odd = {name: status for name, status in answers.items() if status not in (400, 401)}
    assert odd == {}
    assert len(tried) >= 60


async def test_honest_tokens_are_accepted(guarded: Client, world: World, engine: TaskEngine) -> None:
    """The table proves something: the same tokens untouched, and harmless variations, are good."""
    opaque, _ = await engine.tokens.create(owner="ann", scopes=["admin"])
    for token in (
        opaque,
        world.signed(),
        world.signed(world.claims(aud=["other", AUDIENCE])),
        world.signed(world.claims(scope="openid tasks:read")),
        world.signed(header={"kid": "2026-1"}),
        world.signed(header={"typ": "at+jwt"}),
    ):
        for scheme in ("Bearer ", "bearer ", "BEARER ", "Bearer   "):
            assert await raw_status(guarded, f"Authorization: {scheme}{token}".encode()) == 200
    assert await raw_status(guarded, f"authorization:Bearer {opaque}  ".encode()) == 200


async def test_two_authorization_headers_are_refused(guarded: Client, engine: TaskEngine) -> None:
    """Who may pass must not depend on which of two tokens somebody reads, even if both are good."""
    one, _ = await engine.tokens.create(owner="ann", scopes=["admin"])
    two, _ = await engine.tokens.create(owner="bob", scopes=["admin"])
    lines = [f"Authorization: Bearer {token}".encode() for token in (one, two)]
    assert await raw_status(guarded, *lines) in (400, 401)
    assert await raw_status(guarded, lines[0], lines[0]) in (400, 401)


async def test_a_token_has_only_the_scopes_that_it_names(guarded: Client, world: World) -> None:
    """A signed token without a scope that means something here may do nothing."""
    for scope in ("", "openid email", "ADMIN", "administrator", "tasks:readx", "tasks:write"):
        token = world.signed(world.claims(scope=scope))
        assert await raw_status(guarded, f"Authorization: Bearer {token}".encode()) == 403
    without = world.signed(world.claims(scope=None))
    assert await raw_status(guarded, f"Authorization: Bearer {without}".encode()) == 403


async def test_jwts_are_refused_where_none_are_taken(closed: Client, hmac_world: World) -> None:
    """Without settings for them, no JWT is good."""
    assert await raw_status(closed, f"Authorization: Bearer {hmac_world.signed()}".encode()) == 401
