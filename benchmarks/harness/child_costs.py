"""What a processor costs the child process that runs it: CPU time and the most memory it ever had."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.harness.processes import cpu_seconds
from benchmarks.harness.run import BenchmarkError
from novel_tasks_core import LogLevel, Processors
from novel_tasks_core.execution.attempt import Returned, perform
from novel_tasks_core.execution.children import ChildPool
from novel_tasks_core.execution.context import AttemptFolder
from novel_tasks_core.execution.jobs import Job
from novel_tasks_core.models import new_task_id
from novel_tasks_core.processors.base import Processor
from novel_tasks_core.storage.files import LocalFiles

_WARM = b"CHAPTER I\n\nIt rained.\n\nCHAPTER II\n\nIt stopped.\n"
_LONGEST_SECONDS = 3600.0
_KILOBYTE = 1024


@frozen(kw_only=True)
class Cost:
    """CPU and wall seconds of a job, and the peak resident bytes of its process, its interpreter included."""

    cpu_seconds: float
    seconds: float
    peak_bytes: int
    result: dict[str, Any]


class _Silent:
    """Reports that nobody hears."""

    def progress(self, fraction: float, stage: str) -> None:
        """Tell nobody."""

    def log(self, level: LogLevel, message: str) -> None:
        """Write nothing."""

    async def checkpoint(self, value: Any) -> None:
        """Store nothing."""


async def cost_of(processor: str, path: Path, folder: Path, *, options: dict[str, Any] | None = None) -> Cost:
    """Run a processor on a file in a new child, which has processed a short text before; say what that cost.

    `folder` gets the artifacts, which are removed at the end. Raises: BenchmarkError when it fails.
    """
    known = Processors.builtin()
    chosen, checked = known.get(processor), known.validate(processor, options)
    warm = folder / f"warm{path.suffix}"
    warm.write_bytes(_WARM)
    async with _files(folder / "store") as files, ChildPool(size=1) as children:
        await _run(chosen, checked, warm, files, children)
        [pid] = children.pids
        before, began = cpu_seconds(pid), time.perf_counter()
        returned = await _run(chosen, checked, path, files, children)
        seconds = time.perf_counter() - began
        return Cost(
            cpu_seconds=cpu_seconds(pid) - before, seconds=seconds, peak_bytes=_peak(pid), result=returned.value
        )


@asynccontextmanager
async def _files(folder: Path) -> AsyncIterator[LocalFiles]:
    files = LocalFiles(folder)
    try:
        yield files
    finally:
        files.close()


async def _run(
    processor: Processor, options: dict[str, Any], path: Path, files: LocalFiles, children: ChildPool
) -> Returned:
    task_id = new_task_id()
    job = Job(
        task_id=task_id.hex,
        attempt=1,
        target=processor.target,
        options=options,
        file_name=path.name,
        source_path=str(path),
        extra_data={},
        resume_from=None,
        work=str(files.work_folder / task_id.hex),
    )
    attempt = AttemptFolder(files)
    try:
        ended = await perform(lambda: job, processor, children, attempt, _Silent(), timeout_seconds=_LONGEST_SECONDS)
    finally:
        await attempt.remove()
        await files.remove_work(task_id.hex)
    if not isinstance(ended, Returned):
        raise BenchmarkError(f"{processor.name} failed on {path.name}: {ended.type}: {ended.message}")
    return ended


def _peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * _KILOBYTE
    raise BenchmarkError(f"the kernel does not tell the memory of process {pid} ({os.uname().release})")
