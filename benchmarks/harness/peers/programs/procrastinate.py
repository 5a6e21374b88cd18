"""procrastinate, over psycopg: `slots` tasks at once, a pool of `pool` connections, `delete_jobs` as named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from procrastinate import App, PsycopgConnector

from benchmarks.harness.peers.programs.conversation import Handle, Payload, Peer, Submit, SubmitMany, run

_TASK = "noop"


class ProcrastinatePeer(Peer):
    """procrastinate."""

    distribution = "procrastinate"

    async def install(self) -> None:
        """Make the tables."""
        async with self._app(1) as app:
            await app.schema_manager.apply_schema_async()

    @asynccontextmanager
    async def submitting(self, callers: int) -> AsyncIterator[Submit]:
        """Submit over `submit_pool` connections, or one for a single caller."""
        async with self._app(min(callers, self.settings["submit_pool"])) as app:
            deferrer = app.configure_task(_TASK)
            yield lambda payload: deferrer.defer_async(**payload)

    @asynccontextmanager
    async def submitting_many(self) -> AsyncIterator[SubmitMany]:
        """Submit by statements of `chunk` tasks."""
        chunk = self.settings["chunk"]
        async with self._app(1) as app:

            async def submit_many(payload: Payload, tasks: int) -> None:
                for start in range(0, tasks, chunk):
                    await app.configure_task(_TASK).batch_defer_async(*[dict(payload)] * min(chunk, tasks - start))

            yield submit_many

    @asynccontextmanager
    async def working(self, handle: Handle) -> AsyncIterator[None]:
        """Run one worker."""
        async with self._app(self.settings["pool"]) as app:

            async def noop(**payload: Any) -> None:
                handle(payload)

            app.task(name=_TASK)(noop)
            worker = app.run_worker_async(
                concurrency=self.settings["slots"],
                delete_jobs=self.settings["delete_jobs"],
                install_signal_handlers=False,
            )
            async with asyncio.TaskGroup() as group:
                running = group.create_task(worker)
                yield
                running.cancel()

    @asynccontextmanager
    async def _app(self, connections: int) -> AsyncIterator[App]:
        connector = PsycopgConnector(conninfo=self.url, min_size=connections, max_size=connections)
        async with App(connector=connector).open_async() as app:
            yield app


if __name__ == "__main__":
    run(ProcrastinatePeer)
