"""What maintenance does to the tables: which job is due, counters."""

from __future__ import annotations

import logging
from datetime import datetime

from novel_tasks_core.errors import StorageError
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.flow import MAX_MINUTES
from novel_tasks_core.storage.queries import load_queries

logger = logging.getLogger(__name__)

_FOLDED = 20_000
"""Counter deltas that one statement folds."""

_KEPT_TIMES = 120
"""Of how many tasks of a lane the times are kept for each minute."""

_KEPT_MINUTES = MAX_MINUTES + 24 * 60
"""How long the minutes of the flow are kept: a day longer than anybody can ask for."""


class Housekeeping:
    """Statements of the maintenance jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("housekeeping")

    async def take(self, job: str, *, every_seconds: float) -> bool:
        """Take a job if it is due; of all processes one gets it, and the next turn is `every_seconds` away."""
        return await self._database.fetchval(self._sql["due"], job, every_seconds) is not None

    async def roll_up(self) -> None:
        """Fold the counter deltas, and note minute by minute what they say; sums stay the same at every moment."""
        while await self._database.fetchval(self._sql["roll_up"], _FOLDED, _KEPT_TIMES) == _FOLDED:
            pass

    async def forget_flow(self) -> None:
        """Remove what the queue did longer ago than anybody can ask for."""
        await self._database.execute(self._sql["forget_flow"], _KEPT_MINUTES)

    async def note_ranges(self) -> None:
        """Let lists find what is rare among new tasks too; later if a vacuum is under way, or if we may not."""
        try:
            async with self._database.transaction() as connection:
                await connection.execute(self._sql["be_brief"])
                await connection.execute(self._sql["note_ranges"])
        except StorageError as exc:
            logger.debug("ranges_not_noted", extra={"reason": str(exc)})

    async def remove_stray_checkpoints(self) -> None:
        """Remove checkpoints that nobody will go on from."""
        await self._database.execute(self._sql["stray_checkpoints"])

    async def unfinished(self, until: datetime | None) -> int:
        """Return how many tasks wait or run, without those that are scheduled for after `until`, if that is given."""
        return int(await self._database.fetchval(self._sql["unfinished"], until))

    async def hasten(self, until: datetime) -> None:
        """Make tasks that are scheduled up to `until` due now."""
        await self._database.execute(self._sql["hasten"], until)
