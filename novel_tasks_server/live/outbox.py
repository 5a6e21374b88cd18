"""What waits to be sent to one socket: bounded, and the first thing that a slow reader loses is progress.

Pure but for one event that wakes the sender.
"""

from __future__ import annotations

import asyncio
from collections import deque

from attrs import define

from novel_tasks_core import TaskId

CAPACITY = 256
"""How many messages may wait; progress may fill half of it."""


@define
class _Waiting:
    message: bytes
    progress_of: TaskId | None


class Outbox:
    """Messages on their way to one socket, in order.

    Progress of one task replaces its own progress that still waits. When half of `capacity` is used
    further progress is dropped; a message of another kind that finds no room overflows the box: the
    reader cannot be helped, and the socket must close.
    """

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self.dropped = 0
        self._capacity = capacity
        self._queue: deque[_Waiting] = deque()
        self._latest: dict[TaskId, _Waiting] = {}
        self._closed = False
        self._ready = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    def put(self, message: bytes) -> bool:
        """Add a message that must arrive; return False when the box has overflowed."""
        if self._closed:
            return True
        if len(self._queue) >= self._capacity:
            return False
        self._append(_Waiting(message, None))
        return True

    def put_state(self, task_id: TaskId, message: bytes) -> bool:
        """Add a change of a task that must arrive: progress told later comes after it. As `put`."""
        self._latest.pop(task_id, None)
        return self.put(message)

    def put_progress(self, task_id: TaskId, message: bytes) -> None:
        """Add the latest progress of a task, if there is room."""
        if self._closed:
            return
        waiting = self._latest.get(task_id)
        if waiting is not None:
            waiting.message = message
        elif len(self._queue) * 2 < self._capacity:
            self._latest[task_id] = _Waiting(message, task_id)
            self._append(self._latest[task_id])
        else:
            self.dropped += 1

    def close(self, *, discard: bool = False) -> None:
        """Take no more messages; what waits is still sent unless `discard`."""
        self._closed = True
        if discard:
            self._queue.clear()
            self._latest.clear()
        self._ready.set()
        self._roomy.set()

    async def get(self) -> bytes | None:
        """Wait for the next message and take it; None once the box is closed and empty."""
        while not self._queue:
            if self._closed:
                return None
            self._ready.clear()
            await self._ready.wait()
        taken = self._queue.popleft()
        if taken.progress_of is not None and self._latest.get(taken.progress_of) is taken:
            del self._latest[taken.progress_of]
        if len(self._queue) * 2 < self._capacity:
            self._roomy.set()
        return taken.message

    async def room(self) -> None:
        """Wait until the box is less than half full: who asks for more answers must first read those it has."""
        await self._roomy.wait()

    def _append(self, waiting: _Waiting) -> None:
        self._queue.append(waiting)
        self._ready.set()
        if len(self._queue) * 2 >= self._capacity and not self._closed:
            self._roomy.clear()
