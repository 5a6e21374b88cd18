"""Process one file, with neither database nor queue: the same code paths as an attempt, in one call."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

from attrs import Factory, frozen

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.execution.attempt import Returned, perform
from novel_tasks_core.execution.children import ChildPool
from novel_tasks_core.execution.context import AttemptFolder
from novel_tasks_core.execution.failures import Failure, as_error
from novel_tasks_core.execution.jobs import Job
from novel_tasks_core.execution.messages import Staged
from novel_tasks_core.models import LogLevel, new_task_id
from novel_tasks_core.processors.base import Processor
from novel_tasks_core.processors.registry import Processors
from novel_tasks_core.storage.files import LocalFiles
from novel_tasks_core.storage.staging import temporary_name

ProgressCallback = Callable[[float, str], None]
LogCallback = Callable[[LogLevel, str], None]


class ProcessorSource(Protocol):
    """Where processors come from: what `process_file` needs of a registry."""

    def get(self, name: str) -> Processor:
        """Return a processor. Raises: UnknownProcessorError."""
        ...

    def validate(self, name: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return valid options as JSON. Raises: InvalidOptionsError."""
        ...


@frozen(kw_only=True)
class ProcessedFile:
    """What came of a file: the processor's result, and where its artifacts are, by name."""

    result: Any
    artifacts: Mapping[str, Path] = Factory(dict)


class _CallbackReports:
    """Passes an attempt's reports to callbacks; checkpoints have no next attempt to serve."""

    def __init__(self, on_progress: ProgressCallback | None, on_log: LogCallback | None) -> None:
        self._on_progress = on_progress
        self._on_log = on_log

    def progress(self, fraction: float, stage: str) -> None:
        if self._on_progress is not None:
            self._on_progress(fraction, stage)

    def log(self, level: LogLevel, message: str) -> None:
        if self._on_log is not None:
            self._on_log(level, message)

    async def checkpoint(self, value: Any) -> None:
        """Accept the value; there is no other attempt that could continue from it."""


async def process_file(
    path: Path | str,
    *,
    processor: str = "analyze",
    options: Mapping[str, Any] | None = None,
    output_dir: Path | None = None,
    processors: ProcessorSource | None = None,
    timeout_seconds: float | None = None,
    on_progress: ProgressCallback | None = None,
    on_log: LogCallback | None = None,
    config: EngineConfig | None = None,
) -> ProcessedFile:
    """Run one processor on one file, once.

    Artifacts are written to `output_dir` under their names, replacing files of these names; without it
    they are thrown away. `processors` are the built-in ones unless given. The callbacks run on the event
    loop and must not block. `timeout_seconds` defaults to the processor's, then to the configured one. A
    cancellation stops the processor first.

    Raises: UnknownProcessorError, InvalidOptionsError; InvalidInputError for a path that is no readable
    file; DecodingError when it is not text; TaskTimeoutError, ChildCrashedError, and TaskProcessingError
    naming the `type` of whatever else the processor raised; FileStoreError when the disk refuses.
    """
    processors = processors or Processors.builtin()
    chosen = processors.get(processor)
    checked = processors.validate(processor, options)
    config = config or EngineConfig.from_env()
    source = await asyncio.to_thread(_readable_file, Path(path))
    async with AsyncExitStack() as stack:
        scratch = Path(await asyncio.to_thread(tempfile.gettempdir)) / temporary_name("novel-tasks")
        stack.push_async_callback(asyncio.to_thread, shutil.rmtree, scratch, ignore_errors=True)
        files = LocalFiles(scratch)
        stack.callback(files.close)
        children = await stack.enter_async_context(
            ChildPool(size=1, memory_mb=config.child_memory_mb, grace_seconds=config.cancel_grace_seconds)
        )
        job = _job(source, chosen, checked, work=files.work_folder / "task")
        ended = await perform(
            lambda: job,
            chosen,
            children,
            AttemptFolder(files),
            _CallbackReports(on_progress, on_log),
            timeout_seconds=timeout_seconds or chosen.timeout_seconds or config.task_timeout_seconds,
        )
        if isinstance(ended, Failure):
            raise as_error(ended)
        return await _delivered(ended, output_dir)


def _readable_file(path: Path) -> Path:
    """Return the absolute path of a file that can be opened. Raises: InvalidInputError saying what it is instead."""
    if path.is_dir():
        raise InvalidInputError("path", f"{str(path)!r} is a folder, not a file")
    try:
        with path.open("rb"):
            return path.absolute()
    except OSError as exc:
        raise InvalidInputError("path", f"cannot read {str(path)!r}: {exc.strerror}") from exc


def _job(path: Path, processor: Processor, options: Mapping[str, Any], *, work: Path) -> Job:
    return Job(
        task_id=new_task_id().hex,
        attempt=1,
        target=processor.target if processor.runs_in_child else "",
        options=options,
        file_name=path.name,
        source_path=str(path),
        extra_data={},
        resume_from=None,
        work=str(work),
    )


async def _delivered(returned: Returned, output_dir: Path | None) -> ProcessedFile:
    if output_dir is None:
        return ProcessedFile(result=returned.value)
    artifacts = await asyncio.to_thread(_deliver, returned.staged, output_dir)
    return ProcessedFile(result=returned.value, artifacts=artifacts)


def _deliver(staged: tuple[Staged, ...], folder: Path) -> dict[str, Path]:
    """Move staged artifacts to their names in `folder`, each whole or not at all."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {one.name: _move(Path(one.path), folder / one.name) for one in staged}
    except OSError as exc:
        raise InvalidInputError("output_dir", f"cannot write to {str(folder)!r}: {exc.strerror}") from exc


def _move(source: Path, target: Path) -> Path:
    part = target.with_name(f".{source.name}.part")
    try:
        shutil.copyfile(source, part)
        os.replace(part, target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return target
