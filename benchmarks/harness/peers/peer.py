"""How a peer is measured through its program.

Figures are rates a second. Every one has a database of its own, and counts as done what a query finds there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from attrs import field, frozen

from benchmarks.harness import bounds
from benchmarks.harness.peers.process import Conversation, PeerError, program
from benchmarks.harness.run import Run, settle

_BETWEEN_LOOKS_SECONDS = 0.002
_LONGEST_SECONDS = 60.0


@frozen(kw_only=True)
class Peer:
    """Another queue. `unfinished` is the query that counts the tasks it has not durably finished.

    `slow` ones run few tasks, and once. `has_bulk` tells whether it has a bulk submit at all.
    """

    name: str
    command: tuple[str, ...]
    settings: Mapping[str, Any] = field(eq=False)
    unfinished: str
    slow: bool = False
    has_bulk: bool = True

    @property
    def described(self) -> str:
        """Its settings, for people."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items())

    async def version(self, run: Run) -> str:
        """Return the version that is installed. Raises: PeerError when the program does not start."""
        async with self._talking(run) as (_, _, version):
            return version

    async def submit(self, run: Run, *, tasks: int, callers: int) -> float:
        """Submit tasks one by one from so many callers."""
        async with self._talking(run) as (told, url, _):
            await settle(url)
            answer = await told.ask(do="submit", tasks=tasks, callers=callers)
            await self._expect(url, unfinished=tasks + 1)  # one to warm up
            return float(tasks / answer["seconds"])

    async def bulk(self, run: Run, *, tasks: int) -> float:
        """Submit tasks in bulk."""
        async with self._talking(run) as (told, url, _):
            await settle(url)
            answer = await told.ask(do="bulk", tasks=tasks)
            await self._expect(url, unfinished=tasks)
            return float(tasks / answer["seconds"])

    async def drain(self, run: Run, *, tasks: int) -> float:
        """Run tasks, from the first call of the handler until the database has none that is unfinished."""
        async with self._talking(run) as (told, url, _):
            await told.ask(do="bulk", tasks=tasks)
            await self._expect(url, unfinished=tasks)
            await settle(url)
            began = (await told.ask(do="start", tasks=tasks))["began"]
            ended = await self._finished(url)
            calls = (await told.ask(do="stop"))["calls"]
        if calls != tasks:
            raise PeerError(f"called the handler {calls} times for {tasks} tasks")
        return float(tasks / (ended - began))

    async def latency(self, run: Run, *, tasks: int, gap_seconds: float) -> list[float]:
        """Submit to an idle worker now and then; return the seconds that each task waited for its handler."""
        async with self._talking(run) as (told, url, _):
            await settle(url)
            waited = (await told.ask(do="latency", tasks=tasks, gap_seconds=gap_seconds))["waited"]
        if len(waited) != tasks:
            raise PeerError(f"called the handler {len(waited)} times for {tasks} tasks")
        return list(waited)

    @asynccontextmanager
    async def _talking(self, run: Run) -> AsyncIterator[tuple[Conversation, str, str]]:
        """Start the program on an empty database."""
        async with run.database() as url, program(self.command, log=run.new_folder() / "log") as told:
            answer = await told.ask(url=url, payload=bounds.PAYLOAD, settings=dict(self.settings))
            yield told, url, str(answer["version"])

    async def _expect(self, url: str, *, unfinished: int) -> None:
        connection = await asyncpg.connect(url)
        try:
            found = await connection.fetchval(self.unfinished)
        finally:
            await connection.close()
        if found != unfinished:
            raise PeerError(f"has {found} unfinished tasks in the database where {unfinished} must be")

    async def _finished(self, url: str) -> float:
        """Wait until the database has no unfinished task; return when that was, on the monotonic clock."""
        connection = await asyncpg.connect(url)
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                while await connection.fetchval(self.unfinished):  # noqa: ASYNC110 - there is none in a database
                    await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)
                return time.monotonic()
        except TimeoutError:
            raise PeerError(f"left tasks unfinished for {_LONGEST_SECONDS:g} s after the last call") from None
        finally:
            await connection.close()
