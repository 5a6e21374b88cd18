"""Work in the background that goes on for as long as anybody needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from novel_tasks_core import EngineClosedError

_AGAIN_SECONDS = 1.0
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Looking:
    """Owns one asyncio task, which does `work` from `begin` until `end`.

    Work that fails is logged and begun again: what others rely on must not stop silently. It ends by itself
    when the engine is closed.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._work = work
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin, unless it is under way."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_at_it(), name=self._name)

    def end(self) -> None:
        """End, if it is under way; it may begin again."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """End, and wait until it has ended."""
        task = self._task
        self.end()
        if task is not None:
            await asyncio.wait((task,))

    async def _keep_at_it(self) -> None:
        while True:
            try:
                await self._work()
            except EngineClosedError:
                return
            except Exception:
                _log.exception("looking_failed", name=self._name)
            await asyncio.sleep(_AGAIN_SECONDS)
