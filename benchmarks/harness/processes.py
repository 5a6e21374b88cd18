"""Servers as processes of their own, and how much memory they take."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.harness.run import BenchmarkError

_START_SECONDS = 100.0
_STOP_SECONDS = 20.0


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on, below those that systems choose for others."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)  # `random` has one seed in all processes of a parallel test run
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@asynccontextmanager
async def serving(
    arguments: Sequence[str], *, port: int, log: Path, env: Mapping[str, str], python: str = sys.executable
) -> AsyncIterator[int]:
    """Run `python -m` with these arguments for the length of the block; yields its pid once it listens.

    Raises: BenchmarkError with the end of its log when it does not start.
    """
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(python, "-m", *arguments),
            env={**environment(), **env},
            cwd=log.parent,  # where no .env of ours is
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        await _listens(process, port, log)
        yield process.pid
    finally:
        await stop(process)


def environment() -> dict[str, str]:
    """Return the environment of a process that is to find these packages wherever it runs."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def last_words(log: Path) -> str:
    """Return the end of a log."""
    return log.read_text(errors="replace")[-2000:]


async def _listens(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError as exc:
            if process.returncode is not None or time.monotonic() > deadline:
                raise BenchmarkError(f"a server did not start:\n{last_words(log)}") from exc
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a process if it still runs, by force if need be."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


class PeakMemory:
    """How far the resident memory of a process rises above where it is now."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        (self._folder / "clear_refs").write_text("5")  # forget the peak so far
        self._before = self._bytes("VmRSS")

    def growth_bytes(self) -> int:
        """Return the growth from the beginning to the peak."""
        return max(0, self._bytes("VmHWM") - self._before)

    def _bytes(self, name: str) -> int:
        for line in (self._folder / "status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise BenchmarkError(f"the kernel does not tell {name}")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all threads of a process, to the nanosecond where the kernel tells."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    return int(psutil.Process(pid).memory_info().rss)
