"""Two databases of a million tasks, made fast and with everything in its place: a backlog, and a history.

Tasks are numbered; the nth is made in the nth second. Whatever is rare in one of them stands far apart there: three
tasks of the lane `rare`, three of the owner `few`, five failed, five cancelled. In the backlog the oldest thousand
and few others are completed; in the history five are not, of which three run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from novel_tasks_core.models import TaskId

from ..core.support import Db

TASKS = 1_000_000
BATCH = 50
_FIRST_MS = 1_760_000_000_000

DRAINED = 1000
LEASED, READY, FINAL = DRAINED + 1, DRAINED + 102, 999_995
"""Numbers of tasks of the backlog that stand in these places; `BATCH` tasks from `LEASED` on have leases."""


def made_at(n: int) -> datetime:
    """Return when the nth task was made."""
    return datetime.fromtimestamp(_FIRST_MS // 1000, UTC) + timedelta(seconds=n)


def task(n: int) -> TaskId:
    """Return the id of the nth task."""
    return TaskId(UUID(f"{_FIRST_MS + n * 1000:012x}70008000{n:012x}"))


_STATUS = f"""case when n in (99, 300003, 600003, 800003, {FINAL}) then 'failed'
                   when n in (199, 300014, 600014, 800014, 999996) then 'cancelled'
                   when n in (299, 300025, 600025, 800025, 999997) then {{rare}} else {{common}} end"""

_TASKS = """
insert into tasks (id, lane, owner, priority, source_sha256, source_size, source_name, status, attempt, finished_worker,
                   started_at, finished_at, created_at, last_seq)
select id, lane, owner, n % 3, case when name is not null then sha256('x') end, case when name is not null then 1 end,
       name, status, (status <> 'pending')::int, 1, at,
       case when status <> 'pending' then at + interval '1 second' end, at, 2
from (
    select n, (lpad(to_hex({first_ms} + n * 1000), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid as id,
           case when n in (107, 400001, 900001) then 3 when n % 3 = 0 then 2 else 1 end as lane,
           case when n in (108, 400002, 900002) then 'few' when n % 10 = 0 then '' when n % 1000 = 1 then 'thousand'
                else 'big' end as owner,
           case when n in (112, 500001) then 'unique.txt' when n % 4 = 0 then 'chapter-' || n || '.txt' end as name,
           to_timestamp({first_ms} / 1000 + n) as at, {status} as status
    from generate_series($1::int, $2::int) n
) g
"""

_PLACES = f"""
with waiting as materialized (
    select ('x' || right(id::text, 12))::bit(48)::bigint as n, id, lane, priority from tasks
    where status = 'pending' and id >= $1 and id < $2
),
leased as (
    insert into task_leases (task_id, worker_id, attempt, lane, position, started_at, deadline)
    select id, 1, 1, lane, 0, now(), now() + interval '1 hour' from waiting where n <= $3
),
scheduled as (
    insert into task_schedule (run_at, task_id)
    select now() + (n - {DRAINED}) * interval '1 second' - interval '10 minutes', id from waiting
    where n > $3 and n % 10 = 0
)
insert into task_ready (lane, priority, task_id)
select lane, priority, id from waiting where n > $3 and n % 10 <> 0 order by id
"""

_COUNTS = """
insert into task_counts (owner, lane, status, tasks, duration_ms)
select owner, lane, status, count(*), 1000 * count(*) filter (where status = 'completed') from tasks group by 1, 2, 3
"""

_EVENTS = """
insert into task_events (task_id, seq, at, attempt, kind, data)
select id, seq, created_at, 1, 'log', '{"level": "info", "message": "m"}'
from (select id, created_at from tasks order by id limit $1) t, generate_series(1, 2) seq
"""


async def prepare(db: Db) -> None:
    """Make an empty database ready: three lanes, a file, and nothing that looks at the tables on its own."""
    await db.execute("insert into lanes (processor) values ('main'), ('second'), ('rare')")
    await db.execute("insert into files (sha256, size) values (sha256('x'), 1)")
    await db.execute("insert into workers (name, host, pid, version, slots) values ('w', 'h', 1, '1', 8)")
    for table in ("tasks", "task_ready", "task_schedule", "task_leases", "task_events", "task_counts"):
        await db.execute(f"alter table {table} set (autovacuum_enabled = off)")


async def add_waiting(db: Db, first: int, last: int) -> None:
    """Add tasks that wait, but for the few that do not, from the number `DRAINED` on."""
    await _add(db, first, last, common="pending", rare="completed", leased=DRAINED + BATCH)


async def add_finished(db: Db, first: int, last: int) -> None:
    """Add tasks that are completed, but for the few that are not."""
    await _add(db, first, last, common="completed", rare="pending", leased=600_025)


async def add_drained(db: Db) -> None:
    """Add the oldest thousand tasks, which are over, as a queue has them that was drained."""
    await _add(db, 1, DRAINED, common="completed", rare="completed", leased=0)


async def _add(db: Db, first: int, last: int, *, common: str, rare: str, leased: int) -> None:
    async with db.transaction():
        await db.execute("set local session_replication_role = replica")  # the one file is there: no need to look it up
        status = _STATUS.format(common=f"'{common}'", rare=f"'{rare}'")
        await db.execute(_TASKS.format(first_ms=_FIRST_MS, status=status), first, last)
        await db.execute(_PLACES, task(first), task(last + 1), leased)


async def complete(db: Db) -> None:
    """Count what was added, give the oldest tasks a history, and let the server know its tables."""
    await db.execute(_EVENTS, 100_000)
    await db.execute(_COUNTS)
    await db.execute("select brin_summarize_new_values('tasks_ranges')")
    await db.execute("analyze")
