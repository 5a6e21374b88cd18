"""The slots of a worker: so many attempts at once, and what is claimed ahead of them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from novel_tasks_core.errors import LeaseLostError
from novel_tasks_core.execution.attempt import CancelReason, run_attempt
from novel_tasks_core.execution.children import ChildPool
from novel_tasks_core.models import ErrorInfo, Failed, Released, format_task_id
from novel_tasks_core.storage.files import StagedFile
from novel_tasks_core.worker.deadlines import Deadlines
from novel_tasks_core.worker.flusher import Flusher
from novel_tasks_core.worker.parts import WorkerParts
from novel_tasks_core.worker.running import Running

logger = logging.getLogger(__name__)

AHEAD_SECONDS = 0.1
"""How far ahead of its slots a worker claims tasks that are quick."""
MAX_AHEAD = 500
_STOP_SECONDS = 2.0
_TURN_SECONDS = 0.001


class Slots:
    """Runs attempts, `total` at once. A slot is one asyncio task that takes the next attempt when it has ended one.

    An attempt whose processor is done gives its slot to the next one while its artifacts are made durable:
    that takes the disk's time, not the processor's. `on_room` is called when it is time to claim more.
    """

    def __init__(self, parts: WorkerParts, flusher: Flusher, *, total: int, on_room: Callable[[], object]) -> None:
        self.total = total
        self.active = 0
        self._parts = parts
        self._flusher = flusher
        self._on_room = on_room
        self._ahead: deque[Running] = deque()
        self._refill_below = 0
        self._seconds: dict[str, float] = {}
        self._deadlines = Deadlines(parts.clock)
        self._draining = False
        self._starting = False
        self._between_turns = 0
        self._keeping: set[Running] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._children = ChildPool(
            size=total, memory_mb=parts.config.child_memory_mb, grace_seconds=parts.config.cancel_grace_seconds
        )

    # -- what to claim ----------------------------------------------------------------------------------------

    def room(self, processor: str) -> int:
        """Return how many more tasks of a processor to claim.

        That is as many as slots are free, and if its tasks are quick also what will run within a tenth of a
        second, once half of that is used up.
        """
        ahead = self._ahead_wanted(processor)
        if len(self._ahead) > ahead // 2 or self._flusher.is_behind:
            return 0
        return max(0, self.total - self.active + ahead - len(self._ahead))

    def _ahead_wanted(self, processor: str) -> int:
        seconds = self._seconds.get(processor)
        if seconds is None or seconds > AHEAD_SECONDS / 2:
            return 0
        wanted = min(MAX_AHEAD, int(self.total * AHEAD_SECONDS / max(seconds, 1e-5)))
        self._refill_below = max(self._refill_below, wanted // 2)
        return wanted

    def accept(self, claimed: list[Running]) -> None:
        """Take over leases, and run them as slots become free."""
        self._ahead.extend(claimed)
        self._settle()

    # -- running ----------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Begin with what waits, if slots are free; when draining, give it back instead."""
        while self._ahead and self._draining:
            self._flusher.end(self._ahead.popleft(), Released())
        self._start_next()

    def _start_next(self) -> None:
        """Start one more slot, unless a running one is about to take what waits.

        One at a time, because quick attempts are all run by the first: more would only keep others from their turn.
        """
        self._starting = False
        if self._ahead and not self._between_turns and self.active < self.total:
            self.active += 1
            self._idle.clear()
            task = asyncio.create_task(self._slot(self._ahead.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._parts.observer.slots_changed(used=self.active, total=self.total)
            if len(self._ahead) <= self._refill_below:
                self._on_room()  # whoever claims saw these waiting, and thought that there was no room

    def _start_next_soon(self) -> None:
        """Start one more slot as soon as this one waits for something."""
        self._starting = True
        asyncio.get_running_loop().call_soon(self._start_next)

    async def _slot(self, running: Running) -> None:
        """Run one attempt after the other until none waits, letting others have their turn now and then."""
        ended = turn = self._parts.clock.monotonic()
        try:
            while True:
                if self._ahead and not self._starting:
                    self._start_next_soon()
                ended = await self._attempt(running, ended)
                if running in self._keeping:
                    return  # its slot has gone to another
                if len(self._ahead) <= self._refill_below:
                    self._on_room()
                if ended - turn > _TURN_SECONDS:
                    ended = turn = await self._let_others()
                if not self._ahead or self._draining:
                    return
                running = self._ahead.popleft()
        finally:
            if running in self._keeping:
                self._keeping.discard(running)
            else:
                self._free()
            if self.active == 0 and not self._keeping:
                self._idle.set()

    def _free(self) -> None:
        """Give a slot to whatever comes next."""
        self.active -= 1
        self._parts.observer.slots_changed(used=self.active, total=self.total)
        self._settle()
        self._on_room()

    async def _keep(self, running: Running, staged: Sequence[StagedFile]) -> None:
        """Make the artifacts of an attempt durable, outside its slot unless too many do that already."""
        if len(self._keeping) < self.total:
            self._keeping.add(running)
            self._free()
        await self._parts.files.commit(*staged)

    async def _let_others(self) -> float:
        """Let everything else on the event loop have its turn; return when ours begins, in monotonic seconds."""
        self._between_turns += 1
        try:
            await asyncio.sleep(0)
        finally:
            self._between_turns -= 1
        return self._parts.clock.monotonic()

    async def _attempt(self, running: Running, began: float) -> float:
        """Run one attempt, which begins now, and queue its end; return when it ended. Both in monotonic seconds."""
        claim = running.claim
        running.started = True
        self._flusher.started(running, began)
        self._parts.observer.attempt_started(task_id=claim.task_id, processor=claim.processor, attempt=claim.attempt)
        self._deadlines.begin(running, began)
        try:
            outcome = await run_attempt(
                claim,
                processor=self._parts.processors.get(claim.processor),
                children=self._children,
                files=self._parts.files,
                reports=running,
                scope=running.scope,
                keep=partial(self._keep, running),
                keeps_time=False,
            )
        except LeaseLostError:
            self._flusher.drop(running)
            return self._parts.clock.monotonic()
        except Exception as exc:
            # A fault of ours, not of the processor: the task must not stay leased for ever because of it.
            logger.exception("attempt_broke", extra={"task_id": format_task_id(claim.task_id)})
            outcome = Failed(error=ErrorInfo(type(exc).__name__, f"the worker broke: {exc}"))
        finally:
            self._deadlines.end(running)
        ended = self._parts.clock.monotonic()
        running.seconds = ended - began
        self._note_seconds(claim.processor, running.seconds)
        if running.outcome is None:  # else it was given up
            self._flusher.end(running, outcome)
        return ended

    def _note_seconds(self, processor: str, seconds: float) -> None:
        """Keep a moving average of how long attempts take: it decides how far to claim ahead."""
        before = self._seconds.get(processor, seconds)
        self._seconds[processor] = before * 0.8 + seconds * 0.2

    # -- stopping ---------------------------------------------------------------------------------------------

    def lose(self, running: Running) -> None:
        """Stop an attempt whose lease is gone; nothing that it made is kept."""
        self._flusher.disown(running)
        if running.started or running not in self._ahead:  # the latter has a slot, but had no turn of the loop yet
            running.scope.cancel(CancelReason.LEASE_LOST)
        else:
            self._ahead.remove(running)
            self._flusher.drop(running)

    async def drain(self, *, grace_seconds: float) -> None:
        """Give back what has not started, wait for the rest, and cancel what runs on after the grace.

        Returns when nothing runs any more, except what ignores its cancellation for longer than
        `cancel_grace_seconds`: that is given up with all that it makes.
        """
        self._draining = True
        self._settle()
        if await self._idle_within(grace_seconds):
            return
        for running in list(self._flusher.held.values()):
            running.scope.cancel(CancelReason.SHUTDOWN)
        if await self._idle_within(self._parts.config.cancel_grace_seconds + _STOP_SECONDS):
            return
        for running in list(self._flusher.held.values()):
            if running.outcome is None:
                extra = {"task_id": format_task_id(running.claim.task_id), "processor": running.claim.processor}
                logger.error("attempt_ignores_cancellation", extra=extra)
                self._flusher.end(running, Released())
        self._idle.set()  # nobody waits a second time for what was given up

    async def _idle_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Kill the children and stop the timer."""
        self._deadlines.close()
        await self._children.close()
