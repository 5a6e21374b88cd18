"""Background services: owned, named, restarted when they fail, and never silent about it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

logger = logging.getLogger(__name__)

_MAX_DELAY_SECONDS = 5.0
_STOP_SECONDS = 10.0
"""How long leaving a group waits for its loops."""
_AGAIN_SECONDS = 3.0
"""After so long, more than giving a connection back may take, a loop that was cancelled and still runs is again."""


class Services:
    """A group of loops that run until the group is left; leaving cancels them and waits, not for ever.

    A loop that raises is logged as critical, shows up in `failed`, and starts again after a delay.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self.failed: dict[str, str] = {}

    async def __aenter__(self) -> Services:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def start(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Run `loop` under `name` until it returns or the group is left; not at all once it is being left."""
        task = asyncio.create_task(self._supervise(name, loop), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """Cancel every loop and wait until all are gone, ten seconds at most. Idempotent.

        One that does not end by then is told as critical, and left to itself: it does not start again.
        """
        self._stopped.set()
        loop = asyncio.get_running_loop()
        left, until = set(self._tasks), loop.time() + _STOP_SECONDS
        while left and loop.time() < until:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=min(_AGAIN_SECONDS, until - loop.time()))
        for task in left:
            logger.critical("service_does_not_stop", extra={"service": task.get_name()})

    async def _supervise(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        delay = 0.1
        while not self._stopped.is_set():
            try:
                await loop()
            except Exception as exc:
                self.failed[name] = f"{type(exc).__name__}: {exc}"
                logger.critical("service_failed", exc_info=True, extra={"service": name})
            else:
                return
            if self._stopped.is_set():
                return  # its cancellation got lost on the way
            await asyncio.sleep(delay)
            delay = min(delay * 2, _MAX_DELAY_SECONDS)
            self.failed.pop(name, None)
