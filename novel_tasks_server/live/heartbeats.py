"""One clock for all sockets: who is silent is asked, who does not answer is let go.

A wheel of sets, one for each second to come; a tick looks only at the sockets that are due.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import defaultdict
from typing import Protocol

HEARTBEAT_SECONDS = 25.0
"""How often a silent client is asked whether it is there."""

PATIENCE_SECONDS = 25.0
"""How long it has to answer: a client that is only busy, on a slow machine, is not dead."""

_TICK_SECONDS = 1.0


class Beating(Protocol):
    """What is looked after. `due` belongs to the wheel."""

    due: int

    def beat(self, now: float) -> float:
        """Do what is to be done at `now`; return in how many seconds to look again."""

    def check_stall(self, now: float) -> None:
        """Look whether what is written arrives."""


class Heartbeats:
    """Looks after all sockets by one timer, which runs only while there are any. Times are those of the loop."""

    def __init__(
        self,
        *,
        interval: float = HEARTBEAT_SECONDS,
        patience: float = PATIENCE_SECONDS,
        tick_seconds: float = _TICK_SECONDS,
    ) -> None:
        self.interval = interval
        self.patience = patience
        self.stalled: set[Beating] = set()
        self.now = asyncio.get_running_loop().time
        self._tick_seconds = tick_seconds
        self._slots: defaultdict[int, set[Beating]] = defaultdict(set)
        self._members = 0
        self._done = 0
        self._timer: asyncio.TimerHandle | None = None

    def join(self, member: Beating) -> None:
        """Look after a socket. Those that came together are not asked together."""
        self._members += 1
        if self._timer is None:
            self._done = self._slot(self.now())
            self._wind()
        self._put(member, self.interval * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load, hides nothing

    def leave(self, member: Beating) -> None:
        """Look after it no longer."""
        self.stalled.discard(member)
        members = self._slots.get(member.due)
        if members is not None and member in members:
            members.discard(member)
            self._members -= 1
            if not members:
                del self._slots[member.due]

    def close(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _slot(self, when: float) -> int:
        return math.ceil(when / self._tick_seconds)

    def _put(self, member: Beating, seconds: float) -> None:
        member.due = max(self._slot(self.now() + seconds), self._done + 1)
        self._slots[member.due].add(member)

    def _wind(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._tick_seconds, self._tick)

    def _tick(self) -> None:
        now = self.now()
        for member in tuple(self.stalled):
            member.check_stall(now)
        while (self._done + 1) * self._tick_seconds <= now:
            self._done += 1
            for member in self._slots.pop(self._done, ()):
                self._put(member, member.beat(now))
        self._timer = None
        if self._members:
            self._wind()
