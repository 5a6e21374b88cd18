"""`novel-tasks serve` and `novel-tasks worker`: the processes that stay."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import click
from attrs import evolve

from novel_tasks_core import Processors, TaskEngine
from novel_tasks_server.cli.completing import complete_processors
from novel_tasks_server.cli.console import ExamplesCommand, ExitCode, say
from novel_tasks_server.cli.settings import setting_values
from novel_tasks_server.config import LogFormat, LogThreshold, ServerConfig
from novel_tasks_server.logs import TaskLog, configure_logging

logger = logging.getLogger(__name__)

_DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The embedded database and the files.  [default: $DATA_DIR or ./novel-tasks-data]",
)
_DATABASE = click.option("--database-url", metavar="URL", help="A PostgreSQL to use instead of the embedded one.")
_SLOTS = click.option(
    "--concurrency", type=click.IntRange(1, 10_000), metavar="N", help="Tasks run at once.  [default: one per core]"
)
_LOG_LEVEL = click.option(
    "--log-level",
    type=click.Choice([level.value for level in LogThreshold], case_sensitive=False),
    help="The least important lines to log.",
)


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks serve", "on http://127.0.0.1:8000, with an embedded database"),
        ("novel-tasks serve --port 9000 --data-dir /srv/novels", "on another port, with its data elsewhere"),
        ("novel-tasks serve --no-worker", "accept and show tasks; `novel-tasks worker` runs them"),
    ),
)
@click.option("--host", metavar="ADDRESS", help="The address to listen on.  [default: $API_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="The port.  [default: $API_PORT or 8000]")
@click.option("--worker/--no-worker", default=True, help="Run tasks in this process too.  [default: yes]")
@_SLOTS
@_DATA_DIR
@_DATABASE
@_LOG_LEVEL
def serve(
    host: str | None,
    port: int | None,
    worker: bool,
    concurrency: int | None,
    data_dir: Path | None,
    database_url: str | None,
    log_level: str | None,
) -> int:
    """Serve the API, and run tasks.

    The settings that have no flag come from the environment or from .env; .env.example lists them.
    SIGTERM or one Ctrl-C stops in good order: running tasks get SHUTDOWN_GRACE_SECONDS, what is left
    is handed back. A second one does not wait.
    """
    flags = {"API_HOST": host, "API_PORT": port, "LOG_LEVEL": log_level}
    config = evolve(_config(flags, concurrency, data_dir, database_url), runs_worker=worker)
    return _run(_serve(config))


@click.command(
    cls=ExamplesCommand,
    examples=(
        ("novel-tasks worker", "run tasks beside a server with the same data directory or database"),
        ("novel-tasks worker -p split --concurrency 8", "only splits, eight at once"),
    ),
)
@click.option(
    "-p",
    "--processor",
    "lanes",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_processors,
    help="Run only these, any number of times.",
)
@click.option("--name", default="", metavar="NAME", help="What lists of workers shall call it.")
@_SLOTS
@_DATA_DIR
@_DATABASE
@_LOG_LEVEL
def worker(
    lanes: tuple[str, ...],
    name: str,
    concurrency: int | None,
    data_dir: Path | None,
    database_url: str | None,
    log_level: str | None,
) -> int:
    """Run tasks, without serving HTTP.

    SIGTERM or one Ctrl-C stops in good order, as with `serve`.
    """
    config = _config({"LOG_LEVEL": log_level}, concurrency, data_dir, database_url)
    if config.ignored:
        logger.warning("settings_ignored", extra={"names": ", ".join(config.ignored)})
    processors = Processors.builtin()
    processors.load_entry_points()
    for lane in lanes:
        processors.get(lane)
    return _run(_work(config, processors=processors, lanes=lanes, name=name))


def _config(
    flags: Mapping[str, object], concurrency: int | None, data_dir: Path | None, database_url: str | None
) -> ServerConfig:
    """Return the settings, flags first, and set up logging by them."""
    shared = {"MAX_CONCURRENT_TASKS": concurrency, "DATA_DIR": data_dir, "DATABASE_URL": database_url}
    config = ServerConfig.from_env(setting_values({**flags, **shared}), dotenv=None)
    configure_logging(level=config.log_level, as_json=config.effective_log_format is LogFormat.JSON)
    logging.captureWarnings(True)
    return config


def _run(program: Coroutine[Any, Any, int]) -> int:
    """Run a program that stays, on uvloop where it is installed (extra `speed`); return its exit code."""
    _allow_connections()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        logger.info("event_loop", extra={"loop": type(runner.get_loop()).__module__.partition(".")[0]})
        return runner.run(program)


def _allow_connections() -> None:
    """Take as many file descriptors as the system grants: shells often allow 1,024, and every socket is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(config: ServerConfig) -> int:
    """Serve until a signal comes; return the exit code."""

    def tell(url: str) -> None:
        _tell(config, f"Novel Tasks listens on {url}/ : open it in a browser. Ctrl-C stops it in good order.")

    from novel_tasks_server.app import serve as run_server  # the whole server: help and completion need not wait for it

    stopped_by = await run_server(config, on_started=tell)
    return ExitCode.INTERRUPTED if stopped_by is signal.SIGINT else ExitCode.OK


def _tell(config: ServerConfig, text: str) -> None:
    """Tell a person who watches; what is logged as JSON stays JSON alone."""
    if config.effective_log_format is LogFormat.CONSOLE:
        say(text)


async def _work(config: ServerConfig, *, processors: Processors, lanes: tuple[str, ...], name: str) -> int:
    """Run tasks until SIGTERM or SIGINT; return the exit code."""
    from novel_tasks_server.app import stacks_on_signal

    stop = StopSignals()
    with stacks_on_signal():
        return await _work_until(stop, config, processors=processors, lanes=lanes, name=name)


async def _work_until(
    stop: StopSignals, config: ServerConfig, *, processors: Processors, lanes: tuple[str, ...], name: str
) -> int:
    async with (
        TaskEngine.open(config.engine, processors=processors, observers=[TaskLog()]) as engine,
        engine.worker(processors=lanes or None, name=name) as running,
    ):
        logger.info("worker_running", extra={"slots": running.slots, "worker_id": running.id})
        _tell(config, f"Running tasks with {running.slots} slots; Ctrl-C stops in good order.")
        async with asyncio.TaskGroup() as group:
            outgrown = group.create_task(engine.outgrown())
            await stop.wait()
            outgrown.cancel()
        logger.info("draining")
        _tell(config, "Stopping: running tasks may finish; Ctrl-C again does not wait.")
    logger.info("stopped")
    return stop.exit_code


class StopSignals:
    """SIGTERM and SIGINT for a program that stays: the first asks it to stop, the second cancels it."""

    def __init__(self) -> None:
        """Must be made inside the asyncio task that a second signal shall cancel."""
        self._asked = asyncio.Event()
        self._main = asyncio.current_task()
        self.exit_code = ExitCode.OK
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._received, number)

    async def wait(self) -> None:
        """Wait for the first signal."""
        await self._asked.wait()

    def _received(self, number: signal.Signals) -> None:
        if self._asked.is_set() and self._main is not None:
            self._main.cancel()
        self.exit_code = ExitCode.INTERRUPTED if number is signal.SIGINT else ExitCode.OK
        self._asked.set()
