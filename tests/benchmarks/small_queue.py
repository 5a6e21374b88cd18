"""A queue of one table, as a program of the benchmark `peers`.

Settings make it break its word: `loses` tasks are not stored, the handler is called `calls` times a task, and
`silent` ends the program.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from benchmarks.harness.peers.programs.conversation import Handle, Payload, Peer, Submit, SubmitMany, run


class SmallQueue(Peer):
    """The queue."""

    distribution = "pytest"

    async def install(self) -> None:
        """Make the table."""
        if self.settings.get("silent"):
            sys.exit("out of order")
        async with self._connected() as connection:
            await connection.execute("create table jobs (id bigserial, payload jsonb)")

    @asynccontextmanager
    async def submitting(self, callers: int) -> AsyncIterator[Submit]:
        """Submit over a pool."""
        async with asyncpg.create_pool(self.url, min_size=callers, max_size=callers) as pool:
            yield lambda payload: pool.execute("insert into jobs (payload) values ($1)", json.dumps(payload))

    @asynccontextmanager
    async def submitting_many(self) -> AsyncIterator[SubmitMany]:
        """Submit all but those that are to be lost."""
        async with self._connected() as connection:

            async def submit_many(payload: Payload, tasks: int) -> None:
                await connection.execute(
                    "insert into jobs (payload) select $1 from generate_series(1, $2::int)",
                    json.dumps(payload),
                    tasks - self.settings.get("loses", 0),
                )

            yield submit_many

    @asynccontextmanager
    async def working(self, handle: Handle) -> AsyncIterator[None]:
        """Take tasks one by one."""
        async with self._connected() as connection:
            stopped = asyncio.Event()

            async def work() -> None:
                while not stopped.is_set():
                    for row in await connection.fetch("delete from jobs returning payload"):
                        for _ in range(self.settings.get("calls", 1)):
                            handle(row["payload"].encode())
                    await asyncio.sleep(0.001)

            async with asyncio.TaskGroup() as group:
                group.create_task(work())
                yield
                stopped.set()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        connection = await asyncpg.connect(self.url)
        try:
            yield connection
        finally:
            await connection.close()


if __name__ == "__main__":
    run(SmallQueue)
