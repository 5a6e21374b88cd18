"""The end of a program that was asked to stop and did not: where it stood is told, then it is gone.

Everything that stopping waits for is bounded, but not what others bring along: an `async def` processor that keeps
the event loop, or that hears no cancellation, a thread of its own that never returns, a terminal or a pipe that takes
no more lines. Whoever asked for a stop shall not have to kill.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType

import structlog

from novel_tasks_server.app.stacks import describe

REST_SECONDS = 30.0
"""How much longer than its grace a program may take to stop; more than all its bounds together."""

_TELLING_SECONDS = 2.0
"""How long it may take to tell: nobody may be reading."""

_INTERPRETER_SECONDS = 5.0
"""How much later the process ends if its interpreter is held by something that lets no thread run."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class LastResort:
    """Ends the process with 1 when it still runs `grace_seconds` and a bounded rest after a signal that it watches.

    A second signal asks not to wait for the grace. What was not handed back by then is rescued by other workers.
    """

    def __init__(self, *, grace_seconds: float, rest_seconds: float = REST_SECONDS) -> None:
        self._grace_seconds = grace_seconds
        self._rest_seconds = rest_seconds
        self._asked: SimpleQueue[float] = SimpleQueue()  # may be put into by a signal handler, wherever that comes
        self._grace_is_over = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def watch(self, *numbers: signal.Signals) -> None:
        """Begin to watch for signals that the event loop has handlers for already. Needs the main thread.

        Those handlers run as before, but only when the loop has time for them; this one does not need the loop.
        """
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._wait, name="last-resort", daemon=True).start()
        for number in numbers:
            before = signal.getsignal(number)

            def received(number: int, frame: FrameType | None, before: object = before) -> None:
                if callable(before):
                    before(number, frame)
                self._begin()

            signal.signal(number, received)

    def _begin(self) -> None:
        seconds = self._rest_seconds + (0.0 if self._grace_is_over else self._grace_seconds)
        self._grace_is_over = True  # a second signal does not wait for it
        self._asked.put(seconds)
        with suppress(AttributeError, OSError, ValueError):  # there is no stderr, or it is closed
            late = seconds + _TELLING_SECONDS + _INTERPRETER_SECONDS
            faulthandler.dump_traceback_later(late, exit=True, file=sys.__stderr__.fileno())  # type: ignore[union-attr]

    def _wait(self) -> None:
        seconds = self._asked.get()
        until = time.monotonic() + seconds
        with suppress(Empty):
            while True:
                seconds = self._asked.get(timeout=max(0.0, until - time.monotonic()))
                until = min(until, time.monotonic() + seconds)
        telling = threading.Thread(target=self._tell, args=(seconds,), name="last-words", daemon=True)
        telling.start()
        telling.join(_TELLING_SECONDS)
        os._exit(1)

    def _tell(self, seconds: float) -> None:
        """Log what the asyncio tasks wait for, and where each thread is: places only, never a value."""
        with tempfile.TemporaryFile() as file:
            faulthandler.dump_traceback(file)
            file.seek(0)
            threads = file.read().decode(errors="replace")
        waiting = "" if self._loop is None else describe(self._loop, None)[1]
        _log.critical("stop_took_too_long", seconds=seconds, threads=threads, stack=waiting)
