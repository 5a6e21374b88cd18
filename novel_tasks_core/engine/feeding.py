"""Following all tasks: one loop looks for all who read, as long as anybody does.

It is told what happens in this process, and of other processes what they ring for. Submits ring only for the
places of their tasks, so new tasks are looked for by their ids. What nobody rings for is found by
a look every two seconds: at new tasks, at the leases, and at the number of all tasks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from novel_tasks_core.clock import Clock
from novel_tasks_core.engine.arrivals import LIMIT, Arrivals
from novel_tasks_core.engine.readers import Reader
from novel_tasks_core.engine.told import MAX_RUNNING, Told
from novel_tasks_core.errors import DatabaseUnavailableError, EngineClosedError
from novel_tasks_core.events import Changes, TaskDeleted
from novel_tasks_core.execution.services import Services
from novel_tasks_core.models import TaskId
from novel_tasks_core.news import MAX_TASKS, News, Newsdesk
from novel_tasks_core.storage.feed import Feed

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How long nobody looks by himself while there is no news."""

DOUBT_SECONDS = 0.25
BATCH_SECONDS = 0.07
RESYNC_SECONDS = 1.0
AGAIN_SECONDS = 0.5
REST = 3.0
"""How many times as long as a batch has taken the next one waits: the look never has a connection for itself."""


class Feeding:
    """The readers of this process, and the loop that looks for them."""

    def __init__(
        self, *, feed: Feed, news: Newsdesk, services: Services, clock: Clock, hears: Callable[[], bool]
    ) -> None:
        self._feed = feed
        self._news = news
        self._services = services
        self._clock = clock
        self._hears = hears
        self._readers: set[Reader] = set()
        self._loop: asyncio.Task[None] | None = None
        self._live = False
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Read for the length of the block. Raises: EngineClosedError."""
        if self._closed:
            raise EngineClosedError
        reader = Reader()
        self._readers.add(reader)
        if self._loop is None:
            self._loop = self._services.start("changes", self._tell)
        elif self._live:
            reader.offer(Changes(resync=True))
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            if not self._readers:
                self._stop()

    def _stop(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
        self._loop = None
        self._live = False
        self._news.end()

    async def _tell(self) -> None:
        self._news.begin()
        look = _Look(feed=self._feed, news=self._news, clock=self._clock, hears=self._hears)
        while True:
            changes = await look.next()
            self._live = True
            for reader in self._readers:
                reader.offer(changes)

    def close(self) -> None:
        """End all reading, now and later."""
        self._closed = True
        for reader in self._readers:
            reader.close()
        self._stop()


class _Look:
    """What one loop knows, from its beginning on."""

    def __init__(self, *, feed: Feed, news: Newsdesk, clock: Clock, hears: Callable[[], bool]) -> None:
        self._feed = feed
        self._news = news
        self._clock = clock
        self._hears = hears
        self._told = Told()
        self._arrivals = Arrivals()
        self._counts: tuple[int, ...] | None = None
        self._missed = True
        self._look_at = self._ready_at = self._resync_at = float("-inf")

    async def next(self) -> Changes:
        """Wait for changes and return them; a database that is away is waited for, and then something was missed."""
        while True:
            await self._due()
            began = _now()
            try:
                changes = await self._batch(self._news.take(), looks=began >= self._look_at)
            except DatabaseUnavailableError as exc:
                logger.warning("changes_not_seen", extra={"reason": exc.reason})
                self._start_over()
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self._ready_at = _now() + max(BATCH_SECONDS, REST * (_now() - began))
            if changes.tasks or changes.deleted or changes.resync:
                return changes

    def _start_over(self) -> None:
        self._arrivals = Arrivals()
        self._missed, self._look_at = True, float("-inf")

    async def _due(self) -> None:
        """Wait for news or until something else is due, and until the last batch is long enough ago."""
        due = min(self._look_at, self._resync_at) if self._missed else self._look_at
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._news.rings.wait()
        await asyncio.sleep(self._ready_at - _now())

    async def _batch(self, news: News, *, looks: bool) -> Changes:
        if news.missed:
            self._miss()
        self._told.hear(news.progress)
        deleted = self._told.gone(news.deleted.values())
        self._arrivals.remove(gone.task_id for gone in deleted)
        ids = news.tasks.difference(news.deleted)
        if looks or news.arrived or self._arrivals.uncounted:
            ids |= await self._arrived(counts=looks or self._arrivals.uncounted)
        if looks:
            ids |= self._told.restless(await self._feed.running(limit=MAX_RUNNING))
            self._look_at = _now() + (DOUBT_SECONDS if self._arrivals.in_doubt else LOOK_SECONDS)
        if len(ids) > MAX_TASKS:
            self._miss()
            ids = set()
        summaries = await self._feed.summaries(ids) if ids else []
        unseen, at = ids.difference(task.id for task in summaries), self._clock.now()
        vanished = self._told.gone(TaskDeleted(task_id=task_id, at=at) for task_id in unseen)
        self._arrivals.remove(gone.task_id for gone in vanished)
        return Changes(tasks=self._told.news(summaries), deleted=deleted + vanished, resync=self._resyncs())

    async def _arrived(self, *, counts: bool) -> set[TaskId]:
        # Ids are made by the clock of the machine, whatever clock the engine was given.
        low = self._arrivals.low(datetime.now(UTC))
        found = await self._feed.arrived(low, limit=LIMIT, counts=counts)
        new = self._arrivals.add(found.ids)
        if found.counts is not None:
            if not self._arrivals.agrees(sum(found.counts)):
                self._missed = True
            if self._counts not in (None, found.counts) and not self._hears():
                self._missed = True  # nobody rings for what other processes change
            self._counts = found.counts
        return new

    def _miss(self) -> None:
        """Note that there is more than is named; deleted tasks among it cannot be counted."""
        self._missed = True
        self._arrivals.forget_count()

    def _resyncs(self) -> bool:
        """Say whether it is time to tell that something was missed."""
        if not self._missed or _now() < self._resync_at:
            return False
        self._missed, self._resync_at = False, _now() + RESYNC_SECONDS
        return True


def _now() -> float:
    return asyncio.get_running_loop().time()
