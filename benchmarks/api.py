"""How fast tasks are read over HTTP, out of ten and out of a million.

Requests a second over 32 connections, each sending its next as soon as it has its answer: one task whole
(`api.get`: any of 1,000, out of a million), the newest 20 tasks (`api.list_1m`), the newest 50
(`api.list50_1m`), 20 of each of the first 50 pages in turn (`api.pages_1m`: here no answer serves two who ask
at the same moment), the statistics (`api.statistics_1m`), and the same out of ten tasks (`..._10`). The
server is `novel-tasks serve --no-worker` with its log as in production. The reference, before, between and
after 3 runs: a bare aiohttp server on the same database, with one query by primary key, one of a page of
tasks, one of the counters, and JSON. The client is this process: with the server and PostgreSQL that makes
three for the cores, and who else is busy slows all. So `..._cpu` is the CPU time of the server's process for
a request, beside the same of the bare server.

`api.list_1m_p99` and `api.statistics_1m_p99`: milliseconds of one request after the other over one connection,
out of a million, against 20 and 5 ms. A table has these of other lists too.

The ten tasks are of an outside service, in various states. The million are copies of a finished one with
everything that it has, made by INSERT ... SELECT; the tables are vacuumed and analysed.

Counts, over 50 requests of each kind: statements and round trips a request.

`--quick`: a hundred thousand tasks, so that metrics end in 100k; a tenth of the requests, 2 runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median

from benchmarks.harness.history import multiply
from benchmarks.harness.http_reads import read_all, read_request
from benchmarks.harness.loads import Load, Loading, load_of, loads_in_turns
from benchmarks.harness.pacing import percentile
from benchmarks.harness.processes import free_port, serving
from benchmarks.harness.results import Result, Table, count, limited
from benchmarks.harness.run import Benchmark, Run, settle
from benchmarks.harness.service import Server, engine_beside, service
from benchmarks.harness.wire import CLOCKED, counted
from novel_tasks_core import TaskEngine, TaskFilter, TaskId, TaskStatus, format_task_id

CONNECTIONS = 32
TARGET = 0.5
LIST_LIMIT_MS = 20.0
STATISTICS_LIMIT_MS = 5.0

_TASKS = "/api/v1/tasks"
_LIST = f"{_TASKS}?page=1&page_size=20"
_LIST_50 = f"{_TASKS}?page=1&page_size=50"
_PAGES = [f"{_TASKS}?page={page}&page_size=20" for page in range(1, 51)]
_STATISTICS = f"{_TASKS}/statistics"
_OTHERS = (
    f"{_TASKS}?page_size=100",
    f"{_TASKS}?page=100",
    f"{_TASKS}?status=completed",
    f"{_TASKS}?status=processing",
    f"{_TASKS}?q=novel",
)
_KINDS = {"get": 10_000, "list": 3_000, "list50": 2_000, "pages": 3_000, "statistics": 5_000}
"""Requests of each kind."""
_QUICK = 10
_DIFFERENT = 1_000
_COUNTED = 50
_REFERENCE = "bare aiohttp"


async def measure(run: Run) -> list[Result | Table]:
    """Measure out of ten, then out of many, then count."""
    many = run.sized(1_000_000, quick=100_000)
    suffix = "1m" if many == 1_000_000 else "100k"
    async with run.database() as url, service(run, url) as ours, _bare(run, url) as bare:
        async with engine_beside(run, url) as engine:
            await _ten(engine)
            few = await _speeds(run, ours, bare, await _ids(engine), suffix="10")
            await multiply(url, tasks=many - 10)
            await settle(url)
            speeds = await _speeds(run, ours, bare, await _ids(engine), suffix=suffix)
        latencies = await _latencies(run, ours, suffix)
    return [*speeds, *few, *latencies, *await _count_traffic(run)]


async def _ten(engine: TaskEngine) -> None:
    """Make ten tasks of an outside service, one of them completed."""
    source = await engine.store(b"It rained.\n", name="novel.txt")
    tasks = [await engine.submit(source, processor="external", session_id=f"s{n}") for n in range(10)]
    for task in tasks[:3]:
        await engine.report(task.id, status=TaskStatus.PROCESSING, progress=0.5)
    await engine.report(tasks[3].id, status=TaskStatus.COMPLETED, result_url="https://example.org/novel")
    await engine.report(tasks[4].id, status=TaskStatus.FAILED, error_message="it did not fit")


async def _ids(engine: TaskEngine) -> list[TaskId]:
    """Return some tasks, spread over all that are there."""
    total = (await engine.statistics()).total
    every = max(1, min(10, total // _DIFFERENT))
    ids: list[TaskId] = []
    for offset in range(0, min(total, _DIFFERENT * every), _DIFFERENT):
        page = await engine.find(TaskFilter(), limit=_DIFFERENT, offset=offset)
        ids += [task.id for task in page.items[::every]]
    return ids


async def _speeds(run: Run, ours: Server, bare: Server, ids: Sequence[TaskId], *, suffix: str) -> list[Result]:
    paths = {"list": [_LIST], "list50": [_LIST_50], "pages": _PAGES, "statistics": [_STATISTICS]}
    paths["get"] = [f"{_TASKS}/{format_task_id(one)}" for one in ids]
    results = []
    for kind, full in _KINDS.items():
        made = [read_request(path) for path in paths[kind]]
        requests = [made[n % len(made)] for n in range(run.sized(full, quick=full // _QUICK))]
        name = "api.get" if kind == "get" and suffix != "10" else f"api.{kind}_{suffix}"
        pairs = run.sized(3, quick=2)
        loads = await loads_in_turns(_reading(bare, requests), _reading(ours, requests), pairs=pairs)
        results += [
            loads.rate(name, unit="request", reference=_REFERENCE, target=TARGET),
            loads.cpu(f"{name}_cpu", unit="request", reference=_REFERENCE),
        ]
    return results


def _reading(server: Server, requests: Sequence[bytes]) -> Loading:
    async def read() -> Load:
        await read_all(server.port, requests[:CONNECTIONS], connections=CONNECTIONS)  # warm
        reading = read_all(server.port, requests, connections=CONNECTIONS)
        return await load_of(server.pid, reading, amount=len(requests))

    return read


async def _latencies(run: Run, server: Server, suffix: str) -> list[Result | Table]:
    """Measure one request after the other."""
    times = run.sized(500, quick=100)
    rows, found = [], {}
    for path in (_STATISTICS, _LIST, _LIST_50, *_OTHERS):
        seconds = (await read_all(server.port, [read_request(path)] * (times + 10), connections=1))[10:]
        found[path] = percentile(seconds, 99) * 1000
        rows.append((path, f"{median(seconds) * 1000:.2f}", f"{found[path]:.2f}", f"{max(seconds) * 1000:.2f}"))
    return [
        limited(f"api.list_{suffix}_p99", found[_LIST], unit="ms", limit=LIST_LIMIT_MS),
        limited(f"api.statistics_{suffix}_p99", found[_STATISTICS], unit="ms", limit=STATISTICS_LIMIT_MS),
        Table(
            title=f"Milliseconds of one request after the other, {suffix} tasks",
            headings=("request", "p50", "p99", "most"),
            rows=tuple(rows),
        ),
    ]


@asynccontextmanager
async def _bare(run: Run, url: str) -> AsyncIterator[Server]:
    folder, port = run.new_folder(), free_port()
    arguments = ("benchmarks.harness.bare_api", str(port), url)
    async with serving(arguments, port=port, log=folder / "log", env={}) as pid:
        yield Server(port, pid, url)


async def _count_traffic(run: Run) -> list[Result]:
    async with (
        run.database() as url,
        counted(url, folder=run.new_folder()) as (relayed, traffic),
        service(run, relayed) as server,
    ):
        async with engine_beside(run, url) as engine:
            await _ten(engine)
            ids = await _ids(engine)
        results = []
        for kind, path in {
            "get": f"{_TASKS}/{format_task_id(ids[0])}",
            "list": _LIST,
            "statistics": _STATISTICS,
        }.items():
            requests = [read_request(path)] * _COUNTED
            await read_all(server.port, requests[:3], connections=1)
            traffic.clear()
            await read_all(server.port, requests, connections=1)
            statements, round_trips = traffic.totals(without=CLOCKED)
            results += [
                count(f"api.{kind}_statements", statements / _COUNTED, unit="statements/request"),
                count(f"api.{kind}_round_trips", round_trips / _COUNTED, unit="round trips/request"),
            ]
    return results


BENCHMARK = Benchmark("api", measure)
