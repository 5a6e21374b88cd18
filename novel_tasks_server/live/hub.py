"""All sockets of this process, and what they follow.

However many sockets follow a task, it is watched once and each message is written once. The watch
begins with the first follower and ends with the last. Who joins late, or comes back with its last seq, is
brought to where the others are; those who join together are served together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing

import structlog
from aiohttp import web

from novel_tasks_core import (
    EngineClosedError,
    NovelTasksError,
    StorageError,
    TaskDeleted,
    TaskEngine,
    TaskId,
    TaskLogged,
    TaskNotFoundError,
    TaskProgressed,
    format_task_id,
)
from novel_tasks_server.live import protocol
from novel_tasks_server.live.connection import CLOSE_TIMEOUT_SECONDS, Connection
from novel_tasks_server.live.frames import CloseCode
from novel_tasks_server.live.heartbeats import Heartbeats
from novel_tasks_server.live.listing import Listing
from novel_tasks_server.live.protocol import ErrorCode
from novel_tasks_server.live.protocol_v1 import TaskEvent, TaskWish
from novel_tasks_server.live.stats import StatsBoard
from novel_tasks_server.live.topic import NO_TASK, Topic
from novel_tasks_server.metrics import Metrics

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_RETRY_SECONDS = 1.0
_LAST_WORD_SECONDS = 1.0
_PAGE = 500
_TOLD_A_TURN = 50
_DOUBTS = 20
_DOUBT_SECONDS = 0.05
_LOOKUPS = 8
"""How many topics may ask the database at once for those who join."""


class ConnectionManager:
    """Knows the sockets of this process and spreads the news of tasks among them."""

    def __init__(self, engine: TaskEngine, *, metrics: Metrics, beats: Heartbeats | None = None) -> None:
        self.closed = False
        self.beats = beats or Heartbeats()
        self.metrics = metrics
        self.listing = Listing(engine, metrics=metrics, changed=self.revive)
        self.stats = StatsBoard(engine)
        self._engine = engine
        self._sockets: dict[Connection, set[TaskId] | None] = {}
        self._topics: dict[TaskId, Topic] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lookups = asyncio.Semaphore(_LOOKUPS)
        self._deserted = asyncio.Event()

    @property
    def connections(self) -> int:
        """How many sockets are open."""
        return len(self._sockets)

    @property
    def topics(self) -> int:
        """How many tasks are followed."""
        return len(self._topics)

    def connect(self, socket: Connection) -> None:
        """Take a socket in. Several may have the same client id."""
        self._sockets[socket] = None
        if self.closed:
            socket.close(CloseCode.RESTART, "the service is restarting")

    def disconnect(self, socket: Connection) -> None:
        """Forget a socket and all that it followed."""
        for task_id in tuple(self.following(socket)):
            self.unsubscribe(socket, task_id)
        self.listing.forget(socket)
        self.stats.unfollow(socket)
        self._sockets.pop(socket, None)
        if not self._sockets:
            self._deserted.set()

    def following(self, socket: Connection) -> Collection[TaskId]:
        """Return the tasks that a socket follows."""
        return self._sockets.get(socket) or ()

    def subscribe(self, socket: Connection, task_id: TaskId, wish: TaskWish | None = None) -> None:
        """Send the task as it is now, and whenever it changes; or what a `wish` says, by the newer protocol."""
        if self.closed or socket not in self._sockets:
            return
        self._sockets[socket] = followed = self._sockets[socket] or set()
        followed.add(task_id)
        topic = self._topics.get(task_id)
        if topic is None:
            topic = self._topics[task_id] = Topic(task_id)
        topic.join(socket, wish)
        if topic.task is not None and topic.is_watched:
            self._greet(topic)
        self._help_to_join(topic)

    def unsubscribe(self, socket: Connection, task_id: TaskId) -> None:
        """Send no more of this task; without effect when it was not followed."""
        followed = self._sockets.get(socket)
        if not followed or task_id not in followed:
            return
        followed.discard(task_id)
        topic = self._topics[task_id]
        topic.leave(socket)
        if not topic:
            self._drop(topic)

    def broadcast(self, task_id: TaskId, event: TaskEvent) -> None:
        """Tell all who follow the task what happened, each once, by whatever protocol they speak."""
        topic = self._topics.get(task_id)
        if topic is None or topic.seq is None:
            return
        told = topic.tell_progress(event) if isinstance(event, TaskProgressed) else topic.tell(event)
        self.metrics.messages_out.inc(told)
        self._help_to_join(topic)

    def relieve(self, socket: Connection) -> None:
        """Go on with what waited until this socket had read more."""
        for task_id in self.following(socket):
            self._topics[task_id].wake.set()
        self.listing.relieve(socket)

    def revive(self, task_id: TaskId) -> None:
        """Watch again a task that was retried, or deleted, after its watch had ended."""
        topic = self._topics.get(task_id)
        if topic is not None and not topic.is_watched and topic.seq is not None and not self.closed:
            topic.watching = self._start(f"watch {task_id}", topic, self._watch)

    async def close(self, *, code: int, reason: str, patience_seconds: float = CLOSE_TIMEOUT_SECONDS) -> None:
        """Tell how the followed tasks stand now, stop all watches and close all sockets; in bounded time.

        Who has not answered the goodbye after `patience_seconds` is cut off.
        """
        self.closed = True
        await self.listing.close()
        await self.stats.close()
        await self._tell_last_states()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in tuple(self._sockets):
            socket.close(code, reason)
        await self._all_gone(patience_seconds)
        self.beats.close()
        self._topics.clear()

    async def _all_gone(self, patience_seconds: float) -> None:
        """Wait until all sockets are closed, and cut off those that stay."""
        for seconds in (patience_seconds, CLOSE_TIMEOUT_SECONDS):
            if not self._sockets:
                return
            self._deserted.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._deserted.wait()
            except TimeoutError:
                for socket in tuple(self._sockets):
                    socket.transport.abort()

    async def _tell_last_states(self) -> None:
        """Send clients of the older protocol what changed since the last message, as far as it is told in time."""
        try:
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                for topic in tuple(self._topics.values()):
                    if topic.has_older:
                        topic.tell_older(protocol.task_update(await self._engine.get(topic.task_id)))
        except (TimeoutError, NovelTasksError) as exc:
            _log.info("last_states_not_told", error=type(exc).__name__)

    # -- the work on one topic ----------------------------------------------------------------------------------

    def _start(self, name: str, topic: Topic, work: Callable[[Topic], Awaitable[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guard(topic, work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guard(self, topic: Topic, work: Callable[[Topic], Awaitable[None]]) -> None:
        """Do the work; an unreachable database only delays it, whatever else goes wrong the followers are told."""
        try:
            while True:
                try:
                    await work(topic)
                    return
                except StorageError as exc:
                    _log.warning("watch_interrupted", task_id=format_task_id(topic.task_id), error=type(exc).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
        except TaskNotFoundError:
            self._abandon(topic)
        except EngineClosedError:
            _log.debug("watch_ended", task_id=format_task_id(topic.task_id), reason="engine closed")
        except Exception:
            _log.exception("watch_failed", task_id=format_task_id(topic.task_id))
            self._abandon(topic, ErrorCode.INTERNAL, "this task can no longer be followed")

    def _drop(self, topic: Topic) -> None:
        if self._topics.get(topic.task_id) is topic:
            del self._topics[topic.task_id]
            self.listing.let_be(topic.task_id)
        for task in (topic.watching, topic.admitting):
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    def _abandon(self, topic: Topic, code: ErrorCode = ErrorCode.NOT_FOUND, reason: str = NO_TASK) -> None:
        """Tell all who follow the task that nothing more will come."""
        for socket in topic.dismiss(code, reason):
            followed = self._sockets.get(socket)
            if followed:
                followed.discard(topic.task_id)
        self._drop(topic)

    # -- watching -----------------------------------------------------------------------------------------------

    async def _watch(self, topic: Topic) -> None:
        """Spread the task's news until it has finished. Raises: TaskNotFoundError once it is deleted."""
        assert topic.seq is not None
        await self._refresh(topic)
        told = 0
        async with aclosing(self._engine.watch(topic.task_id, after=topic.seq)) as events:
            async for event in events:
                told += 1
                if told % _TOLD_A_TURN == 0:
                    await asyncio.sleep(0)  # let what was written leave
                if isinstance(event, TaskDeleted):
                    raise TaskNotFoundError(topic.task_id)
                self.broadcast(topic.task_id, event)
                if not isinstance(event, TaskLogged | TaskProgressed):
                    await self._refresh(topic)
        self._rest(topic)

    def _rest(self, topic: Topic) -> None:
        """Mind a finished task: another process may retry it."""
        if self._topics.get(topic.task_id) is topic and not self.closed:
            self.listing.mind(topic.task_id)

    async def _refresh(self, topic: Topic) -> None:
        """Show the task as the database has it now to those whose protocol wants that."""
        if topic.has_older and topic.task is None:
            task = await self._engine.get(topic.task_id)
            topic.show(task)
            self.metrics.messages_out.inc(topic.tell_older(protocol.task_update(task)))

    # -- joining ------------------------------------------------------------------------------------------------

    async def _admit(self, topic: Topic) -> None:
        """Bring all that join to where the others are, a page of events at a time. Raises: TaskNotFoundError."""
        while not topic.is_joined:
            topic.wake.clear()
            if topic.strangers():
                await self._meet(topic)
                continue
            after = topic.position_behind()
            if after is None:
                await topic.wake.wait()
                continue
            async with self._lookups:
                events = await self._engine.events(topic.task_id, after=after, limit=_PAGE)
            if events:
                topic.catch_up(events)
            else:
                self._begin_anew(topic)

    def _help_to_join(self, topic: Topic) -> None:
        if not topic.is_joined and not topic.is_admitting:
            topic.admitting = self._start(f"admit {topic.task_id}", topic, self._admit)

    def _begin_anew(self, topic: Topic) -> None:
        """Forget what was told: the database has another history."""
        _log.warning("history_changed", task_id=format_task_id(topic.task_id))
        if topic.watching is not None:
            topic.watching.cancel()
            topic.watching = None
        topic.begin_anew()

    async def _meet(self, topic: Topic) -> None:
        """Greet those who have just come with the task as it is now."""
        async with self._lookups:
            task = await self._engine.get(topic.task_id)
        if not topic.show(task):
            topic.doubts += 1
            if topic.doubts > _DOUBTS:
                self._begin_anew(topic)
            await asyncio.sleep(_DOUBT_SECONDS)
            return
        topic.doubts = 0
        self._greet(topic)
        if task.status.is_final and task.last_seq == topic.seq:
            self._rest(topic)
        elif topic and not topic.is_watched:
            topic.watching = self._start(f"watch {topic.task_id}", topic, self._watch)

    def _greet(self, topic: Topic) -> None:
        now = self._engine.clock.now()
        for socket in topic.strangers():
            if not topic.greet(socket, now=now):
                self.unsubscribe(socket, topic.task_id)


HUB = web.AppKey("hub", ConnectionManager)
