"""What work costs the database: bytes of write-ahead log, and buffers looked at.

Both are counted by PostgreSQL itself and depend on neither the machine nor its load.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
from attrs import frozen

from benchmarks.harness.run import BenchmarkError
from benchmarks.harness.wire import project_statements
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.storage.database import Link

_EXTENSION = "create extension if not exists pg_walinspect"
# The slot keeps a checkpoint from removing what is to be counted; it goes with the connection.
_BEGIN = "select lsn from pg_create_physical_replication_slot($1, true, true)"
# Committed like any other write, so that everything before it is flushed too.
_FLUSH = "select pg_logical_emit_message(true, 'benchmarks', '')"
_POSITION = "select pg_current_wal_flush_lsn()"
# Full-page images depend on when the last checkpoint was; the rest of XLOG and Standby is housekeeping.
_LOGGED = """
select coalesce(sum(record_size), 0)::bigint
from pg_get_wal_stats($1::pg_lsn, pg_current_wal_flush_lsn(), true)
where "resource_manager/record_type" !~ '^(XLOG|Standby|LogicalMessage)/'
"""
_RECORDS = r"""
select xid::text::bigint as transaction, resource_manager || '/' || record_type as kind,
       coalesce(pg_filenode_relation(0, substring(block_ref from 'rel \d+/\d+/(\d+)')::oid)::text, '') as relation,
       count(*) as records, sum(record_length - fpi_length)::bigint as bytes
from pg_get_wal_records_info($1::pg_lsn, pg_current_wal_flush_lsn())
where resource_manager not in ('XLOG', 'Standby', 'LogicalMessage')
group by 1, 2, 3
"""
_TOUCHED = """
select coalesce(sum(pg_stat_get_xact_blocks_fetched(oid)), 0)::bigint
from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'i', 'S')
"""
_TABLES = "select format('alter table %s set (autovacuum_enabled = off)', oid::regclass) from pg_class " + (
    "where relnamespace = 'public'::regnamespace and relkind = 'r'"
)


async def still(url: str) -> None:
    """Keep autovacuum out of a database, so that counts are of our own doing only."""
    connection = await asyncpg.connect(url)
    try:
        for (command,) in await connection.fetch(_TABLES):
            await connection.execute(command)
    finally:
        await connection.close()


@frozen
class Records:
    """What one transaction logged in one way about one table or index; transaction 0 is none."""

    transaction: int
    kind: str
    relation: str
    records: int
    bytes: int


class Log:
    """Counts the write-ahead log of a server; nobody else may write there meanwhile. Made by `log_of`."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._began: Any = None

    async def begin(self) -> None:
        """Count from now on."""
        await self._connection.execute(_FLUSH)
        self._began = await self._connection.fetchval(_POSITION)

    async def count(self) -> int:
        """Return how many bytes were logged since `begin`, without full-page images."""
        await self._connection.execute(_FLUSH)
        return int(await self._connection.fetchval(_LOGGED, self._began))

    async def records(self) -> list[Records]:
        """Return what was logged since `begin`, without full-page images."""
        await self._connection.execute(_FLUSH)
        return [Records(**row) for row in await self._connection.fetch(_RECORDS, self._began)]


@asynccontextmanager
async def log_of(url: str) -> AsyncIterator[Log]:
    """Watch the log of a server for the length of the block.

    Raises: BenchmarkError where the server lacks the extension pg_walinspect.
    """
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "on"})
    try:
        try:
            await connection.execute(_EXTENSION)
        except asyncpg.FeatureNotSupportedError as exc:
            raise BenchmarkError("counting the log needs the extension pg_walinspect") from exc
        await connection.fetchval(_BEGIN, f"bench_{uuid4().hex}")
        log = Log(connection)
        await log.begin()
        yield log
    finally:
        await connection.close()


@frozen
class Touched:
    """A statement that ran: its name in the project, else its text; the rows it returned; the buffers it looked at."""

    statement: str
    rows: int
    buffers: int


class BufferLink(Link):
    """A link that counts the buffers which its statements look at: hits and reads, tables and indexes."""

    def __init__(self, url: str, *, config: EngineConfig) -> None:
        super().__init__(url, name="buffers", config=config)
        self.counted: list[Touched] = []
        self._names = project_statements()

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Run one statement in a transaction of its own and note what it touched."""
        async with self._lock:
            connection = await self.connected()
            async with connection.transaction():
                before = await connection.fetchval(_TOUCHED)  # counts since the last flush: between transactions
                rows = await connection.fetch(query, *args)
                touched = await connection.fetchval(_TOUCHED) - before
        self.counted.append(Touched(self._names.get(query, query), len(rows), touched))
        return rows
