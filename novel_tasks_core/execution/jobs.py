"""What a processor works on, and how it looks from inside: the same in a child as on the event loop."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from attrs import frozen

from novel_tasks_core.errors import SourceNotFoundError
from novel_tasks_core.models import Claim, JsonObject, TaskId
from novel_tasks_core.processors.base import Processor
from novel_tasks_core.storage.staging import adopt_work

T = TypeVar("T")


@frozen(kw_only=True)
class Job:
    """One run of a processor, in plain values.

    `target` is `module:qualname` of the function, "" when it runs on the event loop. `staging` is the
    attempt's folder for files on their way into the store, "" as long as it has none; a child makes it.
    `work` is the task's folder, in which every attempt may have one that the next takes over.
    """

    task_id: str
    attempt: int
    target: str
    options: JsonObject
    file_name: str
    source_path: str | None
    extra_data: JsonObject
    resume_from: Any
    work: str
    staging: str = ""


def job_of(claim: Claim, processor: Processor, *, source_path: Path | None, work_folder: Path) -> Job:
    """Say what there is to do for a claim.

    Raises: InvalidProcessorError when a child process could not find the processor.
    """
    return Job(
        task_id=claim.task_id.hex,
        attempt=claim.attempt,
        target=processor.target if processor.runs_in_child else "",
        options=_read(claim.options_json, {}),
        file_name="" if claim.source is None else claim.source.name,
        source_path=None if source_path is None else str(source_path),
        extra_data=_read(claim.extra_json, {}),
        resume_from=_read(claim.checkpoint_json, None),
        work=str(work_folder),
    )


def _read(text: str | None, default: Any) -> Any:
    return default if text is None else json.loads(text)


class JobView:
    """What both kinds of context show of their job; `make_job` is called when somebody first looks."""

    def __init__(self, make_job: Callable[[], Job]) -> None:
        self._make_job = make_job

    @cached_property
    def _job(self) -> Job:
        return self._make_job()

    @property
    def task_id(self) -> TaskId:
        """The task; a fresh id when a file is processed without a database."""
        return TaskId(UUID(self._job.task_id))

    @property
    def attempt(self) -> int:
        """The number of this run, from 1."""
        return self._job.attempt

    @property
    def options(self) -> JsonObject:
        """The validated options as JSON."""
        return self._job.options

    @property
    def file_name(self) -> str:
        """The name of the source as uploaded; "" without one. Data, never a path."""
        return self._job.file_name

    @property
    def source_path(self) -> Path | None:
        """The stored source, to be read only; None for a task without one."""
        return None if self._job.source_path is None else Path(self._job.source_path)

    @property
    def extra_data(self) -> JsonObject:
        """What the submitter attached."""
        return self._job.extra_data

    @property
    def resume_from(self) -> Any:
        """The value that the last attempt's `checkpoint` stored, or None."""
        return self._job.resume_from

    @property
    def work_folder(self) -> Path:
        """A folder of the task's own, made when first asked for. Raises: FileStoreError when the disk refuses."""
        return adopt_work(Path(self._job.work), self._job.attempt)


def read_file(path: Path | None) -> bytes:
    """Return the bytes of a stored source, b"" without one. Raises: SourceNotFoundError when it is gone."""
    try:
        return b"" if path is None else path.read_bytes()
    except FileNotFoundError as exc:
        raise SourceNotFoundError(path.name if path else "") from exc


def structured_options(job: Job, options_type: type[T]) -> T:
    """Build the processor's options class from the job's JSON.

    Raises: InvalidOptionsError when they do not fit, as after an upgrade that changed the class.
    """
    from novel_tasks_core.processors.options import structure_options  # slow to import, and not always needed

    made: T = structure_options(job.target or options_type.__qualname__, options_type, job.options)
    return made
