"""Asking why a task is where it is stays cheap, however much is ready."""

from __future__ import annotations

from novel_tasks_core import NewTask, TaskEngine
from novel_tasks_core.storage.database import _POOL_SETTINGS
from novel_tasks_core.storage.operating import MAX_AHEAD
from novel_tasks_core.storage.queries import load_queries

from .conftest import connected
from .plan_reading import explain

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
