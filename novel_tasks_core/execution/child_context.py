"""The context of a `def` processor, inside its child process: every method may block."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from novel_tasks_core.execution.jobs import Job, JobView, read_file
from novel_tasks_core.execution.link import WorkerLink
from novel_tasks_core.execution.messages import Checkpointed, Logged, Progressed, Staged, Working
from novel_tasks_core.execution.values import (
    MAX_STAGE_CHARACTERS,
    artifact_name,
    content_type_of,
    fraction_of,
    storable_text,
    storable_value,
)
from novel_tasks_core.models import LogLevel, NewArtifact
from novel_tasks_core.storage import staging
from novel_tasks_core.text.novel import Novel

if TYPE_CHECKING:
    from novel_tasks_core.processors.manuscript import Manuscript


class BlockingContext(JobView):
    """A `ChildContext` that speaks to the worker over a `WorkerLink`.

    Every method raises CancelledError of `concurrent.futures` once the job was asked to stop.
    """

    def __init__(self, job: Job, link: WorkerLink) -> None:
        super().__init__(lambda: job)
        self._link = link

    @property
    def work_folder(self) -> Path:
        """A folder of the task's own, made when first asked for. Raises: FileStoreError when the disk refuses."""
        self._link.check()
        self._link.send(Working())
        return super().work_folder

    def open_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Manuscript:
        """Decode the source and split it into chapters, to be read piece by piece.

        Raises: DecodingError; SourceNotFoundError when it is gone.
        """
        from novel_tasks_core.processors.manuscript import open_manuscript

        self._link.check()
        return open_manuscript(
            self.source_path,
            lambda: self.work_folder,
            file_name=self.file_name,
            encoding=encoding,
            chapter_rule=chapter_rule,
        )

    def read_source(self) -> bytes:
        """Return the bytes of the source, b"" without one. Raises: SourceNotFoundError when it is gone."""
        self._link.check()
        return read_file(self.source_path)

    def read_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Novel:
        """Decode the source and split it into chapters. Raises: DecodingError."""
        from novel_tasks_core.text.reading import read_novel

        return read_novel(self.read_source(), file_name=self.file_name, encoding=encoding, chapter_rule=chapter_rule)

    def progress(self, done: float, *, total: float = 1.0, stage: str = "") -> None:
        """Tell watchers that `done` of `total` is finished; what comes faster than 20 times a second is merged."""
        self._link.check()
        self._link.progress(Progressed(fraction_of(done, total), storable_text(stage, limit=MAX_STAGE_CHARACTERS)))

    def log(self, message: str, *, level: LogLevel = LogLevel.INFO) -> None:
        """Write a line to the task's log."""
        self._link.check()
        self._link.send(Logged(LogLevel(level).value, storable_text(message)))

    def save_artifact(self, name: str, data: bytes | Path, *, content_type: str | None = None) -> NewArtifact:
        """Stage named bytes, or a copy of a file; saving the same name again replaces it.

        Raises: InvalidInputError for a bad name or an unreadable file; FileStoreError when the disk refuses.
        """
        self._link.check()
        kind = storable_text(content_type or content_type_of(artifact_name(name)))
        staged = staging.stage(Path(self._job.staging), data, flush=False)  # the worker waits for the disk, not we
        self._link.send(
            Staged(
                name=name,
                content_type=kind,
                size=staged.size,
                sha256=staged.sha256,
                path=str(staged.path),
                flushed=staged.flushed,
            )
        )
        return NewArtifact(name=name, content_type=kind, size=staged.size, sha256=staged.sha256)

    def checkpoint(self, value: Any) -> None:
        """Store a JSON value from which the next attempt may continue; returns once it is durable.

        Raises: InvalidInputError when it is not JSON or is too large.
        """
        self._link.check()
        self._link.checkpoint(Checkpointed(storable_value(value, name="checkpoint")))
