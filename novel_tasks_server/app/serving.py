"""Running the application: listen, wait to be told to stop, stop gently and in bounded time."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager

import structlog
from aiohttp import web

from novel_tasks_core import ConfigError, NovelTasksError, Processors, Worker
from novel_tasks_server.app.answering import Runner
from novel_tasks_server.app.building import close_sockets, create_app
from novel_tasks_server.app.last_resort import LastResort
from novel_tasks_server.app.stacks import stacks_on_signal
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.keys import CONFIG, ENGINE, WORKER
from novel_tasks_server.middlewares.draining import DRAINING

_HANDLERS_SECONDS = 1.0
_HANDOVER_SECONDS = 5.0
_GOODBYE_SECONDS = 5.0
_CLEANUP_SECONDS = 15.0
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def serve(
    config: ServerConfig,
    *,
    processors: Processors | None = None,
    on_started: Callable[[str], object] | None = None,
    stop: asyncio.Event | None = None,
    last_resort: LastResort | None = None,
) -> signal.Signals | None:
    """Run the server until SIGTERM, SIGINT or `stop`, then stop it gently; return the signal, if it was one.

    `processors` is as for `create_app`; `on_started` is called with the server's URL once it listens.
    Stopping: readiness turns 503 and new uploads are refused, uploads on their way and running tasks get
    `SHUTDOWN_GRACE_SECONDS`, what still runs is handed back, sockets close with 1012, and the listener
    closes last. A second signal skips the waiting. The whole takes a few seconds more than the grace at
    most, also without a database; a `last_resort` sees to it whatever processors do.

    SIGUSR1 has it log what every asyncio task waits for. Needs the main thread, for the signals.

    Raises: ConfigError when the address cannot be listened on, what opening an engine raises, and SchemaError
    after a gentle stop when the schema is migrated beyond what this program can work with.
    """
    asked = _Stop(stop or asyncio.Event(), last_resort)
    with asked.by_signals(), stacks_on_signal():
        app = create_app(config, processors=processors)
        runner = Runner(app, shutdown_timeout=_HANDLERS_SECONDS)
        try:
            if await _unless(asked.stopping, _start(runner, config)):
                url = _url(runner, config)
                _log.info("listening", url=url, worker=config.runs_worker)
                if on_started is not None:
                    on_started(url)
                outgrown = asyncio.create_task(_stop_when_outgrown(app, asked.stopping))
                try:
                    await asked.stopping.wait()
                    await _drain(app, asked.hurry)
                finally:
                    outgrown.cancel()
                    await asyncio.wait([outgrown])
                if not outgrown.cancelled():
                    outgrown.result()
        finally:
            await _clean_up(runner)
            _log.info("stopped")
    return asked.signal


async def _stop_when_outgrown(app: web.Application, stopping: asyncio.Event) -> None:
    """Ask to stop once the schema is for newer programs. Raises: SchemaError, then."""
    try:
        await app[ENGINE].outgrown()
    finally:
        stopping.set()


class _Stop:
    """Whether the server was asked to stop, by which signal, and whether to hurry."""

    def __init__(self, stopping: asyncio.Event, last_resort: LastResort | None) -> None:
        self._last_resort = last_resort
        self.stopping = stopping
        self.hurry = asyncio.Event()
        self.signal: signal.Signals | None = None

    @contextmanager
    def by_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as requests to stop while the block runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told, number)
        if self._last_resort is not None:
            self._last_resort.watch(signal.SIGTERM, signal.SIGINT)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _told(self, number: signal.Signals) -> None:
        again = self.stopping.is_set()
        _log.info("signal", name=number.name, hurry=again)
        if again:
            self.hurry.set()
        else:
            self.signal = number
            self.stopping.set()


async def _unless(event: asyncio.Event, work: Coroutine[object, object, None]) -> bool:
    """Do `work` and return True; when `event` comes first cancel it, let it clean up, and return False."""
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        working.cancel()
        await asyncio.wait((working, waiting))
    if working.cancelled():
        return False
    working.result()
    return True


async def _start(runner: web.AppRunner, config: ServerConfig) -> None:
    """Open everything and listen. Raises: ConfigError naming the variable of an address that cannot be used."""
    await runner.setup()
    site = web.TCPSite(runner, config.host, config.port)
    try:
        await site.start()
    except OSError as exc:
        raise _address_error(config, exc) from exc


def _address_error(config: ServerConfig, exc: OSError) -> ConfigError:
    if isinstance(exc, socket.gaierror) or exc.errno == errno.EADDRNOTAVAIL:
        return ConfigError("API_HOST", f"{config.host} is not an address of this machine")
    if exc.errno == errno.EADDRINUSE:
        return ConfigError("API_PORT", f"port {config.port} of {config.host} is already in use")
    if exc.errno == errno.EACCES:
        return ConfigError("API_PORT", f"port {config.port} is reserved for the system: take one above 1023")
    return ConfigError("API_PORT", f"cannot listen on {config.host} port {config.port}: {exc.strerror}")


def _url(runner: web.AppRunner, config: ServerConfig) -> str:
    port = runner.addresses[0][1]
    return f"http://{f'[{config.host}]' if ':' in config.host else config.host}:{port}"


async def _drain(app: web.Application, hurry: asyncio.Event) -> None:
    """Let what is under way finish within the grace; hand back at once what runs when told to hurry.

    Sockets are told the end of it while the listener still answers.
    """
    _log.info("draining")
    app[DRAINING].begin()
    worker = app.get(WORKER)
    if not await _unless(hurry, _finish_work(app, worker)) and worker is not None:
        await _within(_HANDOVER_SECONDS, _hand_back(worker))
    app[DRAINING].give_up_uploads()
    await _within(_GOODBYE_SECONDS, close_sockets(app))


async def _hand_back(worker: Worker) -> None:
    await worker.drain(grace_seconds=0)  # ends the wait of the close that has begun
    await worker.close()


async def _finish_work(app: web.Application, worker: Worker | None) -> None:
    grace = app[CONFIG].engine.shutdown_grace_seconds
    async with asyncio.TaskGroup() as group:
        group.create_task(_within(grace, app[DRAINING].uploads_finished()))
        if worker is not None:
            group.create_task(_within(grace + _HANDOVER_SECONDS, worker.close(grace_seconds=grace)))


async def _within(seconds: float, work: Awaitable[object]) -> None:
    """Await `work` for so long at most; what fails or takes longer is logged, and stopping goes on."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except (TimeoutError, NovelTasksError) as exc:
        _log.warning("stop_unfinished", seconds=seconds, error=type(exc).__name__)


async def _clean_up(runner: web.AppRunner) -> None:
    try:
        async with asyncio.timeout(_CLEANUP_SECONDS):
            await runner.cleanup()
    except TimeoutError:
        _log.critical("stop_incomplete", seconds=_CLEANUP_SECONDS)
    except NovelTasksError as exc:
        _log.warning("stop_unfinished", error=type(exc).__name__)
