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
import time
from statistics import median

from benchmarks.harness import bounds
from benchmarks.harness.pairs import in_turns
from benchmarks.harness.results import Result
from benchmarks.harness.run import Benchmark, Run, settle
from benchmarks.harness.submits import count_calls, count_traffic, submit_one, submitting_engine
from novel_tasks_core import TaskEngine

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
        async with submitting_engine(run) as (engine, url):
            await settle(url)
            return await submit_singly(engine, tasks=tasks, callers=CALLERS)

    pairs = await in_turns(bound, ours, pairs=run.sized(3, quick=2))
    singles = pairs.result(
        "submit.concurrent_50", unit="tasks/s", reference="single INSERTs, 50 connections", target=TARGET
    )
    share = Result(metric="submit.share_of_unnest", value=singles.value, unit="tasks/s")
    return [
        singles,
        share.against("raw unnest n=100", median(unnested), target=None),
        *await count_traffic(run, "submit.", _rounds, tasks=_ROUNDS * CALLERS),
        await count_calls(run, "submit.", _rounds, tasks=_ROUNDS * CALLERS),
    ]


async def submit_singly(engine: TaskEngine, *, tasks: int, callers: int) -> float:
    """Share `tasks` calls among so many callers; return calls a second."""
    left = iter(range(tasks))

    async def call() -> None:
        for _ in left:
            await submit_one(engine)

    began = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return tasks / (time.perf_counter() - began)


async def _rounds(engine: TaskEngine) -> None:
    for _ in range(_ROUNDS):
        await asyncio.gather(*(submit_one(engine) for _ in range(CALLERS)))


BENCHMARK = Benchmark("submit", measure)
