"""Tokens: the secret is shown once, the database has its hash, and revoked ones are good for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from novel_tasks_core import ApiTokens, InvalidInputError, TaskEngine, TokenNotFoundError


async def test_a_token_is_found_by_its_secret_alone(engine: TaskEngine) -> None:
    """What `create` returned is found again, with its owner and scopes; no other secret finds anything."""
    secret, token = await engine.tokens.create(owner="ann", scopes=["tasks:read", "admin"], name="laptop")
    assert secret.startswith("nt_")
    assert len(secret) == 46
    assert await engine.tokens.find(secret) == token
    assert await engine.tokens.find_by_id(token.id) == token
    assert await engine.tokens.find_by_id(UUID(int=1)) is None
    assert (token.owner, token.scopes, token.name) == ("ann", ("tasks:read", "admin"), "laptop")
    for wrong in ("", "nt_", secret[:-1], secret + "A", secret.upper(), f" {secret}", secret[3:], "nt_" + "é" * 43):
        assert await engine.tokens.find(wrong) is None


async def test_the_database_never_sees_a_secret(engine: TaskEngine, database_url: str) -> None:
    """The row holds the SHA-256 of the secret, and the secret nowhere; nor does what is shown of the token."""
    secret, token = await engine.tokens.create(owner="ann", scopes=["admin"])
    connection = await asyncpg.connect(database_url)
    try:
        (row,) = await connection.fetch("select * from api_tokens")
    finally:
        await connection.close()
    assert row["sha256"] == sha256(secret.encode()).digest()
    assert secret[3:] not in f"{list(row.values())!r}{token!r}"


async def test_a_revoked_token_is_good_for_nothing(engine: TaskEngine) -> None:
    """It is found no more, stays in the list, and keeps the time at which it was first revoked."""
    secret, token = await engine.tokens.create(owner="ann", scopes=["admin"])
    revoked = await engine.tokens.revoke(token.id)
    assert revoked.revoked_at is not None
    assert await engine.tokens.find(secret) is None
    assert await engine.tokens.find_by_id(token.id) is None
    assert await engine.tokens.revoke(token.id) == revoked
    assert await engine.tokens.list() == [revoked]
    with pytest.raises(TokenNotFoundError):
        await engine.tokens.revoke(UUID(int=1))


async def test_a_token_ends_when_it_said(engine: TaskEngine, database_url: str) -> None:
    """Past its time it is found no more, though its owner still has been given one."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    secret, token = await engine.tokens.create(owner="ann", scopes=["admin"], expires_at=soon)
    assert await engine.tokens.find(secret) is not None
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("update api_tokens set expires_at = now() - interval '1 second'")
    finally:
        await connection.close()
    assert await engine.tokens.find(secret) is None
    assert await engine.tokens.find_by_id(token.id) is None
    assert await engine.tokens.exist()


async def test_the_first_token_is_made_once(engine: TaskEngine) -> None:
    """It is made only while there is none that is not revoked."""
    first = await engine.tokens.create_first(owner="admin", scopes=["admin"])
    assert first is not None
    assert await engine.tokens.create_first(owner="admin", scopes=["admin"]) is None
    for token in await engine.tokens.list():
        await engine.tokens.revoke(token.id)
    assert not await engine.tokens.exist()
    assert await engine.tokens.create_first(owner="admin", scopes=["admin"]) not in (None, first)


async def test_tokens_need_no_engine(engine: TaskEngine) -> None:
    """A program beside the server makes tokens that the server finds."""
    async with ApiTokens.open(engine.config) as tokens:
        secret, token = await tokens.create(owner="ann", scopes=["admin"])
    assert await engine.tokens.find(secret) == token


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"owner": ""}, "owner"),
        ({"owner": " "}, "owner"),
        ({"owner": "a\0b"}, "owner"),
        ({"owner": "a" * 256}, "owner"),
        ({"scopes": []}, "scopes"),
        ({"scopes": [""]}, "scopes"),
        ({"name": "\ud800"}, "name"),
        ({"expires_at": datetime(2001, 1, 1, tzinfo=UTC)}, "expires_at"),
        ({"expires_at": datetime(2999, 1, 1)}, "expires_at"),  # noqa: DTZ001 - without a zone on purpose
    ],
)
async def test_what_can_never_work_is_refused(engine: TaskEngine, wrong: dict[str, Any], field: str) -> None:
    """No token is made for nobody, for nothing, or for a time that is over."""
    with pytest.raises(InvalidInputError) as caught:
        await engine.tokens.create(**{"owner": "ann", "scopes": ["admin"], **wrong})
    assert caught.value.field == field
    assert await engine.tokens.list() == []
