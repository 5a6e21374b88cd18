"""What waits to be sent to one slow reader: bounded, and the first thing that it loses is progress.

Pure. A reader that keeps up has none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from attrs import define

CAPACITY = 256
"""How many messages may wait; progress may fill half of it."""

CAPACITY_BYTES = 1 << 20
"""How many bytes may wait, unless one message alone has more."""


@define
class _Waiting:
    message: bytes
    progress_of: Hashable | None


class Outbox:
    """Messages on their way to one reader, in order.

    Progress of one thing replaces its own progress that still waits. When half of the room is used further
    progress is dropped; a message of another kind that finds no room overflows the box: the reader cannot
    be helped, and the connection must close.
    """

    __slots__ = ("_bytes", "_capacity", "_capacity_bytes", "_latest", "_queue", "dropped")

    def __init__(self, *, capacity: int = CAPACITY, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self.dropped = 0
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        self._queue: deque[_Waiting] = deque()
        self._latest: dict[Hashable, _Waiting] = {}

    @property
    def is_crowded(self) -> bool:
        """Whether half of the room is used: who asks for more answers must first read those it has."""
        return len(self._queue) * 2 >= self._capacity or self._bytes * 2 >= self._capacity_bytes

    def put(self, message: bytes, *, about: Hashable | None = None) -> bool:
        """Add a message that must arrive; return False, and leave it out, when there is no room.

        Progress told later of what the message is `about` comes after it.
        """
        if self._queue and (len(self._queue) >= self._capacity or self._bytes + len(message) > self._capacity_bytes):
            return False
        if about is not None:
            self._latest.pop(about, None)
        self._append(_Waiting(message, None))
        return True

    def put_progress(self, about: Hashable, message: bytes) -> bool:
        """Add the latest progress of something; return False when it is dropped for want of room."""
        waiting = self._latest.get(about)
        if waiting is not None:
            self._bytes += len(message) - len(waiting.message)
            waiting.message = message
        elif not self.is_crowded:
            self._latest[about] = _Waiting(message, about)
            self._append(self._latest[about])
        else:
            self.dropped += 1
            return False
        return True

    def put_last(self, message: bytes) -> None:
        """Add a goodbye, for which there is always room."""
        self._append(_Waiting(message, None))

    def take(self) -> bytes | None:
        """Take the next message out; None when there is none."""
        if not self._queue:
            return None
        taken = self._queue.popleft()
        self._bytes -= len(taken.message)
        if taken.progress_of is not None and self._latest.get(taken.progress_of) is taken:
            del self._latest[taken.progress_of]
        return taken.message

    def _append(self, waiting: _Waiting) -> None:
        self._queue.append(waiting)
        self._bytes += len(waiting.message)
