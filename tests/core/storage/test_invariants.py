"""The two invariants that stand behind every test can fail: each is broken on purpose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from novel_tasks_core import Processors, TaskEngine, TaskId
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.testing import drain

Sql = Callable[[str], Awaitable[int]]


@pytest.fixture
async def settled(engine: TaskEngine, processors: Processors) -> TaskId:
    """A completed task beside a ready and a scheduled one."""

    async def quick(ctx: object) -> None:
        """Do nothing."""

    processors.register("quick", quick)
    done = await engine.submit(processor="quick")
    await drain(engine)
    await engine.submit(processor="quick")
    return done.id


LOCATIONS = {
    "nowhere": (
        "delete from task_ready",
        "insert into task_ready (lane, priority, task_id) select lane, 0, id from tasks where status = 'pending'",
    ),
    "ready and leased": (
        "insert into task_leases (task_id, worker_id, attempt, lane, position, started_at, deadline)"
        " select task_id, 1, 1, lane, 0, now(), now() from task_ready",
        "delete from task_leases",
    ),
    "ready and scheduled": (
        "insert into task_schedule (run_at, task_id) select now() + interval '1 day', task_id from task_ready",
        "delete from task_schedule",
    ),
    "final and ready": (
        "insert into task_ready (lane, priority, task_id) select lane, 0, id from tasks where status = 'completed'",
        "delete from task_ready where task_id in (select id from tasks where status = 'completed')",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("broken", "mended"), LOCATIONS.values(), ids=LOCATIONS)
async def test_a_task_in_no_or_in_two_places_is_reported(
    db: asyncpg.Connection[asyncpg.Record], settled: TaskId, broken: str, mended: str
) -> None:
    """The location query finds exactly the one task that is wrong."""
    query = load_queries("tasks")["location_faults"]
    assert await db.fetch(query) == []
    await db.execute(broken)
    assert len(await db.fetch(query)) == 1
    await db.execute(mended)
    assert await db.fetch(query) == []


@pytest.mark.parametrize("column", ["tasks", "duration_ms"])
async def test_a_wrong_counter_is_reported(
    db: asyncpg.Connection[asyncpg.Record], settled: TaskId, column: str
) -> None:
    """A counter that is off by one is found, tasks and durations alike."""
    query = load_queries("tasks")["count_faults"]
    assert await db.fetch(query) == []
    for by in (1, -1):
        await db.execute(f"update task_counts set {column} = {column} + {by} where status = 'completed'")
        assert len(await db.fetch(query)) == int(by > 0)
