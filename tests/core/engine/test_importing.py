"""Imports: any number of tasks by COPY, all or nothing, in their order and with little memory."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from novel_tasks_core import (
    DatabaseUnavailableError,
    InvalidInputError,
    NewTask,
    Processors,
    Source,
    SourceNotFoundError,
    TaskEngine,
    TaskFilter,
    TaskStatus,
)
from novel_tasks_core.testing import drain

from ..support import Db, Gate, ended, eventually

SOON = datetime(2999, 1, 1, tzinfo=UTC)
MISSING = Source("0" * 64, 1, "n")
MANY = 12_000


def numbered(count: int) -> Iterator[NewTask]:
    """Make tasks that know their number."""
    return (NewTask(processor="gate", extra_data={"n": n}) for n in range(count))


async def test_an_imported_task_is_as_a_submitted_one(engine: TaskEngine, gate: Gate) -> None:
    """Every field, its log, its place and its count."""
    source = await engine.store(b"text", name="渡口的灯.txt")
    wanted: dict[str, Any] = {
        "processor": "gate",
        "source": source,
        "options": {"pair": [1, 2]},
        "priority": -7,
        "run_at": SOON,
        "max_attempts": 4,
        "timeout_seconds": 1.5,
        "owner": "ann",
        "extra_data": {"tags": ["x", "é"]},
        "session_id": "s-1",
        "note": "from the test",
    }
    submitted = await engine.submit(**wanted)
    assert await engine.import_tasks([NewTask(**wanted), NewTask(processor="gate")]) == 2
    plain, imported, _ = (await engine.find(TaskFilter(), limit=3)).items
    got = await engine.get(imported.id)
    for field in (*wanted, "status", "last_seq", "version", "attempt", "failures"):
        if field not in ("note",):
            assert getattr(got, field) == getattr(submitted, field), field
    assert [log.message for log in await engine.logs(imported.id)] == ["from the test"]
    assert (plain.status, plain.owner, plain.last_seq) == (TaskStatus.PENDING, "", 0)
    [status] = [s for s in await engine.queue_status() if s.processor == "gate"]
    assert (status.ready, status.scheduled) == (1, 2)
    assert await engine.count(TaskFilter(owner="ann")) == 2


async def test_imported_tasks_are_claimed_in_their_order(engine: TaskEngine, processors: Processors) -> None:
    """One after the other as they were given, whatever number of copies it took; higher priorities first."""
    ran: list[int] = []

    async def note(ctx: Any) -> None:
        ran.append(ctx.extra_data["n"])

    processors.register("note", note)
    tasks = [NewTask(processor="note", priority=n % 2, extra_data={"n": n}) for n in range(2500)]
    await engine.import_tasks(tasks)
    async with engine.worker(concurrency=1):
        await eventually(lambda: len(ran) == 2500, within_seconds=60)
    assert ran == [*range(1, 2500, 2), *range(0, 2500, 2)]


async def test_a_running_worker_is_told_after_the_commit(engine: TaskEngine, gate: Gate) -> None:
    """Nothing of an import is seen while it goes on; then the worker begins at once."""
    going_on = asyncio.Event()

    async def slowly() -> AsyncIterator[NewTask]:
        for new in numbered(1500):
            yield new
        await going_on.wait()

    async with engine.worker(concurrency=1):
        importing = asyncio.ensure_future(engine.import_tasks(slowly()))
        await asyncio.sleep(0)
        assert await engine.count() == 0
        assert gate.begun.empty()
        going_on.set()
        assert await importing == 1500
        assert (await gate.next()).extra_data == {"n": 0}
        gate.let_go()
        await eventually(lambda: engine.count(TaskFilter(status=TaskStatus.COMPLETED)))


async def failing(error: BaseException) -> AsyncIterator[NewTask]:
    """Give some thousand tasks, then raise."""
    for new in numbered(2500):
        yield new
    raise error


class Oddity(Exception):
    """An error of a caller's own."""


@pytest.mark.parametrize("error", [Oddity("mine"), OSError("mine too"), TimeoutError("and mine")])
async def test_what_the_callers_iterator_raises_comes_through_and_nothing_is_stored(
    engine: TaskEngine, gate: Gate, error: Exception
) -> None:
    """As it is, even if the driver raises its like."""
    with pytest.raises(type(error)) as caught:
        await engine.import_tasks(failing(error))
    assert caught.value is error
    assert await engine.count() == 0


BAD = {
    "tasks.2500.key": NewTask(processor="gate", key="k"),
    "tasks.2500.priority": NewTask(processor="gate", priority=1 << 15),
    "tasks.2500.processor": NewTask(processor="nonsense"),
    "tasks.2500.extra_data": NewTask(processor="gate", extra_data={"a": "\ud800"}),
    "tasks.2500": None,
}


@pytest.mark.parametrize("field", BAD)
async def test_a_bad_task_is_named_and_nothing_is_stored(engine: TaskEngine, gate: Gate, db: Db, field: str) -> None:
    """Not even what was copied before it; a good import after it works."""
    with pytest.raises(InvalidInputError) as caught:
        await engine.import_tasks([*numbered(2500), BAD[field], *numbered(3)])  # type: ignore[list-item]
    assert caught.value.field == field
    for table in ("tasks", "task_ready", "task_counts"):
        assert await db.fetchval(f"select count(*) from {table}") == 0
    assert await engine.import_tasks(numbered(3)) == 3


async def test_a_missing_source_is_told_by_its_hash(engine: TaskEngine, gate: Gate) -> None:
    """It is the database that finds it; nothing is stored."""
    stored = await engine.store(b"text", name="n")
    sources = [stored] * 1500 + [MISSING]
    with pytest.raises(SourceNotFoundError) as caught:
        await engine.import_tasks(NewTask(processor="gate", source=source) for source in sources)
    assert caught.value.sha256 == MISSING.sha256
    assert await engine.count() == 0


async def test_a_cancelled_import_leaves_nothing(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """Nor does it keep a connection from others."""
    copied = asyncio.Event()

    async def endless() -> AsyncIterator[NewTask]:
        for new in numbered(2500):
            yield new
        copied.set()
        await asyncio.Event().wait()

    importing = asyncio.ensure_future(engine.import_tasks(endless()))
    await copied.wait()
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert await engine.count() == 0
    assert await engine.import_tasks(numbered(3)) == 3


async def test_a_lost_connection_loses_the_whole_import(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """The backend is killed between two copies."""

    async def cut() -> AsyncIterator[NewTask]:
        for new in numbered(2500):
            yield new
        await db.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and state = 'idle in transaction'"
        )
        for new in numbered(2500):
            yield new

    with pytest.raises(DatabaseUnavailableError):
        await engine.import_tasks(cut())
    assert await engine.count() == 0
    assert await engine.import_tasks([]) == 0


async def test_memory_does_not_grow_with_the_import(engine: TaskEngine, gate: Gate) -> None:
    """Ten times as many tasks need about the same at their highest."""
    peaks = []
    for count in (MANY // 10, MANY // 10, MANY):
        tracemalloc.start()
        try:
            assert await engine.import_tasks(numbered(count)) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[2] < peaks[1] * 2.5


async def test_imported_tasks_run(engine: TaskEngine, gate: Gate) -> None:
    """To their end, as any others."""
    gate.let_go()
    await engine.import_tasks(numbered(40))
    await drain(engine)
    assert await engine.count(TaskFilter(status=TaskStatus.COMPLETED)) == 40
    assert (await ended(engine, await engine.get((await engine.find(TaskFilter())).items[0].id))).result
