"""Loads a database with finished tasks, faster than they could be run."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from benchmarks.harness.run import BenchmarkError

_BATCH = 500_000
_ONE = "select id from tasks where status = 'completed' order by id desc limit 1"
# Ids as the engine makes them: 48 bits of milliseconds, then chance.
_COPIES = """
select format(
    'insert into %1$I (%4$s) select %2$s from %1$I one
     cross join generate_series($2::bigint, $3::bigint) n where %3$I = $1',
    table_name,
    string_agg(
        case when is_key then '(lpad(to_hex(n), 12, ''0'') || ''7'' || substr(md5(n::text), 1, 19))::uuid'
             else format('one.%I', column_name) end,
        ', ' order by ordinal_position
    ),
    min(column_name) filter (where is_key),
    string_agg(format('%I', column_name), ', ' order by ordinal_position)
)
from information_schema.columns
join information_schema.tables using (table_schema, table_name)
cross join lateral (
    select column_name = 'task_id' or (table_name = 'tasks' and column_name = 'id') as is_key
)
where table_schema = 'public' and table_type = 'BASE TABLE' and is_generated = 'NEVER'
group by table_name having bool_or(is_key)
"""
_COUNTS = """
insert into task_counts (owner, lane, status, tasks, duration_ms)
select owner, lane, status, $2 * sum(tasks), $2 * sum(duration_ms) from task_counts
where status = 'completed' and lane = (select lane from tasks where id = $1) group by owner, lane, status
"""


async def multiply(url: str, *, tasks: int) -> None:
    """Add `tasks` copies of the newest completed task, with all rows that it has, under ids before its own.

    The counters must count that task alone. Raises: BenchmarkError when no task is completed.
    """
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "off", "jit": "off"})
    try:
        one: UUID | None = await connection.fetchval(_ONE)
        if one is None:
            raise BenchmarkError("there is no completed task to copy")
        end = int(one.hex[:12], 16)
        copies = [command for (command,) in await connection.fetch(_COPIES)]
        for begin in range(end - tasks, end, _BATCH):
            for command in copies:
                await connection.execute(command, one, begin, min(begin + _BATCH, end) - 1)
        await connection.execute(_COUNTS, one, tasks)
    finally:
        await connection.close()


async def size_of(url: str) -> int:
    """Return the bytes that a database takes on disk."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("select pg_database_size(current_database())"))
    finally:
        await connection.close()
