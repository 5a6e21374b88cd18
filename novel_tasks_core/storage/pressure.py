"""What weighs on the database from outside the engine: old transactions, and the dead rows that they keep.

Every claim has to step over rows that are dead but cannot be removed while somebody may still see them.
Every process looks, so that each can tell its observers; a warning is logged by one of them, once, and
once more when it is over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import asyncpg
from attrs import Factory, frozen

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.health import Condition, ConditionCode
from novel_tasks_core.models import JsonObject
from novel_tasks_core.observers import Observer
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.queries import load_queries

logger = logging.getLogger(__name__)

_HOLDERS = 5
_USUAL_DEAD_SHARE = 0.2
"""The share of a table's live rows that PostgreSQL lets die before it cleans up by itself."""


@frozen(kw_only=True)
class Holder:
    """Who keeps old rows: a session, standby, prepared transaction or slot.

    `seconds` is how long its transaction has been open, None where that is not known; `transactions` how
    many have begun since.
    """

    kind: str
    name: str
    pid: int | None
    state: str
    seconds: float | None
    transactions: int | None

    def __str__(self) -> str:
        pid = "" if self.pid is None else f" {self.pid}"
        age = f"{self.transactions} transactions" if self.seconds is None else f"{self.seconds:.0f} s"
        return f"{self.kind}{pid} {self.name!r} {self.state} for {age}"


@frozen(kw_only=True)
class DeadRows:
    """How many rows of a table are dead, and how many live."""

    dead: int
    live: int

    @property
    def unusual(self) -> int:
        """How many more are dead than the usual share of the live ones."""
        return max(0, self.dead - int(self.live * _USUAL_DEAD_SHARE))


@frozen(kw_only=True)
class Pressure:
    """What one look found; `holders` has the oldest first."""

    holders: tuple[Holder, ...] = ()
    tables: Mapping[str, DeadRows] = Factory(dict)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest transaction has been open; 0 without one."""
        return max((h.seconds or 0.0 for h in self.holders), default=0.0)

    def excesses(self, config: EngineConfig) -> Iterator[tuple[Condition, bool]]:
        """Yield each condition, and whether it is beyond what `config` allows."""
        allowed = config.oldest_transaction_warning_seconds
        by = "; ".join(map(str, self.holders)) or "nobody known"
        told = f"open for {self.oldest_seconds:.0f} s, held by {by}"
        values = {"seconds": round(self.oldest_seconds), "reason": by}
        yield _condition(ConditionCode.OLD_TRANSACTION, told, values), self.oldest_seconds > allowed
        over = [f"{t.dead} in {name}" for name, t in self.tables.items() if t.unusual > config.dead_rows_warning]
        told = f"{', '.join(over)}, held by {by}"
        yield _condition(ConditionCode.DEAD_ROWS, told, {"reason": told}), bool(over)


def _condition(name: ConditionCode, told: str, values: JsonObject) -> Condition:
    return Condition(code=name, text=f"{name}: {told}", values=values)


class PressureWatch:
    """Looks, and tells of it. `latest` is what was found last."""

    def __init__(self, database: Database, *, config: EngineConfig, observer: Observer) -> None:
        self.latest = Pressure()
        self._database = database
        self._config = config
        self._observer = observer
        self._sql = load_queries("pressure")

    async def look(self) -> Pressure:
        """Look once, tell the observers, and log what has begun or ended. Raises: DatabaseUnavailableError."""
        holders = await self._database.fetch(self._sql["holders"], _HOLDERS)
        tables = await self._database.fetch(self._sql["dead_rows"])
        self.latest = pressure = Pressure(
            holders=tuple(map(_holder, holders)),
            tables={row["name"]: DeadRows(dead=row["dead"], live=row["live"]) for row in tables},
        )
        dead = {name: table.dead for name, table in pressure.tables.items()}
        self._observer.database_pressure(oldest_transaction_seconds=pressure.oldest_seconds, dead_rows=dead)
        for condition, exceeded in pressure.excesses(self._config):
            await self._tell(condition, exceeded=exceeded)
        return pressure

    async def _tell(self, condition: Condition, *, exceeded: bool) -> None:
        name = condition.code
        statement = self._sql["begin_warning" if exceeded else "end_warning"]
        if await self._database.fetchval(statement, f"warned_{name}") is None:
            return  # nothing new, or another process tells it
        if exceeded:
            reason = condition.text.removeprefix(f"{name}: ")
            logger.warning("database_pressure", extra={"condition": name, "reason": reason})
        else:
            logger.info("database_pressure_over", extra={"condition": name})

    def notes(self) -> tuple[Condition, ...]:
        """Return what was beyond the allowed at the last look."""
        return tuple(condition for condition, exceeded in self.latest.excesses(self._config) if exceeded)


def _holder(row: asyncpg.Record) -> Holder:
    return Holder(**dict(row))
