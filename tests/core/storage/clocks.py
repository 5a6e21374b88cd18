"""A clock of the database that a test can turn: a `now()` of our own, found before PostgreSQL's."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import asyncpg

TURN = "update turned.clock set shift = shift + $1 * interval '1 second'"

_INSTALL = """
drop schema if exists turned cascade;
create schema turned;
create table turned.clock (shift interval not null);
insert into turned.clock values ('0');
create function turned.now() returns timestamptz language sql stable
    as 'select pg_catalog.now() + (select shift from turned.clock)';
"""


async def install_clock(url: str) -> None:
    """Put the clock into a database, for connections that are made from now on."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_INSTALL)
        name = urlsplit(url).path.removeprefix("/")
        await connection.execute(f'alter database "{name}" set search_path = turned, pg_catalog, public')
    finally:
        await connection.close(timeout=60)


class TurnedClock:
    """The same for Python: the time of this machine, and as much as it was turned."""

    def __init__(self) -> None:
        self._shift = 0.0
        self._passed = 0.0

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC) + timedelta(seconds=self._shift)

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic() + self._passed

    def jump(self, seconds: float) -> None:
        """Turn the time of day alone, as a correction does."""
        self._shift += seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._shift += seconds
        self._passed += seconds
