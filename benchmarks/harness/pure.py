"""The pure CPU time of a processor: its function alone, with neither queue, store nor child process.

`python -m benchmarks.harness.pure PROCESSOR FILE...` prints the CPU seconds that each file took, as a JSON
list. The first file runs twice and only the second time counts, so that imports are left out.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.harness.run import BenchmarkError
from novel_tasks_core import LogLevel, NewArtifact, Processors
from novel_tasks_core.execution.jobs import Job, JobView, structured_options
from novel_tasks_core.models import new_task_id
from novel_tasks_core.processors.base import Processor
from novel_tasks_core.processors.manuscript import Manuscript, open_manuscript
from novel_tasks_core.text.novel import Novel
from novel_tasks_core.text.reading import read_novel


class BareContext(JobView):
    """A `ChildContext` that keeps nothing."""

    def read_source(self) -> bytes:
        """Return the bytes of the source."""
        assert self.source_path is not None
        return self.source_path.read_bytes()

    def read_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Novel:
        """Decode the source and split it into chapters."""
        return read_novel(self.read_source(), file_name=self.file_name, encoding=encoding, chapter_rule=chapter_rule)

    def open_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Manuscript:
        """Decode the source and split it into chapters, to be read piece by piece."""
        return open_manuscript(
            self.source_path,
            lambda: self.work_folder,
            file_name=self.file_name,
            encoding=encoding,
            chapter_rule=chapter_rule,
        )

    def progress(self, done: float, *, total: float = 1.0, stage: str = "") -> None:
        """Tell nobody."""

    def log(self, message: str, *, level: LogLevel = LogLevel.INFO) -> None:
        """Write nothing."""

    def save_artifact(self, name: str, data: bytes | Path, *, content_type: str | None = None) -> NewArtifact:
        """Hash the bytes and throw them away."""
        content = data.read_bytes() if isinstance(data, Path) else data
        sha256 = hashlib.sha256(content).hexdigest()
        return NewArtifact(name=name, content_type=content_type or "", size=len(content), sha256=sha256)

    def checkpoint(self, value: Any) -> None:
        """Store nothing."""


def _cpu_seconds(processor: Processor, options: dict[str, Any], path: Path, work: Path) -> float:
    assert processor.function is not None
    job = Job(
        task_id=new_task_id().hex,
        attempt=1,
        target=processor.target,
        options=options,
        file_name=path.name,
        source_path=str(path),
        extra_data={},
        resume_from=None,
        work=str(work),
    )
    arguments = () if processor.options_type is None else (structured_options(job, processor.options_type),)
    began = time.thread_time()
    json.dumps(processor.function(BareContext(lambda: job), *arguments))
    return time.thread_time() - began


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    name, *paths = arguments
    known = Processors.builtin()
    processor, options = known.get(name), known.validate(name, None)
    with tempfile.TemporaryDirectory() as folder:
        works = (Path(folder) / str(number) for number in count())
        _cpu_seconds(processor, options, Path(paths[0]), next(works))
        print(json.dumps([_cpu_seconds(processor, options, Path(path), next(works)) for path in paths]))


async def cpu_seconds(processor: str, paths: Sequence[Path]) -> float:
    """Return the CPU seconds that processing all files takes on one core, measured in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.harness.pure", processor, *map(str, paths)), stdout=asyncio.subprocess.PIPE
    )
    try:
        printed, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise BenchmarkError(f"processing without the engine failed with exit code {process.returncode}")
    return float(sum(json.loads(printed)))


if __name__ == "__main__":
    main(sys.argv[1:])
