"""For the tests of programs that use the library: a throwaway engine, a clock to turn, made-up tasks, drain.

::

    async def test_my_processor() -> None:
        processors = Processors.builtin()
        processors.register("mine", mine)
        async with throwaway_engine(processors=processors) as engine:
            task = await engine.submit(processor="mine")
            await drain(engine)
            assert (await engine.get(task.id)).status is TaskStatus.COMPLETED
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from novel_tasks_core.clock import Clock
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.engine import TaskEngine
from novel_tasks_core.models import Task, TaskStatus, new_task_id
from novel_tasks_core.processors.registry import Processors

__all__ = ["FakeClock", "drain", "make_task", "throwaway_engine"]

_POLL_SECONDS = 0.01


class FakeClock:
    """A clock that stands still until it is advanced. It starts at `start`, by default 1 January 2030, UTC.

    An engine that is given one dates submits, ends and retries by it, and `drain` runs what is due by it. The
    database goes on by its own clock, which says when an attempt started.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2030, 1, 1, tzinfo=UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the time of day."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds by which the clock was advanced."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Turn both clocks forward; with a negative number only the time of day goes back, as after a correction."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += max(0.0, seconds)


@asynccontextmanager
async def throwaway_engine(
    *,
    processors: Processors | None = None,
    database_url: str | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[TaskEngine]:
    """Open an engine whose files are removed at the end, and its database too unless `database_url` names one.

    `settings` are fields of `EngineConfig`; times that tests would wait for are short by default.
    """
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="novel-tasks-"))
    await asyncio.to_thread(os.chmod, folder, 0o755)  # the private server may run as another user
    quick: dict[str, Any] = {
        "lease_ttl_seconds": 5.0,
        "heartbeat_seconds": 0.5,
        "poll_min_seconds": 0.01,
        "poll_max_seconds": 0.1,
        "shutdown_grace_seconds": 5.0,
    }
    config = EngineConfig(database_url=database_url, data_dir=folder, **(quick | settings))
    try:
        async with TaskEngine.open(config, processors=processors, clock=clock) as engine:
            yield engine
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def drain(
    engine: TaskEngine, *, until: datetime | None = None, concurrency: int = 4, timeout_seconds: float = 60.0
) -> int:
    """Run a worker until no task waits or runs, and return how many finished meanwhile.

    Tasks that wait for a retry or for their `run_at` are waited for too. With `until`, those whose time
    comes by then run at once, and later ones are left waiting. On an engine with a `FakeClock`, `until` is
    what that clock says: turn it, drain, and look at what has run.

    Raises: TimeoutError when that takes longer than `timeout_seconds`.
    """
    before = await _finished(engine)
    async with asyncio.timeout(timeout_seconds), engine.worker(concurrency=concurrency):
        while await _unfinished(engine, until):  # noqa: ASYNC110 - tasks of other processes count too
            await asyncio.sleep(_POLL_SECONDS)
    return await _finished(engine) - before


async def _unfinished(engine: TaskEngine, until: datetime | None) -> int:
    """Make what is due by the engine's own clock ready, and return how many tasks are still to be done."""
    if until is None and isinstance(engine.clock, FakeClock):
        until = engine.clock.now()
    parts = engine._parts
    if until is not None:
        await parts.housekeeping.hasten(until)
        await parts.maintenance.promote()
    return await parts.housekeeping.unfinished(until)


async def _finished(engine: TaskEngine) -> int:
    statistics = await engine.statistics()
    return statistics.completed + statistics.failed + statistics.cancelled


def make_task(**fields: Any) -> Task:
    """Return a made-up task, pending and of processor `analyze` unless `fields` say otherwise."""
    made: dict[str, Any] = {
        "id": new_task_id(),
        "processor": "analyze",
        "status": TaskStatus.PENDING,
        "priority": 0,
        "owner": "",
        "source": None,
        "session_id": None,
        "extra_data": {},
        "max_attempts": None,
        "timeout_seconds": None,
        "run_at": None,
        "attempt": 0,
        "failures": 0,
        "progress": 0.0,
        "stage": "",
        "cancel_requested": False,
        "error": None,
        "result_url": None,
        "created_at": datetime(2030, 1, 1, tzinfo=UTC),
        "started_at": None,
        "finished_at": None,
        "last_seq": 0,
        "version": "1.0.0",
    }
    return Task(**(made | fields))
