"""How much of the machine goes into the novels themselves, from upload to committed report.

`pipeline.cpu_share`: whole novels are stored and submitted by four callers while a worker with a slot per
core runs `analyze` on them; the clock runs from the first byte stored until the last report is committed
and counted in the database. The reference is the pure CPU time of the same books: the processor's
function called in a bare process, one book after the other on one core, divided by the slots. So 1.0 would
mean that queue, store, database and child processes cost nothing. The bound is measured before and after
the run, which has a fresh database and file store and stock durability. The children have started before
the clock does, on one small book each.

The novels are those of the folder that NOVEL_TASKS_CORPUS names (default: ../shared/corpus), each cycle
from the largest to the smallest, 1,000 in all; every copy has a last line of its own, so that no two
files are the same. Without the folder the benchmark is skipped.

`--quick`: 2 cycles of the novels up to 700 KB, 2 runs.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import asyncpg
from attrs import frozen

from benchmarks.harness.novels import known_novels
from benchmarks.harness.pairs import in_turns
from benchmarks.harness.pure import cpu_seconds
from benchmarks.harness.results import Result
from benchmarks.harness.run import Benchmark, BenchmarkError, Run, settle
from novel_tasks_core import EngineConfig, Processors, Task, TaskEngine

PROCESSOR = "analyze"
REPORT = "report.html"
TARGET = 0.85

_CALLERS = 4
_LONGEST_SECONDS = 3600.0
_BYTE_ORDERS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_COUNT = """
select count(*) filter (where a.name = $1) as reports,
       count(distinct t.id) filter (where t.status <> 'completed') as failed
from tasks t left join artifacts a on a.task_id = t.id and a.attempt = t.result_attempt
"""


@frozen
class Book:
    """A file of the corpus, and which copy of it."""

    path: Path
    copy: int

    def content(self) -> bytes:
        """Return the text with a last line that no other copy has."""
        data = self.path.read_bytes()
        return data + f"\n({self.copy})\n".encode(_BYTE_ORDERS.get(data[:2], "ascii"))


async def measure(run: Run) -> list[Result]:
    """Measure the share."""
    corpus = _corpus(largest=run.sized(1 << 40, quick=700_000))
    slots = len(os.sched_getaffinity(0))
    books = list(_books(corpus, run.sized(1000, quick=2 * len(corpus))))

    async def bound() -> float:
        seconds = await cpu_seconds(PROCESSOR, corpus) * len(books) / len(corpus)
        return len(books) / (seconds / slots)

    async def ours() -> float:
        return await _process(run, books, slots)

    pairs = await in_turns(bound, ours, pairs=run.sized(1, quick=2))
    share = pairs.result("pipeline.cpu_share", unit="novels/s", reference="pure CPU time", target=TARGET)
    return [share]


def _corpus(*, largest: int) -> list[Path]:
    """Return the novels of at most `largest` bytes, the largest first. Raises: BenchmarkSkippedError without any."""
    sizes = {novel.path: novel.path.stat().st_size for novel in known_novels()}
    return sorted((path for path in sizes if sizes[path] <= largest), key=lambda path: (-sizes[path], path))


def _books(corpus: list[Path], wanted: int) -> Iterator[Book]:
    for number, path in enumerate(islice(cycle(corpus), wanted)):
        yield Book(path, number)


async def _process(run: Run, books: list[Book], slots: int) -> float:
    """Take the books through everything; return books a second.

    Raises: BenchmarkError when a book has no report.
    """
    async with run.database() as url:
        config = EngineConfig(database_url=url, data_dir=run.new_folder())
        async with (
            TaskEngine.open(config, processors=Processors.builtin()) as engine,
            engine.worker(concurrency=slots),
            asyncio.timeout(_LONGEST_SECONDS),
        ):
            warm = [Book(books[-1].path, -1 - slot) for slot in range(slots)]
            await _take_through(engine, warm)
            await settle(url)
            began = time.perf_counter()
            await _take_through(engine, books)
            await _require_reports(url, len(warm) + len(books))
            return len(books) / (time.perf_counter() - began)


async def _take_through(engine: TaskEngine, books: list[Book]) -> None:
    left = iter(books)
    submitted: list[Task] = []

    async def upload() -> None:
        for book in left:
            content = await asyncio.to_thread(book.content)
            source = await engine.store(content, name=book.path.name)
            submitted.append(await engine.submit(source, processor=PROCESSOR))

    await asyncio.gather(*(upload() for _ in range(_CALLERS)))
    for task in submitted:
        await engine.result(task.id)


async def _require_reports(url: str, wanted: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(_COUNT, REPORT)
    finally:
        await connection.close()
    assert row is not None
    if row["reports"] != wanted:
        raise BenchmarkError(f"{wanted} novels have {row['reports']} reports; {row['failed']} tasks failed")


BENCHMARK = Benchmark("pipeline", measure)
