"""What operators ask stays cheap: why a task is where it is, and what the queue did, however much there is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from novel_tasks_core import NewTask, TaskEngine
from novel_tasks_core.storage.database import _POOL_SETTINGS
from novel_tasks_core.storage.flow import MAX_MINUTES
from novel_tasks_core.storage.operating import MAX_AHEAD
from novel_tasks_core.storage.queries import load_queries

from ..core.support import Db
from .conftest import World, connected
from .plan_reading import Explained, explain

TASKS = 30_000


async def test_what_is_ahead_is_counted_along_the_index(engine: TaskEngine, database_url: str) -> None:
    """The first of all is found at once; of the last no more is counted than anybody wants to know."""
    await engine.import_tasks(NewTask(processor="split", priority=i % 5) for i in range(TASKS))
    async with connected(database_url, _POOL_SETTINGS) as db:
        await db.execute("analyze")
        first = await db.fetchval("select task_id from task_ready order by priority desc, position limit 1")
        last = await db.fetchval("select task_id from task_ready order by priority, position desc limit 1")
        standing = load_queries("operating")["standing"]
        found = await explain(db, standing, [first, MAX_AHEAD])
        found.check("first", most_rows=100, most_pages=100)
        found = await explain(db, standing, [last, MAX_AHEAD])
        assert max(step.handled for step in found.steps) <= MAX_AHEAD + 100


WEEK = """
insert into task_flow (at, lane, submitted, completed, failed, cancelled, timed, times)
select date_trunc('minute', now()) - n * interval '1 minute', lane, 9000, 9000, 0, 0, 9000, times
from generate_series(0, $1::int) n, generate_series(1, 3) lane,
     (select string_agg(int4send(i * 1000) || int4send(i), '') as times from generate_series(1, 120) i) t
"""
"""Three busy lanes, each with as many times as a minute keeps."""


@pytest.fixture
async def week(history: World) -> AsyncIterator[Db]:
    """A million finished tasks, and the minutes of 270 million more in the last seven days."""
    async with connected(history.url, _POOL_SETTINGS) as db:
        transaction = db.transaction()
        await transaction.start()
        await db.execute(WEEK, MAX_MINUTES)
        await db.execute("analyze task_flow")
        yield db
        await transaction.rollback()


async def look_back(db: Db, minutes: int, step_seconds: int) -> Explained:
    """Explain the history of one window."""
    return await explain(db, load_queries("flow")["history"], [None, minutes, step_seconds, 150])


async def test_the_history_never_looks_at_tasks(week: Db) -> None:
    """An hour is read by the index; of a week every minute is read, and a bounded number of times of each step."""
    hour = await look_back(week, 60, 60)
    hour.check("hour", most_rows=4 * 61 * 150, most_pages=300)
    whole = await look_back(week, MAX_MINUTES, 7200)
    whole.check("week", most_rows=4 * 3 * (MAX_MINUTES + 120), most_pages=30_000)
    for found in (hour, whole):
        assert {step.relation for step in found.steps} <= {"", "task_flow", "task_counts", "lanes"}
    assert (hour.found, whole.found) == (62, 86)


async def test_the_guard_sees_a_flow_without_its_index(week: Db) -> None:
    """An hour then costs as much as a week."""
    await week.execute("alter table task_flow drop constraint task_flow_pkey")
    hour = await look_back(week, 60, 60)
    with pytest.raises(AssertionError):
        hour.check("hour", most_rows=4 * 61 * 150, most_pages=300)
