"""The service with an engine that can be told to publish at any speed.

`python -m benchmarks.harness.fanout_server DATABASE_URL FOLDER PORT CONTROL_PORT` is a partner: `task` makes
the task that clients may follow and returns its id. An update is progress of that task, given to the engine
as a worker in this process gives it, only without its limit of five a second.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from attrs import evolve

from benchmarks.harness.machine import runner
from benchmarks.harness.partners import Partner, obey, partner
from benchmarks.harness.updates import controlled
from novel_tasks_core import Task, TaskEngine, TaskProgressed, TaskStatus, format_task_id
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.keys import ENGINE
from novel_tasks_server.logs import configure_logging


class Publisher:
    """Publishes progress of one task that runs."""

    def __init__(self, engine: TaskEngine) -> None:
        self._engine = engine
        self._task: Task | None = None

    async def task(self) -> str:
        """Make the task and return its id."""
        made = await self._engine.submit(processor="external")
        self._task = await self._engine.report(made.id, status=TaskStatus.PROCESSING)
        return format_task_id(made.id)

    async def publish(self, percentage: int) -> None:
        """Say how far the task is."""
        task = self._task
        assert task is not None
        progress = TaskProgressed(
            task_id=task.id,
            after_seq=task.last_seq,
            at=self._engine.clock.now(),
            attempt=task.attempt,
            fraction=percentage / 100,
            stage="",
        )
        self._engine._parts.broadcast.publish((progress,))


@asynccontextmanager
async def fanout_server(url: str, *, folder: Path, port: int, control_port: int) -> AsyncIterator[Partner]:
    """Run the program for the length of the block."""
    arguments = (url, str(folder / "data"), str(port), str(control_port))
    async with partner("benchmarks.harness.fanout_server", *arguments, log=folder / "log") as made:
        yield made


async def _serve(settings: dict[str, str], port: int, control_port: int) -> None:
    config = evolve(ServerConfig.from_env(settings, dotenv=None), runs_worker=False)
    configure_logging(level=config.log_level, as_json=True)
    app = create_app(config)
    application = web.AppRunner(app, shutdown_timeout=1.0)
    await application.setup()
    try:
        await web.TCPSite(application, "127.0.0.1", port).start()
        publisher = Publisher(app[ENGINE])
        control = await controlled(control_port, publisher.publish)
        await obey({"task": publisher.task})
        control.close()
    finally:
        await application.cleanup()


def main(arguments: Sequence[str]) -> None:
    """Serve until the input ends."""
    url, folder, port, control_port = arguments
    settings = {"DATABASE_URL": url, "DATA_DIR": folder, "ENVIRONMENT": "development"}
    with runner() as loop:
        loop.run(_serve(settings, int(port), int(control_port)))


if __name__ == "__main__":
    main(sys.argv[1:])
