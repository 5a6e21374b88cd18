"""What benchmarks of submits share: an engine on an empty database, and the counts of what a task costs."""

from __future__ import annotations

import cProfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from benchmarks.harness import bounds
from benchmarks.harness.costs import log_of, still
from benchmarks.harness.noops import NOOP, Counter
from benchmarks.harness.results import Result, count
from benchmarks.harness.run import Run
from benchmarks.harness.wire import CLOCKED, counted
from novel_tasks_core import EngineConfig, TaskEngine

Work = Callable[[TaskEngine], Awaitable[None]]
"""Submits a fixed number of tasks."""


async def submit_one(engine: TaskEngine) -> None:
    """Submit a no-op task."""
    await engine.submit(processor=NOOP, extra_data=bounds.PAYLOAD)


@asynccontextmanager
async def submitting_engine(run: Run) -> AsyncIterator[tuple[TaskEngine, str]]:
    """Open an engine on a database of its own for the length of the block; yields the database's URL too."""
    async with run.database() as url, _engine(run, url) as engine:
        yield engine, url


@asynccontextmanager
async def _engine(run: Run, url: str) -> AsyncIterator[TaskEngine]:
    config = EngineConfig(database_url=url, data_dir=run.new_folder())
    async with TaskEngine.open(config, processors=Counter().processors()) as engine:
        await submit_one(engine)  # connects, prepares
        yield engine


async def count_traffic(run: Run, prefix: str, work: Work, *, tasks: int) -> list[Result]:
    """Count what submitting `tasks` tasks sends and logs; the first run of `work` is not counted."""
    async with (
        run.database() as url,
        counted(url, folder=run.new_folder()) as (relayed, traffic),
        log_of(url) as log,
        _engine(run, relayed) as engine,
    ):
        await still(url)
        await work(engine)
        traffic.clear()
        await log.begin()
        await work(engine)
        statements, round_trips = traffic.totals(without=CLOCKED)
        logged = await log.count()
    return [
        count(f"{prefix}statements", statements / tasks, unit="statements/task"),
        count(f"{prefix}round_trips", round_trips / tasks, unit="round trips/task"),
        count(f"{prefix}wal_bytes", logged / tasks, unit="B/task", depends_on=["postgresql"]),
    ]


async def count_calls(run: Run, prefix: str, work: Work, *, tasks: int) -> Result:
    """Count the Python and C functions that are called for a task."""
    profile = cProfile.Profile()
    async with submitting_engine(run) as (engine, _):
        profile.enable()
        await work(engine)
        profile.disable()
    calls = sum(entry.callcount for entry in profile.getstats())
    return count(f"{prefix}calls", calls / tasks, unit="calls/task", depends_on=["python", "loop"])
