"""How long it takes from a submit to the first line of the handler.

Submitter and worker are processes of their own; the clock is the monotonic one, which they share. It starts
when `submit` is called, and stops on the first line of the task's `async def` handler.

`latency.idle_p50`: the median in milliseconds of 200 tasks submitted one by one, 30 to 70 ms after the one
before was durable. `latency.p99_at_1k`: the 99th percentile at a thousand submits a second at random
moments (Poisson, the same in every run), 20,000 in all. These follow their plan whatever the answers, and a
task counts from its planned moment, so whatever stalls counts in full. The limit is 25 ms.

The reference, before, between and after 3 runs: raw asyncpg in two processes. One INSERTs and notifies by
one statement, with all that has arrived meanwhile. The other listens on one connection and claims by UPDATE
... SKIP LOCKED on another; its clock stops when the claim has answered. `latency.p99_at_1k_floor` is
`latency.p99_at_1k` beside its figure.

`latency.same_process_p50`: the median of 200 such single tasks where submitter and worker are one process,
beside a millisecond, which is for later. Every run has a fresh database and stock durability, and 20 tasks
run before.

`--quick`: 40 single tasks, 2,000 at a thousand a second, 1 run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from attrs import evolve, frozen

from benchmarks.harness import bounds
from benchmarks.harness.engine_programs import engine_program, stamped, submitter
from benchmarks.harness.noops import SLOTS
from benchmarks.harness.pacing import Starts, one_by_one, percentile
from benchmarks.harness.pairs import Pairs
from benchmarks.harness.partners import Partner
from benchmarks.harness.raw_programs import raw_program
from benchmarks.harness.results import Better, Result, limited
from benchmarks.harness.run import Benchmark, Run, settle
from novel_tasks_core import EngineConfig, Processors, TaskEngine

TARGET = 1.5
LIMIT_MS = 25.0
SAME_PROCESS_MS = 1.0

_RATE = 1_000.0
_WARM = 20
_SEED = 20_000


@frozen
class Latencies:
    """What one pair of processes took, in milliseconds."""

    idle_p50: float
    p99_at_1k: float


async def measure(run: Run) -> list[Result]:
    """Measure the latencies."""
    floors = [await _latencies(run, ours=False)]
    ours = []
    for _ in range(run.sized(3, quick=1)):
        ours.append(await _latencies(run, ours=True))
        floors.append(await _latencies(run, ours=False))
    idle = Pairs(tuple(one.idle_p50 for one in ours), tuple(one.idle_p50 for one in floors))
    busy = Pairs(tuple(one.p99_at_1k for one in ours), tuple(one.p99_at_1k for one in floors))
    tail = limited("latency.p99_at_1k", median(busy.ours), unit="ms", limit=LIMIT_MS)
    return [
        idle.result("latency.idle_p50", unit="ms", reference="LISTEN floor", target=TARGET, better=Better.LOWER),
        evolve(tail, spread=(min(busy.ours) / LIMIT_MS, max(busy.ours) / LIMIT_MS), noise=busy.noise),
        busy.result("latency.p99_at_1k_floor", unit="ms", reference="LISTEN floor", better=Better.LOWER),
        await _same_process(run),
    ]


async def _latencies(run: Run, *, ours: bool) -> Latencies:
    async with run.database() as url, (_engines if ours else _floor)(run, url) as (submits, works):
        await _paced(submits, works, "one_by_one", tasks=_WARM)
        await settle(url)
        idle = await _paced(submits, works, "one_by_one", tasks=run.sized(200, quick=40))
        tasks = run.sized(20_000, quick=2_000)
        busy = await _paced(submits, works, "arrivals", tasks=tasks, rate=_RATE, seed=_SEED)
    return Latencies(median(idle) * 1000, percentile(busy, 99) * 1000)


async def _paced(submits: Partner, works: Partner, pace: str, *, tasks: int, **details: float) -> list[float]:
    await submits.ask(pace, tasks=tasks, **details)
    seconds: list[float] = await works.ask("taken", tasks=tasks)
    return seconds


@asynccontextmanager
async def _engines(run: Run, url: str) -> AsyncIterator[tuple[Partner, Partner]]:
    folder = run.new_folder()
    async with (
        engine_program("worker", url=url, folder=folder) as works,
        engine_program("submitter", url=url, folder=folder) as submits,
    ):
        yield submits, works


@asynccontextmanager
async def _floor(run: Run, url: str) -> AsyncIterator[tuple[Partner, Partner]]:
    folder = run.new_folder()
    await bounds.create(url)
    async with (
        raw_program("worker", url=url, folder=folder) as works,
        raw_program("submitter", url=url, folder=folder) as submits,
    ):
        yield submits, works


async def _same_process(run: Run) -> Result:
    starts = Starts()
    async with run.database() as url:
        config = EngineConfig(database_url=url, data_dir=run.new_folder())
        async with (
            TaskEngine.open(config, processors=stamped(starts, Processors())) as engine,
            engine.worker(concurrency=SLOTS),
        ):
            for tasks in (_WARM, run.sized(200, quick=40)):
                await one_by_one(submitter(engine), tasks=tasks)
                seconds = await starts.taken(tasks=tasks)
    return evolve(
        limited("latency.same_process_p50", median(seconds) * 1000, unit="ms", limit=SAME_PROCESS_MS), target=None
    )


BENCHMARK = Benchmark("latency", measure)
