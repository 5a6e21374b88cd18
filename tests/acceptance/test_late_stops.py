"""Whatever keeps a program from stopping, it ends within its grace and a bounded rest, and tells where it stood."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import pytest

from novel_tasks_core import EngineConfig, TaskEngine, TaskStatus

from ..adversity.proxy import Proxy
from ..core.support import eventually
from .late_program import GRACE_SECONDS, REST_SECONDS
from .programs import GRACE_SECONDS as WORKER_GRACE_SECONDS
from .programs import ROOT, Program, working

SLOW_SECONDS = 60.0
"""What a busy machine may add."""


@contextmanager
def late(kind: str, *, stderr: int) -> Iterator[subprocess.Popen[str]]:
    """Start the program and wait until it is ready; it is gone afterwards."""
    command = [sys.executable, "-m", "tests.acceptance.late_program", kind]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("keep_the_loop", "keep_the_loop"),
        ("hear_no_cancellation", "hear_no_cancellation"),
        ("keep_a_thread", "thread.py"),
    ],
)
def test_a_program_that_cannot_stop_tells_why_and_is_gone(kind: str, place: str, tmp_path: Path) -> None:
    """It ends with 1 when the time is over, not before, and its last words name the place that kept it."""
    with (tmp_path / "stderr").open("wb") as stderr, late(kind, stderr=stderr.fileno()) as process:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(GRACE_SECONDS + REST_SECONDS + SLOW_SECONDS) == 1
        assert time.monotonic() - began > GRACE_SECONDS + REST_SECONDS - 0.1
    told = (tmp_path / "stderr").read_text()
    assert "stop_took_too_long" in told
    assert place in told


def test_nobody_need_read_the_last_words() -> None:
    """A program that hangs because its stderr is full is gone in time all the same."""
    with late("fill_stderr", stderr=subprocess.PIPE) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(GRACE_SECONDS + REST_SECONDS + SLOW_SECONDS) == 1


def test_a_program_that_stops_in_time_is_left_alone(tmp_path: Path) -> None:
    """It ends with its own exit code, and without last words."""
    with (tmp_path / "stderr").open("wb") as stderr, late("end_in_time", stderr=stderr.fileno()) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SLOW_SECONDS) == 0
    assert (tmp_path / "stderr").read_text() == ""


async def test_a_worker_told_to_stop_while_it_starts_does_not_start(open_folder: Path) -> None:
    """SIGTERM ends one that waits for a silent database at once and with 0, not with that wait."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        url = f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/nothing?sslmode=disable"
        async with working(open_folder, url, DATABASE_CONNECT_TIMEOUT="60") as worker:
            async with asyncio.timeout(60):
                connection, _ = await asyncio.get_running_loop().sock_accept(silent)
            with connection:
                began = time.monotonic()
                worker.process.send_signal(signal.SIGTERM)
                assert await worker.process.wait() == 0, worker.log.read_text()
                assert time.monotonic() - began < SLOW_SECONDS


async def test_a_worker_stops_in_time_on_a_database_that_fell_silent(open_folder: Path, database_url: str) -> None:
    """With a task running, its lease never to be handed back, it ends with 0 within the grace and a bounded rest."""
    async with Proxy(database_url).running() as proxy, _busy_worker(open_folder, database_url, proxy.url) as worker:
        proxy.black_hole = True
        began = time.monotonic()
        worker.process.send_signal(signal.SIGTERM)
        assert await worker.process.wait() == 0, worker.log.read_text()[-3000:]
        assert time.monotonic() - began < WORKER_GRACE_SECONDS + SLOW_SECONDS
        proxy.black_hole = False


async def test_a_second_sigterm_has_a_worker_hand_back_at_once(open_folder: Path, database_url: str) -> None:
    """It does not wait for the grace, ends with 0, and leaves no lease to be rescued."""
    long = {"SHUTDOWN_GRACE_SECONDS": "600"}
    async with _busy_worker(open_folder, database_url, database_url, **long) as worker:
        worker.process.send_signal(signal.SIGTERM)
        await eventually(lambda: "draining" in worker.log.read_text())
        worker.process.send_signal(signal.SIGTERM)
        assert await worker.process.wait() == 0, worker.log.read_text()[-3000:]
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("select count(*) from task_leases") == 0
        assert await connection.fetchval("select count(*) from task_ready") == 1
    finally:
        await connection.close()


@asynccontextmanager
async def _busy_worker(folder: Path, database_url: str, seen_url: str, **settings: str) -> AsyncIterator[Program]:
    """Run a worker that reaches the database by `seen_url`, and has one long task under way."""
    novel = b"Chapter 1\n\n" + b"It was a dark and stormy night, said Mary to John.\n" * 200_000
    config = EngineConfig(database_url=database_url, data_dir=folder / "novel-tasks-data")
    async with TaskEngine.open(config) as engine, working(folder, seen_url, **settings) as worker:
        task = await engine.submit(await engine.store(novel, name="long.txt"), processor="analyze")

        async def runs() -> bool:
            return (await engine.get(task.id)).status is TaskStatus.PROCESSING

        await eventually(runs, within_seconds=60)
        yield worker
