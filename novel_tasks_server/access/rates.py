"""How often somebody may ask: counted in this process, per owner or address, in bounded memory.

The rates are those of `limits`; the counting is our own, because its memory storage keeps every key for ever
and starts a thread to tidy up.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

import limits
from aiohttp import web
from attrs import define, evolve, frozen

from novel_tasks_server.access.addresses import address_group, client_address
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.access import Principal

FAILURES_RATE = "20/minute"
"""How many tokens that are good for nothing one address may show."""

MAX_KEYS = 16_384
"""How many owners and addresses are counted at once; those that asked longest ago are forgotten first."""


@frozen
class Quota:
    """What is left of a rate of `amount` per `period_seconds`; `wait_seconds` above 0 refuses."""

    amount: int
    period_seconds: int
    remaining: int
    reset_seconds: float
    wait_seconds: float

    @property
    def headers(self) -> dict[str, str]:
        """The headers by which clients pace themselves (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"default";q={self.amount};w={self.period_seconds}',
            "RateLimit": f'"default";r={self.remaining};t={math.ceil(self.reset_seconds)}',
        }


@define
class _Window:
    """The count of this period and of the one before, which counts by how much of it a moving window still holds."""

    start: float
    before: int = 0
    count: int = 0

    def move(self, now: float, period: float) -> None:
        elapsed = now - self.start
        if elapsed >= 2 * period:
            self.start, self.before, self.count = now, 0, 0
        elif elapsed >= period:
            self.start, self.before, self.count = self.start + period, self.count, 0

    def quota(self, now: float, amount: int, period: int) -> Quota:
        """Say what is left; the window has been moved."""
        elapsed = now - self.start
        used = self.before * (1 - elapsed / period) + self.count
        wait = 0.0 if used < amount else self._room_at(amount, period) - elapsed
        return Quota(amount, period, max(0, amount - math.floor(used)), period - elapsed, wait)

    def _room_at(self, amount: int, period: int) -> float:
        """Return how long after its start the window has room, counting nothing more."""
        if self.count >= amount:
            return period + period * (1 - amount / self.count)
        return period * (1 - (amount - self.count) / self.before)


class RateLimit:
    """A rate such as `100/minute`, or several, kept for each key apart. Refused asking does not count."""

    def __init__(self, rate: str, *, now: Callable[[], float] = monotonic) -> None:
        self._rates = [(item.amount, item.get_expiry()) for item in limits.parse_many(rate)]
        self._now = now
        self._windows: OrderedDict[str, list[_Window]] = OrderedDict()

    def hit(self, key: str) -> Quota:
        """Count one for `key`, if every rate allows it; return the quota that is scarcest."""
        now = self._now()
        windows = self._windows_of(key, now)
        scarcest = self._scarcest(windows, now)
        if scarcest.wait_seconds > 0:
            return scarcest
        for window in windows:
            window.count += 1
        return evolve(scarcest, remaining=max(0, scarcest.remaining - 1))

    def forgive(self, key: str) -> None:
        """Take back one that was counted."""
        for window in self._windows.get(key, ()):
            window.count = max(0, window.count - 1)

    def _windows_of(self, key: str, now: float) -> list[_Window]:
        windows = self._windows.get(key)
        if windows is None:
            windows = self._windows[key] = [_Window(now) for _ in self._rates]
            if len(self._windows) > MAX_KEYS:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(key)
            for window, (_, period) in zip(windows, self._rates, strict=True):
                window.move(now, period)
        return windows

    def _scarcest(self, windows: list[_Window], now: float) -> Quota:
        quotas = [window.quota(now, *rate) for window, rate in zip(windows, self._rates, strict=True)]
        return max(quotas, key=lambda quota: (quota.wait_seconds, -quota.remaining))


class Rates:
    """The limits of one server, by its settings."""

    def __init__(self, config: ServerConfig, *, now: Callable[[], float] = monotonic) -> None:
        self._requests = None if config.rate_limit is None else RateLimit(config.rate_limit, now=now)
        self._uploads = None if config.upload_rate_limit is None else RateLimit(config.upload_rate_limit, now=now)
        self.failures = RateLimit(FAILURES_RATE, now=now)

    def count(self, request: web.Request, principal: Principal, *, is_upload: bool) -> None:
        """Count a request of somebody known, whatever token they showed. Raises: RequestRefusedError (429).

        While nobody is asked who they are nothing is counted.
        """
        if principal.owner:
            _hit(self._uploads if is_upload else self._requests, request, f"owner {principal.owner}")

    def count_stranger(self, request: web.Request) -> None:
        """Count a request without a good token. Raises: RequestRefusedError (429)."""
        _hit(self._requests, request, stranger_key(request))


def stranger_key(request: web.Request) -> str:
    """Return by what somebody unknown is counted: their address, or what they share it with."""
    return f"address {address_group(client_address(request))}"


def _hit(limit: RateLimit | None, request: web.Request, key: str) -> None:
    if limit is not None:
        quota = request[QUOTA] = limit.hit(key)
        if quota.wait_seconds > 0:
            raise too_many(quota)


def too_many(quota: Quota) -> RequestRefusedError:
    """Return the refusal of somebody who has used up their quota."""
    seconds = max(1, math.ceil(quota.wait_seconds))
    return RequestRefusedError(
        429,
        "too-many-requests",
        f"Too many requests: at most {quota.amount} in {quota.period_seconds} s. Try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


async def tell_quota(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Tell the client what is left of its quota."""
    if QUOTA in request:
        response.headers.update(request[QUOTA].headers)


QUOTA = web.RequestKey("quota", Quota)
RATES = web.AppKey("rates", Rates)
