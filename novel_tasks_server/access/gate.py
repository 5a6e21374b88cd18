"""Who asks: whether the server wants tokens at all, and whom each speaks for.

Tokens are looked up in the database and remembered for `FRESH_SECONDS`, so that a busy client costs no
query a request. So long a revoked token may go on, and so long the first token of all takes to close a
server that was open.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from time import monotonic
from uuid import UUID

from aiohttp import web
from attrs import frozen

from novel_tasks_core import ApiToken, ApiTokens, DatabaseUnavailableError
from novel_tasks_server.access.addresses import is_local, is_loopback
from novel_tasks_server.access.bearer import bearer_token, token_needed, token_refused
from novel_tasks_server.access.jwts import JwtVerifier
from novel_tasks_server.access.origins import host_refused, names_this_machine
from novel_tasks_server.access.rates import RateLimit, stranger_key, too_many
from novel_tasks_server.config import Environment, ServerConfig
from novel_tasks_server.schemas.access import Principal, Scope, scopes_named

FRESH_SECONDS = 3.0
"""How long what the database said of tokens is believed."""

MEMORY_SECONDS = 300.0
"""How much longer it is believed by what has to answer while the database does not."""

_PATIENCE_SECONDS = 3.0
"""How long that waits for the database."""

MAX_REMEMBERED = 4096
"""How many tokens are remembered; those that were used longest ago are forgotten first."""

_ANYONE = Principal.anyone()


@frozen
class _Remembered:
    principal: Principal
    until: float


class Gate:
    """The one door of the server.

    `failures` counts wrong tokens by where they come from. `jwt` None is a server that takes no JWTs; `now`
    counts seconds.
    """

    def __init__(
        self,
        config: ServerConfig,
        tokens: ApiTokens,
        *,
        failures: RateLimit,
        jwt: JwtVerifier | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._tokens = tokens
        self._failures = failures
        self._jwt = jwt
        self._now = now
        self._config = config
        self._always_closed = jwt is not None or not is_loopback(config.host)
        self._tokens_out = True
        self._looked_until = float("-inf")
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._meetings: dict[bytes, asyncio.Future[Principal | None]] = {}

    async def identify(self, request: web.Request) -> Principal:
        """Return whoever the request comes from. May be asked again while a request lasts: tokens get revoked.

        Raises: RequestRefusedError: 401 without a good token where one is wanted, 403 for a name that is not
        this machine's where none is, 429 for a token never seen from where too many wrong ones came;
        DatabaseUnavailableError when the database cannot say whether it is good, or whether one is wanted.
        """
        if await self.is_open_to(request):
            if not names_this_machine(request):
                raise host_refused()
            return _ANYONE
        token = bearer_token(request)
        if token is None:
            raise token_needed()
        principal = await self._principal(token, stranger=stranger_key(request))
        if principal is None:
            raise token_refused()
        return principal

    async def identify_by_memory(self, request: web.Request) -> Principal:
        """Do as `identify`, but within seconds: where the database does not answer it is as it was last known.

        For what shows how the service is, and changes nothing. Raises: as `identify`.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self.identify(request)
        except (DatabaseUnavailableError, TimeoutError):
            principal = self._last_known(request)
            if principal is None:
                raise DatabaseUnavailableError("nobody can say who asks") from None
            return principal

    def _last_known(self, request: web.Request) -> Principal | None:
        now = self._now()
        if is_local(request) and not self._tokens_out and now < self._looked_until + MEMORY_SECONDS:
            return _ANYONE if names_this_machine(request) else None
        token = bearer_token(request)
        known = None if token is None else self._remembered.get(sha256(token.encode()).digest())
        return known.principal if known is not None and now < known.until + MEMORY_SECONDS else None

    async def recheck(self, token: str | None) -> Principal | None:
        """Return whom a token that let somebody in speaks for now; None when it is good for nothing any longer.

        Without a token it is everybody, for as long as none is wanted.

        Raises: DatabaseUnavailableError when the database cannot say.
        """
        if token is None:
            return None if self._always_closed or await self._tokens.exist() else _ANYONE
        return await self._look_up(token)

    async def recheck_holder(self, request: web.Request, holder: Principal) -> Principal | None:
        """Return who the holder of a link is now; None when they could not come in by themselves any longer.

        A JWT cannot be revoked: its holder stays who they were.

        Raises: DatabaseUnavailableError when the database cannot say.
        """
        if holder.token_id is not None:
            token_id = holder.token_id
            return await self._known(token_id.bytes, lambda _: self._look_up_id(token_id))
        if holder.owner:
            return holder if self._jwt is not None else None
        return _ANYONE if await self.is_open_to(request) and names_this_machine(request) else None

    async def is_open_to(self, request: web.Request) -> bool:
        """Say whether the request needs no token: made on this machine, of a server that only it can reach.

        Raises: DatabaseUnavailableError when the database cannot say whether there are tokens.
        """
        return is_local(request) and await self.is_open()

    async def is_open(self) -> bool:
        """Say whether programs of this machine need no token, as it was known a moment ago.

        Raises: DatabaseUnavailableError when the database cannot say whether there are tokens.
        """
        if self._always_closed:
            return False
        if self._now() >= self._looked_until:
            self._tokens_out = await self._tokens.exist()
            self._looked_until = self._now() + FRESH_SECONDS
        return not self._tokens_out

    async def close(self) -> None:
        """End the look-ups that are under way; nobody waits for them any more."""
        meetings = tuple(self._meetings.values())
        for meeting in meetings:
            meeting.cancel()
        await asyncio.gather(*meetings, return_exceptions=True)

    def forget(self) -> None:
        """Ask the database again from now on: tokens were made or revoked here."""
        self._looked_until = float("-inf")
        self._remembered.clear()

    async def _principal(self, token: str, *, stranger: str) -> Principal | None:
        digest = sha256(token.encode()).digest()
        return await self._known(
            digest, lambda was_known: self._look_up(token) if was_known else self._met(digest, token, stranger)
        )

    async def _known(self, key: bytes, look_up: Callable[[bool], Awaitable[Principal | None]]) -> Principal | None:
        """Return what is remembered under `key`, or what `look_up` finds, told whether there was something before."""
        known = self._remembered.get(key)
        if known is not None and self._now() < known.until:
            self._remembered.move_to_end(key)
            return known.principal
        principal = await look_up(known is not None)
        if principal is None:
            self._remembered.pop(key, None)
            return None
        self._remembered[key] = _Remembered(principal, self._now() + FRESH_SECONDS)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return principal

    async def _met(self, digest: bytes, token: str, stranger: str) -> Principal | None:
        """Meet a token, all who show it at the same moment together: a program that starts may come with a hundred."""
        meeting = self._meetings.get(digest)
        if meeting is None:
            meeting = self._meetings[digest] = asyncio.ensure_future(self._meet(token, stranger))
            meeting.add_done_callback(lambda done: self._part(digest, done))
        return await asyncio.shield(meeting)

    def _part(self, digest: bytes, meeting: asyncio.Future[Principal | None]) -> None:
        self._meetings.pop(digest, None)
        if not meeting.cancelled():
            meeting.exception()  # whoever still waits is told; nobody may be left

    async def _meet(self, token: str, stranger: str) -> Principal | None:
        """Look up a token that was not seen before, as often as guessing is allowed. Raises: RequestRefusedError."""
        quota = self._failures.hit(stranger)  # before looking: many guesses may be on their way at once
        if quota.wait_seconds > 0:
            raise too_many(quota)
        principal = await self._look_up(token)
        if principal is not None:
            self._failures.forgive(stranger)
        return principal

    async def _look_up(self, token: str) -> Principal | None:
        if "." in token:
            return None if self._jwt is None else self._jwt.principal(token)
        return _principal_of(await self._tokens.find(token))

    async def _look_up_id(self, token_id: UUID) -> Principal | None:
        return _principal_of(await self._tokens.find_by_id(token_id))

    async def is_shut(self) -> bool:
        """Say whether nobody can come in: tokens are wanted, and there are none."""
        return self._always_closed and self._jwt is None and not await self._tokens.exist()

    async def first_token(self) -> str | None:
        """Make a token for admins if nobody could come in otherwise; return its secret, None if it needs none.

        In production none is made: what a server prints at its start is kept in logs there.
        """
        if self._jwt is not None or not self._always_closed or self._config.environment is Environment.PRODUCTION:
            return None
        return await self._tokens.create_first(owner="admin", scopes=[Scope.ADMIN], name="first start")


def _principal_of(token: ApiToken | None) -> Principal | None:
    if token is None:
        return None
    return Principal(owner=token.owner, scopes=scopes_named(token.scopes), name=f"token {token.id}", token_id=token.id)


GATE = web.AppKey("gate", Gate)
