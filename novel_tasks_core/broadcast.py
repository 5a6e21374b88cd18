"""Fan-out of events inside this process: from whoever commits them to whoever watches.

A subscription is bounded. Progress is dropped when its reader is slow; a stored event is never lost:
the reader is told to look it up. `poke` says that another process knows something new.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from novel_tasks_core.events import Event, TaskProgressed
from novel_tasks_core.models import TaskId
from novel_tasks_core.news import Newsdesk
from novel_tasks_core.observers import Observer

LIMIT = 256
"""Events that wait for one reader."""


class Subscription:
    """One reader's queue for one task."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._events: deque[Event] = deque()
        self._look = False
        self._wake = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Queue an event; what does not fit is dropped if it is progress, else left to be looked up."""
        if len(self._events) >= LIMIT:
            if isinstance(event, TaskProgressed):
                self._observer.progress_dropped(events=1)
                return
            self._look = True
        else:
            if isinstance(event, TaskProgressed) and self._events and isinstance(self._events[-1], TaskProgressed):
                self._events.pop()  # only the latest counts
            self._events.append(event)
        self._wake.set()

    def poke(self) -> None:
        """Tell the reader to look at the database."""
        self._look = True
        self._wake.set()

    async def take(self, *, within_seconds: float) -> tuple[list[Event], bool]:
        """Wait for events and return all, and whether to look at the database, due at the latest `within_seconds`."""
        try:
            async with asyncio.timeout(within_seconds):
                await self._wake.wait()
        except TimeoutError:
            self._look = True
        self._wake.clear()
        events, look = list(self._events), self._look
        self._events.clear()
        self._look = False
        return events, look


class Broadcast:
    """All subscriptions of this process, by task; `news` is for those who follow all tasks."""

    def __init__(self, observer: Observer) -> None:
        self.news = Newsdesk()
        self._observer = observer
        self._by_task: defaultdict[TaskId, set[Subscription]] = defaultdict(set)

    @property
    def any_watched(self) -> bool:
        """Whether anybody follows any task."""
        return bool(self._by_task)

    def watched(self, task_id: TaskId) -> bool:
        """Say whether anybody follows this task, so that nobody else makes events for it."""
        return task_id in self._by_task

    def wants_progress(self, task_id: TaskId) -> bool:
        """Say whether anybody follows this task, or all."""
        return self.news.wanted or task_id in self._by_task

    @contextmanager
    def subscribe(self, task_id: TaskId) -> Iterator[Subscription]:
        """Follow a task for the length of the block."""
        subscription = Subscription(self._observer)
        self._by_task[task_id].add(subscription)
        try:
            yield subscription
        finally:
            members = self._by_task[task_id]
            members.discard(subscription)
            if not members:
                del self._by_task[task_id]

    def publish(self, events: Iterable[Event]) -> None:
        """Hand events to those who follow their tasks. Only what is committed may be published."""
        for event in events:
            if self.news.wanted:
                self.news.hear(event)
            if event.task_id in self._by_task:
                for subscription in self._by_task[event.task_id]:
                    subscription.offer(event)

    def poke(self, task_ids: Iterable[TaskId] | None) -> None:
        """Tell the followers of these tasks, or of all, to look at the database."""
        for task_id in list(self._by_task) if task_ids is None else task_ids:
            if task_id in self._by_task:
                for subscription in self._by_task[task_id]:
                    subscription.poke()
