"""EXPLAIN guards of the engine's own statements: what they touch does not grow, whatever was planned when.

Each is prepared while the tables are empty, on a connection with the settings of the engine's links, as long-lived
connections have it; then it is explained as the tables grow, before and after the statistics know of that.
"""

from __future__ import annotations

import pytest

from novel_tasks_core.storage.database import _ENGINE_SETTINGS, _POOL_SETTINGS

from .conftest import Plans, World, connected, explain_all, watch_it_grow
from .hot_statements import SILENT, engine_statements, reads
from .plan_reading import explain
from .worlds import BATCH

MOST_ROWS = BATCH * BATCH
MOST_PAGES = BATCH * 60


def check(plans: Plans) -> None:
    """Fail when a statement reads a big table, sorts the backlog, or touches more pages than a batch needs."""
    for when, explained in plans.items():
        for name, one in explained.items():
            one.check((name, when), most_rows=MOST_ROWS, most_pages=MOST_PAGES)
            if "empt" not in when and name not in SILENT:
                assert one.found > 0, (name, when, "found nothing to do")


def test_the_engine_touches_what_it_takes_of_a_million(backlog: World) -> None:
    """No scan of a big table, no sort of the backlog, and as many pages as a batch needs: at 0, 1,000 and 1,000,000."""
    assert len(backlog.plans) == 6
    check(backlog.plans)


async def test_plans_from_before_the_first_statistics_fit_too(database_url: str) -> None:
    """The same when nothing was ever analysed before the burst."""
    check(await watch_it_grow(database_url, tasks=20_000, analyze_first=False))


async def test_single_tasks_are_found_by_an_index(backlog: World) -> None:
    """What is asked of one task, or of those that run, looks at no other."""
    async with connected(backlog.url, _POOL_SETTINGS) as db:
        statements = reads()
        for statement in statements.values():
            await statement.prepare(db)
        for name, one in (await explain_all(db, statements)).items():
            one.check(name, most_rows=3 * BATCH, most_pages=10 * BATCH)


SPOILED = {
    "claim": "alter table task_ready drop constraint task_ready_pkey",
    "ready_heads": "alter table task_ready drop constraint task_ready_pkey",
    "promote": "alter table task_schedule drop constraint task_schedule_pkey",
    "finish": "alter table tasks drop constraint tasks_pkey",
    "record": "alter table tasks drop constraint tasks_pkey",
    "recorded": "alter table task_events drop constraint task_events_pkey",
    "get": "alter table tasks drop constraint tasks_pkey; drop index tasks_ranges",
    "newest_page": "alter table tasks drop constraint tasks_pkey; drop index tasks_ranges",
    "newest_owned_page": "drop index tasks_by_owner",
    "after": "alter table task_events drop constraint task_events_pkey",
}


@pytest.mark.parametrize("name", SPOILED)
async def test_the_guard_sees_a_missing_index(backlog: World, name: str) -> None:
    """Without the index that a statement needs, its guard fails."""
    engine = engine_statements()
    statement = (engine | reads())[name]
    async with connected(backlog.url, _ENGINE_SETTINGS if name in engine else _POOL_SETTINGS) as db:
        transaction = db.transaction()
        await transaction.start()
        await db.execute(SPOILED[name])
        found = await explain(db, statement.text, statement.args)
        await transaction.rollback()
    with pytest.raises(AssertionError):
        found.check(name, most_rows=MOST_ROWS, most_pages=MOST_PAGES)


async def test_the_guard_sees_a_sort_of_the_backlog(backlog: World) -> None:
    """One claim over several lanes, by a sort of everything, is found out."""
    text = (
        "select task_id from task_ready where lane = any($1::int[])"
        " order by priority desc, position limit $2 for update"
    )
    async with connected(backlog.url, _ENGINE_SETTINGS) as db:
        found = await explain(db, text, [[1, 2], BATCH])
    with pytest.raises(AssertionError):
        found.check("bad", most_rows=MOST_ROWS, most_pages=MOST_PAGES)
