"""Submitting one task: durable, returned as it is stored, coalesced with others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType

import pytest

from novel_tasks_core import (
    InvalidInputError,
    Processors,
    SourceNotFoundError,
    TaskEngine,
    TaskFilter,
    TaskStatus,
)

from ..support import Db, Gate

SOON = datetime(2999, 1, 1, tzinfo=UTC)


async def test_what_submit_returns_is_what_is_stored(engine: TaskEngine, gate: Gate) -> None:
    """Every field, without reading it back: times, numbers, texts in any script, JSON as JSON knows it."""
    source = await engine.store(b"text", name="渡口的灯.txt")
    task = await engine.submit(
        source,
        processor="gate",
        options={"pair": (1, 2), "nested": {"a": None}},
        priority=-7,
        run_at=datetime(2999, 1, 1, 12, tzinfo=timezone(timedelta(hours=8))),
        max_attempts=4,
        timeout_seconds=1.5,
        owner="ann",
        key="k",
        extra_data={"tags": ("x", "é")},
        session_id="s-1",
        note="from the test",
    )
    assert task == await engine.get(task.id)
    assert (task.options, task.extra_data) == ({"pair": [1, 2], "nested": {"a": None}}, {"tags": ["x", "é"]})
    assert (task.status, task.priority, task.last_seq, task.version) == (TaskStatus.PENDING, -7, 1, "1.0.0")
    assert [log.message for log in await engine.logs(task.id)] == ["from the test"]
    plain = await engine.submit(processor="gate")
    assert plain == await engine.get(plain.id)
    assert plain.created_at.tzinfo is UTC


async def test_options_are_stored_with_their_defaults(
    engine: TaskEngine, processors: Processors, child_processors: ModuleType
) -> None:
    """What an options class fills in is part of the task from its first moment."""
    processors.register("measured", child_processors.measured)
    task = await engine.submit(processor="measured", options={"width": 72})
    assert task == await engine.get(task.id)
    assert dict(task.options) == {"width": 72, "title": "untitled"}


async def test_a_path_is_stored_first(engine: TaskEngine, gate: Gate, tmp_path: Path) -> None:
    """Its bytes are kept under their hash, its name as data; the original may go."""
    path = tmp_path / "novel.txt"
    path.write_bytes(b"once upon a time")
    task = await engine.submit(str(path), processor="gate")
    path.unlink()
    source, stored = await engine.open_source(task.id)
    assert (source.name, source.size, stored.read_bytes()) == ("novel.txt", 16, b"once upon a time")
    with pytest.raises(InvalidInputError, match="there is no file"):
        await engine.submit(path, processor="gate")
    with pytest.raises(SourceNotFoundError):
        await engine.open_source((await engine.submit(processor="gate")).id)


async def test_a_stream_that_breaks_leaves_nothing(engine: TaskEngine, db: Db) -> None:
    """The error goes through; neither a file nor a row remains."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        raise ConnectionResetError("the client went away")

    with pytest.raises(ConnectionResetError):
        await engine.store(broken(), name="n")
    assert [p for p in engine.config.files.rglob("*") if p.is_file()] == []
    assert await db.fetchval("select count(*) from files") == 0


async def test_concurrent_submits_share_statements(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """A hundred callers at once need a handful of transactions, and each gets its own task."""
    await engine.submit(processor="gate")
    before = await db.fetchval("select count(distinct xmin::text::bigint) from tasks")
    tasks = await asyncio.gather(*(engine.submit(processor="gate", session_id=str(n)) for n in range(100)))
    assert len({task.id for task in tasks}) == 100
    assert [task.session_id for task in tasks] == [str(n) for n in range(100)]
    assert await db.fetchval("select count(distinct xmin::text::bigint) from tasks") - before <= 5


async def test_a_time_in_the_past_is_now(engine: TaskEngine, gate: Gate) -> None:
    """Only the future is a schedule."""
    late = await engine.submit(processor="gate", run_at=datetime(2001, 1, 1, tzinfo=UTC))
    later = await engine.submit(processor="gate", run_at=SOON)
    assert (late.run_at, later.run_at) == (None, SOON)
    [status] = [s for s in await engine.queue_status() if s.processor == "gate"]
    assert (status.ready, status.scheduled) == (1, 1)
    assert await engine.count(TaskFilter(status=TaskStatus.PENDING)) == 2
