"""Locks between processes: `flock` on a file. The kernel lets go of them when their holder dies."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

_RETRY_SECONDS = 0.02


class FileLock:
    """A lock on the file `path`, which is made if it is missing and never removed.

    Every instance is a holder of its own, within a process too. It can be taken over from shared to
    exclusive and back; waiting is by trying again, so that it can be cancelled and is bounded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    async def shared(self, *, timeout_seconds: float) -> None:
        """Take the lock together with others. Raises: TimeoutError, OSError."""
        await self._wait(fcntl.LOCK_SH, timeout_seconds)

    async def exclusive(self, *, timeout_seconds: float) -> None:
        """Take the lock alone. Raises: TimeoutError, OSError."""
        await self._wait(fcntl.LOCK_EX, timeout_seconds)

    def try_exclusive(self) -> bool:
        """Take the lock alone if nobody else has it. What was held shared before may be lost if not."""
        return self._try(fcntl.LOCK_EX)

    def release(self) -> None:
        """Let go. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    async def _wait(self, kind: int, timeout_seconds: float) -> None:
        async with asyncio.timeout(timeout_seconds):
            while not self._try(kind):  # noqa: ASYNC110 - no event tells of another process's lock
                await asyncio.sleep(_RETRY_SECONDS)

    def _try(self, kind: int) -> bool:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
