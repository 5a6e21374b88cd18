"""Other queues beside ours, in one run on one server. Runs only when it is named: it installs packages.

pgqueuer, procrastinate and SAQ are installed into a virtual environment, and graphile-worker, with the Node it
needs, into a folder of node_modules; exact versions, below `NOVEL_TASKS_PEERS_DIR` or else the user's cache,
kept for the next run. A peer that cannot be had, or fails, is named below the table, and the others run.

`peers.drain`: 100,000 no-op tasks, ours beside pgqueuer; `peers.drain_graphile`: beside graphile-worker, which
deletes what is done, where ours keeps rows, results and two events each. `peers.submit_50`: single submits by
50 concurrent callers, beside the fastest peer. `peers.bulk`: 100,000 tasks, ours by COPY, likewise. The table has
these and more for every queue: single submits by one caller, drains of 20,000, the share of raw asyncpg beside
it (claim and UPDATE of a hundred rows), and how long a task that comes to an idle worker waits for its handler.

Each queue is one worker process at its best settings, with no-ops and a hundred bytes of JSON. A measurement
has a fresh database, vacuumed and checkpointed, with stock durability. A drain lasts from the first call of the
handler until a query finds no unfinished task, and the handler must have been called once a task; submits
count when a query finds the rows. The bound, ours and the peers take turns; the spread is that of the ratios of
single rounds, A/A that of the bound. What takes minutes (the drains of procrastinate and SAQ) runs once, on the
smaller number.

Best settings, from a sweep on two cores: pgqueuer with batches of 1,000 or 2,000 (100: a quarter less) over a
pool of 4 (a tenth above its one-connection driver; psycopg was not tried); graphile-worker with 10,000 jobs in
its local queue (70 % more than with 2,000; 20,000 gain nothing), completions batched; procrastinate and SAQ
hardly depend on theirs. Single submits over 10 connections (pgqueuer), 5 (procrastinate), 20 (SAQ) or 50
(graphile-worker): where fewer are faster, a notification in every transaction makes them wait for each other.

`--quick`: 5,000 tasks, 1,000 submits, 2 rounds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from typing import Protocol

import asyncpg

from benchmarks.bulk import import_all, store_timed
from benchmarks.engine import drain
from benchmarks.harness import bounds
from benchmarks.harness.noops import NOOP, SLOTS, noops
from benchmarks.harness.peers import floor
from benchmarks.harness.peers.board import RAW, Board
from benchmarks.harness.peers.entries import installed
from benchmarks.harness.peers.process import PeerError
from benchmarks.harness.peers.rounds import Rounds, in_rounds
from benchmarks.harness.results import Result, Table
from benchmarks.harness.run import Benchmark, BenchmarkError, Run, settle
from benchmarks.harness.submits import submitting_engine
from benchmarks.submit import CALLERS, submit_singly
from novel_tasks_core import AttemptContext, EngineConfig, Processors, TaskEngine

OURS = "Novel Tasks"

_GAP_SECONDS = 0.02
_REST_SECONDS = 1.0
_FEW = 20_000
_MANY = 100_000
_SINGLY = f"submit c={CALLERS}"
_BULK = "bulk"
_STORED = "select count(*) from tasks"


class Queue(Protocol):
    """What can be measured of a queue, ours or a peer's. Rates are tasks a second."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def slow(self) -> bool:
        """Whether it runs few tasks, and once."""

    @property
    def has_bulk(self) -> bool:
        """Whether it has a bulk submit at all."""

    async def submit(self, run: Run, *, tasks: int, callers: int) -> float:
        """Submit tasks one by one from so many callers."""

    async def bulk(self, run: Run, *, tasks: int) -> float:
        """Submit tasks in bulk."""

    async def drain(self, run: Run, *, tasks: int) -> float:
        """Run tasks that wait."""

    async def latency(self, run: Run, *, tasks: int, gap_seconds: float) -> list[float]:
        """Return the seconds that each task waited which came to an idle worker."""


class Ours:
    """Our own queue, with one worker in this process."""

    name = OURS
    slow = False
    has_bulk = True

    async def submit(self, run: Run, *, tasks: int, callers: int) -> float:
        """Submit tasks one by one from so many callers."""
        async with submitting_engine(run) as (engine, url):
            await settle(url)
            rate = await submit_singly(engine, tasks=tasks, callers=callers)
            await _expect(url, stored=tasks + 1)
        return rate

    async def bulk(self, run: Run, *, tasks: int) -> float:
        """Submit tasks in bulk."""
        async with submitting_engine(run) as (engine, url):
            await settle(url)
            return await store_timed(engine, import_all, noops(tasks))

    async def drain(self, run: Run, *, tasks: int) -> float:
        """Run tasks that wait."""
        async with run.database() as url:
            return await drain(run, url, tasks=tasks)

    async def latency(self, run: Run, *, tasks: int, gap_seconds: float) -> list[float]:
        """Return the seconds that each task waited which came to an idle worker."""
        waited: list[float] = []
        processors = Processors()

        async def note(ctx: AttemptContext) -> dict[str, int]:
            waited.append(time.monotonic() - ctx.extra_data["sent"])
            return bounds.RESULT

        processors.register(NOOP, note)
        async with run.database() as url:
            config = EngineConfig(database_url=url, data_dir=run.new_folder())
            async with TaskEngine.open(config, processors=processors) as engine, engine.worker(concurrency=SLOTS):
                await settle(url)
                await asyncio.sleep(_REST_SECONDS)
                for _ in range(tasks):
                    await engine.submit(processor=NOOP, extra_data={**bounds.PAYLOAD, "sent": time.monotonic()})
                    await asyncio.sleep(gap_seconds)
                await asyncio.sleep(_REST_SECONDS)
        if len(waited) != tasks:
            raise BenchmarkError(f"the handler was called {len(waited)} times for {tasks} tasks")
        return waited


async def _expect(url: str, *, stored: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetchval(_STORED)
    finally:
        await connection.close()
    if found != stored:
        raise BenchmarkError(f"{stored} tasks were submitted, but the database has {found}")


async def measure(run: Run) -> list[Result | Table]:
    """Install the peers, run all queues in turns, and compare."""
    peers, missing = await installed(run)
    called = {peer.name: f"{peer.name} {number}" for peer, number in peers.items()}
    board = Board(
        queues={
            OURS: f"{version('novel-tasks')}: slots={SLOTS}",
            **{peer.name: f"{number}: {peer.described}" for peer, number in peers.items()},
        },
        missing=missing,
    )
    queues: list[Queue] = [Ours(), *peers]
    for callers in (1, CALLERS):
        board.add(f"submit c={callers}", await _submits(run, queues, callers=callers))
    board.add(_BULK, await _bulk(run, queues))
    drains = {f"drain {tasks // 1000}k": tasks for tasks in ([5_000] if run.quick else [_FEW, _MANY])}
    for what, tasks in drains.items():
        board.add(what, await _drains(run, queues, tasks=tasks))
    await _latencies(run, board, queues)
    drained, singly, bulk = (board.rates[what] for what in (list(drains)[-1], _SINGLY, _BULK))
    compared = [
        _compared("peers.drain", drained, "pgqueuer", called, target=2.0),
        _compared("peers.drain_graphile", drained, "graphile-worker", called, target=1.0),
        _compared("peers.submit_50", singly, singly.best(but=OURS), called, target=10.0),
        _compared("peers.bulk", bulk, bulk.best(but=OURS), called, target=1.5),
    ]
    return [*(one for one in compared if one is not None), board.table("Queues side by side", shared=list(drains))]


def _compared(
    metric: str, rounds: Rounds, other: str | None, called: Mapping[str, str], *, target: float
) -> Result | None:
    if other is None or other not in called:
        return None
    return rounds.compared(metric, OURS, other, unit="tasks/s", called=called[other], target=target)


async def _submits(run: Run, queues: list[Queue], *, callers: int) -> Rounds:
    tasks = run.sized(100 * max(10, callers), quick=20 * max(10, callers))

    async def bound() -> float:
        async with run.database() as url:
            await bounds.create(url)
            await settle(url)
            return await bounds.insert_singly(url, tasks=tasks, connections=callers)

    timed = {queue.name: partial(queue.submit, run, tasks=tasks, callers=callers) for queue in queues}
    return await in_rounds(bound, timed, rounds=run.sized(3, quick=2))


async def _bulk(run: Run, queues: list[Queue]) -> Rounds:
    tasks = run.sized(_MANY, quick=5_000)

    async def bound() -> float:
        async with run.database() as url:
            await bounds.create(url)
            await settle(url)
            return await bounds.copy(url, tasks=tasks)

    timed = {
        queue.name: partial(queue.bulk, run, tasks=min(tasks, _FEW) if queue.slow else tasks)
        for queue in queues
        if queue.has_bulk
    }
    return await in_rounds(bound, timed, rounds=run.sized(3, quick=2))


async def _drains(run: Run, queues: list[Queue], *, tasks: int) -> Rounds:
    async def bound() -> float:
        async with run.database() as url:
            await bounds.create(url, tasks=tasks)
            await settle(url)
            return await bounds.drain(url, tasks=tasks)

    slow = [queue.name for queue in queues if queue.slow]
    timed = {queue.name: partial(queue.drain, run, tasks=tasks) for queue in queues if tasks <= _FEW or not queue.slow}
    return await in_rounds(bound, timed, rounds=run.sized(3, quick=2), once=slow)


async def _latencies(run: Run, board: Board, queues: list[Queue]) -> None:
    tasks = run.sized(100, quick=50)
    for _ in range(2):
        async with run.database() as url:
            await bounds.create(url)
            await settle(url)
            board.waited.setdefault(RAW, []).extend(await floor.latency(url, tasks=tasks, gap_seconds=_GAP_SECONDS))
        for queue in queues:
            try:
                waited = await queue.latency(run, tasks=tasks, gap_seconds=_GAP_SECONDS)
            except PeerError as exc:
                board.faults.append(f"{queue.name}, latency: {exc}")
            else:
                board.waited.setdefault(queue.name, []).extend(waited)


BENCHMARK = Benchmark("peers", measure)
