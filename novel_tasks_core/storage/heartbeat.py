"""The heartbeat: a thread with an event loop and a connection of its own.

It renews all leases of a worker by one row, whatever the worker's own event loop is busy with, and
brings back what happened to them. A single C call that keeps the interpreter lock for half the lease
stops it too; that is its stated limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import DatabaseUnavailableError, NovelTasksError
from novel_tasks_core.models import TaskId, WorkerId
from novel_tasks_core.storage.database import Link
from novel_tasks_core.storage.workers import Flags, Heartbeat, serving

logger = logging.getLogger(__name__)

_STOP_SECONDS = 3.0
"""How long stopping waits for the thread, which may be looking up a name."""


class HeartbeatThread:
    """Beats for one worker id until stopped, or until the worker is lost.

    `held` is asked for the (task, attempt) that the worker believes in; `on_flags` gets what has
    happened to leases, `on_lost` a reason, once, when the worker was declared dead or could not beat for
    half a lease: it must then stop its own work. Both are called in this thread. While it is connected
    everybody can see that the worker claims from `lanes`.
    """

    def __init__(
        self,
        worker_id: WorkerId,
        *,
        url: str,
        config: EngineConfig,
        lanes: Collection[int],
        held: Callable[[], Sequence[tuple[TaskId, int]]],
        on_flags: Callable[[Flags], object],
        on_lost: Callable[[str], object],
    ) -> None:
        self.draining = False
        self._worker_id = worker_id
        self._url = url
        self._config = config
        self._lanes = tuple(lanes)
        self._held = held
        self._on_flags = on_flags
        self._on_lost = on_lost
        self._stop_requested = threading.Event()
        self._stopper: Callable[[], object] | None = None
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._main, name=f"heartbeat-{worker_id}", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    async def stop(self) -> None:
        """Stop beating and wait for the thread, three seconds at most: it keeps no program from ending."""
        self._stop_requested.set()
        if self._stopper is not None:
            self._stopper()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._over.wait()
        except TimeoutError:
            logger.warning("heartbeat_does_not_stop", extra={"worker_id": self._worker_id})

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as exc:
            logger.critical("heartbeat_failed", exc_info=True, extra={"worker_id": self._worker_id})
            self._tell(self._on_lost, f"its heartbeat failed: {exc}")
        finally:
            self._tell(self._loop.call_soon_threadsafe, self._over.set)

    def _tell(self, hear: Callable[[Any], object], what: Any) -> None:
        """Tell the worker something, unless its loop is closed: then nobody waits for it."""
        with contextlib.suppress(RuntimeError):
            hear(what)

    async def _run(self) -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def stop_soon() -> None:
            with contextlib.suppress(RuntimeError):  # the loop of a heartbeat that has ended is closed
                loop.call_soon_threadsafe(stop.set)

        self._stopper = stop_soon
        greeting = serving(self._worker_id, self._lanes)
        link = Link(self._url, name="heartbeat", config=self._beat_config(), greeting=greeting)
        beating = asyncio.create_task(self._beat_for_ever(Heartbeat(link)))
        stopping = asyncio.create_task(stop.wait())
        if self._stop_requested.is_set():
            stop.set()
        try:
            await asyncio.wait({beating, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if beating.done():
                beating.result()
        finally:
            beating.cancel()
            stopping.cancel()
            await asyncio.wait({beating, stopping})
            await link.close()

    def _beat_config(self) -> EngineConfig:
        """Return settings whose timeouts leave room for a second try within half a lease."""
        import attrs

        bound = max(0.1, self._config.lease_ttl_seconds / 5)
        return attrs.evolve(
            self._config,
            connect_timeout_seconds=min(self._config.connect_timeout_seconds, bound),
            command_timeout_seconds=min(self._config.command_timeout_seconds, bound),
        )

    async def _beat_for_ever(self, heartbeat: Heartbeat) -> None:
        last = time.monotonic()
        while True:
            began = time.monotonic()
            try:
                if not await heartbeat.beat(self._worker_id, draining=self.draining):
                    self._on_lost("it was declared dead")
                    return
                last = began
                flags = await heartbeat.flags(self._worker_id, self._held())
                if flags.cancel or flags.gone:
                    self._on_flags(flags)
            except DatabaseUnavailableError as exc:
                logger.warning("heartbeat_missed", extra={"worker_id": self._worker_id, "reason": exc.reason})
            except NovelTasksError:
                logger.exception("heartbeat_refused", extra={"worker_id": self._worker_id})
            if time.monotonic() - last > self._config.lease_ttl_seconds / 2:
                self._on_lost(f"it could not beat for {time.monotonic() - last:.1f} s")
                return
            await asyncio.sleep(self._pause(began, failed=last != began))

    def _pause(self, began: float, *, failed: bool) -> float:
        """Return how long to wait: until the next beat is due, less after a failure."""
        every = self._config.heartbeat_seconds
        return max(0.01, (min(every, 0.5) if failed else every) - (time.monotonic() - began))
