"""All sockets of this process, and what they follow.

However many sockets follow a task, it is watched once and each message is written once. The watch
begins with the first subscriber and ends with the last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import aclosing
from typing import Protocol

import structlog
from aiohttp import web

from novel_tasks_core import (
    EngineClosedError,
    NovelTasksError,
    StorageError,
    TaskEngine,
    TaskId,
    TaskNotFoundError,
    format_task_id,
)
from novel_tasks_server.live.feed import Update, follow
from novel_tasks_server.live.protocol import ErrorCode, refusal, task_update

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_RETRY_SECONDS = 1.0
_LAST_WORD_SECONDS = 1.0


class Subscriber(Protocol):
    """What the hub needs of a socket. No method blocks."""

    client_id: str

    def send_state(self, task_id: TaskId, message: bytes) -> None:
        """Send a change of a task."""

    def send_progress(self, task_id: TaskId, message: bytes) -> None:
        """Send progress of a task; it may be dropped for a later one."""

    def send(self, message: bytes) -> None:
        """Send anything else."""

    async def close(self, *, code: int, reason: str) -> None:
        """Say goodbye; returns in bounded time, when the socket is closed."""


class _Topic:
    """A followed task: who follows it, the last message, and the asyncio task that watches it."""

    def __init__(self) -> None:
        self.subscribers: set[Subscriber] = set()
        self.last: bytes | None = None
        self.watching: asyncio.Task[None] | None = None


class ConnectionManager:
    """Knows the sockets of this process and spreads the news of tasks among them."""

    def __init__(self, engine: TaskEngine) -> None:
        self.closed = False
        self._engine = engine
        self._sockets: dict[Subscriber, set[TaskId]] = {}
        self._topics: dict[TaskId, _Topic] = {}
        self._watches: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many sockets are open."""
        return len(self._sockets)

    @property
    def topics(self) -> int:
        """How many tasks are followed."""
        return len(self._topics)

    def connect(self, socket: Subscriber) -> None:
        """Take a socket in. Several may have the same client id."""
        self._sockets[socket] = set()

    def disconnect(self, socket: Subscriber) -> None:
        """Forget a socket and all that it followed."""
        for task_id in tuple(self._sockets.get(socket, ())):
            self.unsubscribe(socket, task_id)
        self._sockets.pop(socket, None)

    def following(self, socket: Subscriber) -> Collection[TaskId]:
        """Return the tasks that a socket follows."""
        return self._sockets.get(socket, ())

    def subscribe(self, socket: Subscriber, task_id: TaskId) -> None:
        """Send the task as it is now, and whenever it changes."""
        if self.closed or socket not in self._sockets:
            return
        self._sockets[socket].add(task_id)
        topic = self._topics.setdefault(task_id, _Topic())
        topic.subscribers.add(socket)
        if topic.watching is None:
            self._watch(task_id, topic)
        elif topic.last is not None:
            socket.send_state(task_id, topic.last)

    def unsubscribe(self, socket: Subscriber, task_id: TaskId) -> None:
        """Send no more of this task; without effect when it was not followed."""
        topic = self._topics.get(task_id)
        if topic is None or socket not in topic.subscribers:
            return
        topic.subscribers.discard(socket)
        self._sockets[socket].discard(task_id)
        if not topic.subscribers:
            self._drop(task_id)

    def broadcast(self, task_id: TaskId, update: Update) -> None:
        """Send one update to all who follow the task."""
        topic = self._topics.get(task_id)
        if topic is None:
            return
        topic.last = update.message
        for socket in tuple(topic.subscribers):
            if update.is_progress:
                socket.send_progress(task_id, update.message)
            else:
                socket.send_state(task_id, update.message)

    def revive(self, task_id: TaskId) -> None:
        """Watch again a task that was sent round again after its watch had ended."""
        topic = self._topics.get(task_id)
        if topic is not None and topic.watching is None and not self.closed:
            self._watch(task_id, topic)

    async def close(self, *, code: int, reason: str) -> None:
        """Tell how the followed tasks stand now, stop all watches and close all sockets; in bounded time."""
        self.closed = True
        await self._tell_last_states()
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        await asyncio.gather(*(socket.close(code=code, reason=reason) for socket in tuple(self._sockets)))
        self._topics.clear()

    async def _tell_last_states(self) -> None:
        """Send what changed since the last message, as far as the database tells it in time."""
        try:
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                for task_id, topic in tuple(self._topics.items()):
                    message = task_update(await self._engine.get(task_id))
                    if message != topic.last:
                        self.broadcast(task_id, Update(message))
        except (TimeoutError, NovelTasksError) as exc:
            _log.info("last_states_not_told", error=type(exc).__name__)

    def _drop(self, task_id: TaskId) -> None:
        topic = self._topics.pop(task_id)
        if topic.watching is not None:
            topic.watching.cancel()

    def _watch(self, task_id: TaskId, topic: _Topic) -> None:
        topic.watching = asyncio.create_task(self._keep_watching(task_id, topic), name=f"watch {task_id}")
        self._watches.add(topic.watching)
        topic.watching.add_done_callback(self._watches.discard)

    async def _keep_watching(self, task_id: TaskId, topic: _Topic) -> None:
        """Spread the task's news until it has finished or is gone; an unreachable database only delays them."""
        try:
            while not await self._spread(task_id):  # noqa: ASYNC110 - waits out a database, not an event of ours
                await asyncio.sleep(_RETRY_SECONDS)
        except TaskNotFoundError as exc:
            self._abandon(task_id, topic, ErrorCode.NOT_FOUND, str(exc))
        except EngineClosedError:
            _log.debug("watch_ended", task_id=format_task_id(task_id), reason="engine closed")
        except Exception:
            _log.exception("watch_failed", task_id=format_task_id(task_id))
            self._abandon(task_id, topic, ErrorCode.INTERNAL, "this task can no longer be followed")
        finally:
            topic.watching = None

    async def _spread(self, task_id: TaskId) -> bool:
        """Return True when the task has finished, False to try again."""
        try:
            async with aclosing(follow(self._engine, task_id)) as updates:
                async for update in updates:
                    self.broadcast(task_id, update)
        except StorageError as exc:
            _log.warning("watch_interrupted", task_id=format_task_id(task_id), error=type(exc).__name__)
            return False
        return True

    def _abandon(self, task_id: TaskId, topic: _Topic, code: ErrorCode, reason: str) -> None:
        """Tell all who follow the task that nothing more will come."""
        if self._topics.get(task_id) is topic:
            del self._topics[task_id]
        message = refusal(code, reason, task_id=format_task_id(task_id))
        for socket in tuple(topic.subscribers):
            self._sockets[socket].discard(task_id)
            socket.send(message)


HUB = web.AppKey("hub", ConnectionManager)
