"""What several tests of the core share: waiting for a condition, processors that stop where a test wants them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from novel_tasks_core import AttemptContext, Event, NewTask, Observer, RetryPolicy, Task, TaskEngine, TaskId
from novel_tasks_core.worker import Worker

Db: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

NO_RETRY = RetryPolicy.never()
AT_ONCE = RetryPolicy(max_attempts=3, base_seconds=0, jitter=0)
"""Two more attempts, without a wait."""


async def eventually(condition: Callable[[], Any], *, within_seconds: float = 60.0) -> Any:
    """Ask again and again until the answer is true, and return it; fail when that takes too long."""
    try:
        async with asyncio.timeout(within_seconds):
            while True:
                answer = condition()
                found = await answer if inspect.isawaitable(answer) else answer
                if found:
                    return found
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {within_seconds} s: {inspect.getsource(condition).strip()}") from None


async def waiting_for_locks(db: Db, link: str, count: int) -> bool:
    """Say whether so many statements on links of this name wait for somebody's lock."""
    await db.execute("select pg_stat_clear_snapshot()")
    waiting = await db.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        " and application_name = 'novel-tasks ' || $1::text",
        link,
    )
    return bool(waiting == count)


class Gate:
    """An `async def` processor that tells when it has begun and goes on when it is let."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[AttemptContext] = asyncio.Queue()
        self.running: set[TaskId] = set()
        self.stopped: list[TaskId] = []
        self._open = asyncio.Event()

    async def run(self, ctx: AttemptContext) -> dict[str, Any]:
        """Wait at the gate; note when cancelled there."""
        self.running.add(ctx.task_id)
        self.begun.put_nowait(ctx)
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.stopped.append(ctx.task_id)
            raise
        finally:
            self.running.discard(ctx.task_id)
        return {"attempt": ctx.attempt}

    def let_go(self) -> None:
        """Let all pass, from now on."""
        self._open.set()

    async def next(self) -> AttemptContext:
        """Wait until one more attempt stands at the gate."""
        async with asyncio.timeout(60):
            return await self.begun.get()


async def ended(engine: TaskEngine, task: Task) -> Task:
    """Wait until a task is finished and return it, without watching it."""
    found: Task = await eventually(lambda: _if_final(engine, task.id), within_seconds=60)
    return found


async def _if_final(engine: TaskEngine, task_id: TaskId) -> Task | None:
    task = await engine.get(task_id)
    return task if task.status.is_final else None


async def known_to_be_quick(engine: TaskEngine, worker: Worker, processor: str) -> None:
    """Let a running worker learn that the tasks of a processor are quick, on any machine, so that it claims ahead."""
    ids = await engine.submit_many(NewTask(processor=processor) for _ in range(25))
    await eventually(lambda: _all_over(engine, ids))
    learnt = worker._slots._seconds
    learnt[processor] = min(learnt[processor], 0.0001)


async def _all_over(engine: TaskEngine, ids: list[TaskId]) -> bool:
    return (await engine.get(ids[-1])).status.is_final


class Heard(Observer):
    """Keeps which attempts were said to be stored, and how many to be lost."""

    def __init__(self) -> None:
        self.finished: list[int] = []
        self.lost = 0

    def attempt_finished(self, *, attempt: int, **_: Any) -> None:
        """Note an attempt."""
        self.finished.append(attempt)

    def leases_lost(self, *, tasks: int) -> None:
        """Count."""
        self.lost += tasks


class Watcher:
    """Follows a task in the background and keeps what it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.subscribed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def follow(self, engine: TaskEngine, task_id: TaskId, *, after: int) -> None:
        """Collect until the watch ends."""
        async for event in engine.watch(task_id, after=after):
            self.events.append(event)
            self.subscribed.set()

    async def finished(self) -> list[Event]:
        """Wait until the watch has ended by itself and return all events."""
        assert self._task is not None
        async with asyncio.timeout(60):
            await self._task
        return self.events

    def start(self, engine: TaskEngine, task_id: TaskId, *, after: int) -> asyncio.Task[None]:
        """Begin to follow."""
        self._task = asyncio.create_task(self.follow(engine, task_id, after=after))
        return self._task


@asynccontextmanager
async def watching(engine: TaskEngine, task_id: TaskId, *, after: int = 0) -> AsyncIterator[Watcher]:
    """Follow a task for the length of the block."""
    watcher = Watcher()
    task = watcher.start(engine, task_id, after=after)
    try:
        yield watcher
    finally:
        task.cancel()
        await asyncio.wait([task])
