"""Tens of thousands of broken requests: none is our fault, none costs much, and nobody else notices.

MALFORMED_REQUESTS sets how many; the figures are printed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from attrs import define, field, frozen

from .mutations import mutated

COUNT = int(os.environ.get("MALFORMED_REQUESTS", "10000"))
AT_ONCE = 16
ANSWER_SECONDS = 0.25
"""How long an answer to half a request is waited for: the server still waits for the rest of it."""

LOG_BYTES_EACH = 700
GROWTH_BYTES = 24 * 1024 * 1024


@frozen
class Server:
    """A server in a process of its own."""

    port: int
    process: psutil.Process
    log: Path


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """`novel-tasks serve` on the test's database; it must stop with exit code 0 afterwards."""
    log = tmp_path / "log"
    env = {
        **os.environ, "DATABASE_URL": database_url, "DATA_DIR": str(tmp_path / "data"), "API_PORT": "0",
        "API_HOST": "127.0.0.1", "LOG_LEVEL": "info", "ENVIRONMENT": "development",
    }  # fmt: skip
    program = (sys.executable, "-m", "novel_tasks_server", "serve", "--no-worker")
    with log.open("wb") as output:
        started = await asyncio.create_subprocess_exec(*program, cwd=tmp_path, env=env, stdout=output, stderr=output)
    try:
        process = psutil.Process(started.pid)
        yield Server(await _port(process), process, log)
    finally:
        started.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            code = await started.wait()
    assert code == 0, log.read_text(errors="replace")[-3000:]


async def _port(process: psutil.Process) -> int:
    async with asyncio.timeout(60):
        while True:
            for connection in process.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    return int(connection.laddr.port)
            await asyncio.sleep(0.05)


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
@pytest.mark.timeout(max(120, COUNT // 100))
async def test_malformed_requests_harm_nobody(server: Server) -> None:
    """Of all mutated requests none is answered with a 5xx, memory and log stay bounded, others are served meanwhile."""
    seen, done = Seen(), asyncio.Event()
    await _flood(server, mutated(500, seed=7), Seen())  # caches and pools are filled before the memory is looked at
    memory, logged = server.process.memory_info().rss, server.log.stat().st_size
    visitor = asyncio.create_task(_visit(server.port, seen, done))
    await _flood(server, mutated(COUNT, seed=1), seen)
    done.set()
    await visitor
    growth = server.process.memory_info().rss - memory
    log_each = (server.log.stat().st_size - logged) / (COUNT + len(seen.latencies))
    p99 = sorted(seen.latencies)[int(len(seen.latencies) * 0.99)]
    print(  # noqa: T201 - figures for whoever looks: `pytest -s`
        f"\n{COUNT} mutated requests: {dict(sorted(seen.statuses.items()))}; memory +{growth / 1e6:.1f} MB; "
        f"{log_each:.0f} bytes of log each; others were answered within {p99 * 1000:.0f} ms (p99)"
    )
    assert not seen.guilty, seen.guilty[:5]
    assert seen.statuses[200] < COUNT / 2 < sum(seen.statuses.values())
    assert growth < GROWTH_BYTES
    assert log_each < LOG_BYTES_EACH
    assert p99 < 2.0


async def _flood(server: Server, requests: Iterator[bytes], seen: Seen) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(_send(server.port, requests, seen))
