"""pgqueuer, over asyncpg: a pool for its worker or one connection (`pool` is 0), all tables durable."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from pgqueuer import AsyncpgDriver, AsyncpgPoolDriver, Job, PgQueuer, Queries

from benchmarks.harness.peers.programs.conversation import Handle, Payload, Peer, Submit, SubmitMany, run

_ENTRYPOINT = "noop"


class PgqueuerPeer(Peer):
    """pgqueuer."""

    distribution = "pgqueuer"

    async def install(self) -> None:
        """Make the tables."""
        async with self._driver(0) as driver:
            await Queries(driver).install()

    @asynccontextmanager
    async def submitting(self, callers: int) -> AsyncIterator[Submit]:
        """Submit over `submit_pool` connections, or one for a single caller."""
        async with self._driver(self.settings["submit_pool"] if callers > 1 else 0) as driver:
            queries = Queries(driver)
            yield lambda payload: queries.enqueue(_ENTRYPOINT, json.dumps(payload).encode())

    @asynccontextmanager
    async def submitting_many(self) -> AsyncIterator[SubmitMany]:
        """Submit by statements of `chunk` tasks."""
        async with self._driver(0) as driver:
            queries, chunk = Queries(driver), self.settings["chunk"]

            async def submit_many(payload: Payload, tasks: int) -> None:
                for start in range(0, tasks, chunk):
                    count = min(chunk, tasks - start)
                    content = [json.dumps(payload).encode() for _ in range(count)]
                    await queries.enqueue([_ENTRYPOINT] * count, content, [0] * count)

            yield submit_many

    @asynccontextmanager
    async def working(self, handle: Handle) -> AsyncIterator[None]:
        """Run one worker, with batches of `batch` tasks."""
        async with self._driver(self.settings["pool"]) as driver:
            queue = PgQueuer(driver)

            async def noop(job: Job) -> None:
                handle(job.payload)

            queue.entrypoint(_ENTRYPOINT)(noop)
            async with asyncio.TaskGroup() as group:
                group.create_task(queue.run(batch_size=self.settings["batch"]))
                yield
                queue.shutdown.set()

    @asynccontextmanager
    async def _driver(self, connections: int) -> AsyncIterator[AsyncpgDriver | AsyncpgPoolDriver]:
        """Connect: over a pool of so many, or 0 for the driver that has one connection only."""
        if connections:
            async with asyncpg.create_pool(self.url, min_size=connections, max_size=connections) as pool:
                yield AsyncpgPoolDriver(pool)
            return
        connection = await asyncpg.connect(self.url)
        try:
            yield AsyncpgDriver(connection)
        finally:
            await connection.close()


if __name__ == "__main__":
    run(PgqueuerPeer)
