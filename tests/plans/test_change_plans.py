"""EXPLAIN guards of changes: a batch, and a look of the walk, touch what they change or look at, not the rest."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.models import TaskId
from novel_tasks_core.storage.database import _POOL_SETTINGS, Database
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.walking import by_index

from ..core.support import Db
from .conftest import connected
from .hot_statements import AT
from .plan_reading import explain
from .worlds import BATCH

BACKLOG = 20_000


def task(n: int) -> TaskId:
    """Return the id of the nth task."""
    return TaskId(UUID(f"00000000-0000-7000-8000-{n:012}"))


FILL = f"""
insert into lanes (processor) values ('a'), ('b');
insert into tasks (id, lane, owner, priority, created_at)
select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, n % 2 + 1, 'o' || n % 7, n % 3, now()
from generate_series(1, {4 * BACKLOG}) n;
insert into task_ready (lane, priority, task_id)
select lane, priority, id from tasks order by id limit {BACKLOG};
insert into task_schedule (run_at, task_id)
select now() - interval '1 hour', id from tasks order by id offset {BACKLOG} limit {BACKLOG};
insert into task_leases (task_id, worker_id, attempt, lane, position, started_at, deadline)
select id, 1, 1, lane, 0, now(), now()
from tasks order by id offset {2 * BACKLOG} limit {BACKLOG};
update tasks set status = case when lane = 1 then 'completed' else 'failed' end, finished_at = now(), started_at = now()
where id in (select id from tasks order by id offset {3 * BACKLOG});
"""

LEASED = [task(2 * BACKLOG + n) for n in range(1, BATCH + 1)]

READY = [task(n) for n in range(1, BATCH + 1)]
SCHEDULED = [task(BACKLOG + n) for n in range(1, BATCH + 1)]
FINISHED = [task(3 * BACKLOG + n) for n in range(1, BATCH + 1)]
FIRST, LAST = UUID(int=0), task(10**11)

BATCHES: dict[str, list[Any]] = {
    "lock": [READY],
    "lock_free": [READY],
    "existing": [READY],
    "hold_scheduled": [SCHEDULED],
    "hold_ready": [READY],
    "hold_leases": [LEASED],
    "hold_free_leases": [LEASED],
    "end_cancelled": [READY, AT, None, None],
    "ask_to_cancel": [LEASED, "r", AT],
    "take_keys": [FINISHED],
    "key_holders": [FINISHED],
    "requeue": [FINISHED, AT],
    "reprioritize": [READY, 7, AT, None],
    "delete": [FINISHED],
}
WALKS: dict[str, list[Any]] = {
    "everything": [FIRST, LAST, None, None, None, None, LAST, FIRST, None, BATCH],
    "one owner": [FIRST, LAST, "o3", None, None, None, LAST, FIRST, None, BATCH],
    "pending": [task(BACKLOG), LAST, None, None, "pending", None, LAST, FIRST, None, BATCH],
    "processing": [FIRST, LAST, None, None, "processing", None, LAST, FIRST, None, BATCH],
    "completed": [task(3 * BACKLOG), LAST, None, None, "completed", None, LAST, FIRST, None, BATCH],
    "failed": [FIRST, LAST, None, None, "failed", None, LAST, FIRST, None, BATCH],
    "nothing that matches": [FIRST, LAST, None, 77, "failed", None, LAST, FIRST, AT, BATCH],
}
EMPTY = {"take_keys", "key_holders"}
MORE = f"""
update tasks set key = id::text, key_release = 'n', last_seq = 2;
insert into task_keys (owner, key, task_id) select owner, key, id from tasks where status = 'pending' limit {BACKLOG};
insert into task_events (task_id, seq, at, kind) select id, n, now(), 'log' from tasks, generate_series(1, 2) n;
insert into task_attempts (task_id, attempt, worker_id, started_at, finished_at, outcome)
select id, 1, 1, now(), now(), 'failed' from tasks where status <> 'pending';
insert into files (sha256, size) values (sha256('x'), 1);
insert into artifacts (task_id, attempt, name, content_type, size, sha256)
select id, 1, 'x', 'x', 1, sha256('x') from tasks where status <> 'pending';
"""
LOOKS = {"nothing that matches": 1, "completed": BATCH // 2}


async def explained(connection: Db, name: str, query: str, args: list[Any]) -> int:
    """Check the plan of a statement, and return how many rows it gave."""
    one = await explain(connection, load_queries("changes")[query], args)
    one.check(name, most_rows=BATCH * 6, most_pages=BATCH * 60)
    return int(one.found)


@pytest.mark.parametrize("known", [False, True])
async def test_a_batch_and_a_look_touch_what_they_are_for(database_url: str, known: bool) -> None:
    """No scan of a big table and no row too many, whether or not the statistics know how large the tables are."""
    async with connected(database_url, _POOL_SETTINGS) as connection:
        await connection.execute(FILL + MORE)
        if known:
            await connection.execute("analyze")
        await connection.execute(load_queries("changes")["by_index"].replace("true", "false"))  # beyond one transaction
        for name, args in BATCHES.items():
            rows = await explained(connection, name, name, args)
            assert rows == (0 if name in EMPTY else BATCH), name
        for name, args in WALKS.items():
            rows = await explained(connection, f"walk: {name}", "walk", args)
            assert rows == LOOKS.get(name, BATCH), name
        await connection.execute("truncate task_ready, task_schedule, task_leases, tasks, task_counts, task_events")


async def test_batches_and_looks_run_with_the_settings_that_were_explained(database_url: str) -> None:
    """What changes all tasks of a filter finds them by index, in all its transactions; others are not touched."""
    async with Database.open(database_url, config=EngineConfig(database_url=database_url)) as database:
        async with by_index(database) as connection:
            assert await connection.fetchval("show enable_seqscan") == "off"
            assert await connection.fetchval("show enable_bitmapscan") == "off"
        assert await database.fetchval("show enable_seqscan") == "on"
