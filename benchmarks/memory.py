"""How much memory a worker process keeps after many tasks.

`memory.growth`: by how many megabytes the resident memory of a worker process rises over 100,000 no-op tasks
that another process submits, a thousand by one call, after 10,000 to warm up. Before each look the worker
collects garbage and gives free memory back to the system, so that what counts is in use. The limit is 10 MB.
`memory.slope`: bytes a task, by a straight line through the looks before, after, and after every tenth of the
tasks between: what would go on growing.

`memory.talking`: the growth in megabytes over 2,000 tasks that each write ten lines to their log and report
progress ten times, while the worker's process watches every one of them, after 500 such tasks; the limit is
the same.

`--quick`: 20,000 tasks, and 500 that talk after 200.
"""

from __future__ import annotations

from statistics import linear_regression

import psutil

from benchmarks.harness.engine_programs import engine_program
from benchmarks.harness.noops import noop_engine, noops
from benchmarks.harness.partners import Partner
from benchmarks.harness.results import Better, Result, limited
from benchmarks.harness.run import Benchmark, Run
from novel_tasks_core import TaskEngine

LIMIT_MB = 10.0

_MEGABYTE = 1_000_000
_WARM = 10_000
_STATEMENT = 1_000
_LOOKS = 10


async def measure(run: Run) -> list[Result]:
    """Measure the growths."""
    async with (
        run.database() as url,
        noop_engine(run, url) as (engine, _),
        engine_program("worker", url=url, folder=run.new_folder()) as works,
    ):
        quiet = await _quiet(engine, works, tasks=run.sized(100_000, quick=20_000))
        await works.ask("talk", tasks=run.sized(500, quick=200))
        before = await _resident(works)
        await works.ask("talk", tasks=run.sized(2_000, quick=500))
        talking = await _resident(works) - before
    slope = linear_regression(*zip(*quiet, strict=True)).slope
    return [
        _growth("memory.growth", quiet[-1][1] - quiet[0][1]),
        Result(metric="memory.slope", value=slope, unit="B/task", better=Better.LOWER),
        _growth("memory.talking", talking),
    ]


def _growth(metric: str, grown: int) -> Result:
    return limited(metric, max(0, grown) / _MEGABYTE, unit="MB", limit=LIMIT_MB)


async def _quiet(engine: TaskEngine, works: Partner, *, tasks: int) -> list[tuple[int, int]]:
    """Return the resident bytes after so many tasks, again and again."""
    await _done(engine, works, tasks=_WARM)
    looks = [(0, await _resident(works))]
    for look in range(1, _LOOKS + 1):
        await _done(engine, works, tasks=tasks // _LOOKS)
        looks.append((look * tasks // _LOOKS, await _resident(works)))
    return looks


async def _done(engine: TaskEngine, works: Partner, *, tasks: int) -> None:
    for _ in range(tasks // _STATEMENT):
        await engine.submit_many(noops(_STATEMENT))
    await works.ask("committed", tasks=tasks)


async def _resident(works: Partner) -> int:
    await works.ask("tidy")
    return int(psutil.Process(works.pid).memory_info().rss)


BENCHMARK = Benchmark("memory", measure)
