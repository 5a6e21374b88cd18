"""The service as a process: `novel-tasks serve --no-worker` with stock settings, and its log as in production."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import frozen

from benchmarks.harness.processes import free_port, serving
from benchmarks.harness.run import Run
from novel_tasks_core import EngineConfig, TaskEngine

_SETTINGS = {"API_HOST": "127.0.0.1", "ENVIRONMENT": "development", "MAX_FILE_SIZE": str(1 << 30), "LOG_FORMAT": "json"}


@frozen
class Server:
    """A server that runs."""

    port: int
    pid: int
    database_url: str


@asynccontextmanager
async def service(run: Run, url: str) -> AsyncIterator[Server]:
    """Run the service on a database for the length of the block."""
    folder, port = run.new_folder(), free_port()
    env = {**_SETTINGS, "API_PORT": str(port), "DATABASE_URL": url, "DATA_DIR": str(folder / "data")}
    arguments = ("novel_tasks_server", "serve", "--no-worker")
    async with serving(arguments, port=port, log=folder / "log", env=env) as pid:
        yield Server(port, pid, url)


@asynccontextmanager
async def engine_beside(run: Run, url: str) -> AsyncIterator[TaskEngine]:
    """Open an engine on the database of a service, to prepare what it shall show."""
    async with TaskEngine.open(EngineConfig(database_url=url, data_dir=run.new_folder())) as engine:
        yield engine
