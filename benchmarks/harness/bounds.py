"""The bounds: what the driver and the database allow when nothing else is done, measured beside us."""

from __future__ import annotations

import asyncio
import json
import time

import asyncpg

PAYLOAD = {"novel": "a-novel-of-some-length", "path": "/srv/novels/uploads/2025/novel-00001.txt", "bytes": 1234567}
"""What a no-op task carries: about a hundred bytes of JSON."""

RESULT = {"chapters": 61}
"""What a no-op task returns."""

_BATCH = 100
_SCHEMA = """
create table raw_tasks (
    id bigint generated always as identity primary key,
    status smallint not null default 0,
    priority smallint not null default 0,
    payload jsonb not null,
    result jsonb,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz
);
create index raw_tasks_pending on raw_tasks (priority, id) where status = 0
"""

CLAIM = """
with picked as (
    select id from raw_tasks where status = 0 order by priority, id limit $1 for update skip locked
)
update raw_tasks t set status = 1, started_at = now() from picked where t.id = picked.id returning t.id, t.payload
"""
"""Takes up to `$1` pending rows."""

_FINISH = """
update raw_tasks t set status = 2, finished_at = now(), result = d.result
from unnest($1::bigint[], $2::jsonb[]) as d(id, result) where t.id = d.id
"""
_INSERT = "insert into raw_tasks (payload) values ($1) returning id"
_INSERT_MANY = "insert into raw_tasks (payload) select * from unnest($1::jsonb[]) returning id"


async def create(url: str, *, tasks: int = 0) -> None:
    """Make the table of the bounds, with `tasks` pending rows."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_SCHEMA)
        await _copy(connection, tasks=tasks)
    finally:
        await connection.close()


async def _copy(connection: asyncpg.Connection[asyncpg.Record], *, tasks: int) -> None:
    payload = json.dumps(PAYLOAD)
    await connection.copy_records_to_table("raw_tasks", records=((payload,) for _ in range(tasks)), columns=["payload"])


async def copy(url: str, *, tasks: int) -> float:
    """Store rows by one COPY; return rows a second."""
    connection = await asyncpg.connect(url)
    try:
        began = time.perf_counter()
        await _copy(connection, tasks=tasks)
        return tasks / (time.perf_counter() - began)
    finally:
        await connection.close()


async def drain(url: str, *, tasks: int) -> float:
    """Claim and finish all rows on one connection, a hundred at a time; return rows a second."""
    connection = await asyncpg.connect(url)
    try:
        result, done = json.dumps(RESULT), 0
        began = time.perf_counter()
        while rows := await connection.fetch(CLAIM, _BATCH):
            await connection.execute(_FINISH, [row["id"] for row in rows], [result] * len(rows))
            done += len(rows)
        seconds = time.perf_counter() - began
        assert done == tasks, f"{done} of {tasks} rows were drained"
        return tasks / seconds
    finally:
        await connection.close()


async def insert_singly(url: str, *, tasks: int, connections: int) -> float:
    """Insert row by row over many connections at once, a transaction each; return rows a second."""
    payload, left = json.dumps(PAYLOAD), iter(range(tasks))

    async with asyncpg.create_pool(url, min_size=connections, max_size=connections) as pool:

        async def insert_some() -> None:
            async with pool.acquire() as connection:
                for _ in left:
                    await connection.fetchval(_INSERT, payload)

        began = time.perf_counter()
        await asyncio.gather(*(insert_some() for _ in range(connections)))
        return tasks / (time.perf_counter() - began)


async def insert_many(url: str, *, tasks: int) -> float:
    """Insert a hundred rows a statement on one connection; return rows a second."""
    connection = await asyncpg.connect(url)
    try:
        payloads = [json.dumps(PAYLOAD)] * _BATCH
        began = time.perf_counter()
        for _ in range(tasks // _BATCH):
            await connection.fetch(_INSERT_MANY, payloads)
        return tasks // _BATCH * _BATCH / (time.perf_counter() - began)
    finally:
        await connection.close()
