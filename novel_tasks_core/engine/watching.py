"""Following one task: what was stored, then what happens, without a gap or a repeat between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator

from novel_tasks_core.broadcast import Broadcast, Subscription
from novel_tasks_core.clock import Clock
from novel_tasks_core.errors import DatabaseUnavailableError, TaskNotFoundError
from novel_tasks_core.events import Event, TaskDeleted, TaskProgressed, is_final
from novel_tasks_core.models import TaskId, TaskStatus
from novel_tasks_core.storage.events import Events, WatchState

LOOK_SECONDS = 2.0
"""How long a watcher waits for news before it looks by itself."""

_PAGE = 1000


class Watching:
    """Joins the stored history of tasks with the live broadcast."""

    def __init__(self, *, events: Events, broadcast: Broadcast, clock: Clock) -> None:
        self._events = events
        self._broadcast = broadcast
        self._clock = clock

    async def watch(self, task_id: TaskId, *, after: int) -> AsyncIterator[Event]:
        """Yield the events of a task after a seq, then live ones, until it is finished or deleted.

        Raises: TaskNotFoundError before the first event.
        """
        with self._broadcast.subscribe(task_id) as subscription:
            follower = _Follower(task_id, after, self._events, self._clock)
            state = await self._events.state(task_id)
            async for event in follower.catch_up(state):
                yield event
            while not follower.finished:
                async for event in self._more(follower, subscription):
                    yield event

    async def _more(self, follower: _Follower, subscription: Subscription) -> AsyncIterator[Event]:
        events, look = await subscription.take(within_seconds=LOOK_SECONDS)
        for event in events:
            if follower.accepts(event):
                yield event
                if follower.finished:
                    return
            elif follower.missed(event):
                look = True
                break
        if look:
            async for event in self._look(follower):
                yield event

    async def _look(self, follower: _Follower) -> AsyncIterator[Event]:
        try:
            state = await self._events.state(follower.task_id)
        except TaskNotFoundError:
            follower.finished = True
            yield TaskDeleted(task_id=follower.task_id, at=self._clock.now())
            return
        except DatabaseUnavailableError:
            return  # the next look is at most two seconds away
        async for event in follower.catch_up(state):
            yield event


class _Follower:
    """How far one watcher has got."""

    def __init__(self, task_id: TaskId, after: int, events: Events, clock: Clock) -> None:
        self.task_id = task_id
        self.finished = False
        self._seq = after
        self._progress: tuple[int, float, str] | None = None
        self._events = events
        self._clock = clock

    def accepts(self, event: Event) -> bool:
        """Take the next event if it is the next one, and note how far that gets us."""
        match event:
            case TaskProgressed():
                told = (event.attempt, event.fraction, event.stage)
                if event.after_seq < self._seq or told == self._progress:
                    return False
                self._progress = told
                return True
            case TaskDeleted():
                self.finished = True
                return True
            case _:
                if event.seq != self._seq + 1:
                    return False
                self._seq = event.seq
                self.finished = is_final(event)
                return True

    def missed(self, event: Event) -> bool:
        """Say whether a refused event shows that others before it were missed."""
        return not isinstance(event, TaskProgressed | TaskDeleted) and event.seq > self._seq + 1

    async def catch_up(self, state: WatchState) -> AsyncIterator[Event]:
        """Yield what is stored beyond our seq, then the present progress if it is news."""
        while self._seq < state.last_seq:
            page = await self._events.after(self.task_id, self._seq, limit=_PAGE)
            if not page:
                break
            for event in page:
                self._seq = event.seq
                if is_final(event) and event.seq >= state.last_seq:
                    self.finished = True
                yield event
                if self.finished:
                    return
        if state.status.is_final and self._seq >= state.last_seq:
            self.finished = True
        elif state.status is TaskStatus.PROCESSING and (state.progress or state.stage):
            progress = TaskProgressed(
                task_id=self.task_id,
                after_seq=self._seq,
                at=self._clock.now(),
                attempt=state.attempt,
                fraction=state.progress,
                stage=state.stage,
            )
            if self.accepts(progress):
                yield progress
