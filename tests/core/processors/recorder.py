"""A context for processors that keeps what it is told: no worker, no child, no database."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from attrs import define, field

from novel_tasks_core import LogLevel, TaskId
from novel_tasks_core.models import NewArtifact
from novel_tasks_core.processors.base import ChildContext
from novel_tasks_core.processors.manuscript import Manuscript, open_manuscript
from novel_tasks_core.text.novel import Novel
from novel_tasks_core.text.reading import read_novel


@define
class Recorder:
    """A `ChildContext` on a file in `folder`; `stop` is called at every word to it, and may raise as a cancellation."""

    folder: Path
    data: bytes
    file_name: str = "The Mill.txt"
    task_id: TaskId = field(factory=lambda: TaskId(uuid4()))
    attempt: int = 1
    options: dict[str, Any] = field(factory=dict)
    extra_data: dict[str, Any] = field(factory=dict)
    resume_from: Any = None
    stop: Callable[[], None] = lambda: None
    steps: list[tuple[float, float, str]] = field(factory=list)
    lines: list[str] = field(factory=list)
    artifacts: dict[str, bytes] = field(factory=dict)
    checkpoints: list[Any] = field(factory=list)

    @property
    def source_path(self) -> Path:
        """The file."""
        path = self.folder / "source"
        if not path.exists():
            path.write_bytes(self.data)
        return path

    @property
    def work_folder(self) -> Path:
        """The same folder for every attempt."""
        path = self.folder / "work"
        path.mkdir(exist_ok=True)
        return path

    def read_source(self) -> bytes:
        """Return the file."""
        return self.data

    def read_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Novel:
        """Read the file."""
        return read_novel(self.data, file_name=self.file_name, encoding=encoding, chapter_rule=chapter_rule)

    def open_novel(self, *, encoding: str | None = None, chapter_rule: str | None = None) -> Manuscript:
        """Open the file."""
        return open_manuscript(
            self.source_path,
            lambda: self.work_folder,
            file_name=self.file_name,
            encoding=encoding,
            chapter_rule=chapter_rule,
        )

    def progress(self, done: float, *, total: float = 1.0, stage: str = "") -> None:
        """Keep a step."""
        self.stop()
        self.steps.append((done, total, stage))

    def log(self, message: str, *, level: LogLevel = LogLevel.INFO) -> None:
        """Keep a line."""
        self.stop()
        self.lines.append(message)

    def save_artifact(self, name: str, data: bytes | Path, *, content_type: str | None = None) -> NewArtifact:
        """Keep an artifact."""
        self.stop()
        content = data if isinstance(data, bytes) else data.read_bytes()
        self.artifacts[name] = content
        return NewArtifact(name=name, sha256="0" * 64, size=len(content), content_type=content_type or "")

    def checkpoint(self, value: Any) -> None:
        """Keep a checkpoint."""
        self.stop()
        self.checkpoints.append(value)


def ran(processor: Any, text: str | bytes, options: Any, **more: Any) -> tuple[Recorder, dict[str, Any]]:
    """Run a processor on a text, or on bytes; return its context and its result, which must be JSON."""
    data = text.encode() if isinstance(text, str) else text
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder), data, **more)
        context: ChildContext = recorder
        result: dict[str, Any] = processor(context, options)
    json.dumps(result, allow_nan=False)
    return recorder, result
