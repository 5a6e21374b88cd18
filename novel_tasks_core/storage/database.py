"""Connections to PostgreSQL: a pool for everybody, and links for the engine's hot paths.

Every wait is bounded three times: the driver's connect timeout, its command timeout, and an outer
asyncio timeout, because a driver call on a silent network may outlive its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from attrs import frozen

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import DatabaseUnavailableError, EngineClosedError
from novel_tasks_core.storage.faults import driver_errors
from novel_tasks_core.storage.lending import LentConnection, is_old, is_silent, mark_used

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]

MARGIN_SECONDS = 2.0
"""How much longer than the driver's own timeout the outer one waits."""

_GOODBYE_SECONDS = 1.0
"""How long a connection may take to say goodbye before it is cut."""

_SETTINGS = {"application_name": "novel-tasks", "jit": "off", "timezone": "UTC"}

_POOL_SETTINGS = {
    **_SETTINGS,
    # Lists take optional conditions: a plan for any of them would read and sort everything.
    "plan_cache_mode": "force_custom_plan",
}

_ENGINE_SETTINGS = {
    **_SETTINGS,
    # Every plan must fit a table that was empty when it was made and is full when it runs, and the other way round:
    # so one plan, made for nobody's parameters, that only follows indexes.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}


@frozen(kw_only=True)
class PoolStatus:
    """The pool of a process at one moment.

    `size` connections are open, `idle` of them are lent to nobody; there are never more than `limit`.
    `waiting` callers have asked for one and have none yet.
    """

    size: int
    idle: int
    limit: int
    waiting: int

    @property
    def in_use(self) -> int:
        """How many connections are lent."""
        return self.size - self.idle


class Database:
    """The pool: for reads and the rarer writes. Opened by `open`, closed once."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], *, url: str, config: EngineConfig) -> None:
        self._pool = pool
        self._url = url
        self._config = config
        self._closed = False
        self._waiting = 0
        self._returning: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, config: EngineConfig) -> AsyncIterator[Database]:
        """Connect, and close at the end, killing what does not close in time.

        Raises: DatabaseUnavailableError when no connection can be had within the connect timeout.
        """
        pool = asyncpg.create_pool(
            url,
            connection_class=LentConnection,
            min_size=0,
            max_size=config.pool_size + config.pool_overflow,
            max_inactive_connection_lifetime=min(300.0, config.pool_recycle_seconds),
            timeout=config.connect_timeout_seconds,
            command_timeout=config.command_timeout_seconds,
            server_settings=_POOL_SETTINGS,
        )
        with driver_errors():
            async with asyncio.timeout(config.connect_timeout_seconds + MARGIN_SECONDS):
                await pool
        database = cls(pool, url=url, config=config)
        try:
            await database.execute("select 1")
            yield database
        finally:
            await database._close()

    async def _close(self) -> None:
        self._closed = True
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._pool.close()
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._pool.terminate()

    @property
    def url(self) -> str:
        """Where the database is; it may carry a password."""
        return self._url

    def pool_status(self) -> PoolStatus:
        """Return how the pool is used now; asks nobody."""
        return PoolStatus(
            size=self._pool.get_size(),
            idle=self._pool.get_idle_size(),
            limit=self._pool.get_max_size(),
            waiting=self._waiting,
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; errors of the driver inside the block are translated. Raises: EngineClosedError."""
        if self._closed:
            raise EngineClosedError
        with driver_errors():
            connection = await self._acquire()
            try:
                yield connection
            except BaseException:
                # After a statement that was cut off this takes a while, and goes on if we are cancelled meanwhile.
                returning = asyncio.create_task(self._release(connection))
                self._returning.add(returning)
                returning.add_done_callback(self._returning.discard)
                await asyncio.shield(returning)
                raise
            await self._release(connection)

    async def _acquire(self) -> PoolConnectionProxy[asyncpg.Record]:
        """Take a connection that answers, one after the other of those that do not being replaced."""
        connect = self._config.connect_timeout_seconds
        self._waiting += 1
        try:
            async with asyncio.timeout(connect + MARGIN_SECONDS):
                connection = await self._pool.acquire(timeout=connect)
                while not await self._lendable(connection):
                    connection = await self._pool.acquire(timeout=connect)
        except TimeoutError as exc:
            raise DatabaseUnavailableError(f"no connection within {connect:g} s") from exc
        finally:
            self._waiting -= 1
        return connection

    async def _lendable(self, connection: PoolConnectionProxy[asyncpg.Record]) -> bool:
        """Say whether to lend this connection; one that is not lent, or not waited for any more, goes back, cut."""
        is_good = False
        try:
            if is_old(connection, self._config.pool_recycle_seconds):
                return False
            if await is_silent(connection):
                await self._pool.expire_connections()  # where one fell silent, its neighbours did too
                return False
            is_good = True
        finally:
            if not is_good:
                connection.terminate()  # which gives it back, too
        return is_good

    async def _release(self, connection: PoolConnectionProxy[asyncpg.Record]) -> None:
        try:
            mark_used(connection)
            await self._pool.release(connection, timeout=MARGIN_SECONDS)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
            logger.debug("connection_release_failed", extra={"reason": str(exc)})

    @asynccontextmanager
    async def transaction(self, *, within_seconds: float | None = None) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction: committed at the end of the block, rolled back by an error.

        The block takes `within_seconds` at most, by default twice the command timeout.
        """
        bound = asyncio.timeout(within_seconds or self._config.command_timeout_seconds * 2)
        async with self.connection() as connection, bound, connection.transaction():
            yield connection

    @asynccontextmanager
    async def snapshot(self, *, limit_seconds: float) -> AsyncIterator[Connection]:
        """Lend a connection inside a read-only transaction that sees one moment.

        The server ends each of its statements after `limit_seconds`.
        """
        bound = asyncio.timeout(self._config.command_timeout_seconds * 2)
        async with (
            self.connection() as connection,
            bound,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            limit = f"{limit_seconds * 1000:.0f}"
            await connection.execute("select set_config('statement_timeout', $1, true)", limit)
            yield connection

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Run one statement and return its rows."""
        async with self.connection() as connection, self._bound():
            return await connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        """Run one statement and return its first row, or None."""
        async with self.connection() as connection, self._bound():
            return await connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Run one statement and return the first column of its first row, or None."""
        async with self.connection() as connection, self._bound():
            return await connection.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        """Run one statement and return its command tag."""
        async with self.connection() as connection, self._bound():
            return await connection.execute(query, *args)

    def _bound(self) -> asyncio.Timeout:
        return asyncio.timeout(self._config.command_timeout_seconds + MARGIN_SECONDS)

    def link(self, name: str) -> Link:
        """Make a link named `name`, not yet connected."""
        return Link(self._url, name=name, config=self._config)


class Link:
    """One connection of the engine's own, made when first needed and again after it broke.

    Statements queue up behind each other. A call never tries twice: whether a statement whose answer
    was lost did commit is for the caller to find out. `greeting` is a statement, and its arguments, that
    each new connection begins with.
    """

    def __init__(
        self, url: str, *, name: str, config: EngineConfig, greeting: tuple[str, Sequence[Any]] | None = None
    ) -> None:
        self._url = url
        self._name = name
        self._config = config
        self._greeting = greeting
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._lock = asyncio.Lock()
        self._closed = False

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Run one statement. Raises: DatabaseUnavailableError, after which the next call connects anew."""
        await self._turn()
        try:
            with driver_errors():
                connection = await self.connected()
                async with asyncio.timeout(self._config.command_timeout_seconds + MARGIN_SECONDS):
                    return await connection.fetch(query, *args)
        except (DatabaseUnavailableError, asyncio.CancelledError):
            # A connection that failed or whose statement was cut off is in an unknown state.
            self.drop()
            raise
        finally:
            self._lock.release()

    async def _turn(self) -> None:
        """Take the lock, waiting for those who came before as long as one of them may take, however many they are."""
        if not self._lock.locked():
            await self._lock.acquire()
            return
        config = self._config
        patience = config.connect_timeout_seconds + config.command_timeout_seconds + 2 * MARGIN_SECONDS
        try:
            async with asyncio.timeout(patience):
                await self._lock.acquire()
        except TimeoutError as exc:
            raise DatabaseUnavailableError("those who came before still wait for an answer") from exc

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Run one statement and return the first column of its first row, or None."""
        rows = await self.fetch(query, *args)
        return rows[0][0] if rows else None

    async def connected(self) -> asyncpg.Connection[asyncpg.Record]:
        """Return the connection, made now if there is none. Errors are the driver's, or EngineClosedError."""
        if self._closed:
            raise EngineClosedError
        if self._connection is None or self._connection.is_closed():
            connect = self._config.connect_timeout_seconds
            async with asyncio.timeout(connect + MARGIN_SECONDS):
                self._connection = await asyncpg.connect(
                    self._url,
                    timeout=connect,
                    command_timeout=self._config.command_timeout_seconds,
                    server_settings={**_ENGINE_SETTINGS, "application_name": f"novel-tasks {self._name}"},
                )
                if self._greeting is not None:
                    query, args = self._greeting
                    await self._connection.fetch(query, *args)
        return self._connection

    @property
    def server_pid(self) -> int | None:
        """The id of the server's process for the connection; None while there is none."""
        return None if self._connection is None else self._connection.get_server_pid()

    def drop(self) -> None:
        """Cut the connection without a goodbye; the next call makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            connection.terminate()

    async def close(self) -> None:
        """Close for good, within a bound; safe to call twice."""
        self._closed = True
        await self.disconnect()

    async def disconnect(self) -> None:
        """Close the connection, within a bound; the next call makes a new one."""
        connection, self._connection = self._connection, None
        if connection is None or connection.is_closed():
            return
        with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=_GOODBYE_SECONDS)


async def in_own_transaction(connection: Any, query: str, args: Sequence[Any]) -> list[asyncpg.Record]:
    """Run one statement on a connection that a caller brought, inside the caller's transaction."""
    with driver_errors():
        rows: list[asyncpg.Record] = await connection.fetch(query, *args)
        return rows


@asynccontextmanager
async def nested_transaction(connection: Any) -> AsyncIterator[None]:
    """Open a transaction on a connection that a caller brought, a savepoint inside the caller's own if there is one."""
    with driver_errors():
        async with connection.transaction():
            yield
