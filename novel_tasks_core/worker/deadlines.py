"""Deadlines of running attempts, with one timer for all: a timer for each would cost more than a quick attempt."""

from __future__ import annotations

import asyncio

from novel_tasks_core.clock import Clock
from novel_tasks_core.execution.attempt import CancelReason
from novel_tasks_core.worker.running import Running

_LATE_SECONDS = 0.01
"""How much earlier a deadline must be than the timer to be worth a new timer."""


class Deadlines:
    """Stops attempts that run longer than they may, through their scopes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[Running, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = float("inf")

    def begin(self, running: Running, monotonic: float) -> None:
        """Count from now, which is `monotonic`, until the attempt's `timeout_seconds` are over."""
        due = monotonic + running.claim.timeout_seconds
        self._due[running] = due
        if due < self._rings_at - _LATE_SECONDS:
            self._wind(due, monotonic)

    def _wind(self, due: float, monotonic: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = due
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - monotonic), self._ring)

    def end(self, running: Running) -> None:
        """Stop counting. The timer stays: it looks again at whatever runs then."""
        self._due.pop(running, None)

    def close(self) -> None:
        """Forget everything."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _ring(self) -> None:
        monotonic = self._clock.monotonic()
        for running in [running for running, due in self._due.items() if due <= monotonic]:
            del self._due[running]
            running.scope.cancel(CancelReason.TIMEOUT)
        self._timer, self._rings_at = None, float("inf")
        if self._due:
            self._wind(min(self._due.values()), monotonic)
