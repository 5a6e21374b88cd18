"""Driver errors become ours once, by SQLSTATE and type."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from novel_tasks_core.errors import (
    DatabaseUnavailableError,
    InvalidInputError,
    NovelTasksError,
    SchemaError,
    StorageError,
    TaskNotFoundError,
)
from novel_tasks_core.models import new_task_id
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.faults import driver_errors

SPOKEN: list[tuple[str, type[NovelTasksError]]] = [
    ("select * from nothing_like_it", SchemaError),
    ("select nothing_like_it()", SchemaError),
    ("select no_such_column from tasks", SchemaError),
    ("select repeat('[', 100000)::json", InvalidInputError),
    ("select E'\\\\u0000'::text::json ->> 0, '\"\\u0000\"'::jsonb", InvalidInputError),
    ("insert into lanes (processor) values ('')", InvalidInputError),
    ("insert into lanes (processor) values (null)", InvalidInputError),
    ("select 1 / 0", InvalidInputError),
    ("set transaction read only; create table x ()", DatabaseUnavailableError),
    ("select pg_terminate_backend(pg_backend_pid())", DatabaseUnavailableError),
    ("select pg_read_file('/no/such/file')", StorageError),
    ("this is not SQL", StorageError),
]


async def test_what_the_server_says_is_translated(database: Database) -> None:
    """None of the driver's errors comes through, whatever happens; the pool goes on afterwards."""
    for query, expected in SPOKEN:
        with pytest.raises(expected) as caught:
            await database.execute(query)
        assert type(caught.value) is expected, query
        assert isinstance(caught.value.__cause__, Exception)
        assert await database.fetchval("select 1") == 1


async def test_a_refused_value_names_what_refused_it(database: Database) -> None:
    """By column or constraint, not by parsing a message."""
    with pytest.raises(InvalidInputError) as caught:
        await database.execute("insert into lanes (processor) values (null)")
    assert caught.value.field == "processor"
    with pytest.raises(InvalidInputError) as caught:
        await database.execute("insert into lanes (processor) values ('')")
    assert caught.value.field == "lanes_processor_check"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (lambda: OSError("no route"), DatabaseUnavailableError),
        (lambda: TimeoutError(), DatabaseUnavailableError),
        (lambda: asyncpg.DeadlockDetectedError("x"), DatabaseUnavailableError),
        (lambda: asyncpg.InterfaceError("closed"), DatabaseUnavailableError),
        (lambda: asyncpg.CannotConnectNowError("starting up"), DatabaseUnavailableError),
        (lambda: asyncpg.InternalClientError("odd"), DatabaseUnavailableError),
        (lambda: asyncpg.DataCorruptedError("bad page"), StorageError),
    ],
)
async def test_what_the_driver_raises_is_translated(raised: Callable[[], Exception], expected: type[Exception]) -> None:
    """Those that trying again may mend are told apart from the others."""
    with pytest.raises(expected) as caught, driver_errors():
        raise raised()
    assert type(caught.value) is expected


async def test_our_own_errors_and_cancellation_pass() -> None:
    """They are not the driver's business."""
    with pytest.raises(TaskNotFoundError), driver_errors():
        raise TaskNotFoundError(new_task_id())
    with pytest.raises(asyncio.CancelledError), driver_errors():
        raise asyncio.CancelledError


async def test_a_lent_connection_comes_back_as_it_was(database: Database) -> None:
    """Nothing is reset when it is given back, for what a borrower sets goes with its transaction."""
    before = await database.fetchval("show statement_timeout")
    async with database.snapshot(limit_seconds=1.5) as connection:
        lent = await connection.fetchval("select pg_backend_pid()")
        assert await connection.fetchval("show statement_timeout") == "1500ms"

    assert await database.fetchval("select pg_backend_pid()") == lent
    assert await database.fetchval("show statement_timeout") == before


async def test_an_error_does_not_take_the_place_of_a_cancellation() -> None:
    """What fails on the way out of a cancelled block is not what the block ended with; what failed before it is."""
    waits = asyncio.Event()

    async def fail_on_the_way_out() -> None:
        with driver_errors():
            try:
                waits.set()
                await asyncio.Event().wait()
            finally:
                raise asyncpg.ConnectionDoesNotExistError("closed in the middle")

    async def fail_afterwards() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            with driver_errors():
                raise asyncpg.ConnectionDoesNotExistError("closed before") from None

    lost, clean_up = asyncio.create_task(fail_on_the_way_out()), asyncio.create_task(fail_afterwards())
    await waits.wait()
    await asyncio.sleep(0)
    lost.cancel()
    clean_up.cancel()
    await asyncio.wait({lost, clean_up})
    assert lost.cancelled()
    assert isinstance(clean_up.exception(), DatabaseUnavailableError)


async def test_a_timeout_stays_one() -> None:
    """A wait that ends itself in time is told as a database that does not answer; an outer timeout is the caller's."""

    async def fail_on_the_way_out() -> None:
        with driver_errors():
            try:
                await asyncio.Event().wait()
            finally:
                raise asyncpg.ConnectionDoesNotExistError("closed in the middle")

    with pytest.raises(DatabaseUnavailableError), driver_errors():
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await fail_on_the_way_out()
