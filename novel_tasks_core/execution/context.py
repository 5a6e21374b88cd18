"""The context of an `async def` processor, on the worker's event loop."""

from __future__ import annotations

import asyncio
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import evolve

from novel_tasks_core.execution.children import ChildPool
from novel_tasks_core.execution.failures import as_error
from novel_tasks_core.execution.jobs import Job, JobView, read_file
from novel_tasks_core.execution.messages import Staged
from novel_tasks_core.execution.reports import AttemptReports
from novel_tasks_core.execution.values import (
    MAX_STAGE_CHARACTERS,
    artifact_name,
    content_type_of,
    fraction_of,
    storable_text,
    storable_value,
)
from novel_tasks_core.models import LogLevel, NewArtifact
from novel_tasks_core.processors.base import ChildContext
from novel_tasks_core.storage.files import FileStore
from novel_tasks_core.storage.staging import temporary_name
from novel_tasks_core.text.novel import Novel


class AttemptFolder:
    """The folder in which one attempt stages its files; it costs nothing until it is asked for.

    `work` tells whether the attempt used the other folder, that of its task, which outlives it.
    """

    __slots__ = ("_path", "files", "work")

    def __init__(self, files: FileStore) -> None:
        self.files = files
        self.work = False
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """Where it is. Whoever writes first makes it."""
        if self._path is None:
            self._path = self.files.staging_folder / temporary_name("attempt")
        return self._path

    @property
    def used(self) -> bool:
        """Whether anybody asked for it, so that it may have to be removed."""
        return self._path is not None

    def forget(self) -> None:
        """Take note that nothing was written to it after all, so that there is nothing to remove."""
        self._path = None

    async def remove(self) -> None:
        """Remove it with all that is left in it. What cannot be removed now is left to the sweeper."""
        if self._path is not None:
            await asyncio.to_thread(shutil.rmtree, self._path, ignore_errors=True)


class LoopContext(JobView):
    """An `AttemptContext` that tells the worker's `AttemptReports`. `staged` holds the artifacts so far, by name."""

    def __init__(
        self, make_job: Callable[[], Job], *, reports: AttemptReports, children: ChildPool, folder: AttemptFolder
    ) -> None:
        super().__init__(make_job)
        self._folder = folder
        self._reports = reports
        self._children = children
        self.staged: dict[str, Staged] = {}

    @property
    def work_folder(self) -> Path:
        """A folder of the task's own, made when first asked for. Raises: FileStoreError when the disk refuses."""
        self._folder.work = True
        return super().work_folder

    async def read_source(self) -> bytes:
        """Return the bytes of the source, b"" without one. Raises: SourceNotFoundError when it is gone."""
        return await asyncio.to_thread(read_file, self.source_path)

    async def read_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Novel:
        """Decode the source and split it into chapters, in a child process. Raises: DecodingError."""
        job = evolve(
            self._job,
            target=f"{__name__}:pickle_novel",
            options={"encoding": encoding, "chapter_rule": chapter_rule},
            resume_from=None,
            staging=str(self._folder.path),
        )
        finished = await self._children.run(job, reports=self._reports)
        if finished.failure is not None:
            raise as_error(finished.failure)
        return await asyncio.to_thread(_unpickle, Path(finished.staged[_NOVEL].path))

    async def progress(self, done: float, *, total: float = 1.0, stage: str = "") -> None:
        """Tell watchers that `done` of `total` is finished, and what is being worked on."""
        self._reports.progress(fraction_of(done, total), storable_text(stage, limit=MAX_STAGE_CHARACTERS))

    async def log(self, message: str, *, level: LogLevel = LogLevel.INFO) -> None:
        """Write a line to the task's log."""
        self._reports.log(LogLevel(level), storable_text(message))

    async def save_artifact(self, name: str, data: bytes | Path, *, content_type: str | None = None) -> NewArtifact:
        """Stage named bytes, or a copy of a file; saving the same name again replaces it.

        Raises: InvalidInputError for a bad name or an unreadable file; FileStoreError when the disk refuses.
        """
        kind = storable_text(content_type or content_type_of(artifact_name(name)))
        staged = await self._folder.files.stage(data, folder=self._folder.path)
        self.staged[name] = Staged(
            name=name, content_type=kind, size=staged.size, sha256=staged.sha256, path=str(staged.path)
        )
        return NewArtifact(name=name, content_type=kind, size=staged.size, sha256=staged.sha256)

    async def checkpoint(self, value: Any) -> None:
        """Store a JSON value from which the next attempt may continue; returns once it is durable.

        Raises: LeaseLostError when the attempt is no longer ours; InvalidInputError when it is not JSON.
        """
        await self._reports.checkpoint(storable_value(value, name="checkpoint"))


_NOVEL = "novel.pickle"


def pickle_novel(ctx: ChildContext) -> None:
    """Read the novel in a child and leave it in the attempt's folder, for the worker alone."""
    novel = ctx.read_novel(encoding=ctx.options["encoding"], chapter_rule=ctx.options["chapter_rule"])
    ctx.save_artifact(_NOVEL, pickle.dumps(novel, pickle.HIGHEST_PROTOCOL))


def _unpickle(path: Path) -> Novel:
    """Read what our own child wrote, in a folder that only this user can write to."""
    novel: Novel = pickle.loads(path.read_bytes())  # noqa: S301 - made by `pickle_novel`, never by a user
    path.unlink()
    return novel
