"""Thousands of broken requests: none is our fault, none costs much, and nobody else notices.

MALFORMED_REQUESTS sets how many; the figures are printed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from attrs import define, field

from ..acceptance.programs import Server, percentile, serving, slowness
from ..core.support import eventually
from .mutations import mutated

COUNT = int(os.environ.get("MALFORMED_REQUESTS", "5000"))
AT_ONCE = 48
ANSWER_SECONDS = 0.15
"""How long an answer to half a request is waited for: the server still waits for the rest of it. A 500 that comes
later is found in the log."""

LOG_BYTES_EACH = 700
GROWTH_BYTES = 12 * 1024 * 1024


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """`novel-tasks serve` on the test's database; it must stop with exit code 0 afterwards."""
    async with serving(tmp_path, database_url, "--no-worker") as started:
        yield started
        started.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            code = await started.process.wait()
        assert code == 0, started.log.read_text(errors="replace")[-3000:]


@define
class Seen:
    """What was answered, and what somebody well behaved saw meanwhile."""

    statuses: Counter[int] = field(factory=Counter)
    latencies: list[float] = field(factory=list)
    guilty: list[tuple[int, bytes]] = field(factory=list)


async def _send(port: int, requests: Iterator[bytes], seen: Seen) -> None:
    for data in requests:
        status = await _status(port, data)
        seen.statuses[status] += 1
        if status >= 500:
            seen.guilty.append((status, data))


async def _status(port: int, data: bytes) -> int:
    """Send a request and return the status of the answer; 0 when none comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await reader.readline()
        words = line.split()
        return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit() else 0
    except (TimeoutError, ConnectionError):
        return 0
    finally:
        writer.transport.abort()


async def _visit(port: int, seen: Seen, done: asyncio.Event) -> None:
    """Be somebody else: ask for a list again and again."""
    async with aiohttp.ClientSession() as session:
        while not done.is_set():
            began = time.perf_counter()
            async with session.get(f"http://127.0.0.1:{port}/api/v1/tasks?page_size=5") as response:
                assert response.status == 200
                await response.read()
            seen.latencies.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)


@pytest.mark.slow
@pytest.mark.timeout(max(300, COUNT // 100))
async def test_malformed_requests_harm_nobody(server: Server) -> None:
    """Of all mutated requests none is answered with a 5xx, memory and log stay bounded, others are served meanwhile."""
    seen, quiet = Seen(), Seen()
    async with _visited(server.port, quiet):
        await eventually(lambda: len(quiet.latencies) > 50)
    slow = slowness()
    await _flood(server, mutated(500, seed=7), Seen())  # caches and pools are filled before the memory is looked at
    memory, logged = server.seen.memory_info().rss, server.log.stat().st_size
    async with _visited(server.port, seen):
        await _flood(server, mutated(COUNT, seed=1), seen)
    growth = server.seen.memory_info().rss - memory
    log_each = (server.log.stat().st_size - logged) / (COUNT + len(seen.latencies))
    p99, before = percentile(seen.latencies, 0.99), percentile(quiet.latencies, 0.5)
    print(  # noqa: T201 - figures for whoever looks: `pytest -s`
        f"\n{COUNT} mutated requests: {dict(sorted(seen.statuses.items()))}; memory +{growth / 1e6:.1f} MB; "
        f"{log_each:.0f} bytes of log each; others were answered within {p99 * 1000:.0f} ms (p99), before within "
        f"{before * 1000:.0f} ms (p50)"
    )
    assert not seen.guilty, seen.guilty[:5]
    assert [line for line in server.lines() if line["level"] in ("error", "critical")] == []
    assert seen.statuses[200] < COUNT / 2 < sum(seen.statuses.values())
    assert growth < GROWTH_BYTES
    assert log_each < LOG_BYTES_EACH
    assert p99 < slow + 20 * before


@asynccontextmanager
async def _visited(port: int, seen: Seen) -> AsyncIterator[None]:
    """Have somebody else there for the length of the block."""
    done = asyncio.Event()
    visitor = asyncio.create_task(_visit(port, seen, done))
    yield
    done.set()
    await visitor


async def _flood(server: Server, requests: Iterator[bytes], seen: Seen) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(_send(server.port, requests, seen))
