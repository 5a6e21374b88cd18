"""Does to the processes, their connections and the database what the plan says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from attrs import define, field

from novel_tasks_core.storage.embedded import EmbeddedPostgres

from ...core.support import Db
from .fleet import Fleet, Member
from .plan import Fault, Kind

_BACKENDS = "select pid from pg_stat_activity where application_name like 'novel-tasks%' order by pid"
_WORKER_LINKS = ("flush", "flush", "flush", "claim", "claim", "maintenance", "heartbeat", "")
_CLIENT_LINKS = ("submit", "submit", "", "maintenance")
"""Whose answers are lost; "" is the pool."""
_UP_SECONDS = 120.0
_BLINK_SECONDS = 0.02

AWAY = (ConnectionError, FileNotFoundError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a connection attempt or a question raises while the server is down."""


class Server:
    """The PostgreSQL of a run, and how to make it fall."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "postgres"
        self._starts: list[EmbeddedPostgres] = []
        self.url = ""

    async def start(self) -> None:
        """Start the server, or bring it up again."""
        server = EmbeddedPostgres(self._folder)
        await server.__aenter__()
        self._starts.append(server)
        self.url = server.url

    async def stop(self) -> None:
        """Stop it: the last who lets go does."""
        while self._starts:
            await self._starts.pop().__aexit__(None, None, None)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Db]:
        """Lend a connection past all proxies."""
        connection = await asyncpg.connect(self.url, timeout=5, command_timeout=30)
        try:
            yield connection
        finally:
            connection.terminate()

    async def fall(self, db: Db, backend: int | None) -> tuple[float, float]:
        """Kill a backend, which takes the others down with it, or with None the first process.

        Returns from when to when the server was away.
        """
        fallen = asyncio.Event()
        db.add_termination_listener(lambda _: fallen.set())
        began = time.time()
        os.kill(backend or self._first_process(), signal.SIGKILL)
        async with asyncio.timeout(_UP_SECONDS):
            await fallen.wait()
            if backend is None:
                await self.start()
            await self._until_up()
        return began, time.time()

    def _first_process(self) -> int:
        return int((self._folder / "postmaster.pid").read_text().splitlines()[0])

    async def _until_up(self) -> None:
        while True:
            with contextlib.suppress(*AWAY):
                async with self.connected() as db:
                    await db.fetchval("select 1")
                    return
            await asyncio.sleep(_BLINK_SECONDS)


@define
class Injector:
    """Carries a plan out. `done` counts the faults that hit something, `outages` has the database's, from and to."""

    fleet: Fleet
    server: Server
    done: Counter[Kind] = field(factory=Counter)
    outages: list[tuple[float, float]] = field(factory=list)

    @property
    def replies_dropped(self) -> int:
        """How many answers the proxies kept to themselves."""
        return sum(sum(member.proxy.lost.values()) for member in self.fleet.members if member.proxy is not None)

    async def carry_out(self, plan: Sequence[Fault]) -> None:
        """Do everything in its time; returns when the last fault is over."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in plan:
                await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
                group.create_task(self._do(fault))

    async def _do(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.LOSE | Kind.CUT | Kind.BLACK_HOLE:
                await self._to_a_network(fault)
            case Kind.TERMINATE | Kind.CRASH | Kind.RESTART:
                await self._to_the_database(fault)
            case _:
                await self._to_a_process(fault)

    async def _to_a_process(self, fault: Fault) -> None:
        member = await self._free(fault)
        member.busy = True
        try:
            await self.fleet.mend(member)
            if await self._hurt(member, fault):
                self.done[fault.kind] += 1
        finally:
            member.busy = False

    async def _free(self, fault: Fault) -> Member:
        """Return whom to hurt, once enough have got over what was done to them: that takes a busy machine longer."""
        among = [self.fleet.client] if fault.kind is Kind.KILL_CLIENT else self.fleet.workers
        while True:
            if member := self.fleet.free(fault.place % len(among), among=among):
                return member
            await asyncio.sleep(_BLINK_SECONDS)

    async def _hurt(self, member: Member, fault: Fault) -> bool:
        match fault.kind:
            case Kind.KILL_CHILD:
                return self.fleet.kill_child(member, fault.dice)
            case Kind.STOP | Kind.PAUSE:
                await self.fleet.stop(member, fault.length)
            case Kind.REPLACE:
                await self.fleet.end([member])
                await self.fleet.start(member)
            case _:
                await self.fleet.kill(member)
        return True

    async def _to_a_network(self, fault: Fault) -> None:
        members = [member for member in self.fleet.members if member.proxy is not None]
        member = members[fault.place % len(members)]
        proxy = member.proxy
        assert proxy is not None
        match fault.kind:
            case Kind.LOSE:
                links = _CLIENT_LINKS if member is self.fleet.client else _WORKER_LINKS
                link = links[int(fault.dice * len(links))]
                proxy.lose_answers(f"novel-tasks {link}".strip(), fault.times)
            case Kind.CUT:
                proxy.cut()
            case _:
                proxy.black_hole = True
                await asyncio.sleep(fault.length)
                proxy.black_hole = False
        self.done[fault.kind] += 1

    async def _to_the_database(self, fault: Fault) -> None:
        try:
            async with self.server.connected() as db:
                backends = [row["pid"] for row in await db.fetch(_BACKENDS)]
                backend = backends[int(fault.dice * len(backends))]
                if fault.kind is Kind.TERMINATE:
                    await db.fetchval("select pg_terminate_backend($1)", backend)
                else:
                    self.outages.append(await self.server.fall(db, None if fault.kind is Kind.RESTART else backend))
        except (*AWAY, IndexError):
            return  # it was down already, or nobody is connected
        self.done[fault.kind] += 1
