"""Who asks, and what they may do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from attrs import frozen


class Scope(StrEnum):
    """What a token lets its bearer do. `admin` holds the others, for the tasks of every owner."""

    READ = "tasks:read"
    WRITE = "tasks:write"
    ADMIN = "admin"


def scopes_named(words: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes that have these names; what names none means nothing here."""
    known = set(words)
    return frozenset(scope for scope in Scope if scope.value in known)


@frozen(kw_only=True, cache_hash=True)
class Principal:
    """Whoever a request comes from. `owner` is whose tasks are theirs; `name` says in logs how they proved it.

    `token_id` is the token of this server that they showed, if it was one.
    """

    owner: str
    scopes: frozenset[Scope]
    name: str
    token_id: UUID | None = None

    @classmethod
    def anyone(cls) -> Principal:
        """Return who everybody is while the server asks nobody for a token."""
        return cls(owner="", scopes=frozenset(Scope), name="anyone")

    @classmethod
    def nobody(cls) -> Principal:
        """Return who everybody is where nobody is asked: they may do nothing that needs a scope."""
        return cls(owner="", scopes=frozenset(), name="nobody")

    @property
    def is_admin(self) -> bool:
        """Whether the tasks of every owner are theirs to see and change."""
        return Scope.ADMIN in self.scopes

    @property
    def sees(self) -> str | None:
        """The owner whose tasks they see; None for those of everybody."""
        return None if self.is_admin else self.owner

    def may(self, scope: Scope) -> bool:
        """Say whether they have this scope, by itself or as admins."""
        return scope in self.scopes or self.is_admin

    def may_see(self, owner: str) -> bool:
        """Say whether they may know of a task of this owner."""
        return self.is_admin or (owner == self.owner and owner != "")
