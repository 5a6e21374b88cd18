"""Submitting: durable, checked, coalesced, once per key, and part of a transaction if wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from novel_tasks_core import (
    DuplicateTaskError,
    InvalidInputError,
    InvalidOptionsError,
    NewTask,
    OnDuplicate,
    Processors,
    ReleaseKey,
    Source,
    SourceNotFoundError,
    Task,
    TaskEngine,
    TaskFilter,
    TaskStatus,
    UnknownProcessorError,
)
from novel_tasks_core.testing import drain

from ..support import Db, Gate, ended

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


LONG = "x" * 70_000
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "priority too high": ({"priority": 32768}, "priority"),
    "priority too low": ({"priority": -32769}, "priority"),
    "naive time": ({"run_at": datetime(2030, 1, 1)}, "run_at"),  # noqa: DTZ001 - that is the point
    "no attempts": ({"max_attempts": 0}, "max_attempts"),
    "too many attempts": ({"max_attempts": 1001}, "max_attempts"),
    "no time": ({"timeout_seconds": 0}, "timeout_seconds"),
    "no number as time": ({"timeout_seconds": float("nan")}, "timeout_seconds"),
    "too much time": ({"timeout_seconds": 1e9}, "timeout_seconds"),
    "long owner": ({"owner": "x" * 256}, "owner"),
    "NUL in owner": ({"owner": "a\x00"}, "owner"),
    "long key": ({"key": "k" * 513}, "key"),
    "surrogate in key": ({"key": "\ud800"}, "key"),
    "long session": ({"session_id": "s" * 256}, "session_id"),
    "options not JSON": ({"options": {"a": object()}}, "options"),
    "options with NaN": ({"options": {"a": float("nan")}}, "options"),
    "options with NUL": ({"options": {"a": "\x00"}}, "options"),
    "options too large": ({"options": {"a": LONG}}, "options"),
    "extra data with a surrogate": ({"extra_data": {"\udfff": 1}}, "extra_data"),
    "extra data too large": ({"extra_data": {"a": LONG}}, "extra_data"),
    "no hash": ({"source": Source("zz", 1, "n")}, "source.sha256"),
    "negative size": ({"source": Source("0" * 64, -1, "n")}, "source.size"),
    "NUL in the file name": ({"source": Source("0" * 64, 1, "a\x00b")}, "source.name"),
}


async def test_bad_input_is_refused_by_name_and_stores_nothing(engine: TaskEngine, gate: Gate) -> None:
    """Each error names its field, in a single submit as in a bulk one; good tasks beside it are not stored either."""
    for why, (wrong, field) in BAD.items():
        with pytest.raises(InvalidInputError) as caught:
            await engine.submit(**{"processor": "gate"} | wrong)
        assert caught.value.field == field or isinstance(caught.value, InvalidOptionsError), why
        with pytest.raises(InvalidInputError):
            await engine.submit_many([NewTask(processor="gate"), NewTask(**{"processor": "gate"} | wrong)])
    with pytest.raises(UnknownProcessorError, match="known: analyze"):
        await engine.submit(processor="nonsense")
    with pytest.raises(SourceNotFoundError):
        await engine.submit(Source("0" * 64, 1, "n"), processor="gate")
    assert await engine.count() == 0


async def test_one_bad_submit_does_not_spoil_those_that_came_with_it(engine: TaskEngine, gate: Gate) -> None:
    """Submits that share a statement fail alone."""
    missing = Source("0" * 64, 1, "n")
    done = await asyncio.gather(
        *(engine.submit(missing if n == 20 else None, processor="gate", priority=n) for n in range(40)),
        return_exceptions=True,
    )
    assert [n for n, one in enumerate(done) if isinstance(one, BaseException)] == [20]
    assert isinstance(done[20], SourceNotFoundError)
    assert await engine.count() == 39


async def test_concurrent_submits_share_statements(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """A hundred callers at once need a handful of transactions, and each gets its own task."""
    await engine.submit(processor="gate")
    before = await db.fetchval("select count(distinct xmin::text::bigint) from tasks")
    tasks = await asyncio.gather(*(engine.submit(processor="gate", session_id=str(n)) for n in range(100)))
    assert len({task.id for task in tasks}) == 100
    assert [task.session_id for task in tasks] == [str(n) for n in range(100)]
    assert await db.fetchval("select count(distinct xmin::text::bigint) from tasks") - before <= 5


async def test_many_are_stored_in_order(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """More than one statement's worth: ids come back in order and grow."""
    ids = await engine.submit_many(NewTask(processor="gate", priority=n % 3, note="n") for n in range(2500))
    assert ids == sorted(ids)
    assert len(ids) == await engine.count() == 2500
    assert await db.fetchval("select count(*) from task_events") == 2500
    assert await engine.submit_many([]) == []
    with pytest.raises(InvalidInputError, match=r"tasks\.1\.key"):
        await engine.submit_many([NewTask(processor="gate"), NewTask(processor="gate", key="k")])


async def submit_keyed(engine: TaskEngine, on_duplicate: OnDuplicate = OnDuplicate.RETURN, **more: Any) -> Task:
    """Submit under the key of these tests."""
    return await engine.submit(**{"processor": "gate", "key": "k", "on_duplicate": on_duplicate} | more)


async def test_a_key_is_live_once(engine: TaskEngine, gate: Gate) -> None:
    """Each way of meeting a duplicate: return it, refuse, allow both, replace it."""
    first = await submit_keyed(engine)
    again = await submit_keyed(engine, priority=5)
    assert (again.id, again.duplicate, again.priority) == (first.id, True, 0)
    with pytest.raises(DuplicateTaskError) as caught:
        await submit_keyed(engine, OnDuplicate.REJECT)
    assert (caught.value.existing, caught.value.key) == (first.id, "k")
    allowed = await submit_keyed(engine, OnDuplicate.ALLOW)
    assert (allowed.id != first.id, allowed.duplicate) == (True, False)
    replacing = await submit_keyed(engine, OnDuplicate.REPLACE)
    old = await engine.get(first.id)
    assert (old.status, old.error and old.error.message) == (TaskStatus.CANCELLED, "replaced")
    assert (await submit_keyed(engine)).id == replacing.id
    assert (await submit_keyed(engine, owner="bob")).duplicate is False  # keys never cross owners


async def test_a_running_task_can_be_replaced(engine: TaskEngine, gate: Gate) -> None:
    """Its attempt is stopped, its key goes to the new one at once."""
    async with engine.worker():
        first = await submit_keyed(engine)
        await gate.next()
        second = await submit_keyed(engine, OnDuplicate.REPLACE)
        assert (await ended(engine, first)).status is TaskStatus.CANCELLED
        assert (await submit_keyed(engine)).id == second.id
        gate.let_go()
        assert (await ended(engine, second)).status is TaskStatus.COMPLETED


@pytest.mark.parametrize(
    ("release_at", "held_after"),
    [
        (ReleaseKey.FINISH, set()),
        (ReleaseKey.FAILURE, {"completed"}),
        (ReleaseKey.DELETE, {"completed", "failed", "cancelled"}),
    ],
)
async def test_a_key_is_held_as_long_as_wanted(
    engine: TaskEngine, processors: Processors, release_at: ReleaseKey, held_after: set[str]
) -> None:
    """Until any finish, until a failure or cancellation, or until the task is deleted."""

    async def act(ctx: Any) -> None:
        if ctx.options["end"] == "failed":
            raise ValueError("as wanted")

    processors.register("act", act)

    async def submit(end: str) -> Task:
        return await engine.submit(
            processor="act", key=end, release_at=release_at, options={"end": end}, max_attempts=1
        )

    tasks = {end: await submit(end) for end in ("completed", "failed", "cancelled")}
    await engine.cancel(tasks["cancelled"].id)
    await drain(engine)
    assert {(await engine.get(t.id)).status.value for t in tasks.values()} == set(tasks)
    assert {end for end in tasks if (await submit(end)).duplicate} == held_after
    for end, task in tasks.items():
        await engine.delete(task.id)
        assert (await submit(end)).duplicate is (end not in held_after)


async def test_a_race_for_a_key_has_one_winner(engine: TaskEngine, another_engine: Any, gate: Gate) -> None:
    """Fifty at once from two engines make exactly one task; all get it."""
    async with another_engine() as other:
        tasks = await asyncio.gather(*(submit_keyed(one) for one in (engine, other) * 25))
    assert len({task.id for task in tasks}) == await engine.count() == 1
    assert sum(not task.duplicate for task in tasks) == 1


async def test_a_submit_can_be_part_of_a_transaction(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """Rolled back it leaves nothing, not even its key; committed it runs."""
    async with engine.worker():
        transaction = db.transaction()
        await transaction.start()
        gone = await submit_keyed(engine, connection=db, note="n")
        assert gone.status is TaskStatus.PENDING
        await transaction.rollback()
        assert await engine.count() == 0
        assert [await db.fetchval(f"select count(*) from {t}") for t in ("task_keys", "task_events")] == [0, 0]
        async with db.transaction():
            kept = await submit_keyed(engine, connection=db)
            same = await submit_keyed(engine, connection=db)
            with pytest.raises(DuplicateTaskError):
                await submit_keyed(engine, OnDuplicate.REJECT, connection=db)
            with pytest.raises(InvalidInputError, match="on_duplicate"):
                await submit_keyed(engine, OnDuplicate.REPLACE, connection=db)
        assert (same.id, same.duplicate) == (kept.id, True)
        gate.let_go()
        assert (await ended(engine, kept)).status is TaskStatus.COMPLETED


async def test_a_time_in_the_past_is_now(engine: TaskEngine, gate: Gate) -> None:
    """Only the future is a schedule."""
    late = await engine.submit(processor="gate", run_at=datetime(2001, 1, 1, tzinfo=UTC))
    later = await engine.submit(processor="gate", run_at=SOON)
    assert (late.run_at, later.run_at) == (None, SOON)
    [status] = [s for s in await engine.queue_status() if s.processor == "gate"]
    assert (status.ready, status.scheduled) == (1, 1)
    assert await engine.count(TaskFilter(status=TaskStatus.PENDING)) == 2
