"""`novel-tasks serve` and `novel-tasks worker`: the processes that stay."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from novel_tasks_core import Processors, TaskEngine, Worker
from novel_tasks_server.cli.completing import complete_processors
from novel_tasks_server.cli.console import ExamplesCommand, ExitCode, say
from novel_tasks_server.cli.settings import setting_values
from novel_tasks_server.config import LogFormat, LogThreshold, ServerConfig
from novel_tasks_server.logs import TaskLog, configure_logging

if TYPE_CHECKING:
    from novel_tasks_server.app import LastResort

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

    stopped_by = await run_server(config, on_started=tell, last_resort=_last_resort(config))
    return ExitCode.INTERRUPTED if stopped_by is signal.SIGINT else ExitCode.OK


def _tell(config: ServerConfig, text: str) -> None:
    """Tell a person who watches; what is logged as JSON stays JSON alone."""
    if config.effective_log_format is LogFormat.CONSOLE:
        say(text)


def _last_resort(config: ServerConfig) -> LastResort:
    from novel_tasks_server.app import LastResort

    return LastResort(grace_seconds=config.engine.shutdown_grace_seconds)


async def _work(config: ServerConfig, *, processors: Processors, lanes: tuple[str, ...], name: str) -> int:
    """Run tasks until SIGTERM or SIGINT; return the exit code."""
    from novel_tasks_server.app import stacks_on_signal

    with StopSignals(_last_resort(config)) as stop, stacks_on_signal():
        await _work_until(stop, config, processors=processors, lanes=lanes, name=name)
    logger.info("stopped")
    return stop.exit_code


async def _work_until(
    stop: StopSignals, config: ServerConfig, *, processors: Processors, lanes: tuple[str, ...], name: str
) -> None:
    async with (
        TaskEngine.open(config.engine, processors=processors, observers=[TaskLog()]) as engine,
        engine.worker(processors=lanes or None, name=name) as running,
    ):
        logger.info("worker_running", extra={"slots": running.slots, "worker_id": running.id})
        _tell(config, f"Running tasks with {running.slots} slots; Ctrl-C stops in good order.")
        async with asyncio.TaskGroup() as group:
            outgrown = group.create_task(engine.outgrown())
            await stop.asked()
            outgrown.cancel()
        logger.info("draining")
        _tell(config, "Stopping: running tasks may finish; Ctrl-C again does not wait.")
        await _close(running, stop)


async def _close(running: Worker, stop: StopSignals) -> None:
    """Let what runs finish within the grace, or hand it back at once when told to hurry."""
    closing, hurrying = asyncio.ensure_future(running.close()), asyncio.ensure_future(stop.hurried())
    try:
        await asyncio.wait((closing, hurrying), return_when=asyncio.FIRST_COMPLETED)
        if not closing.done():
            await running.drain(grace_seconds=0)  # ends the wait of the close that has begun
    finally:
        hurrying.cancel()
    await closing


class StopSignals:
    """SIGTERM and SIGINT for a program that stays: the first asks it to stop, the second to hurry, a third cancels it.

    A context manager. One that comes while the program still starts, before anybody waits for it, cancels the start;
    the block ends then as if it had been done.
    """

    def __init__(self, last_resort: LastResort) -> None:
        """Must be made inside the asyncio task that a signal shall cancel."""
        self._last_resort = last_resort
        self._asked = asyncio.Event()
        self._hurry = asyncio.Event()
        self._main = asyncio.current_task()
        self._started = False
        self.exit_code = ExitCode.OK

    def __enter__(self) -> StopSignals:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._received, number)
        self._last_resort.watch(signal.SIGTERM, signal.SIGINT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> bool:
        cancelled_by_us = kind is asyncio.CancelledError and self._asked.is_set()
        if cancelled_by_us and self._main is not None:
            while self._main.cancelling():
                self._main.uncancel()
        return cancelled_by_us

    async def asked(self) -> None:
        """Wait for the first signal; the program has started."""
        self._started = True
        await self._asked.wait()

    async def hurried(self) -> None:
        """Wait for the second signal."""
        await self._hurry.wait()

    def _received(self, number: signal.Signals) -> None:
        if self._main is not None and (self._hurry.is_set() or not self._started):
            self._main.cancel()
        if self._asked.is_set():
            self._hurry.set()
        else:
            self.exit_code = ExitCode.INTERRUPTED if number is signal.SIGINT else ExitCode.OK
            self._asked.set()
