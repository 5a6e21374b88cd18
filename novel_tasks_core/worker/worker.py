"""A claim loop with slots.

Four things run side by side: the claim loop, the attempts, the flusher, and the heartbeat, which has
its own thread so that a busy event loop does not cost the worker its leases. `close` undoes them in
order: stop claiming, give back what has not started, let the rest finish within the grace, cancel and
give back what has not finished, flush, retire.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from novel_tasks_core.errors import DatabaseUnavailableError
from novel_tasks_core.execution.attempt import CancelReason
from novel_tasks_core.execution.services import Services
from novel_tasks_core.models import Claim, WorkerId
from novel_tasks_core.storage.heartbeat import HeartbeatThread
from novel_tasks_core.storage.queue import Head, Lane
from novel_tasks_core.storage.workers import Flags
from novel_tasks_core.worker.flusher import Flusher
from novel_tasks_core.worker.lost_claims import LostClaims
from novel_tasks_core.worker.parts import WorkerParts
from novel_tasks_core.worker.running import Running
from novel_tasks_core.worker.slots import Slots
from novel_tasks_core.worker.watermarks import Watermarks

logger = logging.getLogger(__name__)

_LAST_WORDS_SECONDS = 3.0
"""How long a worker that ends waits for the database, after its grace: once for its leases, once for itself."""


class Worker:
    """Claims and runs tasks. Made by `TaskEngine.worker`, which closes it."""

    def __init__(self, parts: WorkerParts, *, slots: int, processors: Iterable[str] | None, name: str) -> None:
        self.slots = slots
        self._parts = parts
        self._name = name
        self._wanted = None if processors is None else frozenset(processors)
        self._lanes: dict[int, Lane] = {}
        self._marks = Watermarks(())
        self._room = asyncio.Event()
        self._draining = False
        self._registered = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._services = Services()
        self._flusher = Flusher(parts, on_caught_up=self._room.set)
        self._slots = Slots(parts, self._flusher, total=slots, on_room=self._room.set)
        self._claiming = asyncio.Lock()
        self._lost_claims = LostClaims(parts, self._flusher)
        self._heartbeat: HeartbeatThread | None = None

    @property
    def id(self) -> WorkerId:
        """The id under which the worker holds leases; a new one after it was declared dead."""
        return self._flusher.worker_id

    @property
    def running(self) -> int:
        """How many attempts run now."""
        return self._slots.active

    @property
    def failed(self) -> Mapping[str, str]:
        """Background loops that failed and wait to start again, with their reason."""
        return self._services.failed

    # -- life -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Register, begin to beat, and claim."""
        await self._find_lanes()
        await self._register()
        self._services.start("flush", self._flusher.run)
        self._services.start("claim", self._claim_loop)

    async def _find_lanes(self) -> None:
        config, known = self._parts.config, self._parts.processors
        for name in known.names() if self._wanted is None else self._wanted:
            processor = known.get(name)
            if processor.function is not None:
                lane = await self._parts.queue.make_lane(name)
                self._lanes[lane] = Lane(lane, name, processor.timeout_seconds or config.task_timeout_seconds)
        self._marks = Watermarks(self._lanes)

    async def _register(self) -> None:
        self._flusher.worker_id = await self._parts.workers.register(name=self._name, slots=self.slots)
        loop = asyncio.get_running_loop()
        self._heartbeat = HeartbeatThread(
            self.id,
            url=self._parts.database_url,
            config=self._parts.config,
            lanes=self._lanes,
            held=lambda: list(self._flusher.held),
            on_flags=lambda flags: loop.call_soon_threadsafe(self.apply_flags, flags),
            on_lost=lambda reason: loop.call_soon_threadsafe(self._lost, reason),
        )
        self._heartbeat.start()
        self._registered.set()

    async def drain(self, *, grace_seconds: float | None = None) -> None:
        """Stop claiming, give back what has not started, and wait for the rest, at most the grace.

        What has not finished by then is cancelled and given back, which does not count as a failure.
        Returns when nothing runs any more, except what ignores its cancellation for longer than
        `cancel_grace_seconds`; ends may still be on the way into the database.
        """
        grace = self._parts.config.shutdown_grace_seconds if grace_seconds is None else grace_seconds
        self._draining = True
        if self._heartbeat is not None:
            self._heartbeat.draining = True
        self._room.set()
        await self._slots.drain(grace_seconds=grace)

    async def close(self, *, grace_seconds: float | None = None) -> None:
        """Drain, commit everything within a bound, and go off the register.

        Idempotent: further calls wait with the first. A caller that is cancelled does not stop it.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(grace_seconds))
        await asyncio.shield(self._closing)

    async def _close(self, grace_seconds: float | None) -> None:
        try:
            await self.drain(grace_seconds=grace_seconds)
            last = asyncio.get_running_loop().time() + _LAST_WORDS_SECONDS
            await self._settle_claims(last)
            await self._settle_ends(last)
        finally:
            await self._services.stop()
            if self._heartbeat is not None:
                await self._heartbeat.stop()
            await self._slots.close()
            await self._retire()

    async def _settle_claims(self, last: float) -> None:
        """Wait for the claim under way: what it takes is given back, not left to the rescue."""
        try:
            async with asyncio.timeout_at(last), self._claiming:
                await self._lost_claims.give_back(now=True)
        except (TimeoutError, DatabaseUnavailableError):
            logger.warning("claim_not_settled", extra={"worker_id": self.id})

    async def _settle_ends(self, last: float) -> None:
        """Wait until all ends are stored; leases that cannot be given up now expire by themselves."""
        try:
            async with asyncio.timeout_at(last):
                await self._flusher.emptied()
        except TimeoutError:
            leases = len(self._flusher.held)
            logger.warning("worker_left_leases", extra={"worker_id": self.id, "leases": leases})

    async def _retire(self) -> None:
        if self._flusher.held or not self._registered.is_set():
            return  # whoever rescues its leases needs to see that it stopped beating
        try:
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._parts.workers.retire(self.id)
        except (TimeoutError, DatabaseUnavailableError) as exc:
            logger.warning("worker_not_retired", extra={"worker_id": self.id, "reason": str(exc)})

    # -- claiming ---------------------------------------------------------------------------------------------

    def wake(self, heads: Iterable[Head]) -> None:
        """Hear that tasks became ready."""
        if self._marks.hear(heads):
            self._room.set()

    def look(self) -> None:
        """Hear that anything may have changed."""
        self._marks.expire()
        self._room.set()

    async def _claim_loop(self) -> None:
        config = self._parts.config
        delay = config.poll_min_seconds
        while not self._draining:
            await self._registered.wait()
            self._room.clear()
            most = self._most()
            waiting_for = most or self._lost_claims.suspected
            claimed = await self._try_claim(most) if waiting_for else 0
            if claimed:
                delay = config.poll_min_seconds
                continue
            try:
                async with asyncio.timeout(delay * random.uniform(0.75, 1.25) if waiting_for else None):  # noqa: S311
                    await self._room.wait()
            except TimeoutError:
                delay = min(delay * 2, config.poll_max_seconds)

    def _most(self) -> dict[int, int]:
        """Return how many tasks to claim of each lane, nothing while enough are held."""
        most = {id: self._slots.room(lane.processor) for id, lane in self._lanes.items()}
        return most if any(most.values()) else {}

    async def _try_claim(self, most: Mapping[int, int]) -> int:
        async with self._claiming:
            return await self._claim(most)

    async def _claim(self, most: Mapping[int, int]) -> int:
        began = self._parts.clock.monotonic()
        try:
            await self._lost_claims.give_back()
            if not most:
                return 0
            if self._marks.is_stale(began):
                found = await self._parts.queue.heads(list(self._lanes))
                self._marks.refresh(found, began=began, ended=self._parts.clock.monotonic())
            heads = self._marks.heads()
            if not heads:
                return 0
            self._marks.begin()
            worker_id = self.id
            claimed = await self._parts.queue.claim(heads, lanes=self._lanes, most=most, worker_id=worker_id)
        except DatabaseUnavailableError as exc:
            logger.warning("claim_failed", extra={"worker_id": self.id, "reason": exc.reason})
            self._lost_claims.suspect()
            return 0
        if worker_id != self.id or not self._registered.is_set():
            # Declared dead meanwhile: these leases are of nobody, and are rescued. This worker may get the tasks anew.
            logger.warning("claim_came_too_late", extra={"worker_id": worker_id, "tasks": len(claimed)})
            return 0
        accepted = [
            Running(claim, self._flusher, claim.last_seq, (claim.task_id, claim.attempt)) for claim, _ in claimed
        ]
        self._marks.passed(head for _, head in claimed)
        self._note_exhausted(claimed, most)
        self._flusher.take(accepted)
        if self._parts.broadcast.news.wanted:
            self._parts.broadcast.news.changed([running.claim.task_id for running in accepted])
        self._parts.observer.claimed(tasks=len(claimed), seconds=self._parts.clock.monotonic() - began)
        self._slots.accept(accepted)
        return len(claimed)

    def _note_exhausted(self, claimed: Sequence[tuple[Claim, Head]], most: Mapping[int, int]) -> None:
        """Ask no more of lanes that gave less than was asked for, until they are heard of."""
        if len(claimed) == max(most.values()):
            return
        got = Counter(head.lane for _, head in claimed)
        for lane, wanted in most.items():
            if got[lane] < wanted:
                self._marks.exhausted(lane)

    # -- leases -----------------------------------------------------------------------------------------------

    async def check_flags(self) -> None:
        """Look now at what has happened to the leases, as every heartbeat does: the next one will, if this fails."""
        try:
            self.apply_flags(await self._parts.workers.flags(self.id, list(self._flusher.held)))
        except DatabaseUnavailableError as exc:
            logger.warning("flags_not_seen", extra={"worker_id": self.id, "reason": exc.reason})

    def apply_flags(self, flags: Flags) -> None:
        """Stop attempts that were cancelled, or whose lease is gone."""
        for held, reason in flags.cancel:
            if (running := self._flusher.held.get(held)) is not None:
                # One that waits for a slot is started all the same: it ends as cancelled before it does anything.
                running.scope.cancel(CancelReason.CANCELLED, detail=reason)
        for held in flags.gone:
            if (running := self._flusher.held.get(held)) is not None and running.outcome is None:
                self._slots.lose(running)

    def _lost(self, reason: str) -> None:
        """Stop everything and start anew under another id: declared dead, or unable to beat for too long."""
        logger.critical("worker_lost_its_leases", extra={"worker_id": self.id, "reason": reason})
        if self._draining and self._closing is not None and self._closing.done():
            return
        self._registered.clear()
        self._flusher.disown_all()
        for running in list(self._flusher.held.values()):
            if running.outcome is None:
                self._slots.lose(running)
        self._services.start("register", self._start_anew)

    async def _start_anew(self) -> None:
        """Register again, with patience; the old id is taken off the list, so that its leases are rescued at once."""
        old, heartbeat = self.id, self._heartbeat
        if heartbeat is not None:
            await heartbeat.stop()
        delay = 0.1
        while True:
            try:
                await self._parts.workers.retire(old)
                await self._register()
                return
            except DatabaseUnavailableError:
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)
