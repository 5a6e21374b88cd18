"""No-op tasks: what the engine does with a task when the processor does nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, evolve, field

from benchmarks.harness import bounds
from benchmarks.harness.run import Run
from novel_tasks_core import (
    AttemptContext,
    EngineConfig,
    NewTask,
    Observer,
    OutcomeKind,
    Processors,
    TaskEngine,
    TaskId,
)

NOOP = "noop"
SLOTS = 200
"""How many no-ops a worker runs at once."""
NO_POLLS = 60.0
"""Seconds between polls where these must not be counted: the doorbell is heard all the same."""

_LONGEST_SECONDS = 600.0


def noops(tasks: int) -> list[NewTask]:
    """Return new no-op tasks."""
    return [NewTask(processor=NOOP, extra_data=bounds.PAYLOAD) for _ in range(tasks)]


@define(eq=False)
class Counter(Observer):
    """Counts commits of no-op tasks, and knows when the first of them began."""

    began: float = 0.0
    _committed: int = 0
    _wanted: int = 0
    _reached: asyncio.Event = field(factory=asyncio.Event)

    def processors(self) -> Processors:
        """Return a registry with the no-op alone."""
        known = Processors()
        known.register(NOOP, self._noop)
        return known

    async def _noop(self, ctx: AttemptContext) -> dict[str, int]:
        if not self.began:
            self.began = time.perf_counter()
        return bounds.RESULT

    def attempt_finished(
        self, *, task_id: TaskId, processor: str, attempt: int, outcome: OutcomeKind, seconds: float
    ) -> None:
        """Count a task that is committed."""
        self._committed += 1
        if self._committed >= self._wanted:
            self._reached.set()

    async def committed(self, tasks: int) -> None:
        """Wait until `tasks` have been committed since the last call."""
        self._wanted = tasks
        async with asyncio.timeout(_LONGEST_SECONDS):
            while self._committed < tasks:
                self._reached.clear()
                await self._reached.wait()
        self._committed -= tasks


@asynccontextmanager
async def noop_engine(
    run: Run, url: str, *, poll_seconds: float | None = None
) -> AsyncIterator[tuple[TaskEngine, Counter]]:
    """Open an engine whose only processor does nothing, which polls every `poll_seconds` or as usual."""
    counter = Counter()
    config = EngineConfig(database_url=url, data_dir=run.new_folder())
    if poll_seconds is not None:
        config = evolve(config, poll_min_seconds=poll_seconds, poll_max_seconds=poll_seconds)
    async with TaskEngine.open(config, processors=counter.processors(), observers=[counter]) as engine:
        yield engine, counter


async def wave(engine: TaskEngine, counter: Counter, *, tasks: int) -> None:
    """Submit some tasks by one call and wait for a running worker to finish them."""
    await engine.submit_many(noops(tasks))
    await counter.committed(tasks)
