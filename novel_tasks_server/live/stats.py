"""How many tasks there are, told to those who ask, when that changes and not too often."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from novel_tasks_core import StorageError, TaskEngine
from novel_tasks_server.live.connection import Connection
from novel_tasks_server.live.frames import text_frame
from novel_tasks_server.live.looking import Looking
from novel_tasks_server.schemas.views import LaneView, StatisticsView, encode

EVERY_SECONDS = 2.0
"""How long after it was looked at the counts are looked at again."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class StatsBoard:
    """Shows the counts of an owner's tasks to the owner's sockets, those of all and the queues to admins."""

    def __init__(self, engine: TaskEngine) -> None:
        self._engine = engine
        self._sockets: dict[str | None, set[Connection]] = {}
        self._last: dict[str | None, bytes] = {}
        self._new: set[Connection] = set()
        self._wake = asyncio.Event()
        self._looking = Looking("live stats", self._look)

    def follow(self, socket: Connection) -> None:
        """Show a socket the counts, as soon as they are known and whenever they change."""
        self._sockets.setdefault(socket.principal.sees, set()).add(socket)
        self._new.add(socket)
        self._wake.set()
        self._looking.begin()

    def unfollow(self, socket: Connection) -> None:
        """Show it no more; without effect when it did not follow."""
        self._new.discard(socket)
        sees = socket.principal.sees
        followers = self._sockets.get(sees)
        if followers is None:
            return
        followers.discard(socket)
        if not followers:
            del self._sockets[sees]
            self._last.pop(sees, None)
        if not self._sockets:
            self._looking.end()

    async def close(self) -> None:
        """Look no more."""
        await self._looking.close()

    async def _look(self) -> None:
        while True:
            self._wake.clear()
            try:
                for sees in tuple(self._sockets):
                    self._show(sees, text_frame(await self._counts(sees)))
            except StorageError as exc:
                _log.info("stats_not_seen", error=type(exc).__name__)
            try:
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _counts(self, sees: str | None) -> bytes:
        counts = await self._engine.statistics(owner=sees)
        told: dict[str, Any] = {"type": "stats", "statistics": StatisticsView.of(counts)}
        if sees is None:
            told["queues"] = [LaneView.of(lane) for lane in await self._engine.queue_status()]
        return encode(told)

    def _show(self, sees: str | None, frame: bytes) -> None:
        followers = self._sockets.get(sees, set())
        is_news = self._last.get(sees) != frame
        for socket in followers if is_news else followers & self._new:
            socket.send_progress("stats", frame)
        self._new -= followers
        if followers:
            self._last[sees] = frame
