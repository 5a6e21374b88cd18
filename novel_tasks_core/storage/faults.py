"""Driver errors become ours here, once, by SQLSTATE and type; the rest of the code never sees asyncpg's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from novel_tasks_core.errors import (
    DatabaseUnavailableError,
    InvalidInputError,
    NovelTasksError,
    SchemaError,
    StorageError,
)

_UNAVAILABLE = (
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.InterfaceError,  # the connection was closed under us
    asyncpg.InternalClientError,  # it is in a state that the driver does not know
    asyncpg.CannotConnectNowError,  # starting up, or in recovery
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, during a failover
    asyncpg.exceptions.TargetServerAttributeNotMatched,
    OSError,
    TimeoutError,
)
_TRANSIENT = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InvalidCachedStatementError,  # a migration changed what a prepared statement returns: it is forgotten now
    asyncpg.OutdatedSchemaCacheError,
)
_BAD_VALUE = (
    asyncpg.DataError,  # class 22 and values that the driver cannot encode
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,  # class 54: too deeply nested, too large
)
_NO_SCHEMA = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.UndefinedFunctionError)


class RowLockedError(DatabaseUnavailableError):
    """Somebody else holds a row for longer than the transaction waits: what concerns other rows would go through."""


@contextmanager
def driver_errors() -> Iterator[None]:
    """Translate what the driver raises inside the block; our own errors and cancellation pass.

    An error that comes while a cancellation is on its way out, as of a rollback on a connection that broke, does
    not take its place: who caught it would go on for ever, and whoever cancelled would wait for that.

    Raises: DatabaseUnavailableError when trying again may help, SchemaError when tables are missing,
    InvalidInputError for a value that the database refuses, StorageError for everything else that it says.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        yield
    except Exception as exc:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError from exc
        ours = _translated(exc)
        if ours is None:
            raise
        raise ours from exc


def _translated(exc: Exception) -> NovelTasksError | None:
    """Return what to raise for an error of the driver, None for any other."""
    match exc:
        case NovelTasksError():
            return None
        case asyncpg.LockNotAvailableError():
            return RowLockedError(_reason(exc))
        case _ if isinstance(exc, _UNAVAILABLE + _TRANSIENT):
            return DatabaseUnavailableError(_reason(exc))
        case _ if isinstance(exc, _NO_SCHEMA):
            return SchemaError(f"the schema does not fit ({_reason(exc)}): run `novel-tasks migrate`")
        case _ if isinstance(exc, _BAD_VALUE):
            field = getattr(exc, "column_name", None) or getattr(exc, "constraint_name", None) or "value"
            return InvalidInputError(field, f"refused by the database: {_reason(exc)}")
        case asyncpg.PostgresError():
            return StorageError(f"the database failed: {_reason(exc)}")
        case _:
            return None


def _reason(exc: BaseException) -> str:
    return str(exc).strip().split("\n")[0] or type(exc).__name__
