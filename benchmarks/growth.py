"""Whether a worker drains as fast with a large database as with an empty one.

`growth.backlog_1m`: tasks a second of a worker that drains the first 50,000 no-op tasks of a backlog of a
million. `growth.history_10m`: the same of 50,000 tasks alone, in a database that holds ten million finished
ones with their results, attempts and events. The reference, before, between and after 3 such drains: 50,000
tasks in an empty database. The clock runs from the first handler call until the last of the 50,000 is
committed. Before each drain all tables are vacuumed, analysed and checkpointed; durability is stock.

The backlog is submitted by `submit_many`. The history is one task that was really finished: the rows that it
has in every table are multiplied by INSERT ... SELECT, under ids that are a millisecond apart. How long the
loading takes, and how large the database is then, is said on standard error.

Needs 20 GB of free space, and is skipped without.

`--quick`: 100,000 waiting, 500,000 finished, 5,000 drained, 2 drains: too few to say much.
"""

from __future__ import annotations

import shutil
import sys
import time

from benchmarks.harness.history import multiply, size_of
from benchmarks.harness.noops import SLOTS, noop_engine, noops, wave
from benchmarks.harness.pairs import in_turns
from benchmarks.harness.results import Result
from benchmarks.harness.run import Benchmark, BenchmarkSkippedError, Run, settle

TARGET = 0.9
FREE_BYTES = 20 << 30

_STATEMENT = 10_000


async def measure(run: Run) -> list[Result]:
    """Measure both. Raises: BenchmarkSkippedError without enough space."""
    require_space(run, free=shutil.disk_usage(run.folder).free)
    waiting, finished = run.sized(1_000_000, quick=100_000), run.sized(10_000_000, quick=500_000)
    return [
        await _beside_empty(run, "growth.backlog_1m", waiting=waiting),
        await _beside_empty(run, "growth.history_10m", finished=finished),
    ]


def require_space(run: Run, *, free: int) -> None:
    """Raise BenchmarkSkippedError when `free` bytes are too few for a full run."""
    if not run.quick and free < FREE_BYTES:
        raise BenchmarkSkippedError(f"it needs {FREE_BYTES >> 30} GB of free space and there are {free / 2**30:.1f}")


async def _beside_empty(run: Run, metric: str, *, waiting: int = 0, finished: int = 0) -> Result:
    tasks, pairs = run.sized(50_000, quick=5_000), run.sized(3, quick=2)

    async def empty() -> float:
        async with run.database() as url:
            return await _drain(run, url, submitted=tasks, tasks=tasks)

    async with run.database() as loaded:
        await _load(run, loaded, waiting=waiting and waiting + pairs * tasks, finished=finished)

        async def full() -> float:
            return await _drain(run, loaded, submitted=0 if waiting else tasks, tasks=tasks)

        turns = await in_turns(empty, full, pairs=pairs)
    return turns.result(metric, unit="tasks/s", reference="empty database", target=TARGET)


async def _drain(run: Run, url: str, *, submitted: int, tasks: int) -> float:
    """Submit some tasks, then run a worker until `tasks` are committed; return tasks a second."""
    async with noop_engine(run, url) as (engine, counter):
        await engine.submit_many(noops(submitted))
        await settle(url)
        async with engine.worker(concurrency=SLOTS):
            await counter.committed(tasks)
            return tasks / (time.perf_counter() - counter.began)


async def _load(run: Run, url: str, *, waiting: int, finished: int) -> None:
    began = time.monotonic()
    async with noop_engine(run, url) as (engine, counter):
        for _ in range(waiting // _STATEMENT):
            await engine.submit_many(noops(_STATEMENT))
        if finished:
            async with engine.worker(concurrency=1):
                await wave(engine, counter, tasks=1)
            await multiply(url, tasks=finished)
    seconds, size = time.monotonic() - began, await size_of(url) / 2**30
    print(f"growth: loaded {waiting or finished:,} tasks, {size:.1f} GB, in {seconds:.0f} s", file=sys.stderr)


BENCHMARK = Benchmark("growth", measure)
