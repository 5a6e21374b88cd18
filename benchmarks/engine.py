"""How fast one worker process drains no-op tasks, and what a task costs.

`engine.drain`: tasks a second of a worker with `async def` no-ops (a hundred bytes of JSON in, a small
result out), 100,000 of them. Rows, results and the two events of each task are kept. The clock runs from
the first handler call until the database counts every task as completed. The reference, before and after
each of 3 drains of the same run: raw asyncpg that claims a hundred rows and updates them with a result, on
one connection, until a table of as many rows is done. Every drain has a fresh database, vacuumed and
checkpointed, with stock durability.

Counts, each over its own small drain: statements and round trips a task (those that only the clock sets
off left out), bytes of log a task from submit to the end, buffers a claim and a finish of 100 tasks look
at in a backlog of 5,000.

`--quick`: 10,000 tasks, 2 drains; the counts are the same.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

import asyncpg
from attrs import define, field

from benchmarks.harness import bounds
from benchmarks.harness.costs import BufferLink, log_of, still
from benchmarks.harness.pairs import in_turns
from benchmarks.harness.results import Result, count
from benchmarks.harness.run import Benchmark, BenchmarkError, Run, settle
from benchmarks.harness.wire import counted
from novel_tasks_core import AttemptContext, EngineConfig, NewTask, Observer, OutcomeKind, Processors, TaskEngine, TaskId

SLOTS = 200
TARGET = 0.3

_COUNTED_TASKS = 20_000
_LONGEST_SECONDS = 600.0
_NOOP = "noop"
_DONE = """
select (select count(*) from tasks where status = 'completed' and result is not null),
       (select count(*) from task_attempts where outcome = 'completed'),
       (select count(*) from task_events)
"""
CLOCKED = frozenset({
    *(f"workers.{name}" for name in ("beat", "flags", "beats", "orphans", "overdue")),
    *("queue.promote", "queue.ready_heads", "select pg_notify($1, $2)"),
})  # fmt: skip
"""Statements that run by the clock."""


async def measure(run: Run) -> list[Result]:
    """Measure the drain, then count."""
    tasks = run.sized(100_000, quick=10_000)

    async def bound() -> float:
        async with run.database() as url:
            await bounds.create(url, tasks=tasks)
            await settle(url)
            return await bounds.drain(url, tasks=tasks)

    async def ours() -> float:
        async with run.database() as url:
            return await timed_drain(url, run.new_folder(), tasks=tasks)

    pairs = await in_turns(bound, ours, pairs=run.sized(3, quick=2))
    drained = pairs.result(
        "engine.drain", unit="tasks/s", reference="raw claim+UPDATE n=100, one connection", target=TARGET
    )
    return [drained, *await _count_drain(run)]


@define(eq=False)
class Stopwatch(Observer):
    """Knows when the first handler was called and when the last of `tasks` was committed."""

    tasks: int
    began: float = 0.0
    committed: int = 0
    done: asyncio.Event = field(factory=asyncio.Event)

    async def noop(self, ctx: AttemptContext) -> dict[str, int]:
        """Do nothing."""
        if not self.began:
            self.began = time.perf_counter()
        return bounds.RESULT

    def attempt_finished(
        self, *, task_id: TaskId, processor: str, attempt: int, outcome: OutcomeKind, seconds: float
    ) -> None:
        """Count."""
        self.committed += 1
        if self.committed == self.tasks:
            self.done.set()

    def processors(self) -> Processors:
        """Return a registry with the no-op alone."""
        known = Processors()
        known.register(_NOOP, self.noop)
        return known


def noops(tasks: int) -> list[NewTask]:
    """Return new no-op tasks."""
    return [NewTask(processor=_NOOP, extra_data=bounds.PAYLOAD) for _ in range(tasks)]


async def timed_drain(url: str, folder: Path, *, tasks: int) -> float:
    """Drain no-op tasks of an empty database; return tasks a second."""
    watch = Stopwatch(tasks)
    config = EngineConfig(database_url=url, data_dir=folder)
    async with TaskEngine.open(config, processors=watch.processors(), observers=[watch]) as engine:
        await engine.submit_many(noops(tasks))
        await settle(url)
        return tasks / await drain(engine, watch, url)


async def drain(engine: TaskEngine, watch: Stopwatch, url: str) -> float:
    """Run a worker until all tasks are done; return the seconds from the first handler call on.

    Raises: BenchmarkError when the rows in the database are not what they must be.
    """
    connection = await asyncpg.connect(url)
    try:
        async with engine.worker(concurrency=SLOTS), asyncio.timeout(_LONGEST_SECONDS):
            await watch.done.wait()
            rows = tuple(await connection.fetchrow(_DONE) or ())
            seconds = time.perf_counter() - watch.began
    finally:
        await connection.close()
    if rows != (watch.tasks, watch.tasks, 2 * watch.tasks):
        raise BenchmarkError(f"{watch.tasks} tasks were drained, but the database has {rows}")
    return seconds


async def _count_drain(run: Run) -> list[Result]:
    """Count what submitting and draining sends and logs."""
    folder, watch = run.new_folder(), Stopwatch(_COUNTED_TASKS)
    async with (
        run.database() as url,
        counted(url, folder=folder) as (relayed, traffic),
        log_of(url) as log,
        TaskEngine.open(
            EngineConfig(database_url=relayed, data_dir=folder), processors=watch.processors(), observers=[watch]
        ) as engine,
    ):
        await still(url)
        await log.begin()
        traffic.clear()
        await engine.submit_many(noops(_COUNTED_TASKS))
        await drain(engine, watch, url)
        print(traffic)
        statements, round_trips = traffic.totals(without=CLOCKED)
        return [
            count("engine.statements", statements / _COUNTED_TASKS, unit="statements/task"),
            count("engine.round_trips", round_trips / _COUNTED_TASKS, unit="round trips/task"),
            count("engine.wal_bytes", await log.count() / _COUNTED_TASKS, unit="B/task", depends_on=["postgresql"]),
        ]


async def _count_buffers(run: Run) -> list[Result]:
    """Count the buffers of claims and finishes, driven one by one so that each has the same size."""
    folder, watch = run.new_folder(), Stopwatch(_COUNTED_TASKS)
    async with run.database() as url:
        config = EngineConfig(database_url=url, data_dir=folder)
        async with TaskEngine.open(config, processors=watch.processors()) as engine:
            await engine.submit_many(noops(_BACKLOG))
        await still(url)
        await settle(url)
        claims, flushes = BufferLink(url, config=config), BufferLink(url, config=config)
        queue = Queue(claims=claims, flushes=flushes)
        await _claim_and_finish(queue)
        return [
            count("engine.claim_buffers", median(claims.counted[2:]), unit=f"buffers/{_AT_ONCE}"),
        ]

BENCHMARK = Benchmark("engine", measure)
