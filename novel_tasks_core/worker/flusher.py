"""Commits what attempts end with and say, many at a time, and tells watchers once it is committed.

One flush is in flight; what ends meanwhile makes the next one. An end whose answer was lost is asked
about before it is sent again. What no longer holds its lease is dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs

from novel_tasks_core.errors import DatabaseUnavailableError, LeaseLostError
from novel_tasks_core.events import TaskProgressed
from novel_tasks_core.models import Completed, Outcome, TaskId, WorkerId, format_task_id
from novel_tasks_core.storage.endings import KINDS, Ending, Recording, start_event, stored_events
from novel_tasks_core.storage.queue import Ended
from novel_tasks_core.worker.parts import WorkerParts
from novel_tasks_core.worker.running import NEVER, Running

logger = logging.getLogger(__name__)

BATCH = 500
MAX_BATCH_CHARACTERS = 16 << 20
"""How much JSON one statement carries, unless a single result has more."""
MAX_BACKLOG = 2000
_GATHER_SECONDS = 0.005
_EVENTS_SECONDS = 0.1
_LEASE_PROGRESS_SECONDS = 0.5
_WATCHER_PROGRESS_SECONDS = 0.2
_MAX_BACKOFF_SECONDS = 2.0


class Flusher:
    """The leases of one worker, and the way of their news into the database."""

    def __init__(self, parts: WorkerParts, *, on_caught_up: Callable[[], object]) -> None:
        self.worker_id = WorkerId(-1)
        self._on_caught_up = on_caught_up
        self.held: dict[tuple[TaskId, int], Running] = {}
        self._parts = parts
        self._ended: list[Running] = []
        self._spoke: dict[Running, float] = {}
        self._progressed: dict[Running, None] = {}
        self._lease_progress_at = float("-inf")
        self._wanted = asyncio.Event()
        self._full = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    # -- what attempts say (the Hearer of Running) ------------------------------------------------------------

    def now(self) -> datetime:
        """Return the time of day."""
        return self._parts.clock.now()

    def spoke(self, running: Running) -> None:
        """Note that an attempt has events to store."""
        if running not in self._spoke and not running.lost:
            self._spoke[running] = self._parts.clock.monotonic()
            self._wanted.set()

    def progressed(self, running: Running) -> None:
        """Pass progress on: at most five times a second to watchers here, twice to the lease."""
        if running.lost:
            return
        self._progressed[running] = None
        self._wanted.set()
        if self._parts.clock.monotonic() - running.told_at >= _WATCHER_PROGRESS_SECONDS:
            self._tell_progress(running)

    def _tell_progress(self, running: Running) -> None:
        claim = running.claim
        if running.last_seq == claim.last_seq or not self._parts.broadcast.wants_progress(claim.task_id):
            return  # watchers hear first that it started
        running.told_at = self._parts.clock.monotonic()
        event = TaskProgressed(
            task_id=claim.task_id,
            after_seq=running.last_seq,
            at=self.now(),
            attempt=claim.attempt,
            fraction=running.fraction,
            stage=running.stage,
        )
        self._parts.broadcast.publish((event,))

    async def checkpoint(self, running: Running, value: Any) -> None:
        """Store a checkpoint. Raises: LeaseLostError, DatabaseUnavailableError."""
        task_id, attempt = running.held
        if not await self._parts.queue.checkpoint(task_id, attempt, value, worker_id=self.worker_id):
            raise LeaseLostError(task_id, attempt)

    # -- leases -----------------------------------------------------------------------------------------------

    def take(self, claimed: Sequence[Running]) -> None:
        """Begin to hold leases."""
        if claimed:
            self.held.update((running.held, running) for running in claimed)
            self._empty.clear()

    def started(self, running: Running, monotonic: float) -> None:
        """Note that an attempt begins now."""
        if running.lost:
            return
        running.starts = True
        if not self._spoke:
            self._wanted.set()
        self._spoke[running] = monotonic

    def end(self, running: Running, outcome: Outcome) -> None:
        """Queue the end of an attempt."""
        running.outcome, running.ended_at = outcome, max(self.now(), running.claim.started_at)
        self._ended.append(running)
        waiting = len(self._ended)
        if waiting == 1:
            self._wanted.set()
        if waiting >= BATCH or waiting >= len(self.held):
            self._full.set()

    @property
    def is_behind(self) -> bool:
        """Whether so many ends wait to be stored that nothing more should be claimed: the database sets the pace."""
        return len(self._ended) > MAX_BACKLOG

    def drop(self, running: Running) -> None:
        """Forget a lease that is gone, with everything its attempt made."""
        if self._let_go(running):
            task_id, attempt = running.held
            extra = {"task_id": format_task_id(task_id), "attempt": attempt, "worker_id": self.worker_id}
            logger.warning("lease_lost", extra=extra)
            self._parts.observer.leases_lost(tasks=1)

    def disown(self, running: Running) -> None:
        """Store nothing more of an attempt whose lease is gone: the task may be held anew before it has stopped."""
        running.lost = True
        self._spoke.pop(running, None)
        self._progressed.pop(running, None)

    def disown_all(self) -> None:
        """Forget all ends that were not sent, and store nothing more of what runs: no lease is ours any more."""
        for running in self.held.values():
            self.disown(running)
        ended, self._ended = self._ended, []
        for running in ended:
            self.drop(running)

    def _let_go(self, running: Running) -> bool:
        self._spoke.pop(running, None)
        self._progressed.pop(running, None)
        if self.held.pop(running.held, None) is None:
            return False
        if not self.held:
            self._empty.set()
        return True

    async def emptied(self) -> None:
        """Wait until no lease is held."""
        await self._empty.wait()

    # -- flushing ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Flush for ever."""
        while True:
            await self._wait()
            if self._ended:
                await self._flush_some_ended()
            monotonic = self._parts.clock.monotonic()
            try:
                if self._spoke and monotonic - next(iter(self._spoke.values())) >= _EVENTS_SECONDS:
                    await self._flush_events()
                if self._progressed and monotonic - self._lease_progress_at >= _LEASE_PROGRESS_SECONDS:
                    self._lease_progress_at = monotonic
                    await self._flush_progress()
            except DatabaseUnavailableError as exc:
                logger.warning("flush_failed", extra={"worker_id": self.worker_id, "reason": exc.reason})
                await asyncio.sleep(_EVENTS_SECONDS)

    async def _flush_some_ended(self) -> None:
        was_behind = self.is_behind
        batch = _fitting(self._ended)
        self._ended = self._ended[len(batch) :]
        try:
            await self._settle_events(batch)
            await self._flush_ended(self._without_lost(batch))
            if was_behind:
                self._on_caught_up()
        except DatabaseUnavailableError as exc:
            self._ended = batch + self._ended
            logger.warning("flush_failed", extra={"worker_id": self.worker_id, "reason": exc.reason})
            await asyncio.sleep(_EVENTS_SECONDS)
        except Exception:
            # Behind the others, which must not wait for it: what is in here stays leased until it is stored.
            self._ended += [running for running in batch if running.held in self.held]
            raise

    def _without_lost(self, batch: Iterable[Running]) -> list[Running]:
        """Return those that may still be ours; drop the others."""
        kept = []
        for running in batch:
            if running.lost:
                self.drop(running)
            else:
                kept.append(running)
        return kept

    async def _wait(self) -> None:
        """Wait until there is something to flush now."""
        while not self._ended:
            due = self._due_in()
            if due is not None and due <= 0:
                return
            self._wanted.clear()
            if not await _set_within(self._wanted, due):
                return
        # While others run, wait a moment for them: a statement for many costs little more than for one.
        if len(self._ended) < min(BATCH, len(self.held)):
            self._full.clear()
            await _set_within(self._full, _GATHER_SECONDS)

    def _due_in(self) -> float | None:
        """Return the seconds until events or progress are due, None when there are none."""
        monotonic = self._parts.clock.monotonic()
        waits = []
        if self._spoke:
            waits.append(next(iter(self._spoke.values())) + _EVENTS_SECONDS - monotonic)
        if self._progressed:
            waits.append(self._lease_progress_at + _LEASE_PROGRESS_SECONDS - monotonic)
        return max(0.0, min(waits)) if waits else None

    async def _flush_ended(self, batch: Sequence[Running]) -> None:
        sent = [running for running in batch if running.held in self.held]
        if not sent:
            return
        endings = [_ending(running) for running in sent]
        began = self._parts.clock.monotonic()
        stored = await self._end(endings)
        self._parts.observer.flushed(tasks=len(stored.last_seq), seconds=self._parts.clock.monotonic() - began)
        told = self._parts.broadcast.any_watched or bool(stored.instead)
        for running, ending in zip(sent, endings, strict=True):
            last_seq = stored.last_seq.get(ending.task_id)
            if last_seq is None:
                self.drop(running)
                continue
            if not self._let_go(running):
                continue
            if told:
                ending = stored.instead.get(ending.task_id, ending)
                self._tell_ended(ending, last_seq, sure=ending.task_id not in stored.confirmed)
            self._parts.observer.attempt_finished(
                task_id=ending.task_id,
                processor=running.claim.processor,
                attempt=ending.attempt,
                outcome=ending.kind,
                seconds=running.seconds,
            )
        self._parts.broadcast.poke(stored.confirmed)  # with what words these were stored is not known here
        self._parts.announce(stored.heads, stored.last_seq)

    def _tell_ended(self, ending: Ending, last_seq: int, *, sure: bool) -> None:
        if sure and self._parts.broadcast.watched(ending.task_id):
            self._parts.broadcast.publish(stored_events(ending, last_seq, self.worker_id))

    async def _end(self, endings: list[Ending]) -> Ended:
        """Commit ends, for as long as it takes; the answer covers what an earlier, unanswered try stored."""
        finisher = self.worker_id
        before: dict[TaskId, int] = {}  # what an earlier, unanswered try stored
        delay = 0.05
        unknown = False
        while True:
            try:
                if unknown:
                    before.update((await self._parts.queue.confirm(endings, finisher=finisher)).last_seq)
                    endings = [e for e in endings if e.task_id not in before]
                ended = await self._parts.queue.end(endings, holder=finisher, finisher=finisher)
                if unknown and (refused := [e for e in endings if e.task_id not in ended.last_seq]):
                    # The unanswered try may still have been on its way when we asked. By now it has arrived.
                    before.update((await self._parts.queue.confirm(refused, finisher=finisher)).last_seq)
                return attrs.evolve(ended, last_seq={**before, **ended.last_seq}, confirmed=frozenset(before))
            except DatabaseUnavailableError as exc:
                logger.warning("flush_failed", extra={"worker_id": self.worker_id, "reason": exc.reason})
                unknown = True
            if finisher != self.worker_id:
                # The worker has started anew; these leases are being rescued.
                return Ended(before, confirmed=frozenset(before))
            await asyncio.sleep(delay)
            delay = min(delay * 2, _MAX_BACKOFF_SECONDS)

    async def _settle_events(self, unsure: Iterable[Running]) -> None:
        """Find out which events an unanswered flush stored, so that they are not stored twice."""
        asking = [running for running in unsure if running.unsure and not running.lost]
        if not asking:
            return
        recorded = await self._parts.queue.recorded([running.held for running in asking])
        for running in asking:
            count, last_seq = recorded.get(running.claim.task_id, (0, running.last_seq))
            del running.unstored[: count - running.recorded]
            running.recorded, running.last_seq, running.unsure = count, last_seq, False
        self._parts.broadcast.poke(recorded)

    async def _flush_events(self) -> None:
        await self._settle_events(self._spoke)
        speakers = [running for running in self._spoke if running.outcome is None]
        self._spoke.clear()
        for running in speakers:
            if running.starts:
                running.starts = False
                running.unstored.insert(0, start_event(running.claim.started_at, self.worker_id))
        speakers = [running for running in speakers if running.unstored]
        recordings = [Recording(*running.held, tuple(running.unstored)) for running in speakers]
        if not recordings:
            return
        ended = await self._record(speakers, recordings)
        for running, recording in zip(speakers, recordings, strict=True):
            last_seq = ended.last_seq.get(recording.task_id)
            if last_seq is None:
                continue  # the lease is gone; the heartbeat or the end will say so
            running.last_seq = last_seq
            running.recorded += len(recording.events)
            if self._parts.broadcast.watched(recording.task_id):
                self._parts.broadcast.publish(stored_events(recording, last_seq, self.worker_id))
            if running.told_at == NEVER and (running.fraction or running.stage):
                self._tell_progress(running)  # it was held back until it had started for watchers too
        self._parts.announce((), ended.last_seq)

    async def _record(self, speakers: Sequence[Running], recordings: Sequence[Recording]) -> Ended:
        """Store events. They leave their attempts first, so that an end that comes meanwhile does not repeat them."""
        for running in speakers:
            running.unstored = []
        try:
            return await self._parts.queue.record(recordings, worker_id=self.worker_id)
        except DatabaseUnavailableError:
            for running, recording in zip(speakers, recordings, strict=True):
                running.unstored = [*recording.events, *running.unstored]
                running.unsure = True
                if not running.lost:
                    self._spoke.setdefault(running, self._parts.clock.monotonic())
            raise

    async def _flush_progress(self) -> None:
        running = [r for r in self._progressed if r.outcome is None]
        self._progressed.clear()
        if running:
            latest = [(*r.held, r.fraction, r.stage) for r in running]
            await self._parts.queue.progress(latest, worker_id=self.worker_id)
            for one in running:
                self._tell_progress(one)  # the last word, which may have come too soon after the one before
            self._parts.announce((), [r.claim.task_id for r in running])


def _fitting(ended: list[Running]) -> list[Running]:
    """Return the first of these that together make one statement of a bearable size, at least one."""
    size = 0
    for count, running in enumerate(ended[:BATCH]):
        if isinstance(running.outcome, Completed) and running.outcome.text is not None:
            size += len(running.outcome.text)
            if size > MAX_BATCH_CHARACTERS and count:
                return ended[:count]
    return ended[:BATCH]


async def _set_within(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait for an event; False when it was not set within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _ending(running: Running) -> Ending:
    """Put the end of an attempt together with what it said last."""
    outcome, ended_at = running.outcome, running.ended_at
    assert outcome is not None
    assert ended_at is not None
    started_at = running.claim.started_at if running.starts else None
    return Ending(*running.held, outcome, ended_at, running.unstored, started_at, KINDS[type(outcome)])
