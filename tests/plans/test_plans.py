"""EXPLAIN guards: what the hot statements touch does not grow with the backlog, whatever plan was made when.

Each statement is prepared while the tables are empty, with the settings of the engine's links and a generic plan, as
long-lived connections have them; then it is explained with 20,000 tasks, before and after the statistics know of them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from attrs import frozen

from novel_tasks_core.models import Completed, ErrorInfo, Retrying, TaskId, WorkerId
from novel_tasks_core.storage.database import _ENGINE_SETTINGS, _POOL_SETTINGS
from novel_tasks_core.storage.endings import Recording, event_columns, finish_columns, make_ending, postpone_columns
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.submits import new_ids, submit_columns

from ..core.storage.bench import row
from ..core.support import Db

BACKLOG = 20_000
BATCH = 50
BIG = {"tasks", "task_ready", "task_schedule", "task_leases", "task_events", "task_attempts", "artifacts", "task_keys"}
AT = datetime(2026, 1, 1, tzinfo=UTC)
WORKER = WorkerId(1)

TASKS = f"""
insert into lanes (processor) values ('a'), ('b');
insert into tasks (id, lane, owner, priority, created_at)
select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, n % 2 + 1, 'o' || n % 7, n % 3, now()
from generate_series(1, {4 * BACKLOG}) n;
update tasks set status = case when lane = 1 then 'completed' else 'failed' end, finished_at = now(), started_at = now()
where id in (select id from tasks order by id offset {3 * BACKLOG});
"""
PLACES = f"""
insert into task_ready (lane, priority, task_id)
select lane, priority, id from tasks order by id limit {BACKLOG};
insert into task_schedule (run_at, task_id)
select now() - interval '1 hour', id from tasks order by id offset {BACKLOG} limit {BACKLOG};
insert into task_leases (task_id, worker_id, attempt, lane, position, started_at, deadline)
select id, 1, 1, lane, 0, now(), now()
from tasks order by id offset {2 * BACKLOG} limit {BACKLOG};
"""
FILL = TASKS + PLACES

USE_UP = """
insert into task_checkpoints (task_id, attempt, value) select id, 1, '1' from tasks;
insert into task_keys (owner, key, task_id) select '', id::text, id from tasks;
delete from task_ready; delete from task_schedule; delete from task_leases;
delete from task_checkpoints; delete from task_keys;
"""


def task(n: int) -> TaskId:
    """Return the id of the nth task."""
    return TaskId(UUID(f"00000000-0000-7000-8000-{n:012}"))


LEASED = [task(2 * BACKLOG + n) for n in range(1, BATCH + 1)]


@frozen
class Node:
    """One node of a plan: how many rows it gave, all loops together."""

    kind: str
    relation: str
    rows: float


def nodes(plan: dict[str, Any]) -> Iterator[Node]:
    """Walk through a plan."""
    yield Node(plan["Node Type"], plan.get("Relation Name", ""), plan["Actual Rows"] * plan["Actual Loops"])
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def literal(value: Any, type_name: str) -> str:
    """Write a parameter as SQL."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"array[{','.join(literal(one, '') for one in value)}]::{type_name}"
    text = f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
    quoted = "'" + text.replace("'", "''") + "'"
    return f"{quoted}::{type_name}" if type_name else quoted


class Statement:
    """A statement that a connection has prepared, with the parameters to explain it with."""

    def __init__(self, name: str, args: list[Any]) -> None:
        self.name = name
        self.args = args
        self._call = ""

    async def prepare(self, connection: Db, text: str) -> None:
        """Prepare it by name, with a generic plan."""
        types = [t.name for t in (await connection.prepare(text)).get_parameters()]
        types = [f"{t.removesuffix('[]').removeprefix('_')}[]" if t.endswith("[]") or t[0] == "_" else t for t in types]
        await connection.execute(f"prepare {self.name} ({', '.join(types)}) as {text}")
        values = (literal(value, type_) for value, type_ in zip(self.args, types, strict=True))
        self._call = f"execute {self.name} ({', '.join(values)})" if types else f"execute {self.name}"

    async def explain(self, connection: Db) -> tuple[list[Node], int]:
        """Run it, undo it, and return the nodes of its plan and how many pages it touched."""
        transaction = connection.transaction()
        await transaction.start()
        try:
            found = await connection.fetchval(f"explain (analyze, buffers, format json) {self._call}")
        finally:
            await transaction.rollback()
        plan = json.loads(found)[0]["Plan"]
        return list(nodes(plan)), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def hot_statements() -> dict[str, Statement]:
    """Return the statements that run all the time, each for a batch of fifty or less."""
    done = [make_ending(task_id, Completed(result={"a": 1}), attempt=1, at=AT) for task_id in LEASED]
    retry = Retrying(delay_seconds=5, error=ErrorInfo("E", "x"))
    again = [make_ending(task_id, retry, attempt=1, at=AT) for task_id in LEASED]
    said = [Recording(task_id, 1, ending.events) for task_id, ending in zip(LEASED, done, strict=True)]
    new = [row(1 + n % 2) for n in range(BATCH)]
    args: dict[str, list[Any]] = {
        "ready_heads": [[1, 2]],
        "claim": [[1, 2, 1], [2, 2, 0], [0, 0, 0], [60.0, 60.0, 60.0], BATCH, 1, [BATCH, BATCH, BATCH]],
        "finish": finish_columns(done, WORKER, WORKER),
        "postpone": postpone_columns(again, WORKER, WORKER),
        "record": [WORKER, LEASED, [1] * BATCH, [1] * BATCH, *event_columns(said)],
        "progress": [WORKER, LEASED, [1] * BATCH, [0.5] * BATCH, ["x"] * BATCH],
        "finished_by": [WORKER, LEASED, [1] * BATCH],
        "recorded": [LEASED, [1] * BATCH],
        "promote": [BATCH],
        "submit": [new_ids(BATCH), *map(list, submit_columns(new)), AT, False],
    }
    return {name: Statement(name, values) for name, values in args.items()}


LISTS: dict[str, list[Any]] = {
    "newest": [task(10**11), UUID(int=0), None, None, None, None, BATCH, 0],
    "oldest": [task(10**11), UUID(int=0), None, None, None, None, BATCH, 0],
    "newest_pending": [task(10**11), UUID(int=0), None, None, "pending", None, BATCH, 0],
    "newest_processing": [task(10**11), UUID(int=0), None, None, "processing", None, BATCH, 0],
    "newest_ended": [task(10**11), UUID(int=0), None, None, "failed", None, BATCH, 0],
}


@pytest.fixture
async def connect(database_url: str) -> AsyncIterator[Any]:
    """Open connections with given settings."""
    opened: list[Db] = []

    async def open_one(settings: dict[str, str]) -> Db:
        opened.append(await asyncpg.connect(database_url, server_settings=settings))
        return opened[-1]

    yield open_one
    for connection in opened:
        await connection.execute("truncate task_ready, task_schedule, task_leases, tasks, task_counts, task_events")
        await connection.close(timeout=5)


def check(name: str, found: list[Node], *, most_rows: int) -> None:
    """Fail when a big table is read from end to end, or when anything handles more rows than the batch explains."""
    scans = [node for node in found if node.kind == "Seq Scan" and node.relation in BIG]
    assert not scans, (name, scans)
    large = [node for node in found if node.rows > most_rows]
    assert not large, (name, large)


async def test_hot_statements_touch_what_they_take(connect: Any) -> None:
    """No scan of a big table, no sort of the backlog, and as many pages with the backlog as a batch needs."""
    connection: Db = await connect({**_ENGINE_SETTINGS, "plan_cache_mode": "force_generic_plan"})
    statements = hot_statements()
    for name, statement in statements.items():
        await statement.prepare(connection, load_queries("submits" if name == "submit" else "queue")[name])
        found, _pages = await statement.explain(connection)
        check(f"{name}, empty", found, most_rows=BATCH * 6)
    await connection.execute(FILL)
    for when in ("unknown to the statistics", "known to them"):
        for name, statement in statements.items():
            found, pages = await statement.explain(connection)
            check(f"{name}, {when}", found, most_rows=BATCH * 6)
            assert pages < BATCH * 60, (name, when, pages)
            assert found[0].rows > 0 or name in ("progress", "finished_by", "recorded"), (name, "found nothing to do")
        await connection.execute("analyze")


async def test_plans_made_while_the_queue_was_used_up_stay_good(connect: Any) -> None:
    """Statistics of a queue that was full and is empty say there is nothing: no plan may rely on that.

    That is how autovacuum leaves every queue that is idle for a minute. A join whose order it decides then reads
    whole indexes for each batch.
    """
    connection: Db = await connect({**_ENGINE_SETTINGS, "plan_cache_mode": "force_generic_plan"})
    for command in (FILL, USE_UP, "vacuum (analyze, truncate off)"):
        await connection.execute(command)
    statements = hot_statements()
    for name, statement in statements.items():
        await statement.prepare(connection, load_queries("submits" if name == "submit" else "queue")[name])
        await statement.explain(connection)
    await connection.execute(PLACES)
    for name, statement in statements.items():
        found, pages = await statement.explain(connection)
        check(f"{name}, used up", found, most_rows=BATCH * 6)
        assert pages < BATCH * 60, (name, pages)


async def test_the_guard_sees_a_bad_plan(connect: Any) -> None:
    """What it guards against is found: one claim over several lanes by a sort of the whole backlog."""
    connection: Db = await connect(_ENGINE_SETTINGS)
    await connection.execute(FILL)
    bad = Statement("bad", [[1, 2], BATCH])
    await bad.prepare(
        connection,
        "select task_id from task_ready where lane = any($1::int[])"
        " order by priority desc, position limit $2 for update",
    )
    found, _pages = await bad.explain(connection)
    with pytest.raises(AssertionError):
        check("bad", found, most_rows=BATCH * 6)


async def test_first_pages_of_lists_touch_what_they_show(connect: Any) -> None:
    """Newest first by status: from an index, fifty rows of it, with the settings of the pool."""
    connection: Db = await connect(_POOL_SETTINGS)
    await connection.execute(FILL)
    await connection.execute("analyze")
    for name, args in LISTS.items():
        statement = Statement(name, args)
        await statement.prepare(connection, load_queries("tasks")[name])
        for _ in range(8):  # after five times PostgreSQL may settle on a generic plan
            found, pages = await statement.explain(connection)
        check(name, found, most_rows=BATCH * 3)
        assert pages < BATCH * 20, (name, pages)
