"""Tokens: made here, shown once, and kept only as a hash."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid4

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.engine.checks import require_moment, require_name
from novel_tasks_core.engine.parts import open_database
from novel_tasks_core.errors import InvalidInputError, TokenNotFoundError
from novel_tasks_core.storage.migrator import migrate
from novel_tasks_core.storage.tokens import ApiToken, NewToken, Tokens

PREFIX = "nt_"
"""What every secret begins with, so that scanners of leaked secrets can tell one."""

_SECRET_BYTES = 32
_SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}", re.ASCII)


class ApiTokens:
    """The tokens of one database. Methods raise DatabaseUnavailableError when it cannot be reached in time."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    @classmethod
    @asynccontextmanager
    async def open(cls, config: EngineConfig) -> AsyncIterator[ApiTokens]:
        """Connect to the database of an engine, without starting one; its schema is brought up to date.

        Raises: DatabaseUnavailableError, EmbeddedServerError, SchemaError.
        """
        async with open_database(config) as database:
            await migrate(database)
            yield cls(Tokens(database))

    async def create(
        self, *, owner: str, scopes: Iterable[str], name: str = "", expires_at: datetime | None = None
    ) -> tuple[str, ApiToken]:
        """Make a token and return its secret, which cannot be had again, and what is known of it.

        `owner` must not be empty: the tasks of nobody are for admins alone. `expires_at` None is never.

        Raises: InvalidInputError.
        """
        secret, new = _made(owner=owner, scopes=scopes, name=name, expires_at=expires_at)
        return secret, await self._tokens.add(new)

    async def create_first(self, *, owner: str, scopes: Iterable[str], name: str = "") -> str | None:
        """Make a token and return its secret, unless there is one that has not been revoked: None then.

        Raises: InvalidInputError.
        """
        secret, new = _made(owner=owner, scopes=scopes, name=name, expires_at=None)
        return None if await self._tokens.add_first(new) is None else secret

    async def find(self, secret: str) -> ApiToken | None:
        """Return the token with this secret; None when there is none, or it is revoked or has expired.

        What cannot be a secret of ours is not asked for in the database.
        """
        return await self._tokens.find(_hash(secret)) if _SECRET.fullmatch(secret) else None

    async def find_by_id(self, token_id: UUID) -> ApiToken | None:
        """Return the token with this id; None when there is none, or it is revoked or has expired."""
        return await self._tokens.find_by_id(token_id)

    async def list(self) -> list[ApiToken]:
        """Return all tokens, oldest first, those that are revoked or have expired too."""
        return await self._tokens.everything()

    async def revoke(self, token_id: UUID) -> ApiToken:
        """Revoke a token for good. Again is no error. Raises: TokenNotFoundError."""
        token = await self._tokens.revoke(token_id)
        if token is None:
            raise TokenNotFoundError(token_id)
        return token

    async def exist(self) -> bool:
        """Say whether there is a token that has not been revoked; one that has expired counts."""
        return await self._tokens.exist()


def _made(*, owner: str, scopes: Iterable[str], name: str, expires_at: datetime | None) -> tuple[str, NewToken]:
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    new = NewToken(
        id=uuid4(),
        sha256=_hash(secret),
        owner=_filled("owner", owner),
        scopes=_checked_scopes(scopes),
        name=require_name("name", name),
        expires_at=None if expires_at is None else _ahead(require_moment("expires_at", expires_at)),
    )
    return secret, new


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _filled(field: str, text: str) -> str:
    if not require_name(field, text).strip():
        raise InvalidInputError(field, Complaint("must not be empty", FaultCode.SHORT, n=1))
    return text


def _checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    checked = tuple(dict.fromkeys(_filled("scopes", scope) for scope in scopes))
    if not checked:
        raise InvalidInputError("scopes", Complaint("must name at least one", FaultCode.FEW, n=1))
    return checked


def _ahead(moment: datetime) -> datetime:
    if moment <= datetime.now(UTC):
        raise InvalidInputError("expires_at", Complaint("must be in the future", FaultCode.FUTURE))
    return moment
