"""Who is in may stay for as long as their token is good: it is looked at again and again, each token once for all.

So a token that is revoked or expires is of no use for sockets and streams that were opened with it either,
`RECHECK_SECONDS` later at most; with so many tokens that looking takes long, a little later.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from novel_tasks_core import StorageError
from novel_tasks_server.live.frames import CloseCode
from novel_tasks_server.live.looking import Looking
from novel_tasks_server.schemas.access import Principal, Scope

RECHECK_SECONDS = 5.0
"""How long nobody looks after all tokens have been looked at."""

MAX_GUESTS = 1000
"""How many sockets and streams may be open with one token."""

_REST = 4.0
"""How many times as long as a look took the next one waits at least."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Recheck = Callable[[str | None], Awaitable[Principal | None]]
"""Say whom a token speaks for now, None for nobody; without a token, whether none is wanted."""


class Guest(Protocol):
    """What is open."""

    principal: Principal

    def close(self, code: int, reason: str = "") -> None:
        """End it."""


class Doorkeeper:
    """Knows by which token everybody came in."""

    def __init__(self, recheck: Recheck) -> None:
        self._recheck = recheck
        self._guests: defaultdict[str | None, set[Guest]] = defaultdict(set)
        self._looking = Looking("live doorkeeper", self._look)

    def has_room(self, token: str | None) -> bool:
        """Say whether one more may come in by this token; without any, as many as like."""
        return token is None or len(self._guests.get(token, ())) < MAX_GUESTS

    def admit(self, guest: Guest, token: str | None) -> None:
        """Close this one as soon as its token is good no longer."""
        self._guests[token].add(guest)
        self._looking.begin()

    def leave(self, guest: Guest, token: str | None) -> None:
        """Forget one that is closed."""
        guests = self._guests.get(token)
        if guests is None:
            return
        guests.discard(guest)
        if not guests:
            del self._guests[token]
        if not self._guests:
            self._looking.end()

    async def close(self) -> None:
        """Look no more."""
        await self._looking.close()

    async def _look(self) -> None:
        now, took = asyncio.get_running_loop().time, 0.0
        while True:
            await asyncio.sleep(max(RECHECK_SECONDS, _REST * took))
            began = now()
            for token in tuple(self._guests):
                try:
                    self._settle(token, await self._recheck(token))
                except StorageError as exc:
                    _log.info("tokens_not_checked", error=type(exc).__name__)
                    break
            took = now() - began

    def _settle(self, token: str | None, principal: Principal | None) -> None:
        for guest in tuple(self._guests.get(token, ())):
            if principal is None:
                guest.close(CloseCode.NOT_AUTHENTICATED, "the token is good no longer")
            elif not principal.may(Scope.READ) or principal.scopes != guest.principal.scopes:
                guest.close(CloseCode.FORBIDDEN, "the token may not do this any longer")
