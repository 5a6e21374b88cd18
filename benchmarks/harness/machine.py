"""What figures were measured on. Absolute figures mean nothing without it."""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from benchmarks.harness.results import Facts

_FLUSHES = 20


def describe(folder: Path, *, postgresql: str) -> Facts:
    """Return the facts; `fsync_ms` is measured in `folder`, where the files of the benchmarks go."""
    return {
        "system": platform.platform(terse=True),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "loop": loop_name(),
        "postgresql": postgresql,
        "fsync_ms": round(_fsync_ms(folder), 2),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _fsync_ms(folder: Path) -> float:
    """Return the median time of making 8 KB durable."""
    path, times = folder / "fsync", []
    with path.open("wb", buffering=0) as file:
        for _ in range(_FLUSHES):
            file.write(bytes(8192))
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    return statistics.median(times) * 1000


def loop_name() -> str:
    """Name the event loop that everything runs on: uvloop where it is installed."""
    try:
        return f"uvloop {version('uvloop')}"
    except PackageNotFoundError:
        return "asyncio"


def runner() -> asyncio.Runner:
    """Make a runner on that event loop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
