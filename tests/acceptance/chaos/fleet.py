"""The processes of a chaos run: six workers and a client, most of them behind a proxy, started again when killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import psutil
from attrs import define, field

from ...adversity.proxy import Proxy
from .journal import FOLDER
from .plan import WORKERS

ROOT = Path(__file__).resolve().parents[3]
MOST_BUSY = 2
"""To so many workers at most something is done at once: the others are to have time to take over."""
_DIRECT = 2
"""So many of the workers reach the database without a proxy."""
_READY_SECONDS = 60.0
_END_SECONDS = 120.0
_LAST_WORDS_SECONDS = 3.0
_LAST_WORDS = 10_000


@define(eq=False)
class Member:
    """One place in the fleet, and the process that holds it now, with what that writes to stderr.

    `busy` while a fault is under way there.
    """

    command: Sequence[str]
    proxy: Proxy | None
    process: asyncio.subprocess.Process | None = None
    log: Path | None = None
    busy: bool = False

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.process is not None
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        os.kill(self.pid, number)


@define
class Fleet:
    """All members.

    `kills` and `stops` say what was done to which process and when, `deaths` who died by itself, `starts` how many
    seconds each process took to be ready: that tells how busy the machine is.
    """

    members: list[Member]
    folder: Path
    kills: dict[int, float] = field(factory=dict)
    stops: list[tuple[int, float, float]] = field(factory=list)
    deaths: list[str] = field(factory=list)
    starts: list[float] = field(factory=list)

    @property
    def workers(self) -> list[Member]:
        """The workers."""
        return self.members[:WORKERS]

    @property
    def client(self) -> Member:
        """The client."""
        return self.members[WORKERS]

    def free(self, place: int, *, among: Sequence[Member] | None = None) -> Member | None:
        """Return the first member from `place` on to which nothing is being done; None if enough is done already."""
        members = self.workers if among is None else among
        if sum(member.busy for member in members) >= MOST_BUSY:
            return None
        for member in (*members[place:], *members[:place]):
            if not member.busy:
                return member
        return None

    async def start(self, member: Member) -> None:
        """Start the process of a member, and wait until it works."""
        journals, began = self.folder / "journals", time.monotonic()
        member.log = self.folder / f"stderr-{time.monotonic_ns()}"
        with member.log.open("wb") as stderr:
            member.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *member.command),
                cwd=ROOT,
                env={**os.environ, FOLDER: str(journals), "PYTHONPATH": str(ROOT)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
            )
        assert member.process.stdout is not None
        async with asyncio.timeout(_READY_SECONDS):
            if await member.process.stdout.readline() != b"ready\n":
                self.deaths.append(f"{member.command[0]} did not start: exit status {await member.process.wait()}")
        self.starts.append(time.monotonic() - began)

    async def kill(self, member: Member) -> None:
        """End a process without a word, and put another into its place."""
        assert member.process is not None
        self.kills[member.pid] = time.time()
        member.process.kill()
        await member.process.wait()
        await self.start(member)

    async def mend(self, member: Member) -> None:
        """Put another process into the place of one that ended by itself, which none should."""
        assert member.process is not None
        if member.process.returncode is not None:
            self.deaths.append(f"{member.command[0]} {member.pid} ended with {member.process.returncode}")
            await self.start(member)

    async def stop(self, member: Member, seconds: float) -> None:
        """Stop a process for a while."""
        began = time.time()
        member.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.stops.append((member.pid, began, time.time()))
            member.send(signal.SIGCONT)

    def kill_child(self, member: Member, dice: float) -> bool:
        """Kill one of the child processes of a worker, if it has any."""
        with suppress(psutil.NoSuchProcess, IndexError):
            children = psutil.Process(member.pid).children()
            children[int(dice * len(children))].kill()
            return True
        return False

    async def end(self, members: Sequence[Member]) -> None:
        """Let processes end in peace; those that do not in time, or not with 0, are noted as deaths."""
        running = [member for member in members if member.process is not None]
        for member in running:
            assert member.process is not None
            if member.process.returncode is None:
                member.send(signal.SIGTERM)
        await asyncio.gather(*(self._ended(member) for member in running))

    async def _ended(self, member: Member) -> None:
        assert member.process is not None
        try:
            async with asyncio.timeout(_END_SECONDS):
                code: int | str = await member.process.wait()
        except TimeoutError:
            code = f"a kill, because it did not end by itself: {await self._last_words(member)}"
        member.process = None
        if code != 0:
            self.deaths.append(f"{member.command[0]} ended with {code}")

    async def _last_words(self, member: Member) -> str:
        """Kill a process that hangs, and return what it told of where: its asyncio tasks, then all its threads."""
        assert member.process is not None
        assert member.log is not None
        for number in (signal.SIGUSR1, signal.SIGABRT, signal.SIGKILL):
            with suppress(TimeoutError, ProcessLookupError):
                member.send(number)
                async with asyncio.timeout(_LAST_WORDS_SECONDS):
                    await member.process.wait()
                    break
        return member.log.read_text(errors="replace")[-_LAST_WORDS:]

    async def _kill_now(self, member: Member) -> None:
        if member.process is not None and member.process.returncode is None:
            member.process.kill()
            await member.process.wait()

    async def close(self) -> None:
        """Kill whatever still runs."""
        for member in self.members:
            await self._kill_now(member)


@asynccontextmanager
async def running_fleet(
    database_url: str, folder: Path, *, seed: int, tasks: int, rate: float, mutants: Sequence[str]
) -> AsyncIterator[Fleet]:
    """Start all processes, with their data and journals in `folder`; afterwards none is left."""
    (folder / "journals").mkdir()
    data = str(folder / "data")
    async with AsyncExitStack() as stack:

        async def member(module: str, *arguments: str, direct: bool = False) -> Member:
            proxy = None if direct else await stack.enter_async_context(Proxy(database_url).running())
            url = database_url if proxy is None else proxy.url
            return Member((f"{__package__}.{module}", url, data, *arguments), proxy)

        members = [await member("worker", *mutants, direct=place < _DIRECT) for place in range(WORKERS)]
        members.append(await member("client", str(seed), str(tasks), str(rate)))
        fleet = Fleet(members, folder)
        stack.push_async_callback(fleet.close)
        await asyncio.gather(*(fleet.start(one) for one in fleet.workers))
        await fleet.start(fleet.client)
        yield fleet
