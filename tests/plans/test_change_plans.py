"""EXPLAIN guards of changes: a batch, and a look of the walk, touch what they change or look at, not the rest."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.storage.database import _POOL_SETTINGS, Database
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.walking import by_index

from ..core.support import Db
from .test_plans import AT, BACKLOG, BATCH, FILL, LEASED, Statement, check, connect, task

__all__ = ["connect"]

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
    "everything": [FIRST, LAST, None, None, None, None, None, BATCH],
    "one owner": [FIRST, LAST, "o3", None, None, None, None, BATCH],
    "pending": [task(BACKLOG), LAST, None, None, "pending", None, None, BATCH],
    "processing": [FIRST, LAST, None, None, "processing", None, None, BATCH],
    "completed": [task(3 * BACKLOG), LAST, None, None, "completed", None, None, BATCH],
    "failed": [FIRST, LAST, None, None, "failed", None, None, BATCH],
    "nothing that matches": [FIRST, LAST, None, 77, "failed", None, AT, BATCH],
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
    statement = Statement(f"s{abs(hash(name))}", args)
    await statement.prepare(connection, load_queries("changes")[query])
    found, pages = await statement.explain(connection)
    check(name, found, most_rows=BATCH * 6)
    assert pages < BATCH * 60, (name, pages)
    return int(found[0].rows)


@pytest.mark.parametrize("known", [False, True])
async def test_a_batch_and_a_look_touch_what_they_are_for(connect: Any, known: bool) -> None:
    """No scan of a big table and no row too many, whether or not the statistics know how large the tables are."""
    connection: Db = await connect(_POOL_SETTINGS)
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


async def test_batches_and_looks_run_with_the_settings_that_were_explained(database_url: str) -> None:
    """What changes all tasks of a filter finds them by index, in all its transactions; others are not touched."""
    async with Database.open(database_url, config=EngineConfig(database_url=database_url)) as database:
        async with by_index(database) as connection:
            assert await connection.fetchval("show enable_seqscan") == "off"
            assert await connection.fetchval("show enable_bitmapscan") == "off"
        assert await database.fetchval("show enable_seqscan") == "on"
