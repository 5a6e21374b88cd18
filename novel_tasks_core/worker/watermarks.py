"""Where the ready tasks begin: per (lane, priority) the lowest position that may still hold one. Pure.

Claims start from here instead of from the beginning of the index, so that rows that are dead but not
yet removed, as under somebody's long transaction, are not read again by every claim. Claims raise the
mark, the doorbell lowers it, and once a second it is read from the table, which finds what became
visible behind it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from novel_tasks_core.storage.queue import Head

REFRESH_SECONDS = 1.0
REFRESH_SHARE = 0.05
"""The part of the time that may be spent on reading the marks."""


class Watermarks:
    """The marks of one worker for its lanes."""

    def __init__(self, lanes: Iterable[int]) -> None:
        self._lanes = frozenset(lanes)
        self._low: dict[tuple[int, int], int] = {}
        self._heard: set[tuple[int, int]] = set()
        self._refresh_at = float("-inf")

    def hear(self, heads: Iterable[Head]) -> bool:
        """Take in tasks that became ready; say whether any concern this worker."""
        concerned = False
        for head in heads:
            if head.lane in self._lanes:
                place = (head.lane, head.priority)
                self._low[place] = min(head.position, self._low.get(place, head.position))
                self._heard.add(place)
                concerned = True
        return concerned

    def is_stale(self, monotonic: float) -> bool:
        """Say whether the marks must be read from the table."""
        return monotonic >= self._refresh_at

    def expire(self) -> None:
        """Have the marks read before the next claim."""
        self._refresh_at = float("-inf")

    def refresh(self, heads: Iterable[Head], *, began: float, ended: float) -> None:
        """Replace the marks by what the table says; it was asked from `began` to `ended`, in monotonic seconds.

        What was heard since the last claim stays: the table may have been read before. Where reading takes long,
        because somebody's transaction keeps dead rows, it is done less often.
        """
        heard = [Head(*place, self._low[place]) for place in self._heard if place in self._low]
        self._low = {(head.lane, head.priority): head.position for head in heads}
        self.hear(heard)
        self._refresh_at = ended + max(REFRESH_SECONDS, (ended - began) / REFRESH_SHARE)

    def passed(self, heads: Iterable[Head]) -> None:
        """Raise the marks past tasks that were claimed, given in their order."""
        for (lane, priority), position in {(head[0], head[1]): head[2] for head in heads}.items():
            self._low[lane, priority] = position + 1

    def begin(self) -> None:
        """Note that a claim begins: what is heard from now on it may not see."""
        self._heard.clear()

    def exhausted(self, lane: int) -> None:
        """Forget a lane of which a claim got less than it asked for, until there is news or the marks are read."""
        for place in [place for place in self._low if place[0] == lane and place not in self._heard]:
            del self._low[place]

    def heads(self) -> list[Head]:
        """Return where to claim, highest priority first; within one, lanes in random order, so that none starves."""
        heads = [Head(lane, priority, low) for (lane, priority), low in self._low.items()]
        random.shuffle(heads)
        heads.sort(key=lambda head: -head.priority)
        return heads
