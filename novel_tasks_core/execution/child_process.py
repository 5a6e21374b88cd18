"""One child process as its worker sees it: start it, give it a job, hear it, stop it, kill it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path

from attrs import Factory, define

from novel_tasks_core.errors import ChildCrashedError
from novel_tasks_core.execution.failures import Failure
from novel_tasks_core.execution.jobs import Job
from novel_tasks_core.execution.messages import (
    Acknowledge,
    Cancel,
    Checkpointed,
    FrameBuffer,
    FrameError,
    FromParent,
    Hello,
    Logged,
    Message,
    Progressed,
    Raised,
    Ready,
    Returned,
    Run,
    Staged,
    Working,
    encode,
)
from novel_tasks_core.execution.reports import AttemptReports
from novel_tasks_core.models import LogLevel

logger = logging.getLogger(__name__)

_START_SECONDS = 60.0
_EXIT_SECONDS = 10.0
_KILL_SECONDS = 5.0
"""How long a killed process is waited for. One that hangs in a system call dies when that returns, if ever."""
_LAST_WORDS_SECONDS = 1.0
_READ_BYTES = 1 << 16


@define
class Finished:
    """What a job ended with: the returned value or the failure, and the artifacts that were staged, by name.

    `working` tells that it used the folder of its task.
    """

    value: object = None
    failure: Failure | None = None
    staged: dict[str, Staged] = Factory(dict)
    working: bool = False


class Child:
    """One child process and the connection to it. Made by `spawn`, ended by `kill`; it can be used once greeted."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        memory_mb: int,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._memory_mb = memory_mb
        self._frames = FrameBuffer()
        self._messages: deque[Message] = deque()
        self._watch = asyncio.create_task(self._watch_exit(), name=f"watch-child-{process.pid}")

    @classmethod
    async def spawn(cls, *, memory_mb: int) -> Child:
        """Start a process. A cancellation or a failure leaves none behind. Raises: ChildCrashedError."""
        ours, theirs = socket.socketpair()
        try:
            reader, writer = await asyncio.open_unix_connection(sock=ours)
        except BaseException:
            ours.close()
            theirs.close()
            raise
        try:
            with theirs:
                process = await _execute(theirs.fileno())
        except BaseException:
            writer.close()
            raise
        return cls(process, reader, writer, memory_mb=memory_mb)

    async def greet(self) -> None:
        """Set the process up and wait until it is ready. Raises: ChildCrashedError when it does not come up."""
        hello = Hello(
            parent_pid=os.getpid(),
            import_path=_import_path(),
            python_path=os.environ.get("PYTHONPATH"),
            memory_bytes=self._memory_mb << 20,
        )
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._send(hello)
                message = await self._receive()
        except TimeoutError:
            raise ChildCrashedError(f"a child process was not ready within {_START_SECONDS:g} s") from None
        if not isinstance(message, Ready):
            raise ChildCrashedError(f"a child process began with {message.kind!r}")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        """Whether it can be given a job."""
        return self._process.returncode is None and not self._reader.at_eof()

    async def give(self, job: Job) -> bool:
        """Hand a job over; False when the process died while it was idle, so that the job has not begun."""
        try:
            await self._write(Run(job))
        except OSError:
            return False
        return True

    async def follow(self, reports: AttemptReports) -> Finished:
        """Pass on what the job reports until it is done. Cancelled, or after an error, the child is still at it.

        Raises: ChildCrashedError when the process dies; whatever `reports.checkpoint` raises.
        """
        finished = Finished()
        while not await self._hear(finished, reports):
            pass
        return finished

    async def _hear(self, finished: Finished, reports: AttemptReports) -> bool:
        """Take in one message; say whether it was the last."""
        match await self._receive():
            case Progressed(fraction, stage):
                reports.progress(fraction, stage)
            case Logged(level, message):
                reports.log(LogLevel(level), message)
            case Checkpointed(value):
                await reports.checkpoint(value)
                await self._send(Acknowledge())
            case Staged() as staged:
                finished.staged[staged.name] = staged
            case Working():
                finished.working = True
            case Returned(value):
                finished.value = value
                return True
            case Raised(failure):
                finished.failure = failure
                return True
            case other:
                raise ChildCrashedError(f"a child process said {other.kind!r} in the middle of a job")
        return False

    async def stop_job(self, *, grace_seconds: float) -> bool:
        """Ask the running job to stop; say whether it did within the grace, so that the child can be used again."""
        try:
            async with asyncio.timeout(grace_seconds):
                await self._send(Cancel())
                while not isinstance(await self._receive(), Returned | Raised):
                    pass
        except (TimeoutError, ChildCrashedError):
            return False
        return True

    async def kill(self) -> None:
        """End the process, and those that it started, and wait until it is gone, five seconds at most. Idempotent."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # it leads a session, thus a group, of its own
        try:
            async with asyncio.timeout(_KILL_SECONDS):
                await self._process.wait()
        except TimeoutError:
            logger.error("child_does_not_die", extra={"pid": self._process.pid})
        self._watch.cancel()
        await asyncio.wait([self._watch])
        self._writer.transport.abort()  # what is still to be written nobody reads
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _watch_exit(self) -> None:
        """Close the connection some time after the process ended: what it forked may hold it open."""
        await self._process.wait()
        await asyncio.sleep(_LAST_WORDS_SECONDS)
        self._writer.transport.abort()

    async def _write(self, message: FromParent) -> None:
        self._writer.write(encode(message))
        await self._writer.drain()

    async def _send(self, message: FromParent) -> None:
        try:
            await self._write(message)
        except OSError:
            raise await self._crash() from None

    async def _receive(self) -> Message:
        """Wait for a message; being cancelled loses none.

        Raises: ChildCrashedError when the process died or talks nonsense.
        """
        while not self._messages:
            try:
                data = await self._reader.read(_READ_BYTES)
                self._messages.extend(self._frames.feed(data))
            except OSError:
                data = b""
            except FrameError as exc:
                raise ChildCrashedError(f"a child process broke the protocol: {exc}") from exc
            if not data:
                raise await self._crash()
        return self._messages.popleft()

    async def _crash(self) -> ChildCrashedError:
        """Say how the process ended that closed the connection."""
        try:
            async with asyncio.timeout(_EXIT_SECONDS):
                code = await self._process.wait()
        except TimeoutError:
            return ChildCrashedError("the child process closed its connection and lives on")
        return ChildCrashedError(describe_exit(code, memory_mb=self._memory_mb), exit_code=code)


def describe_exit(code: int, *, memory_mb: int) -> str:
    """Say in a sentence how a child ended whose exit status is `code`, negative for a signal."""
    if code >= 0:
        return f"the child process ended with exit status {code} in the middle of the attempt"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    told = f"the child process was killed by {name}"
    if -code in (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT):
        told += f" (out of memory? its limit is {memory_mb} MB, CHILD_MEMORY_MB)"
    return told


async def _execute(descriptor: int) -> asyncio.subprocess.Process:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_import_path())}
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "novel_tasks_core.execution.child", str(descriptor)),
            stdin=subprocess.DEVNULL,
            pass_fds=(descriptor,),
            env=environment,
            start_new_session=True,  # a terminal's Ctrl-C reaches only the worker
        )
    except OSError as exc:
        raise ChildCrashedError(f"cannot start a child process: {exc.strerror}") from exc


def _import_path() -> list[str]:
    """Return where this process imports from, so that a child finds the same modules, this package first of all."""
    here = str(Path(__file__).parents[2])
    path = [str(entry) or os.getcwd() for entry in sys.path]
    return path if here in path else [*path, here]
