"""The clients that follow a task over sockets, and the servers that they are shown."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from benchmarks import fanout
from benchmarks.harness.bare_sockets import frame_of
from benchmarks.harness.partners import Partner
from benchmarks.harness.peers.environments import FOLDER_VARIABLE
from benchmarks.harness.results import Table
from benchmarks.harness.run import BenchmarkError, BenchmarkSkippedError, Run
from benchmarks.harness.socket_clients import socket_clients
from benchmarks.harness.socket_servers import bare_server, need_descriptors, publishing_server
from benchmarks.harness.updates import PERCENTAGES, controlled, mark, percent, update

PING = b"\x89\x02hi"
PONG = b"\x8a\x82\0\0\0\0hi"
GOODBYE = b"\x88\x02\x03\xf5"


@pytest.fixture
def run(postgres_url: str, tmp_path: Path) -> Run:
    """A run on the server of the tests."""
    return Run(quick=True, server_url=postgres_url, folder=tmp_path)


class Scripted:
    """A server of sockets that sends what it is told to, and notes what clients send."""

    def __init__(self, parts: Sequence[bytes]) -> None:
        self.parts = parts
        self.heard = bytearray()
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Greet a client, answer its first words, and listen."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await reader.readexactly(2 + 4 + len("hello"))
        writer.write(frame_of(update(0)))
        self._writers.append(writer)
        with suppress(ConnectionError):
            while heard := await reader.read(100):
                self.heard += heard
            writer.close()
            await writer.wait_closed()

    async def publish(self, percentage: int) -> None:
        """Send the parts to everybody, one after the other."""
        for writer in self._writers:
            for part in self.parts:
                writer.write(part.replace(b"%", frame_of(update(percentage))))
                await writer.drain()
                await asyncio.sleep(0.01)


async def others_ended() -> None:
    """Wait for what serves connections to notice that these are closed."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=60)


@asynccontextmanager
async def shown(parts: Sequence[bytes], folder: Path) -> AsyncIterator[tuple[Scripted, Partner, int]]:
    """Show two clients such a server; yields the server, the clients and the port by which it is told."""
    script = Scripted(parts)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    control = await controlled(0, script.publish)
    port, told = (one.sockets[0].getsockname()[1] for one in (server, control))
    try:
        async with socket_clients(folder / "log") as clients:
            await clients.ask("connect", port=port, sockets=2, say="hello")
            yield script, clients, told
    finally:
        for one in (server, control):
            one.close()
        await others_ended()


def test_updates_that_follow_each_other_differ_and_are_equally_long() -> None:
    """A client knows each from the one before by its percentage, and none costs more than another."""
    updates = [update(percent(number)) for number in range(PERCENTAGES + 1)]
    assert len(set(updates)) == PERCENTAGES
    assert len({len(one) for one in updates}) == 1
    assert all(mark(percent(number)) in one.encode() for number, one in enumerate(updates))


async def test_frames_are_read_however_they_are_cut(tmp_path: Path) -> None:
    """An update counts when it is whole, behind a ping that is answered and an update that was not asked for."""
    whole = frame_of(update(percent(7)))
    parts = [PING[:1], PING[1:] + frame_of(update(1))[:3], frame_of(update(1))[3:], whole[:2], whole[2:9], whole[9:]]
    async with shown(parts, tmp_path) as (script, clients, told):
        assert len(await clients.ask("rounds", port=told, say="", first=7, rounds=1)) == 1
    assert script.heard == PONG * 2


async def test_a_goodbye_stops_the_run(tmp_path: Path) -> None:
    """A server that closes sockets has not spread the news."""
    with pytest.raises(BenchmarkError, match="goodbye with 1013"):
        async with shown([GOODBYE], tmp_path) as (_, clients, told):
            await clients.ask("rounds", port=told, say="", first=0, rounds=1)


async def test_pings_are_answered_between_orders(tmp_path: Path) -> None:
    """While others are measured the clients stay; one that was closed meanwhile stops the run."""
    async with shown([PING], tmp_path) as (script, clients, told):
        _, writer = await asyncio.open_connection("127.0.0.1", told)
        writer.write(b"\x01")
        async with asyncio.timeout(60):
            while script.heard != PONG * 2:  # noqa: ASYNC110 - it comes over the wire
                await asyncio.sleep(0.01)
        script._writers[0].close()
        while await clients.ask("rest", seconds=0.1) == 2:
            pass
        with pytest.raises(BenchmarkError, match="has closed 1 sockets"):
            await clients.ask("rounds", port=told, say="", first=0, rounds=1)
        writer.close()
        await writer.wait_closed()


async def test_at_rest_clients_answer_pings_and_count_who_is_left(tmp_path: Path) -> None:
    """Whoever is asked says that they are there; a socket that was closed is missed."""
    async with shown([PING], tmp_path) as (script, clients, told):
        _, writer = await asyncio.open_connection("127.0.0.1", told)
        writer.write(b"\x01")
        while script.heard != PONG * 2:
            assert await clients.ask("rest", seconds=0.1) == 2
        script.parts = [b""]
        for one in script._writers[:1]:
            one.close()
        while (left := await clients.ask("rest", seconds=0.1)) == 2:
            pass
        assert left == 1
        writer.close()
        await writer.wait_closed()


async def test_the_bare_server_and_ours_tell_all_clients(run: Run) -> None:
    """What is measured does happen: each update reaches each client of either server."""
    async with run.database() as url, publishing_server(run, url) as ours, bare_server(run) as bare:
        for server in (ours, bare):
            await server.connect(3)
            assert len(await server.rounds(20)) == 20
            load = await server.spread(20, sockets=3)
            assert load.per_second > 0
            assert load.cpu_microseconds > 0


async def test_without_fastapi_a_table_says_why(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be installed is told, and the other figures stand."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "peers"))
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    [told] = await fanout._beside_fastapi(run, None)  # type: ignore[arg-type]
    assert isinstance(told, Table)
    assert "does not run" in told.rows[0][0]


def test_too_few_descriptors_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand sockets need as many open files."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    with pytest.raises(BenchmarkSkippedError, match=r"10,500 open files a process and the limit is 4,096"):
        need_descriptors(10_000)
