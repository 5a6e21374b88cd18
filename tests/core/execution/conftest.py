"""Fixtures of the execution tests: processors in an importable module, a pool of children, recorded reports."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from novel_tasks_core.execution.children import ChildPool
from novel_tasks_core.models import Claim, LogLevel, Source, new_task_id
from novel_tasks_core.storage.files import LocalFiles

SPECIMENS = Path(__file__).parent.parent.parent / "data"


@pytest.fixture(scope="session")
def specimens() -> Iterator[ModuleType]:
    """The module of specimen processors, importable only through this process's own `sys.path`."""
    sys.path.insert(0, str(SPECIMENS))
    yield importlib.import_module("specimen_processors")
    sys.path.remove(str(SPECIMENS))


@pytest.fixture
async def children() -> AsyncIterator[ChildPool]:
    """A pool of two children with a short grace."""
    async with ChildPool(size=2, memory_mb=512, grace_seconds=0.3) as pool:
        yield pool


@pytest.fixture
def files(tmp_path: Path) -> Iterator[LocalFiles]:
    """An empty file store."""
    store = LocalFiles(tmp_path / "files")
    yield store
    store.close()


@attrs.define
class Recorded:
    """Reports that remember what they were told; `on_progress` may look on."""

    progressed: list[tuple[float, str]] = attrs.Factory(list)
    logged: list[tuple[LogLevel, str]] = attrs.Factory(list)
    checkpoints: list[Any] = attrs.Factory(list)
    refuse_checkpoint: Exception | None = None
    on_progress: Callable[[float, str], None] | None = None

    def progress(self, fraction: float, stage: str) -> None:
        """Remember it."""
        self.progressed.append((fraction, stage))
        if self.on_progress is not None:
            self.on_progress(fraction, stage)

    def log(self, level: LogLevel, message: str) -> None:
        """Remember it."""
        self.logged.append((level, message))

    async def checkpoint(self, value: Any) -> None:
        """Remember it, or refuse it."""
        if self.refuse_checkpoint is not None:
            raise self.refuse_checkpoint
        self.checkpoints.append(value)


@pytest.fixture
def reports() -> Recorded:
    """Reports that remember."""
    return Recorded()


@pytest.fixture
def make_claim() -> Callable[..., Claim]:
    """Make a claim of a first attempt, with anything changed."""

    def make(*, options: Any = None, extra_data: Any = None, resume_from: Any = None, **changes: Any) -> Claim:
        fields: dict[str, Any] = {
            "task_id": new_task_id(),
            "attempt": 1,
            "processor": "specimen",
            "source": None,
            "max_attempts": 3,
            "failures": 0,
            "timeout_seconds": 30.0,
            "started_at": datetime.now(UTC),
            "options_json": options and json.dumps(options),
            "extra_json": extra_data and json.dumps(extra_data),
            "checkpoint_json": resume_from and json.dumps(resume_from),
        }
        return Claim(**fields | changes)

    return make


@pytest.fixture
def store_source(files: LocalFiles) -> Callable[..., Any]:
    """Store bytes as a source that claims can name."""

    async def store(data: bytes, name: str = "novel.txt") -> Source:
        staged = await files.stage(data)
        await files.commit(staged)
        return Source(staged.sha256, staged.size, name)

    return store
