"""How fast many tasks are stored by one call.

`bulk.unnest`: tasks a second of one `engine.submit_many` of 100,000 tasks, each with a hundred bytes of JSON: all are
checked, then stored by the thousand. `bulk.copy`: the same tasks by one `engine.import_tasks`, in one transaction. The
reference of both, before, between and after 3 such calls: one COPY of the same payload into one raw table with
two indexes. An engine's task is rows in two tables with four indexes, and a count. Every run has a fresh database,
vacuumed and checkpointed, with stock durability.

Counts, for a call with 5,000 tasks of either kind: statements, round trips, bytes of log and Python calls a task.

`--quick`: 20,000 tasks, 2 runs; the counts are the same.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.harness import bounds
from benchmarks.harness.noops import noops
from benchmarks.harness.pairs import in_turns
from benchmarks.harness.results import Result
from benchmarks.harness.run import Benchmark, BenchmarkError, Run, settle
from benchmarks.harness.submits import count_calls, count_traffic, submitting_engine
from novel_tasks_core import NewTask, TaskEngine

_COUNTED = 5_000

Store = Callable[[TaskEngine, Sequence[NewTask]], Awaitable[int]]
"""Stores tasks by one call and returns how many."""


async def measure(run: Run) -> list[Result]:
    """Measure both ways, then count."""
    results = []
    for name, store in (("unnest", _submit_many), ("copy", import_all)):
        results.append(await _measure_rate(run, f"bulk.{name}", store))
        results += await _count(run, f"bulk.{name}_", store)
    return results


async def _submit_many(engine: TaskEngine, tasks: Sequence[NewTask]) -> int:
    return len(await engine.submit_many(tasks))


async def import_all(engine: TaskEngine, tasks: Sequence[NewTask]) -> int:
    """Store the tasks by COPY; return how many."""
    return await engine.import_tasks(tasks)


async def _measure_rate(run: Run, metric: str, store: Store) -> Result:
    tasks = run.sized(100_000, quick=20_000)

    async def bound() -> float:
        async with run.database() as url:
            await bounds.create(url)
            await settle(url)
            return await bounds.copy(url, tasks=tasks)

    async def ours() -> float:
        async with submitting_engine(run) as (engine, url):
            await settle(url)
            return await store_timed(engine, store, noops(tasks))

    pairs = await in_turns(bound, ours, pairs=run.sized(3, quick=2))
    return pairs.result(metric, unit="tasks/s", reference="raw COPY")


async def store_timed(engine: TaskEngine, store: Store, new: Sequence[NewTask]) -> float:
    """Store the tasks; return tasks a second. Raises: BenchmarkError when they are not all there."""
    before = await engine.count()
    began = time.perf_counter()
    stored = await store(engine, new)
    seconds = time.perf_counter() - began
    found = await engine.count() - before
    if not stored == found == len(new):
        raise BenchmarkError(f"{stored} of {len(new)} tasks were stored, but the database has {found}")
    return len(new) / seconds


async def _count(run: Run, prefix: str, store: Store) -> list[Result]:
    new = noops(_COUNTED)

    async def work(engine: TaskEngine) -> None:
        await store(engine, new)

    traffic = await count_traffic(run, prefix, work, tasks=_COUNTED)
    return [*traffic, await count_calls(run, prefix, work, tasks=_COUNTED)]


BENCHMARK = Benchmark("bulk", measure)
