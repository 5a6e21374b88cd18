"""Deadlines of running attempts, with one timer for all: a timer for each would cost more than a quick attempt."""

from __future__ import annotations

import asyncio

from novel_tasks_core.execution.attempt import CancelReason
from novel_tasks_core.worker.running import Running

_LATE_SECONDS = 0.01
"""How much earlier a deadline must be than the timer to be worth a new timer."""


class Deadlines:
    """Stops attempts that run longer than they may, through their scopes."""

    def __init__(self) -> None:
        self._due: dict[Running, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, running: Running) -> None:
        """Count from now until the attempt's `timeout_seconds` are over."""
        loop = asyncio.get_running_loop()
        due = loop.time() + running.claim.timeout_seconds
        self._due[running] = due
        if self._timer is None:
            self._timer = loop.call_at(due, self._ring)
        elif due < self._timer.when() - _LATE_SECONDS:
            self._timer.cancel()
            self._timer = loop.call_at(due, self._ring)

    def end(self, running: Running) -> None:
        """Stop counting. The timer stays: it looks again at whatever runs then."""
        self._due.pop(running, None)

    def close(self) -> None:
        """Forget everything."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for running in [running for running, due in self._due.items() if due <= now]:
            del self._due[running]
            running.scope.cancel(CancelReason.TIMEOUT)
        self._timer = loop.call_at(min(self._due.values()), self._ring) if self._due else None
