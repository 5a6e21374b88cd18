"""One followed task: who follows it, and how far each has got. No I/O but the frames that it hands out.

Whoever follows is *joining* until they know all that the others know; then they are *live* and get each
message when all others do. A joiner has a position, the seq up to which it knows the task: those behind need
stored events from the database, those ahead (their snapshot was newer than the last event told) only wait.
Whoever reads too slowly for what is told becomes a joiner again, and catches up at its own pace. So nobody misses
an event, or gets one twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

from attrs import define

from novel_tasks_core import StoredEvent, Task, TaskId, TaskLogged, TaskProgressed, TaskStatus, format_task_id
from novel_tasks_server.live import protocol, protocol_v1
from novel_tasks_server.live.connection import Connection, progress_to_all, send_to_all
from novel_tasks_server.live.frames import text_frame
from novel_tasks_server.live.protocol import ErrorCode
from novel_tasks_server.live.protocol_v1 import TaskWish
from novel_tasks_server.schemas.views import TaskDetail

NO_TASK = "no task has this id"


@define(eq=False)
class _Joiner:
    """`wish` is None on a socket of the older protocol; `position` before it was greeted; `is_new` until then."""

    wish: TaskWish | None
    position: int | None = None
    is_new: bool = True


class Topic:
    """A task and its followers. `seq` is that of the last event told, None before the task was looked up.

    `task` is the task as it is after that event, None when it must be looked up again.
    """

    def __init__(self, task_id: TaskId) -> None:
        self.task_id = task_id
        self.seq: int | None = None
        self.task: Task | None = None
        self.doubts = 0
        self.wake = asyncio.Event()
        self.watching: asyncio.Task[None] | None = None
        self.admitting: asyncio.Task[None] | None = None
        self._shown_seq = self._state_seq = self._stored_seq = 0
        self._older: set[Connection] = set()
        self._live: set[Connection] = set()
        self._readers: dict[Connection, TaskWish] = {}
        self._joining: dict[Connection, _Joiner] = {}
        self._last: bytes | None = None
        self._snapshot: bytes | None = None
        self._progress: tuple[int, bytes] | None = None

    # -- who follows ------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._older) + len(self._live) + len(self._readers) + len(self._joining)

    @property
    def has_older(self) -> bool:
        """Whether anybody follows by the older protocol, which shows the task with every change."""
        return bool(self._older)

    @property
    def is_watched(self) -> bool:
        """Whether somebody waits for the task's events."""
        return self.watching is not None and not self.watching.done()

    @property
    def is_admitting(self) -> bool:
        """Whether somebody brings the joiners to where the others are."""
        return self.admitting is not None and not self.admitting.done()

    def join(self, connection: Connection, wish: TaskWish | None) -> None:
        """Take a follower in, or let one begin anew."""
        self.leave(connection)
        self._joining[connection] = _Joiner(wish)

    def leave(self, connection: Connection) -> None:
        """Let a follower go; without effect for others."""
        self._older.discard(connection)
        self._live.discard(connection)
        self._readers.pop(connection, None)
        self._joining.pop(connection, None)
        self.wake.set()

    def dismiss(self, code: ErrorCode, reason: str) -> list[Connection]:
        """Tell all followers why nothing more will come, and return them."""
        strangers = self.strangers()
        for one in strangers:
            one.send(self._refusal(code, reason, self._joining[one].wish))
        for one in self._older:
            one.send(self._refusal(code, reason, None))
        others = [*self._live, *self._readers, *(self._joining.keys() - set(strangers))]
        is_gone = code is ErrorCode.NOT_FOUND
        farewell = protocol_v1.deleted(self.task_id) if is_gone else protocol_v1.error(
            code, reason, task_id=format_task_id(self.task_id)
        )  # fmt: skip
        send_to_all(others, text_frame(farewell))
        return [*strangers, *self._older, *others]

    def _refusal(self, code: ErrorCode, reason: str, wish: TaskWish | None) -> bytes:
        shown = format_task_id(self.task_id)
        if wish is None:
            return text_frame(protocol.refusal(code, reason, task_id=shown))
        return text_frame(protocol_v1.error(code, reason, task_id=shown, ref=wish.ref))

    # -- joining ----------------------------------------------------------------------------------------------

    @property
    def is_joined(self) -> bool:
        """Whether nobody is joining."""
        return not self._joining

    def strangers(self) -> list[Connection]:
        """Return the joiners that were not greeted yet."""
        return [one for one, joiner in self._joining.items() if joiner.position is None]

    def show(self, task: Task) -> bool:
        """Keep the task as it is now; return False if it is older than what was told, and must be looked up again."""
        if task.last_seq < self._state_seq:
            return False
        if self.seq is None:
            self.seq = task.last_seq
        self.task = task
        self._shown_seq = max(task.last_seq, self.seq)
        self._snapshot = None
        return True

    def greet(self, connection: Connection, *, now: datetime) -> bool:
        """Tell a joiner what it wants to know first; return False, having said so, if there is no such task for it."""
        joiner, task = self._joining[connection], self.task
        wish = joiner.wish
        assert task is not None
        if not connection.principal.may_see(task.owner):
            connection.send(self._refusal(ErrorCode.NOT_FOUND, NO_TASK, wish))
            return False
        if wish is None:
            del self._joining[connection]
            self._older.add(connection)
            first = self._last if self.is_watched else None
            first = first or text_frame(protocol.task_update(task))
            self._last = self._last or first
            connection.send(first, about=self.task_id)
            return True
        if joiner.is_new:
            connection.send(text_frame(protocol_v1.acknowledgement("subscribed", wish, wish.ref)))
        position = wish.after_seq
        if position is None or position > max(self._shown_seq, self._stored_seq):
            position = self._shown_seq
            connection.send(self._snapshot_of(task, now), about=self.task_id)
        joiner.position, joiner.is_new = position, False
        self._settle(connection)
        return True

    def _snapshot_of(self, task: Task, now: datetime) -> bytes:
        if self._snapshot is None:
            view = TaskDetail.of(task, now=now)
            self._snapshot = text_frame(protocol_v1.snapshot(task, seq=self._shown_seq, view=view))
        return self._snapshot

    def position_behind(self) -> int | None:
        """Return the lowest position of the joiners that stored events could be sent to now, None without any."""
        assert self.seq is not None
        behind = [
            joiner.position
            for one, joiner in self._joining.items()
            if joiner.position is not None and joiner.position < self.seq and not one.is_crowded
        ]
        return min(behind, default=None)

    def catch_up(self, events: Iterable[StoredEvent]) -> None:
        """Send stored events to those whose next ones they are, and who have room."""
        for event in events:
            self._stored_seq = max(self._stored_seq, event.seq)  # who has it may resume behind it before it is told
            frame: bytes | None = None
            for one, joiner in self._joining.items():
                if joiner.position != event.seq - 1 or one.is_crowded or joiner.wish is None:
                    continue
                joiner.position = event.seq
                if not isinstance(event, TaskLogged) or joiner.wish.wants(event):
                    frame = frame or text_frame(protocol_v1.stored_event(event))
                    one.send(frame, about=self.task_id)
        for one in tuple(self._joining):
            self._settle(one)

    def begin_anew(self) -> None:
        """Greet all again with a snapshot: what was told is not what the database has, as after a failover."""
        wishes = {one: joiner.wish for one, joiner in self._joining.items() if joiner.wish is not None}
        wishes |= {**dict.fromkeys(self._live, TaskWish(self.task_id)), **self._readers}
        for one, wish in wishes.items():
            is_new = one in self._joining and self._joining[one].is_new
            self._joining[one] = _Joiner(wish if is_new else TaskWish(self.task_id, logs=wish.logs), is_new=is_new)
        self._live.clear()
        self._readers.clear()
        self.seq = self.task = self._progress = None
        self._state_seq = self._stored_seq = 0

    def _settle(self, connection: Connection) -> None:
        """Make a joiner live if it knows what the others know."""
        joiner = self._joining[connection]
        if joiner.position is None or joiner.position != self.seq or joiner.wish is None:
            return
        del self._joining[connection]
        if joiner.wish.logs is None:
            self._live.add(connection)
        else:
            self._readers[connection] = joiner.wish
        if self._progress is not None and self._progress[0] >= joiner.position:
            connection.send_progress(self.task_id, self._progress[1])

    # -- telling ----------------------------------------------------------------------------------------------

    def tell(self, event: StoredEvent) -> int:
        """Send a stored event to all that are live; return how many got it."""
        self._spare_the_slow()
        told = 0
        if self._live or self._readers:
            frame = text_frame(protocol_v1.stored_event(event))
            if isinstance(event, TaskLogged):
                told = send_to_all([one for one, wish in self._readers.items() if wish.wants(event)], frame)
            else:
                told = send_to_all(self._live, frame, about=self.task_id)
                told += send_to_all(self._readers, frame, about=self.task_id)
        self._note(event)
        for one in tuple(self._joining):
            self._settle(one)
        self.wake.set()
        return told

    def _spare_the_slow(self) -> None:
        """Let those that have much to read already catch up later."""
        for one in [one for one in self._live if not one.clear and one.is_crowded]:
            self._live.discard(one)
            self._joining[one] = _Joiner(TaskWish(self.task_id), self.seq, is_new=False)
        for one in [one for one in self._readers if not one.clear and one.is_crowded]:
            self._joining[one] = _Joiner(self._readers.pop(one), self.seq, is_new=False)

    def _note(self, event: StoredEvent) -> None:
        assert self.seq is not None
        if not isinstance(event, TaskLogged):
            self.task = self._progress = None
            self._state_seq = event.seq
        elif self._shown_seq == event.seq - 1:
            self._shown_seq = event.seq  # a log entry changes nothing of the task
            self._snapshot = None
        self.seq = event.seq

    def tell_progress(self, event: TaskProgressed) -> int:
        """Send progress to all that are live; return how many got it."""
        told = 0
        if self._live or self._readers:
            frame = text_frame(protocol_v1.progress(event))
            self._progress = (event.after_seq, frame)
            told = progress_to_all(self._live, self.task_id, frame) + progress_to_all(
                self._readers, self.task_id, frame
            )
        task = self.task
        if self._older and task is not None and task.status is TaskStatus.PROCESSING and event.attempt == task.attempt:
            told += self.tell_older(protocol.task_update(task, fraction=event.fraction), is_progress=True)
        return told

    def tell_older(self, message: bytes, *, is_progress: bool = False) -> int:
        """Send a message of the older protocol to those who speak it, unless it shows nothing new."""
        frame = text_frame(message)
        if frame == self._last:
            return 0
        self._last = frame
        if is_progress:
            return progress_to_all(self._older, self.task_id, frame)
        return send_to_all(self._older, frame, about=self.task_id)
