"""How fast novels come in over HTTP, and how much memory that takes.

`upload.small`: files of 10 KB a second over 32 connections, 5,000 of them, each different. `upload.large`:
megabytes a second of files of 100 MB, one after the other, 3 of them; `upload.large_memory` is how far the
server's resident memory rises meanwhile. An upload counts once it is answered with 200, when file and row
are durable. The server is `novel-tasks serve --no-worker` in a process of its own. The reference, before,
between and after 3 runs: a bare aiohttp handler in a process of its own that streams the file to disk,
flushes file and folder, and INSERTs a row. Requests are made beforehand; every run has a fresh server,
database and folder, and stock durability.

Counts, over 200 uploads of 10 KB, one after the other: statements, round trips and bytes of log an upload.

`--quick`: 600 small files, 4 of 10 MB, 2 runs; the counts are the same.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from attrs import frozen

from benchmarks.harness.costs import log_of, still
from benchmarks.harness.http_load import send_all, upload_request
from benchmarks.harness.pairs import Pairs
from benchmarks.harness.processes import PeakMemory, free_port, serving
from benchmarks.harness.results import Better, Result, count
from benchmarks.harness.run import Benchmark, Run, settle
from benchmarks.harness.service import Server, service
from benchmarks.harness.wire import CLOCKED, counted

CONNECTIONS = 32
TARGET = 0.7

_SMALL_BYTES = 10_000
_LARGE_BYTES = 100_000_000
_QUICK_LARGE_BYTES = 10_000_000
_COUNTED = 200
_MEGABYTE = 1_000_000


@frozen
class Speeds:
    """What one server did: small files and megabytes a second, and the bytes by which its memory rose."""

    small: float
    large: float
    growth_bytes: int


async def measure(run: Run) -> list[Result]:
    """Measure the uploads, then count."""
    bounds = [await _speeds(run, ours=False)]
    ours = []
    for _ in range(run.sized(3, quick=2)):
        ours.append(await _speeds(run, ours=True))
        bounds.append(await _speeds(run, ours=False))
    small = Pairs(tuple(s.small for s in ours), tuple(s.small for s in bounds))
    large = Pairs(tuple(s.large for s in ours), tuple(s.large for s in bounds))
    return [
        small.result("upload.small", unit="uploads/s", reference="bare aiohttp", target=TARGET),
        large.result("upload.large", unit="MB/s", reference="bare aiohttp", target=TARGET),
        _memory(ours).against("bare aiohttp", median(s.growth_bytes for s in bounds) / _MEGABYTE, target=None),
        *await _count_traffic(run),
    ]


def _memory(speeds: list[Speeds]) -> Result:
    growth = median(s.growth_bytes for s in speeds) / _MEGABYTE
    return Result(metric="upload.large_memory", value=growth, unit="MB", better=Better.LOWER)


async def _speeds(run: Run, *, ours: bool) -> Speeds:
    """Upload small files, then large ones, to a fresh server."""
    size = run.sized(_LARGE_BYTES, quick=_QUICK_LARGE_BYTES)
    small = _requests(run.sized(5_000, quick=600), size=_SMALL_BYTES)
    large = _requests(run.sized(3, quick=4), size=size)
    async with run.database() as url, (service if ours else _bare_server)(run, url) as server:
        await send_all(server.port, _requests(CONNECTIONS, size=_SMALL_BYTES), connections=CONNECTIONS)  # warm
        await settle(url)
        small_seconds = await send_all(server.port, small, connections=CONNECTIONS)
        memory = PeakMemory(server.pid)
        large_seconds = await send_all(server.port, large, connections=1)
        growth = memory.growth_bytes()
    return Speeds(len(small) / small_seconds, len(large) * size / _MEGABYTE / large_seconds, growth)


def _requests(files: int, *, size: int) -> list[bytes]:
    """Make uploads, no two of the same bytes."""
    filler = os.urandom(size // 2).hex().encode()
    return [upload_request(f"novel-{n}.txt", os.urandom(32).hex().encode() + filler[64:]) for n in range(files)]


@asynccontextmanager
async def _bare_server(run: Run, url: str) -> AsyncIterator[Server]:
    folder, port = run.new_folder(), free_port()
    files = folder / "files"
    Path(files).mkdir()
    arguments = ("benchmarks.harness.bare_server", str(port), str(files), url)
    async with serving(arguments, port=port, log=folder / "log", env={}) as pid:
        yield Server(port, pid, url)


async def _count_traffic(run: Run) -> list[Result]:
    async with (
        run.database() as url,
        counted(url, folder=run.new_folder()) as (relayed, traffic),
        log_of(url) as log,
        service(run, relayed) as server,
    ):
        await send_all(server.port, _requests(3, size=_SMALL_BYTES), connections=1)
        await still(url)
        traffic.clear()
        await log.begin()
        await send_all(server.port, _requests(_COUNTED, size=_SMALL_BYTES), connections=1)
        statements, round_trips = traffic.totals(without=CLOCKED)
        logged = await log.count()
    return [
        count("upload.statements", statements / _COUNTED, unit="statements/upload"),
        count("upload.round_trips", round_trips / _COUNTED, unit="round trips/upload"),
        count("upload.wal_bytes", logged / _COUNTED, unit="B/upload", depends_on=["postgresql"]),
    ]


BENCHMARK = Benchmark("upload", measure)
