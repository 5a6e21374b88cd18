"""Child processes that can be killed: where `def` processors run.

A child lives as long as its pool and does one job after the other. It is asked to stop by a message; if
it has not answered after the grace it is killed, with all that it started, and the next job gets a new
one. A crash fails only the job that ran.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

from novel_tasks_core.errors import ChildCrashedError, EngineClosedError
from novel_tasks_core.execution.child_process import Child, Finished
from novel_tasks_core.execution.jobs import Job
from novel_tasks_core.execution.reports import AttemptReports


class ChildPool:
    """At most `size` children, started when first needed and used again.

    An async context manager; leaving it kills all of them and waits until they are gone. A job that is
    cancelled is first asked to stop and, after `grace_seconds`, killed.
    """

    def __init__(self, *, size: int, memory_mb: int = 4096, grace_seconds: float = 3.0) -> None:
        self._places = asyncio.Semaphore(size)
        self._memory_mb = memory_mb
        self._grace_seconds = grace_seconds
        self._children: set[Child] = set()
        self._idle: list[Child] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._spawning = asyncio.Lock()
        self._closed = False

    async def __aenter__(self) -> ChildPool:
        """Return the pool; nothing is started yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pool."""
        await self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the living children."""
        return tuple(child.pid for child in self._children)

    async def close(self) -> None:
        """Kill all children, jobs or not, and wait until they are gone, a few seconds at most. Idempotent."""
        self._closed = True
        async with self._spawning:
            self._idle.clear()
        await asyncio.gather(*(self._to_the_end(self._retire(child)) for child in self._children))
        if self._ending:
            await asyncio.wait(self._ending)

    async def run(self, job: Job, *, reports: AttemptReports) -> Finished:
        """Run a job in a child, waiting for a free one.

        When the caller is cancelled, or `reports` raises, the job is stopped, or its child killed, before
        that goes on; nothing is left behind.

        Raises: ChildCrashedError; EngineClosedError when the pool is closed, before or meanwhile.
        """
        async with self._places:
            try:
                child = await self._begin(job)
                finished = await self._run(child, reports)
            except ChildCrashedError as exc:
                if self._closed:
                    raise EngineClosedError from exc
                raise
        return finished

    async def _begin(self, job: Job) -> Child:
        """Give a job to a free child; one that has died while it was idle is no fault of the job's."""
        while True:
            child = await self._take()
            try:
                if await child.give(job):
                    return child
            except BaseException:
                await self._to_the_end(self._stop(child))
                raise
            await self._to_the_end(self._retire(child))

    async def _run(self, child: Child, reports: AttemptReports) -> Finished:
        try:
            finished = await child.follow(reports)
        except BaseException:
            await self._to_the_end(self._stop(child))
            raise
        if finished.failure is not None and finished.failure.type == "MemoryError":
            await self._to_the_end(self._retire(child))  # what is left of its memory is in pieces
        else:
            self._idle.append(child)
        return finished

    async def _take(self) -> Child:
        while self._idle:
            child = self._idle.pop()
            if child.is_usable:
                return child
            await self._to_the_end(self._retire(child))
        async with self._spawning:
            if self._closed:
                raise EngineClosedError
            child = await Child.spawn(memory_mb=self._memory_mb)
            self._children.add(child)
        try:
            await child.greet()
        except BaseException:
            await self._to_the_end(self._retire(child))
            raise
        return child

    async def _stop(self, child: Child) -> None:
        if child.is_usable and await child.stop_job(grace_seconds=self._grace_seconds):
            self._idle.append(child)
        else:
            await self._retire(child)

    async def _retire(self, child: Child) -> None:
        await child.kill()
        self._children.discard(child)

    async def _to_the_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait until `work` on a child is done, however often the caller is cancelled, then let that go on."""
        task = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        cancelled = False
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            task.exception()  # seen; the cancellation comes first
            raise asyncio.CancelledError
        task.result()
