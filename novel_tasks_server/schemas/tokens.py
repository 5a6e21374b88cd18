"""Tokens on the wire: what is asked of a new one, and what is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import asdict, field, frozen
from attrs import validators as must

from novel_tasks_core import ApiToken
from novel_tasks_server.schemas.access import Scope


@frozen(kw_only=True)
class TokenRequest:
    """What a new token shall be good for; without `expires_at` until it is revoked."""

    owner: str = field(validator=must.and_(must.min_len(1), must.max_len(255)))
    scopes: list[Scope] = field(validator=must.and_(must.min_len(1), must.max_len(10)))
    name: str = field(default="", validator=must.max_len(255))
    expires_at: datetime | None = None


@frozen(kw_only=True, slots=False)
class TokenView:
    """A token as lists show it: never its secret."""

    id: str
    owner: str
    scopes: list[str]
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> TokenView:
        """Show `token`."""
        return cls(**_shown(token))


@frozen(kw_only=True, slots=False)
class NewTokenView(TokenView):
    """A token that was just made, with its secret: this once and never again."""

    token: str

    @classmethod
    def made(cls, token: ApiToken, *, secret: str) -> NewTokenView:
        """Show `token` and its secret."""
        return cls(**_shown(token), token=secret)


@frozen(kw_only=True, slots=False)
class TokenListView:
    """All tokens, oldest first."""

    tokens: list[TokenView]


def _shown(token: ApiToken) -> dict[str, Any]:
    return {**asdict(token), "id": str(token.id), "scopes": list(token.scopes)}
