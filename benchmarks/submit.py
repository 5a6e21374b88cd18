"""How fast 50 callers of one process submit tasks one by one.

`submit.concurrent_50`: tasks a second when 50 asyncio tasks call `engine.submit` in a loop, 20,000 calls in
all, each with a hundred bytes of JSON; every call returns once its task is durable. The reference, before,
between and after 3 such runs: single INSERTs of the same payload over 50 connections, each a transaction of
its own. `submit.share_of_unnest` is the same figure beside what one connection stores by INSERT ... SELECT
FROM unnest, a hundred rows a statement; its target is for later. Every run has a fresh database, vacuumed
and checkpointed, with stock durability.

Counts, over 40 rounds of 50 calls at once: statements, round trips, bytes of log and Python calls a task.

`--quick`: 4,000 calls, 2 runs; the counts are the same.
"""

from __future__ import annotations

import asyncio
import cProfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from benchmarks.harness import bounds
from benchmarks.harness.costs import log_of, still
from benchmarks.harness.noops import NOOP, Counter
from benchmarks.harness.pairs import in_turns
from benchmarks.harness.results import Result, count
from benchmarks.harness.run import Benchmark, Run, settle
from benchmarks.harness.wire import CLOCKED, counted
from novel_tasks_core import EngineConfig, TaskEngine

CALLERS = 50
TARGET = 1.0

_ROUNDS = 40


async def measure(run: Run) -> list[Result]:
    """Measure the submits, then count."""
    tasks = run.sized(20_000, quick=4_000)
    unnested: list[float] = []

    async def bound() -> float:
        async with run.database() as url:
            await bounds.create(url)
            await settle(url)
            rate = await bounds.insert_singly(url, tasks=tasks, connections=CALLERS)
            unnested.append(await bounds.insert_many(url, tasks=tasks))
            return rate

    async def ours() -> float:
        async with _engine(run) as (engine, url):
            await settle(url)
            return await _submit_singly(engine, tasks=tasks)

    pairs = await in_turns(bound, ours, pairs=run.sized(3, quick=2))
    singles = pairs.result(
        "submit.concurrent_50", unit="tasks/s", reference="single INSERTs, 50 connections", target=TARGET
    )
    share = Result(metric="submit.share_of_unnest", value=singles.value, unit="tasks/s")
    return [
        singles,
        share.against("raw unnest n=100", median(unnested), target=None),
        *await _count_traffic(run),
        await _count_calls(run),
    ]


@asynccontextmanager
async def _engine(run: Run) -> AsyncIterator[tuple[TaskEngine, str]]:
    async with run.database() as url:
        config = EngineConfig(database_url=url, data_dir=run.new_folder())
        async with TaskEngine.open(config, processors=Counter().processors()) as engine:
            await _submit(engine)  # connects, prepares
            yield engine, url


async def _submit(engine: TaskEngine) -> None:
    await engine.submit(processor=NOOP, extra_data=bounds.PAYLOAD)


async def _submit_singly(engine: TaskEngine, *, tasks: int) -> float:
    """Share `tasks` calls among the callers; return calls a second."""
    left = iter(range(tasks))

    async def call() -> None:
        for _ in left:
            await _submit(engine)

    began = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return tasks / (time.perf_counter() - began)


async def _rounds(engine: TaskEngine) -> None:
    for _ in range(_ROUNDS):
        await asyncio.gather(*(_submit(engine) for _ in range(CALLERS)))


async def _count_traffic(run: Run) -> list[Result]:
    tasks = _ROUNDS * CALLERS
    async with (
        run.database() as url,
        counted(url, folder=run.new_folder()) as (relayed, traffic),
        log_of(url) as log,
        TaskEngine.open(
            EngineConfig(database_url=relayed, data_dir=run.new_folder()), processors=Counter().processors()
        ) as engine,
    ):
        await _submit(engine)
        await still(url)
        traffic.clear()
        await log.begin()
        await _rounds(engine)
        statements, round_trips = traffic.totals(without=CLOCKED)
        logged = await log.count()
    return [
        count("submit.statements", statements / tasks, unit="statements/task"),
        count("submit.round_trips", round_trips / tasks, unit="round trips/task"),
        count("submit.wal_bytes", logged / tasks, unit="B/task", depends_on=["postgresql"]),
    ]


async def _count_calls(run: Run) -> Result:
    profile = cProfile.Profile()
    async with _engine(run) as (engine, _):
        profile.enable()
        await _rounds(engine)
        profile.disable()
    calls = sum(entry.callcount for entry in profile.getstats())
    return count("submit.calls", calls / _ROUNDS / CALLERS, unit="calls/task", depends_on=["python", "loop"])


BENCHMARK = Benchmark("submit", measure)
