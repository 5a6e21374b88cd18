"""How long something is tried again, and when next."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from novel_tasks_core import NovelTasksError
from novel_tasks_server.client.errors import ServerRefusedError, ServerUnreachableError

T = TypeVar("T")

OnPause = Callable[[NovelTasksError, float], object]
"""Is told why there is a pause, and of how many seconds."""

_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 3.0
_DOUBLINGS = 5


class Patience:
    """Puts up with failures that may pass, for `seconds` since the last success.

    The pauses double from a fifth of a second up to three seconds, and are jittered, so that the clients of a
    server that comes back do not all come at once. A Retry-After of the server is waited for in full. What a limit of
    requests (429) asks for costs no patience if it `obeys_limits`, however long that is.
    """

    def __init__(self, seconds: float, *, obeys_limits: bool = False, on_pause: OnPause | None = None) -> None:
        self._seconds = seconds
        self._obeys_limits = obeys_limits
        self._on_pause = on_pause
        self._until: float | None = None
        self._failures = 0

    def succeeded(self) -> None:
        """Begin anew."""
        self._until = None
        self._failures = 0

    async def pause(self, error: NovelTasksError) -> None:
        """Sleep until it is time to try again. Raises: `error` when that would be beyond the patience."""
        now = asyncio.get_running_loop().time()
        if self._until is None:
            self._until = now + self._seconds
        delay = self._next_delay(error)
        if self._obeys_limits and isinstance(error, ServerRefusedError) and error.status == 429:
            self._until += delay
        if now + delay > self._until:
            raise error
        if self._on_pause is not None:
            self._on_pause(error, delay)
        await asyncio.sleep(delay)

    def _next_delay(self, error: NovelTasksError) -> float:
        backoff = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(self._failures, _DOUBLINGS))
        self._failures += 1
        jittered: float = backoff * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, protects nothing
        wanted = error.retry_after if isinstance(error, ServerRefusedError) else None
        return jittered + (wanted or 0.0)


async def insist(
    ask: Callable[[], Awaitable[T]], *, patience: Patience, may_repeat: Callable[[NovelTasksError], bool]
) -> T:
    """Ask until there is an answer. Raises: the last error, once it may not be repeated or the patience is over."""
    while True:
        try:
            answer = await ask()
        except (ServerRefusedError, ServerUnreachableError) as exc:
            if not may_repeat(exc):
                raise
            await patience.pause(exc)
        else:
            patience.succeeded()
            return answer


def was_not_done(error: NovelTasksError) -> bool:
    """Whether the server certainly did nothing, and may take the same request later."""
    return (
        isinstance(error, ServerRefusedError) and error.may_pass and error.status in (429, 503) and not _unsure(error)
    )


def is_busy(error: NovelTasksError) -> bool:
    """Whether the server answered that it is busy, or being restarted: for requests that may arrive twice."""
    return isinstance(error, ServerRefusedError) and error.may_pass


def may_pass(error: NovelTasksError) -> bool:
    """Whether this may pass by itself, a server that is away included: for requests that may arrive twice."""
    return isinstance(error, ServerUnreachableError) or is_busy(error)


def _unsure(error: ServerRefusedError) -> bool:
    """Whether it may have happened all the same: the database broke off, perhaps after its commit."""
    return error.kind == "database-unavailable"
