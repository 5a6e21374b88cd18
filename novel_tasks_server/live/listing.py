"""Following tasks at large: all of them, or those that match a filter.

One look at all changes serves everybody, for as long as anybody wants it. Whoever begins to follow is told to
load the list once nothing is missed any more, and again whenever something may have been: `resync`. What is told
of a task is its state, so a later message makes up for one that a slow reader did not get; one that cannot even
take the latest of each task is told to load the list.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import aclosing, contextmanager
from datetime import datetime

from attrs import Factory, define

from novel_tasks_core import Changes, TaskDeleted, TaskEngine, TaskId, TaskSummary, format_task_id
from novel_tasks_server.live import protocol_v1
from novel_tasks_server.live.connection import Connection
from novel_tasks_server.live.frames import text_frame
from novel_tasks_server.live.looking import Looking
from novel_tasks_server.live.protocol_v1 import ListWish
from novel_tasks_server.live.stream import Source, written
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.schemas.views import TaskView

MAX_WAITING = 1000
"""Of how many tasks the news may wait for one listener."""

_RESYNC = text_frame(protocol_v1.RESYNC)
_STREAMED_RESYNC = written("resync", {})


class Listener:
    """One stream that follows tasks at large: what waits for it is the latest of each task."""

    def __init__(self) -> None:
        self._waiting: dict[TaskId, bytes] = {}
        self._wake = asyncio.Event()
        self._resync = False

    def tell(self, task_id: TaskId, chunk: bytes) -> None:
        """Give it the latest news of a task."""
        self._waiting.pop(task_id, None)
        self._waiting[task_id] = chunk
        if len(self._waiting) > MAX_WAITING:
            self.resync()
        self._wake.set()

    def resync(self) -> None:
        """Tell it that something was missed; what waits is part of the list that it will load."""
        self._waiting.clear()
        self._resync = True
        self._wake.set()

    async def take(self) -> bytes:
        """Wait for news and take all."""
        await self._wake.wait()
        self._wake.clear()
        chunks = [_STREAMED_RESYNC] if self._resync else []
        self._resync = False
        chunks += self._waiting.values()
        self._waiting.clear()
        return b"".join(chunks)


@define
class _Group:
    """Who wishes the same."""

    sockets: set[Connection] = Factory(set)
    listeners: set[Listener] = Factory(set)

    def __bool__(self) -> bool:
        return bool(self.sockets or self.listeners)


class _Audience:
    """Whom one message is for; it is written once for each kind of them, when the first is found."""

    def __init__(self, task_id: TaskId) -> None:
        self.task_id = task_id
        self.sockets: set[Connection] = set()
        self.listeners: set[Listener] = set()

    def add(self, group: _Group) -> None:
        """Tell these too."""
        self.sockets |= group.sockets
        self.listeners |= group.listeners


class Listing:
    """All of this process that follow tasks at large. `changed` hears of the tasks that it is told to mind."""

    def __init__(self, engine: TaskEngine, *, metrics: Metrics, changed: Callable[[TaskId], None]) -> None:
        self._engine = engine
        self._metrics = metrics
        self._changed = changed
        self._groups: defaultdict[str | None, dict[ListWish, _Group]] = defaultdict(dict)
        self._wishes: dict[Connection, set[ListWish]] = {}
        self._owing: set[Connection] = set()
        self._minded: set[TaskId] = set()
        self._following = Looking("live listing", self._follow_changes)
        self._live = False

    # -- who follows ------------------------------------------------------------------------------------------

    def follow(self, socket: Connection, wish: ListWish) -> None:
        """Let a socket follow all that match, of those that it may see."""
        self._group(socket.principal.sees, wish).sockets.add(socket)
        self._wishes.setdefault(socket, set()).add(wish)
        if self._live:
            socket.send(_RESYNC)
        self._following.begin()

    def unfollow(self, socket: Connection, wish: ListWish) -> None:
        """Tell it no more of them; without effect when it did not follow."""
        wishes = self._wishes.get(socket, set())
        if wish not in wishes:
            return
        wishes.discard(wish)
        if not wishes:
            del self._wishes[socket]
        self._groups[socket.principal.sees][wish].sockets.discard(socket)
        self._tidy(socket.principal.sees, wish)

    def forget(self, socket: Connection) -> None:
        """Tell it nothing more."""
        self._owing.discard(socket)
        for wish in tuple(self.wishes(socket)):
            self.unfollow(socket, wish)

    def wishes(self, socket: Connection) -> Collection[ListWish]:
        """Return what a socket follows."""
        return self._wishes.get(socket, ())

    @contextmanager
    def listening(self, sees: str | None, wish: ListWish) -> Iterator[Listener]:
        """Let a stream follow for the length of the block what somebody who sees this owner's tasks (None: all) may."""
        listener = Listener()
        self._group(sees, wish).listeners.add(listener)
        if self._live:
            listener.resync()
        self._following.begin()
        try:
            yield listener
        finally:
            self._groups[sees][wish].listeners.discard(listener)
            self._tidy(sees, wish)

    def mind(self, task_id: TaskId) -> None:
        """Tell `changed` when this task changes."""
        self._minded.add(task_id)
        self._following.begin()

    def let_be(self, task_id: TaskId) -> None:
        """Mind this task no longer."""
        self._minded.discard(task_id)
        self._rest()

    def relieve(self, socket: Connection) -> None:
        """Tell a socket that reads again what it has missed."""
        if socket in self._owing:
            self._owing.discard(socket)
            socket.send(_RESYNC)

    def _group(self, sees: str | None, wish: ListWish) -> _Group:
        return self._groups[sees].setdefault(wish, _Group())

    def _tidy(self, sees: str | None, wish: ListWish) -> None:
        if not self._groups[sees][wish]:
            del self._groups[sees][wish]
        if not self._groups[sees]:
            del self._groups[sees]
        self._rest()

    # -- the look at all changes --------------------------------------------------------------------------------

    def _rest(self) -> None:
        if not self._groups and not self._minded:
            self._following.end()
            self._live = False

    async def close(self) -> None:
        """End the look; nobody is told anything any more."""
        await self._following.close()

    async def _follow_changes(self) -> None:
        try:
            async with aclosing(self._engine.changes()) as batches:
                async for changes in batches:
                    self._live = True
                    self._spread(changes)
        finally:
            self._live = False

    def _spread(self, changes: Changes) -> None:
        now = self._engine.clock.now()
        for task in changes.tasks:
            self._tell_of(task, now)
            if task.id in self._minded:
                self._changed(task.id)
        for gone in changes.deleted:
            self._tell_deleted(gone)
            if gone.task_id in self._minded:
                self._changed(gone.task_id)
        if changes.resync:
            self._tell_resync()

    def _tell_of(self, task: TaskSummary, now: datetime) -> None:
        matching, left = _Audience(task.id), _Audience(task.id)
        for sees in {None, task.owner or None}:
            for wish, group in self._groups.get(sees, {}).items():
                if wish.could_match(task):
                    (matching if wish.matches(task) else left).add(group)
        left.sockets -= matching.sockets
        view = TaskView.of(task, now=now) if matching.sockets or matching.listeners else None
        if view is not None:
            self._send(matching, protocol_v1.listed(view), written("task", view))
        self._send_left(left)

    def _send_left(self, audience: _Audience) -> None:
        shown = {"task_id": format_task_id(audience.task_id)}
        self._send(audience, protocol_v1.left(audience.task_id), written("left", shown))

    def _tell_deleted(self, gone: TaskDeleted) -> None:
        """Tell of a task that is gone those who could see it; where nobody knows whose it was, only admins."""
        audience = _Audience(gone.task_id)
        for sees in {None, gone.owner or None}:
            for group in self._groups.get(sees, {}).values():
                audience.add(group)
        shown = {"task_id": format_task_id(gone.task_id)}
        self._send(audience, protocol_v1.deleted(gone.task_id), written("deleted", shown))
        if gone.owner is None:
            self._tell_resync(but_admins=True)

    def _send(self, audience: _Audience, message: bytes, chunk: bytes) -> None:
        if audience.sockets:
            frame, about = text_frame(message), ("listed", audience.task_id)
            for socket in audience.sockets:
                if socket.clear:
                    socket.transport.write(frame)
                elif not socket.queue_progress(about, frame):
                    self._owing.add(socket)
        for listener in audience.listeners:
            listener.tell(audience.task_id, chunk)
        self._metrics.messages_out.inc(len(audience.sockets) + len(audience.listeners))

    def _tell_resync(self, *, but_admins: bool = False) -> None:
        sockets: set[Connection] = set()
        for sees, wishes in self._groups.items():
            if but_admins and sees is None:
                continue
            for group in wishes.values():
                sockets |= group.sockets
                for listener in group.listeners:
                    listener.resync()
        for socket in sockets:
            if socket.clear:
                socket.send(_RESYNC)
            elif socket.is_open:
                self._owing.add(socket)
        for task_id in () if but_admins else tuple(self._minded):
            self._changed(task_id)


async def listed_events(listing: Listing, sees: str | None, wish: ListWish) -> Source:
    """Yield the changes of tasks as server-sent events."""
    with listing.listening(sees, wish) as listener:
        while True:
            yield await listener.take()
