"""Answers that may be a few seconds old, so that many open pages cost no more than one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

from attrs import define, field

from novel_tasks_core import NovelTasksError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST = 32
"""Of how many keys answers are kept."""


@define(eq=False)
class _Kept(Generic[V]):
    lock: asyncio.Lock = field(factory=asyncio.Lock)
    at: float = 0.0
    readings: int = 0
    value: V | None = None
    error: NovelTasksError | None = None


class Recent(Generic[K, V]):
    """Reads what is asked for by `read`, at most once in `seconds` for each key; who asks meanwhile gets the same.

    An error is raised for everybody who waits for that answer, and not kept. A caller that is cancelled leaves the
    reading to the next. `now` counts seconds.
    """

    def __init__(
        self, read: Callable[[K], Awaitable[V]], *, seconds: float, now: Callable[[], float] = monotonic
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._now = now
        self._kept: dict[K, _Kept[V]] = {}

    async def get(self, key: K) -> V:
        """Return the answer. Raises: what `read` raises."""
        kept = self._entry(key)
        readings = kept.readings
        async with kept.lock:
            if kept.error is not None and kept.readings > readings:
                raise kept.error  # it came of the reading that this caller waited for
            if kept.value is None or self._now() - kept.at >= self._seconds:
                await self._renew(key, kept)
            assert kept.value is not None
            return kept.value

    async def _renew(self, key: K, kept: _Kept[V]) -> None:
        kept.value = kept.error = None
        try:
            kept.value = await self._read(key)
        except NovelTasksError as exc:
            kept.error = exc
            raise
        finally:
            kept.at, kept.readings = self._now(), kept.readings + 1

    def _entry(self, key: K) -> _Kept[V]:
        """Return what is kept of a key, and forget the one that was first asked for longest ago if there are many."""
        if key not in self._kept and len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]
        return self._kept.setdefault(key, _Kept())
