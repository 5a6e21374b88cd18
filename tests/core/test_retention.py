"""Retention: what is deleted when, by age and by how it finished, and what never is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from novel_tasks_core import (
    AttemptContext,
    EngineConfig,
    InvalidInputError,
    NewTask,
    Processors,
    TaskDeleted,
    TaskEngine,
    TaskId,
    TaskStatus,
)
from novel_tasks_core.storage import bulk, walking
from novel_tasks_core.testing import FakeClock, drain

from .support import NO_RETRY, Db

FAR = datetime(2999, 1, 1, tzinfo=UTC)
LATER = Callable[..., AbstractAsyncContextManager[TaskEngine]]


async def ending(ctx: AttemptContext) -> None:
    """Fail as wanted."""
    if ctx.options.get("fail"):
        raise ValueError("as wanted")


@pytest.fixture(autouse=True)
def ending_processor(processors: Processors) -> None:
    """The processor `ending`, with one attempt."""
    processors.register("ending", ending, retry=NO_RETRY)


@pytest.fixture
def later(engine_config: EngineConfig, processors: Processors, db: Db) -> LATER:
    """Open engines whose clock is some days ahead, which prune only when they are told to."""

    @asynccontextmanager
    async def open_later(*, days: float, **settings: Any) -> AsyncIterator[TaskEngine]:
        await db.execute(
            "insert into maintenance (name, next_at) values ('prune', now() + interval '1 hour')"
            " on conflict (name) do update set next_at = excluded.next_at"
        )
        config, clock = attrs.evolve(engine_config, **settings), FakeClock(datetime.now(UTC) + timedelta(days=days))
        async with TaskEngine.open(config, processors=processors, clock=clock) as opened:
            yield opened

    return open_later


async def finished(engine: TaskEngine, *, each: int = 1) -> dict[str, list[TaskId]]:
    """Finish tasks in each way."""
    made = {
        "completed": await engine.submit_many(NewTask(processor="ending", note="n") for _ in range(each)),
        "failed": await engine.submit_many(NewTask(processor="ending", options={"fail": 1}) for _ in range(each)),
    }
    await drain(engine, concurrency=20)
    made["cancelled"] = await engine.submit_many(NewTask(processor="ending") for _ in range(each))
    for task_id in made["cancelled"]:
        await engine.cancel(task_id)
    return made


async def left(db: Db) -> list[str]:
    """Return the statuses of the tasks that are left."""
    return [row[0] for row in await db.fetch("select status from tasks order by status")]


async def test_retention_deletes_what_is_old_and_finished(
    engine: TaskEngine, later: LATER, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its history; what is young, waits or was requeued stays; without a retention, or too early, all does."""
    monkeypatch.setattr(bulk, "BATCH", 50)
    monkeypatch.setattr(walking, "WINDOW", 120)
    made = await finished(engine, each=90)
    again, young = made["failed"][7], made["cancelled"][8]
    await engine.requeue(again)
    waiting = await engine.submit(processor="ending", run_at=FAR)
    await db.execute("update tasks set finished_at = finished_at + interval '8 days' where id = $1", young)
    async with later(days=8) as unset:
        assert await unset.prune() == 0
    async with later(days=6, retention_days=7) as early:
        assert await early.prune() == 0
    async with later(days=8, retention_days=7) as due:
        assert await due.prune(dry_run=True) == 268
        assert await due.prune() == 268
        assert await due.prune() == 0
    assert await db.fetchval("select array_agg(id order by id) from tasks") == sorted([waiting.id, again, young])
    for table in ("task_events", "task_attempts"):
        assert not await db.fetch(f"select task_id from {table} except select id from tasks"), table
    assert (await engine.statistics()).total == 3


@pytest.mark.parametrize(
    ("settings", "stay"),
    [
        ({"retention_days_failed": 7}, ["cancelled", "completed"]),
        ({"retention_days": 7, "retention_days_failed": 30}, ["failed"]),
        ({"retention_days_completed": 7, "retention_days_cancelled": 30}, ["cancelled", "failed"]),
        ({"retention_days": 30, "retention_days_cancelled": 0}, ["completed", "failed"]),
    ],
)
async def test_each_way_to_finish_may_have_its_own_retention(
    engine: TaskEngine, later: LATER, db: Db, settings: dict[str, float], stay: list[str]
) -> None:
    """What is set for one status wins over what is set for all."""
    await finished(engine)
    async with later(days=8, **settings) as due:
        assert await due.prune(dry_run=True) == 3 - len(stay)
        assert await due.prune() == 3 - len(stay)
    assert await left(db) == stay


async def test_a_person_may_prune_by_other_rules(engine: TaskEngine, later: LATER, db: Db) -> None:
    """An age and statuses in the call take the place of the settings, which hold for the statuses alone."""
    await finished(engine)
    async with later(days=8, retention_days_failed=7) as due:
        assert await due.prune(statuses=[TaskStatus.COMPLETED, TaskStatus.CANCELLED]) == 0
        assert await due.prune(older_than_days=9) == 0
        assert await due.prune(older_than_days=5, statuses={TaskStatus.CANCELLED}, dry_run=True) == 1
        assert await due.prune(older_than_days=5, statuses={TaskStatus.CANCELLED}) == 1
        assert await left(db) == ["completed", "failed"]
        assert await due.prune(statuses=()) == 0
        assert await due.prune(older_than_days=0) == 2


async def test_whoever_follows_a_task_that_is_pruned_is_told(engine: TaskEngine, later: LATER) -> None:
    """As by any other deletion."""
    made = await finished(engine)
    async with later(days=8, retention_days=7) as due:
        with due._parts.broadcast.subscribe(made["failed"][0]) as heard:
            assert await due.prune() == 3
            events, _ = await heard.take(within_seconds=1)
        assert [type(event) for event in events] == [TaskDeleted]


@pytest.mark.parametrize("days", [-1, float("nan"), float("inf"), 36_501, True, "7"])
async def test_an_age_that_makes_no_sense_is_refused(engine: TaskEngine, days: Any) -> None:
    """Negative, endless or not a number."""
    with pytest.raises(InvalidInputError, match="older_than_days"):
        await engine.prune(older_than_days=days)


@pytest.mark.parametrize("statuses", ["failed", ["failed", "nonsense"], [TaskStatus.PENDING], 7, [None]])
async def test_only_finished_tasks_can_be_pruned(engine: TaskEngine, statuses: Any) -> None:
    """A status that is not final, or no collection of them, is refused."""
    with pytest.raises(InvalidInputError, match="statuses"):
        await engine.prune(older_than_days=0, statuses=statuses)
