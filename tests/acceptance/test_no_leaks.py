"""Clients come and go by the thousand, in every way that there is, and nothing of them stays.

LEAK_CONNECTIONS sets how many; the figures are printed.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from attrs import frozen

from ..core.support import eventually
from ..server.live.raw_frames import closing
from ..server.live.wire import wired
from .programs import Server, serving

CONNECTIONS = int(os.environ.get("LEAK_CONNECTIONS", "3000"))
AT_ONCE = 20
GROWTH_BYTES = (8 << 20) + 1000 * CONNECTIONS
"""An open socket costs some 14 KB, and the counts below are exact: this bounds what they do not see."""

TASK = "task-00000000000000000000000000000001"


@frozen
class Held:
    """What the process holds: counts, and bytes of memory."""

    descriptors: int
    connections: int
    tasks: int
    sockets: int
    memory: int

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """All but the memory."""
        return self.descriptors, self.connections, self.tasks, self.sockets


async def _held(server: Server) -> Held:
    told = sum(line["event"] == "stacks_of_tasks" for line in server.lines())
    server.process.send_signal(signal.SIGUSR1)

    def stacks() -> list[int]:
        return [line["tasks"] for line in server.lines() if line["event"] == "stacks_of_tasks"][told:]

    tasks = (await eventually(stacks))[-1]
    figures = await _answer(server, "/metrics")
    sockets = next(float(line.split()[1]) for line in figures.splitlines() if line.startswith("websockets "))
    seen = server.seen
    connections = len([one for one in seen.net_connections() if one.status == "ESTABLISHED"])
    return Held(seen.num_fds(), connections, tasks, int(sockets), seen.memory_info().rss)


async def _answer(server: Server, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    try:
        return (await reader.read()).decode()
    finally:
        writer.close()
        await writer.wait_closed()


async def _ask_and_go(server: Server) -> None:
    assert "200 OK" in await _answer(server, "/api/v1/tasks?page_size=5")


async def _send_half_and_go(server: Server) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /api/v1/tasks/bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.transport.abort()


async def _stream_and_go(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    await reader.readuntil(b"resync")
    writer.transport.abort()


async def _follow_and_vanish(server: Server) -> None:
    async with wired(server.port) as wire:
        wire.say(type="subscribe", task_id=TASK)
        await wire.message()


async def _follow_all_and_say_goodbye(server: Server) -> None:
    async with wired(server.port, protocol="novel-tasks.v1") as wire:
        await wire.message()
        wire.say(type="subscribe", task_id="*")
        wire.say(type="subscribe", stats=True)
        assert (await wire.message())["type"] == "subscribed"
        wire.send(closing(1000))
        await wire.goodbye()


VISITS: tuple[Callable[[Server], Awaitable[None]], ...] = (
    _ask_and_go,
    _follow_and_vanish,
    _send_half_and_go,
    _follow_all_and_say_goodbye,
    _stream_and_go,
)


async def _visit(server: Server, count: int) -> None:
    """Let so many clients come, some at a time, and each kind in turn."""
    turns = iter(range(count))

    async def some() -> None:
        for turn in turns:
            await VISITS[turn % len(VISITS)](server)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())


@pytest.mark.slow
@pytest.mark.timeout(max(300, CONNECTIONS // 10))
async def test_of_clients_that_are_gone_nothing_stays(database_url: str, open_folder: Path) -> None:
    """After thousands of connections of every kind tasks, sockets and descriptors are as before, and memory nearly."""
    async with serving(open_folder, database_url, "--no-worker") as server:
        await _visit(server, CONNECTIONS // 3)  # caches and pools are filled before anything is counted
        await eventually(lambda: _is_quiet(server))
        before = await _held(server)
        await _visit(server, CONNECTIONS)

        async def is_back() -> Held | None:
            now = await _held(server)
            return now if all(left <= was for left, was in zip(now.counts, before.counts, strict=True)) else None

        after: Held = await eventually(is_back)
        errors = [line for line in server.lines() if line["level"] in ("error", "critical")]
    growth = after.memory - before.memory
    print(  # noqa: T201 - figures for whoever looks: `pytest -s`
        f"\n{CONNECTIONS} connections came and went: asyncio tasks {before.tasks} -> {after.tasks}, descriptors "
        f"{before.descriptors} -> {after.descriptors}, sockets {before.sockets} -> {after.sockets}, memory "
        f"{growth / 1e6:+.1f} MB ({growth / CONNECTIONS:.0f} bytes each)"
    )
    assert errors == []
    assert growth < GROWTH_BYTES


async def _is_quiet(server: Server) -> bool:
    figures = (await _answer(server, "/metrics")).splitlines()
    return "websockets 0.0" in figures and "event_streams 0.0" in figures
