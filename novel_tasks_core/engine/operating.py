"""What operators ask of connections and of a database: a part of `TaskEngine`."""

from __future__ import annotations

import asyncio

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.engine.checks import require_whole
from novel_tasks_core.engine.parts import EngineParts, open_database
from novel_tasks_core.errors import NovelTasksError
from novel_tasks_core.health import Condition, ConditionCode, Health
from novel_tasks_core.storage.database import PoolStatus
from novel_tasks_core.storage.flow import MAX_MINUTES, QueueHistory
from novel_tasks_core.storage.operating import DatabaseFacts, StorageSizes, connections_of, examine, measure
from novel_tasks_core.storage.room import LITTLE_ROOM_BYTES

_HEALTH_SECONDS = 3.0


class Operating:
    """The methods of `TaskEngine` for those who look after it."""

    _parts: EngineParts

    async def health(self, *, room_bytes: int = LITTLE_ROOM_BYTES) -> Health:
        """Say within seconds whether the engine can do its work; never raises.

        It is noted when less than `room_bytes` are free on the disk of the files, or of a private database.
        """
        wrong = list(self._parts.failures())
        database = storage = True
        room: tuple[Condition, ...] = ()
        try:
            async with asyncio.timeout(_HEALTH_SECONDS):
                await self._parts.database.execute("select 1")
                await self._parts.capacity.look_again()
            self._parts.schema.require()
        except (NovelTasksError, TimeoutError) as exc:
            database = False
            told = str(exc) or f"database unavailable: no answer within {_HEALTH_SECONDS:g} s"
            wrong.append(Condition(code=ConditionCode.DATABASE_UNAVAILABLE, text=told, values={"reason": told}))
        try:
            await self._parts.files.check()
            room = await self._parts.room.look(enough_bytes=room_bytes)
        except NovelTasksError as exc:
            storage = False
            wrong.append(Condition(code=ConditionCode.STORAGE_UNAVAILABLE, text=str(exc), values={"reason": str(exc)}))
        return Health(database=database, storage=storage, wrong=tuple(wrong), noted=(*self._parts.notes(), *room))

    def pool_status(self) -> PoolStatus:
        """Return how this process's pool of connections is used now; asks nobody."""
        return self._parts.database.pool_status()

    async def history(self, *, minutes: int = 60, processor: str | None = None) -> QueueHistory:
        """Return what the queue of a processor, or all queues, did in the last `minutes` (1..10,080).

        In at most 121 steps of whole minutes, those without any task among them. It costs the same however many tasks
        there were. What happened is in it within a moment of its commit, wherever it happened.

        Raises: InvalidInputError, InvalidFilterError.
        """
        require_whole("minutes", minutes, low=1, high=MAX_MINUTES)
        return await self._parts.flow.history(minutes=minutes, processor=processor)

    @staticmethod
    def connections_of(config: EngineConfig) -> int:
        """Return how many connections a process with these settings may open, its pool and all else."""
        return connections_of(config)

    @staticmethod
    async def examine(config: EngineConfig) -> DatabaseFacts:
        """Look at the config's database, whatever its schema, and change nothing; a private one is started for it.

        Raises: DatabaseUnavailableError, EmbeddedServerError, SchemaError for a schema that is newer than this
        program or was changed by hand.
        """
        async with open_database(config) as database:
            return await examine(database)

    async def database_facts(self) -> DatabaseFacts:
        """Look at this engine's database, as `examine` does. Raises: DatabaseUnavailableError, SchemaError."""
        return await examine(self._parts.database)

    async def storage_sizes(self) -> StorageSizes:
        """Return how much is stored, within a second or so. Raises: DatabaseUnavailableError."""
        return await measure(self._parts.database)
