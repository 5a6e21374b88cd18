"""A connection of the pool, and whether it can still be lent: not too old, and not silent since it was last used."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import asyncpg
from attrs import define

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Lent = PoolConnectionProxy[asyncpg.Record]

logger = logging.getLogger(__name__)

CHECK_AFTER_SECONDS = 10.0
"""A connection that nobody used for so long is asked for an answer before it is lent."""

_ANSWER_SECONDS = 3.0


@define
class _Life:
    born: float
    used: float


class LentConnection(asyncpg.Connection):
    """Knows its age. Nothing to reset: whoever borrows it changes settings inside transactions only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.life = _Life(_now(), _now())

    def get_reset_query(self) -> str:
        """Return the statement sent each time it is given back: none."""
        return ""


def _now() -> float:
    return asyncio.get_running_loop().time()


def mark_used(connection: Lent) -> None:
    """Note that a connection was in use up to now."""
    if (life := _life(connection)) is not None:
        life.used = _now()


def _life(connection: Lent) -> _Life | None:
    """Return what is known of a connection; None of one that broke while it was lent."""
    return getattr(connection, "life", None)


def is_old(connection: Lent, seconds: float) -> bool:
    """Say whether a connection was made longer ago than that."""
    life = _life(connection)
    return life is None or _now() - life.born > seconds


async def is_silent(connection: Lent) -> bool:
    """Say whether a connection that nobody used for a while gives no answer any more.

    One in use all the time is not asked: whoever uses it notices.
    """
    life = _life(connection)
    if life is not None and _now() - life.used <= CHECK_AFTER_SECONDS:
        return False
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await connection.execute("select 1")
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
        logger.warning("connection_silent", extra={"reason": type(exc).__name__})
        return True
    return False
