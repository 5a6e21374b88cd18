"""The table of tokens: what each lets its bearer do, and the hash of its secret, never the secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hmac import compare_digest
from uuid import UUID

import asyncpg
from attrs import field, frozen

from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.queries import load_queries


@frozen(kw_only=True)
class ApiToken:
    """What is known of a token. Its secret is not: only whoever was given it has it.

    `owner` is whose tasks its bearer may see, and who owns what they submit. `expires_at` None is never.
    """

    id: UUID
    owner: str
    scopes: tuple[str, ...]
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@frozen(kw_only=True)
class NewToken:
    """A token to be stored."""

    id: UUID
    sha256: bytes = field(repr=False)
    owner: str
    scopes: Sequence[str]
    name: str
    expires_at: datetime | None


class Tokens:
    """Every statement on `api_tokens`. The database's clock says what has expired."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("tokens")

    async def add(self, new: NewToken) -> ApiToken:
        """Store a token."""
        (row,) = await self._database.fetch(self._sql["add"], *_columns(new))
        return _token_of(row)

    async def add_first(self, new: NewToken) -> ApiToken | None:
        """Store a token unless there is one that has not been revoked; None then."""
        row = await self._database.fetchrow(self._sql["add_first"], *_columns(new))
        return None if row is None else _token_of(row)

    async def find(self, sha256: bytes) -> ApiToken | None:
        """Return the token whose secret has this hash, if it is neither revoked nor expired."""
        row = await self._database.fetchrow(self._sql["find"], sha256)
        return _token_of(row) if row is not None and compare_digest(row["sha256"], sha256) else None

    async def find_by_id(self, token_id: UUID) -> ApiToken | None:
        """Return the token with this id, if it is neither revoked nor expired."""
        row = await self._database.fetchrow(self._sql["find_by_id"], token_id)
        return None if row is None else _token_of(row)

    async def everything(self) -> list[ApiToken]:
        """Return all tokens, oldest first."""
        return [_token_of(row) for row in await self._database.fetch(self._sql["everything"])]

    async def revoke(self, token_id: UUID) -> ApiToken | None:
        """Revoke a token for good; None if there is none with this id."""
        row = await self._database.fetchrow(self._sql["revoke"], token_id)
        return None if row is None else _token_of(row)

    async def exist(self) -> bool:
        """Say whether there is a token that has not been revoked; an expired one counts."""
        return bool(await self._database.fetchval(self._sql["exist"]))


def _columns(new: NewToken) -> tuple[object, ...]:
    return new.id, new.sha256, new.owner, list(new.scopes), new.name, new.expires_at


def _token_of(row: asyncpg.Record) -> ApiToken:
    return ApiToken(
        id=row["id"],
        owner=row["owner"],
        scopes=tuple(row["scopes"]),
        name=row["name"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
