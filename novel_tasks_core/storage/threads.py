"""Threads for disk work: a quarter of what asyncio's executors cost, which is as much as a small file's own work.

Work goes through one queue, and what several threads have finished comes back by one wake-up of the event
loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from attrs import define

from novel_tasks_core.errors import EngineClosedError

T = TypeVar("T")


@define(eq=False)
class Job:
    """One piece of work that was begun, and who waits for it."""

    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    loop: asyncio.AbstractEventLoop
    waiting: asyncio.Future[Any]
    ended: bool = False
    given_up: bool = False
    result: Any = None
    error: BaseException | None = None
    gone: asyncio.Future[None] | None = None

    async def end(self) -> None:
        """Wait until the work is over, whatever came of it and however often the caller is cancelled.

        For a caller that is on its way out: it passes the cancellation on. Nobody waits any more once the threads
        are closed: a disk that does not answer must not keep the program from ending.
        """
        while not self.ended and not self.given_up:
            self.gone = self.loop.create_future()
            with suppress(asyncio.CancelledError):
                await self.gone
        if self.waiting.done() and not self.waiting.cancelled():
            self.waiting.exception()  # seen: asyncio need not complain that nobody did

    def give_up(self) -> None:
        """Let those go who wait for the end."""
        self.given_up = True
        self.leave()

    def leave(self) -> None:
        """Wake who waits for the end."""
        if self.gone is not None and not self.gone.done():
            self.gone.set_result(None)


class Threads:
    """Up to `most` threads, started as they are needed; they do not keep the program from ending.

    Used from one event loop. `close` ends them once they are idle, and waits for none.
    """

    def __init__(self, most: int, *, name: str) -> None:
        self._most = most
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._finished: deque[Job] = deque()
        self._waking = False
        self._under_way: set[Job] = set()
        self._threads = 0
        self._closed = False

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run `work` in a thread and return what it returns.

        A cancellation waits for it, however often it comes, since a system call cannot be stopped.

        Raises: EngineClosedError; what `work` raises.
        """
        job = self.begin(work, *arguments)
        try:
            result: T = await job.waiting
        except asyncio.CancelledError:
            await job.end()
            raise
        return result

    def begin(self, work: Callable[..., Any], *arguments: Any) -> Job:
        """Begin to run `work` in a thread; who calls waits for `Job.waiting`, or at least for `Job.end`.

        Raises: EngineClosedError.
        """
        if self._closed:
            raise EngineClosedError
        loop = asyncio.get_running_loop()
        job = Job(work, arguments, loop, loop.create_future())
        self._under_way.add(job)
        if self._threads < min(len(self._under_way), self._most):
            self._threads += 1
            threading.Thread(target=self._work, name=f"{self._name}-{self._threads}", daemon=True).start()
        self._jobs.put(job)
        return job

    def close(self) -> None:
        """Take no more work, and end the threads after what there is; what is under way is given up. Idempotent."""
        if not self._closed:
            self._closed = True
            for _ in range(self._threads):
                self._jobs.put(None)
            for job in self._under_way:
                job.give_up()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job.result = job.work(*job.arguments)
            except BaseException as exc:
                job.error = exc
            self._finished.append(job)
            if not self._waking:  # else the event loop is about to look, and will find this one too
                self._waking = True
                with suppress(RuntimeError):  # the loop is closed: nobody waits
                    job.loop.call_soon_threadsafe(self._deliver)
            del job

    def _deliver(self) -> None:
        """Give out what is finished."""
        self._waking = False  # before looking: who finishes from now on wakes us again
        while self._finished:
            job = self._finished.popleft()
            self._under_way.discard(job)
            job.ended = True
            job.leave()
            if job.waiting.done():
                continue
            if job.error is None:
                job.waiting.set_result(job.result)
            else:
                job.waiting.set_exception(job.error)
