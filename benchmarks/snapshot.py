"""What claims cost while somebody holds a snapshot, so that no dead row can be removed.

60,000 no-op tasks go through a worker while another connection is in a REPEATABLE READ transaction. They
come in rounds: nine waves of a hundred, each submitted by one call when the one before is finished, then six
tasks one by one. So the queue is nearly empty all the time. In each round the worker reads anew where ready
tasks begin, as it does once a second. PostgreSQL counts the buffers that each statement of the worker's
claiming connection looks at, in tables and indexes. Autovacuum is off, but in the middle, when the queue is
empty, all tables are vacuumed and analysed, as it would do.

`snapshot.buffers`: the median of all claims, beside the median of those of the first 5 rounds.
`snapshot.single_buffers`: the same of the claims of one task. `snapshot.refresh_buffers`: the most that the
statement looked at which reads where ready tasks begin; it has no target.

Counts: the median buffers of claims of a hundred tasks (`snapshot.claim`), and of one (`snapshot.poll`).

`--quick`: 12,000 tasks; the counts are the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

import asyncpg
from attrs import evolve, frozen

from benchmarks.harness.costs import BufferLink, Touched, still
from benchmarks.harness.noops import Counter, wave
from benchmarks.harness.results import Better, Result, count
from benchmarks.harness.run import Benchmark, Run, settle
from novel_tasks_core import EngineConfig, TaskEngine
from novel_tasks_core.engine.parts import open_parts
from novel_tasks_core.storage.database import Link
from novel_tasks_core.storage.queue import Queue
from novel_tasks_core.worker import Worker

TARGET = 2.0

_WAVE = 100
_WAVES = 9
_SINGLES = 6
_FIRST = 5


@frozen
class Buffers:
    """The buffers of statements of one kind, in order; `first` of them were in the first rounds."""

    counted: tuple[int, ...]
    first: int

    def result(self, metric: str) -> Result:
        """Compare the median of all with that of the first ones."""
        value = Result(metric=metric, value=median(self.counted), unit="buffers/claim", better=Better.LOWER)
        return value.against("the first", median(self.counted[: self.first]), target=TARGET)


async def measure(run: Run) -> list[Result]:
    """Count the buffers."""
    touched, first = await drain_under_snapshot(run, rounds=run.sized(60_000, quick=12_000) // (_WAVES * _WAVE))

    def of(statement: str, rows: int | None = None) -> Buffers:
        chosen = [
            (one.buffers, place < first)
            for place, one in enumerate(touched)
            if one.statement == statement and rows in (None, one.rows)
        ]
        return Buffers(tuple(buffers for buffers, _ in chosen), sum(is_first for _, is_first in chosen))

    claims, polls = of("queue.claim", _WAVE), of("queue.claim", 1)
    refreshes = max(of("queue.ready_heads").counted)
    return [
        of("queue.claim").result("snapshot.buffers"),
        polls.result("snapshot.single_buffers"),
        Result(metric="snapshot.refresh_buffers", value=refreshes, unit="buffers/refresh", better=Better.LOWER),
        count("snapshot.claim", median(claims.counted), unit="buffers/100 tasks", depends_on=["postgresql"]),
        count("snapshot.poll", median(polls.counted), unit="buffers/task", depends_on=["postgresql"]),
    ]


async def drain_under_snapshot(run: Run, *, rounds: int) -> tuple[list[Touched], int]:
    """Return what the claiming connection did, and how much of it in the first rounds."""
    async with run.database() as url, _worker(run, url) as (engine, worker, counter, claims):
        await _round(engine, worker, counter)  # connects, prepares
        await still(url)
        await settle(url)
        async with _held_snapshot(url):
            claims.counted.clear()
            first = 0
            for number in range(rounds):
                if number == rounds // 2:
                    await settle(url)
                await _round(engine, worker, counter)
                if number < _FIRST:
                    first = len(claims.counted)
        return claims.counted, first


async def _round(engine: TaskEngine, worker: Worker, counter: Counter) -> None:
    worker.look()
    for size in (_WAVE,) * _WAVES + (1,) * _SINGLES:
        await wave(engine, counter, tasks=size)


@asynccontextmanager
async def _worker(run: Run, url: str) -> AsyncIterator[tuple[TaskEngine, Worker, Counter, BufferLink]]:
    """Run an engine with a worker whose claims go over a connection that counts."""
    counter = Counter()
    config = EngineConfig(database_url=url, data_dir=run.new_folder())
    claims, flushes = BufferLink(url, config=config), Link(url, name="flush", config=config)
    async with (
        _closing(claims),
        _closing(flushes),
        open_parts(
            config, processors=counter.processors(), observers=[counter], clock=None, migrate_schema=True
        ) as parts,
        evolve(parts, queue=Queue(claims=claims, flushes=flushes)).running_worker(
            concurrency=_WAVE, processors=None, name=""
        ) as worker,
    ):
        yield TaskEngine(parts), worker, counter, claims


@asynccontextmanager
async def _closing(link: Link) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await link.close()


@asynccontextmanager
async def _held_snapshot(url: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            await connection.fetchval("select count(*) from tasks")  # the snapshot is taken now
            yield
    finally:
        await connection.close()


BENCHMARK = Benchmark("snapshot", measure)
