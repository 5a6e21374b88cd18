"""Background services: owned, named, restarted when they fail, and never silent about it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

logger = logging.getLogger(__name__)

_MAX_DELAY_SECONDS = 5.0


class Services:
    """A group of loops that run until the group is left; leaving cancels them and waits.

    A loop that raises is logged as critical, shows up in `failed`, and starts again after a delay.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed: dict[str, str] = {}

    async def __aenter__(self) -> Services:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def start(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Run `loop` under `name` until it returns or the group is left."""
        task = asyncio.create_task(self._supervise(name, loop), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """Cancel every loop and wait until all are gone. Idempotent."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _supervise(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        delay = 0.1
        while True:
            try:
                await loop()
            except Exception as exc:
                self.failed[name] = f"{type(exc).__name__}: {exc}"
                logger.critical("service_failed", exc_info=True, extra={"service": name})
            else:
                return
            await asyncio.sleep(delay)
            delay = min(delay * 2, _MAX_DELAY_SECONDS)
            self.failed.pop(name, None)
