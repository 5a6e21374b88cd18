"""What a running attempt tells its worker: the port that the worker supplies."""

from __future__ import annotations

from typing import Any, Protocol

from novel_tasks_core.models import LogLevel


class AttemptReports(Protocol):
    """Hears a running attempt, on the event loop. `progress` and `log` must neither block nor raise."""

    def progress(self, fraction: float, stage: str) -> None:
        """Take note of how far the attempt is: `fraction` is 0..1. May come often."""
        ...

    def log(self, level: LogLevel, message: str) -> None:
        """Add a line to the task's log. NUL and lone surrogates have been replaced."""
        ...

    async def checkpoint(self, value: Any) -> None:
        """Store a JSON value durably, in place of the one before.

        Raises: LeaseLostError when the attempt is no longer ours; it then stops.
        """
        ...
