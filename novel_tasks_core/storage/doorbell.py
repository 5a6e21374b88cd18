"""The doorbell: tells other processes that there is something to look at. Nothing depends on it.

One channel for all, one listening connection a process, and at most a hundred rings a second, outside
every other transaction: a NOTIFY inside a submit would hold a lock of the whole server through its
commit. What is lost only delays, because everybody also polls.

A ring is JSON: `r` lists ready tasks as [lane, priority, lowest position], `t` tasks that have news
("*" for too many to name), `w` workers that should look at their flags, `l` that lanes were paused or
resumed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import asyncpg

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import DatabaseUnavailableError
from novel_tasks_core.models import TaskId, WorkerId
from novel_tasks_core.observers import Observer
from novel_tasks_core.storage.database import MARGIN_SECONDS, Link
from novel_tasks_core.storage.faults import driver_errors
from novel_tasks_core.storage.queue import Head

logger = logging.getLogger(__name__)

CHANNEL = "novel_tasks"
_INTERVAL_SECONDS = 0.01
_AGAIN_SECONDS = 0.5
"""How long after a ring that failed the next one is tried."""
_MAX_TASKS = 120  # 35 bytes each, places up to 40, workers up to 20: a payload may have 7,999 bytes
_MAX_HEADS = 60
_CHECK_SECONDS = 5.0
_MAX_BACKOFF_SECONDS = 5.0
_LAST_RING_SECONDS = 1.0


class Ring:
    """What one ring says; empty is nothing to say. `tasks` None means too many to name."""

    def __init__(self) -> None:
        self.heads: dict[tuple[int, int], int] = {}
        self.tasks: set[TaskId] | None = set()
        self.workers: set[WorkerId] = set()
        self.lanes = False

    def add_heads(self, heads: Iterable[Head]) -> None:
        """Add ready tasks; of each (lane, priority) only the lowest position is kept."""
        for head in heads:
            place = (head.lane, head.priority)
            self.heads[place] = min(head.position, self.heads.get(place, head.position))

    def add_tasks(self, task_ids: Iterable[TaskId]) -> None:
        """Add tasks that have news."""
        if self.tasks is not None:
            self.tasks.update(task_ids)
            if len(self.tasks) > _MAX_TASKS:
                self.tasks = None

    def add(self, other: Ring) -> None:
        """Add all that another ring says."""
        self.add_heads(Head(*place, position) for place, position in other.heads.items())
        if other.tasks is None:
            self.tasks = None
        else:
            self.add_tasks(other.tasks)
        self.workers |= other.workers
        self.lanes |= other.lanes

    def __bool__(self) -> bool:
        return bool(self.heads or self.tasks is None or self.tasks or self.workers or self.lanes)

    def encode(self) -> str:
        """Write the payload. Ready places beyond the limit are left to the polls."""
        ready = [[lane, priority, position] for (lane, priority), position in self.heads.items()]
        said: dict[str, Any] = {
            "r": ready[:_MAX_HEADS],
            "t": "*" if self.tasks is None else [t.hex for t in self.tasks],
            "w": sorted(self.workers)[:_MAX_HEADS],
            "l": self.lanes,
        }
        return json.dumps({k: v for k, v in said.items() if v}, separators=(",", ":"))

    @classmethod
    def decode(cls, payload: str) -> Ring:
        """Read a payload; one that makes no sense says everything, so that everybody looks."""
        ring = cls()
        try:
            said = json.loads(payload)
            ring.add_heads(Head(*map(int, place)) for place in said.get("r", ()))
            tasks = said.get("t", ())
            ring.tasks = None if tasks == "*" else {TaskId(UUID(hex=t)) for t in tasks}
            ring.workers = {WorkerId(int(w)) for w in said.get("w", ())}
            ring.lanes = bool(said.get("l"))
        except (ValueError, TypeError, AttributeError):
            return cls.everything()
        return ring

    @classmethod
    def everything(cls) -> Ring:
        """Return the ring after which everybody looks at everything."""
        ring = cls()
        ring.tasks = None
        ring.lanes = True
        return ring


class Doorbell:
    """Rings for other processes, and hears them. `on_ring` is called on the event loop for every ring heard.

    `heard` is whether rings reach us now, `lost` whether they do not although we have tried.
    """

    def __init__(
        self,
        *,
        rings: Link,
        url: str,
        config: EngineConfig,
        on_ring: Callable[[Ring], None],
        observer: Observer,
    ) -> None:
        self.heard = False
        self.lost = False
        self._observer = observer
        self._command_seconds = config.command_timeout_seconds
        self._link = rings
        self._listening = Link(url, name="listen", config=config)
        self._on_ring = on_ring
        self._next = Ring()
        self._pressed = asyncio.Event()
        self._broken = asyncio.Event()
        self._own_pid = 0

    @property
    def listener(self) -> int | None:
        """The process id, on the server, of the connection that listens; None while none does."""
        return self._listening.server_pid if self.heard else None

    def press(self) -> Ring:
        """Return the ring that goes out next, to be added to; it leaves within 10 ms."""
        self._pressed.set()
        return self._next

    async def ring(self) -> None:
        """Send what was pressed, at most a hundred times a second, for ever."""
        while True:
            await self._pressed.wait()
            self._pressed.clear()
            ring, self._next = self._next, Ring()
            rung = not ring or await self._send(ring)
            if not rung:
                self.press().add(ring)  # it goes with what comes meanwhile
            await asyncio.sleep(_INTERVAL_SECONDS if rung else _AGAIN_SECONDS)

    async def _send(self, ring: Ring) -> bool:
        try:
            connection = await self._connected()
            self._own_pid = connection.get_server_pid()
            await self._link.fetch("select pg_notify($1, $2)", CHANNEL, ring.encode())
        except DatabaseUnavailableError as exc:
            logger.warning("doorbell_not_rung", extra={"reason": exc.reason})
            return False
        return True

    async def _connected(self) -> asyncpg.Connection[asyncpg.Record]:
        with driver_errors():
            return await self._link.connected()

    async def listen(self) -> None:
        """Hear rings for ever; a connection that went silent or broke is replaced with growing patience."""
        delay = 0.1
        while True:
            try:
                with driver_errors():
                    await self._listen_once()
                delay = 0.1
            except DatabaseUnavailableError as exc:
                logger.warning("doorbell_not_heard", extra={"reason": exc.reason})
            finally:
                self.lost = True
                self._set_heard(False)
                await self._listening.disconnect()
            await asyncio.sleep(delay)
            delay = min(delay * 2, _MAX_BACKOFF_SECONDS)

    async def _listen_once(self) -> None:
        connection = await self._listening.connected()
        self._broken.clear()
        connection.add_termination_listener(lambda _: self._broken.set())
        async with asyncio.timeout(self._command_seconds + MARGIN_SECONDS):
            await connection.add_listener(CHANNEL, self._hear)
        self.lost = False
        self._set_heard(True)
        # Whatever rang while nobody listened is made up for by looking at everything once.
        self._on_ring(Ring.everything())
        while not await self._broke_within(_CHECK_SECONDS):
            # A half-open connection stays silent for ever: only an answer proves that it lives.
            channels = await self._listening.fetch("select pg_listening_channels()")
            if not any(row[0] == CHANNEL for row in channels):
                raise DatabaseUnavailableError("the connection no longer listens")

    async def _broke_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._broken.wait()
        except TimeoutError:
            return False
        return True

    def _set_heard(self, heard: bool) -> None:
        if heard != self.heard:
            self.heard = heard
            self._observer.doorbell_changed(heard=heard)

    def _hear(self, _connection: object, pid: int, _channel: str, payload: object) -> None:
        if pid != self._own_pid:
            self._on_ring(Ring.decode(str(payload)))

    async def close(self) -> None:
        """Send a last ring if one is pressed, unless that takes long, and close the listening connection."""
        if self._next:
            ring, self._next = self._next, Ring()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_RING_SECONDS):
                    await self._send(ring)
        await self._listening.close()
