"""One file, no database: results, artifacts, and errors that say what is wrong."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import (
    DecodingError,
    InvalidInputError,
    NovelTasksError,
    TaskProcessingError,
    TaskTimeoutError,
    UnknownProcessorError,
)
from novel_tasks_core.execution.local import process_file
from novel_tasks_core.models import LogLevel
from novel_tasks_core.processors.base import AttemptContext, Processor


@attrs.frozen
class Specimens:
    """The specimen processors as `process_file` asks for them."""

    module: ModuleType

    def get(self, name: str) -> Processor:
        """Return a specimen by its function's name."""
        if name == "async":
            return Processor(name=name, function=on_the_loop)
        if not hasattr(self.module, name):
            raise UnknownProcessorError(name, ["echo"])
        return Processor(name=name, function=getattr(self.module, name))

    def validate(self, name: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
        """Accept any options."""
        return dict(options or {})


async def on_the_loop(ctx: AttemptContext) -> str:
    """Return the source."""
    return (await ctx.read_source()).decode()


@pytest.fixture
def processors(specimens: ModuleType) -> Specimens:
    """The specimens as a source of processors."""
    return Specimens(specimens)


@pytest.fixture
def novel(tmp_path: Path) -> Path:
    """A small file."""
    path = tmp_path / "novel.txt"
    path.write_text("Once")
    return path


CONFIG = EngineConfig(cancel_grace_seconds=0.1)


async def test_a_file_is_processed(processors: Specimens, novel: Path) -> None:
    """The result comes back, from a child or the loop, and the file stays as it was."""
    made = await process_file(novel, processor="echo", processors=processors, config=CONFIG)
    assert made.result["source"] == "Once"
    assert made.result["pid"] != os.getpid()
    assert made.artifacts == {}
    assert (await process_file(str(novel), processor="async", processors=processors)).result == "Once"
    assert novel.read_text() == "Once"


async def test_artifacts_and_reports_come_out(processors: Specimens, novel: Path, tmp_path: Path) -> None:
    """Artifacts stand in the output folder under their names; the callbacks hear progress and log."""
    heard: list[tuple[object, str]] = []
    made = await process_file(
        novel,
        processor="report_all",
        output_dir=tmp_path / "deep" / "out",
        processors=processors,
        on_progress=lambda fraction, stage: heard.append((fraction, stage)),
        on_log=lambda level, message: heard.append((level, message)),
        config=CONFIG,
    )
    assert {name: path.read_bytes() for name, path in made.artifacts.items()} == {
        "notes.txt": b"second",
        "copy.bin": b"from a file",
    }
    assert sorted(path.name for path in (tmp_path / "deep" / "out").iterdir()) == ["copy.bin", "notes.txt"]
    assert heard == [(LogLevel.INFO, "began"), (LogLevel.WARNING, "odd ��"), (0.25, "a quarter")]


@pytest.mark.parametrize(
    ("what", "kind", "name"),
    [
        ("value", TaskProcessingError, "ValueError"),
        ("decoding", DecodingError, None),
        ("snooze", TaskProcessingError, "Snooze"),
    ],
)
async def test_errors_are_told_by_kind(
    processors: Specimens, novel: Path, what: str, kind: type[NovelTasksError], name: str | None
) -> None:
    """A failed attempt raises TaskProcessingError with the original's name; DecodingError stays itself."""
    with pytest.raises(kind) as caught:
        await process_file(novel, processor="fail", options={"what": what}, processors=processors, config=CONFIG)
    assert type(caught.value) is kind
    assert getattr(caught.value, "type", None) == name


async def test_its_time_is_limited(processors: Specimens, novel: Path) -> None:
    """A processor that takes too long is killed and the error says so."""
    with pytest.raises(TaskTimeoutError):
        await process_file(novel, processor="stubborn", timeout_seconds=0.7, processors=processors, config=CONFIG)


async def test_bad_paths_are_refused_in_words(processors: Specimens, tmp_path: Path) -> None:
    """A missing file and a folder are told apart; an unknown processor is named before the file is looked at."""
    with pytest.raises(InvalidInputError, match="No such file"):
        await process_file(tmp_path / "missing.txt", processor="echo", processors=processors)
    with pytest.raises(InvalidInputError, match="folder"):
        await process_file(tmp_path, processor="echo", processors=processors)
    with pytest.raises(UnknownProcessorError):
        await process_file(tmp_path, processor="nonsense", processors=processors)


async def test_an_output_folder_that_cannot_be_is_told(processors: Specimens, novel: Path) -> None:
    """When the artifacts cannot be written the error names the folder."""
    with pytest.raises(InvalidInputError, match="output_dir"):
        await process_file(novel, processor="report_all", output_dir=novel, processors=processors, config=CONFIG)


async def test_nothing_stays_in_the_temporary_folder(
    processors: Specimens, novel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Success or failure, the scratch folder is gone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    await process_file(novel, processor="report_all", processors=processors, config=CONFIG)
    with pytest.raises(TaskProcessingError):
        await process_file(novel, processor="crash", options={"how": "exit"}, processors=processors, config=CONFIG)
    assert list((tmp_path / "scratch").iterdir()) == []
