"""What operators ask of the database: where a task stands, and whether the server has room for all of us."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import TaskNotFoundError
from novel_tasks_core.models import TaskId
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.queries import load_queries

logger = logging.getLogger(__name__)

MAX_AHEAD = 10_001
"""Up to how many tasks ahead of another are counted: beyond, nobody cares how many."""

_LINKS = 8
"""The engine's connections beside the pool: claim, flush, submit twice, maintenance, ring, listen, heartbeat."""


class Standings:
    """Reads where single tasks stand."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("operating")

    async def of(self, task_id: TaskId) -> dict[str, Any]:
        """Return the columns of one task, all of it of one moment. Raises: TaskNotFoundError."""
        row = await self._database.fetchrow(self._sql["standing"], task_id, MAX_AHEAD)
        if row is None:
            raise TaskNotFoundError(task_id)
        return dict(row)


class CapacityWatch:
    """Sees whether the server allows the connections that all processes on this database may open together.

    Each is taken to have the settings of this one. `is_seen` says whether this process is connected so that the
    others see it. A warning is logged when they begin to be too many.
    """

    def __init__(self, database: Database, *, config: EngineConfig, is_seen: Callable[[], bool]) -> None:
        self._database = database
        self._is_seen = is_seen
        self._each = config.pool_size + config.pool_overflow + _LINKS
        self._sql = load_queries("operating")
        self._note = ""

    async def look(self) -> None:
        """Look once. Raises: DatabaseUnavailableError."""
        unseen = 0 if self._is_seen() else 1
        row = await self._database.fetchrow(self._sql["capacity"])
        assert row is not None
        processes = max(1, row["processes"] + unseen)
        wanted = processes * self._each
        before, self._note = self._note, ""
        if wanted <= row["usable"]:
            return
        self._note = (
            f"connections: {processes} processes may open {self._each} each, but the server allows {row['usable']}:"
            " raise max_connections, or lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW"
        )
        if self._note != before:
            logger.warning(
                "too_many_connections_possible",
                extra={"processes": processes, "each": self._each, "allowed": row["usable"]},
            )

    def notes(self) -> tuple[str, ...]:
        """Return in words what was wrong at the last look."""
        return (self._note,) if self._note else ()
