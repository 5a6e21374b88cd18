"""SAQ on PostgreSQL, over psycopg: `slots` tasks at once, a pool of `pool` connections. It has no bulk submit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from saq import Worker
from saq.queue.postgres import PostgresQueue

from benchmarks.harness.peers.programs.conversation import Handle, Payload, Peer, Submit, SubmitMany, run

_FUNCTION = "noop"
_CALLERS = 50


class SaqPeer(Peer):
    """SAQ."""

    distribution = "saq"

    async def install(self) -> None:
        """Make the tables."""
        async with self._queue(1):
            pass

    @asynccontextmanager
    async def submitting(self, callers: int) -> AsyncIterator[Submit]:
        """Submit over `submit_pool` connections, or one for a single caller."""
        async with self._queue(min(callers, self.settings["submit_pool"])) as queue:
            yield lambda payload: queue.enqueue(_FUNCTION, payload=payload)

    @asynccontextmanager
    async def submitting_many(self) -> AsyncIterator[SubmitMany]:
        """Submit one by one, by many callers at once: there is nothing faster."""
        async with self.submitting(_CALLERS) as submit:

            async def submit_many(payload: Payload, tasks: int) -> None:
                left = iter(range(tasks))

                async def call() -> None:
                    for _ in left:
                        await submit(payload)

                await asyncio.gather(*(call() for _ in range(_CALLERS)))

            yield submit_many

    @asynccontextmanager
    async def working(self, handle: Handle) -> AsyncIterator[None]:
        """Run one worker."""
        async with self._queue(self.settings["pool"]) as queue:

            async def noop(_: object, *, payload: dict[str, Any]) -> None:
                handle(payload)

            worker = Worker(queue, [(_FUNCTION, noop)], concurrency=self.settings["slots"], shutdown_grace_period_s=5)
            worker.SIGNALS = []
            async with asyncio.TaskGroup() as group:
                group.create_task(worker.start())
                yield
                await worker.stop()

    @asynccontextmanager
    async def _queue(self, connections: int) -> AsyncIterator[PostgresQueue]:
        queue = PostgresQueue(url=self.url, min_size=connections, max_size=connections)
        await queue.connect()
        try:
            yield queue
        finally:
            await queue.disconnect()


if __name__ == "__main__":
    run(SaqPeer)
