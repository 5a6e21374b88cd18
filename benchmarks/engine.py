"""How fast one worker process drains no-op tasks, and what a task costs.

`engine.drain`: tasks a second of a worker with `async def` no-ops (a hundred bytes of JSON in, a small
result out), 100,000 of them. Rows, results and the two events of each task are kept. The clock runs from
the first handler call until the database counts every task as completed. The reference, before, between
and after 3 such drains: raw asyncpg that claims a hundred rows and updates them with a result, on one
connection, until a table of as many rows is done. Every drain has a fresh database, vacuumed and
checkpointed, with stock durability.

Counts of a task from submit to its end, in 50 waves of a hundred tasks that are submitted and finished
together: statements, round trips, Python calls. The first two also for tasks that come one by one
(`_single`). What the clock alone sets off is left out. And the buffers that a claim and a finish of 100
tasks look at in a backlog of 5,000.

`--quick`: 10,000 tasks, 2 drains; the counts are the same.
"""

from __future__ import annotations

import cProfile
import time
from statistics import median

import asyncpg

from benchmarks.harness import bounds
from benchmarks.harness.costs import BufferLink, still
from benchmarks.harness.noops import NO_POLLS, NOOP, SLOTS, noop_engine, noops, wave
from benchmarks.harness.pairs import in_turns
from benchmarks.harness.results import Result, count
from benchmarks.harness.run import Benchmark, BenchmarkError, Run, settle
from benchmarks.harness.wire import CLOCKED, counted
from novel_tasks_core.clock import SystemClock
from novel_tasks_core.models import Completed, WorkerId
from novel_tasks_core.storage.endings import make_ending
from novel_tasks_core.storage.queue import Lane, Queue

TARGET = 0.6

_WAVE = 100
_WAVES = 50
_SINGLES = 200
_BACKLOG = 5_000
_DONE = """
select (select count(*) from tasks where status = 'completed' and result is not null),
       (select count(*) from all_attempts where outcome = 'completed'),
       (select count(*) from task_events)
"""


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
            return await drain(run, url, tasks=tasks)

    pairs = await in_turns(bound, ours, pairs=run.sized(3, quick=2))
    drained = pairs.result("engine.drain", unit="tasks/s", reference="raw claim+UPDATE n=100", target=TARGET)
    return [drained, *await _count_traffic(run), await _count_calls(run), *await _count_buffers(run)]


async def drain(run: Run, url: str, *, tasks: int) -> float:
    """Drain no-op tasks of an empty database; return tasks a second.

    Raises: BenchmarkError when the rows in the database are not what they must be.
    """
    async with noop_engine(run, url) as (engine, counter):
        await engine.submit_many(noops(tasks))
        await settle(url)
        connection = await asyncpg.connect(url)
        try:
            async with engine.worker(concurrency=SLOTS):
                await counter.committed(tasks)
                rows = tuple(await connection.fetchrow(_DONE) or ())
                seconds = time.perf_counter() - counter.began
        finally:
            await connection.close()
    if rows != (tasks, tasks, 2 * tasks):
        raise BenchmarkError(f"{tasks} tasks were drained, but the database has {rows}")
    return tasks / seconds


async def _count_traffic(run: Run) -> list[Result]:
    """Count what waves of tasks, and tasks one by one, send."""
    async with (
        run.database() as url,
        counted(url, folder=run.new_folder()) as (relayed, traffic),
        noop_engine(run, relayed, poll_seconds=NO_POLLS) as (engine, counter),
        engine.worker(concurrency=_WAVE),
    ):
        await still(url)
        results = []
        for suffix, waves, size in (("", _WAVES, _WAVE), ("_single", _SINGLES, 1)):
            await wave(engine, counter, tasks=size)  # connects, prepares
            traffic.clear()
            for _ in range(waves):
                await wave(engine, counter, tasks=size)
            statements, round_trips = traffic.totals(without=CLOCKED)
            tasks = waves * size
            results += [
                count(f"engine.statements{suffix}", statements / tasks, unit="statements/task"),
                count(f"engine.round_trips{suffix}", round_trips / tasks, unit="round trips/task"),
            ]
        return results


async def _count_calls(run: Run) -> Result:
    """Count the Python and C functions that are called for a task: what it costs the interpreter."""
    profile = cProfile.Profile()
    async with (
        run.database() as url,
        noop_engine(run, url, poll_seconds=NO_POLLS) as (engine, counter),
        engine.worker(concurrency=_WAVE),
    ):
        await wave(engine, counter, tasks=_WAVE)
        profile.enable()
        for _ in range(_WAVES):
            await wave(engine, counter, tasks=_WAVE)
        profile.disable()
    calls = sum(entry.callcount for entry in profile.getstats())
    return count("engine.calls", calls / _WAVES / _WAVE, unit="calls/task", depends_on=["python", "loop"])


async def _count_buffers(run: Run) -> list[Result]:
    """Count the buffers of claims and finishes, one after the other until the backlog is done."""
    async with run.database() as url, noop_engine(run, url) as (engine, _):
        await engine.submit_many(noops(_BACKLOG))
        await still(url)
        await settle(url)
        claims, finishes = BufferLink(url, config=engine.config), BufferLink(url, config=engine.config)
        try:
            await _drain_by_hand(Queue(claims=claims, flushes=finishes), watched=(claims, finishes))
        finally:
            await claims.close()
            await finishes.close()
    return [
        count(
            f"engine.{name}_buffers",
            median(one.buffers for one in link.counted),
            unit=f"buffers/{_WAVE} tasks",
            depends_on=["postgresql"],
        )
        for name, link in (("claim", claims), ("finish", finishes))
    ]


async def _drain_by_hand(queue: Queue, *, watched: tuple[BufferLink, ...]) -> None:
    worker, now = WorkerId(1), SystemClock().now
    lane = await queue.make_lane(NOOP)
    heads = await queue.heads([lane])
    for link in watched:
        link.counted.clear()
    for _ in range(_BACKLOG // _WAVE):
        claimed = await queue.claim(heads, lanes={lane: Lane(lane, NOOP, 60.0)}, most={lane: _WAVE}, worker_id=worker)
        heads = [claimed[-1][1]]
        endings = [
            make_ending(claim.task_id, Completed(result=bounds.RESULT), attempt=claim.attempt, at=now())
            for claim, _ in claimed
        ]
        ended = await queue.end(endings, holder=worker, finisher=worker)
        assert len(claimed) == len(ended.last_seq) == _WAVE


BENCHMARK = Benchmark("engine", measure)
