"""Hostile and broken clients on the wire: each is parted with properly, and nobody else notices."""

from __future__ import annotations

import asyncio
import random

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient

from novel_tasks_server.keys import METRICS
from novel_tasks_server.live import connection
from novel_tasks_server.live.heartbeats import Heartbeats
from novel_tasks_server.live.hub import ConnectionManager
from tests.server.live.raw_frames import CASES, closing, frame
from tests.server.live.talking import Connect, settled, told
from tests.server.live.wire import dropped, wired

Client = TestClient[web.Request, web.Application]

_TEXT, _PING, _PONG = 1, 9, 10


@pytest.fixture
def port(client: Client) -> int:
    """Where the server listens."""
    assert client.port is not None
    return client.port


@pytest.mark.parametrize("pieces", [1 << 20, 3])
async def test_the_cases_of_the_autobahn_suite_end_as_they_must(
    port: int, connect: Connect, hub: ConnectionManager, pieces: int
) -> None:
    """The connection is closed with the right code, a neighbour goes on, and the log has one line at most for each."""
    neighbour = await connect()
    for case in CASES:
        with structlog.testing.capture_logs() as logs:
            async with wired(port) as wire:
                for at in range(0, len(case.data), pieces):
                    wire.send(case.data[at : at + pieces])
                if case.code is None:
                    wire.send(closing(1000))
                assert await wire.goodbye() == (1000 if case.code is None else case.code), case.name
        told_of = [line for line in logs if line["event"] != "request"]
        assert len(told_of) <= 1, (case.name, told_of)
        assert all(line["log_level"] == "debug" for line in told_of), case.name
    await neighbour.send_json({"type": "ping"})
    assert await told(neighbour) == {"type": "pong"}
    await settled(lambda: hub.connections == 1)


async def test_pings_are_answered_with_what_they_carry(port: int) -> None:
    """Also those that stand between the parts of a message, and in order."""
    async with wired(port) as wire:
        wire.send(frame(_TEXT, b'{"type": ', fin=False) + frame(_PING, b"one") + frame(0, b'"ping"}') + frame(_PING))
        assert await wire.frame() == (_PONG, b"one")
        assert await wire.message() == {"type": "pong"}
        assert await wire.frame() == (_PONG, b"")


async def test_what_comes_with_the_handshake_is_heard(port: int) -> None:
    """A client that does not wait for the answer loses nothing."""
    async with wired(port, extra=frame(_TEXT, b'{"type": "ping"}') * 3) as wire:
        for _ in range(3):
            assert await wire.message() == {"type": "pong"}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", 426),
        ("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n", 400),
        ("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\n\r\n", 400),
        ("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", 400),
        ("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", 400),
        ("HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", 400),
        ("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", 400),
        ("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\nabc", 400),
    ],
)  # fmt: skip
async def test_what_is_no_handshake_is_refused(port: int, hub: ConnectionManager, head: str, status: int) -> None:
    """Wrong versions, keys, methods and bodies get an HTTP answer, and no socket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.format(path="/api/v1/ws/tasks/c").encode())
    async with asyncio.timeout(60):
        answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(f"HTTP/1.{int('/1.1' in head)} {status} ".encode()), answer
    if status == 426:
        assert b"Sec-WebSocket-Version: 13\r\n" in answer
    await dropped(writer)
    assert hub.connections == 0


async def test_half_open_sockets_are_found(
    port: int, hub: ConnectionManager, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who answers no ping is let go with 4408; who answers, or speaks, stays."""
    beats, clock = Heartbeats(interval=10, patience=10, tick_seconds=0.02), [100.0]
    monkeypatch.setattr(beats, "now", lambda: clock[0])
    monkeypatch.setattr(hub, "beats", beats)
    alive = await connect()
    async with wired(port) as dead, wired(port) as speaking:
        answering = asyncio.create_task(alive.receive())
        for _ in range(3):
            clock[0] += 12.5  # some are asked sooner, some later
            opcode, payload = await dead.frame()
            if opcode != _PING:
                break
            speaking.send(frame(_PONG))
            await settled(lambda: [one.heard_at for one in hub._sockets].count(clock[0]) == 2)
        assert payload[:2] == (4408).to_bytes(2)
        await settled(lambda: hub.connections == 2)
        answering.cancel()


async def test_a_client_that_never_answers_the_goodbye_is_cut_off(
    port: int, hub: ConnectionManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing is bounded whatever the client does."""
    monkeypatch.setattr(connection, "CLOSE_TIMEOUT_SECONDS", 0.1)
    async with wired(port) as wire:
        wire.send(frame(_TEXT, b"x", reserved=1))
        assert (await wire.frame())[0] == 8
        await settled(lambda: hub.connections == 0)
    async with wired(port, protocol="novel-tasks.v1") as wire:
        await wire.message()
        for _ in range(20):
            wire.say(type="nonsense")
        await settled(lambda: hub.connections == 0)


async def test_random_bytes_hurt_nobody(port: int, connect: Connect, hub: ConnectionManager) -> None:
    """A thousand sockets that send noise are closed, and a neighbour does not notice."""
    neighbour, chance = await connect(), random.Random(3)
    for _ in range(40):
        async with asyncio.TaskGroup() as group:
            for _ in range(25):
                group.create_task(_noise(port, chance.randbytes(chance.randrange(1, 300))))
        await neighbour.send_json({"type": "ping"})
        assert await told(neighbour) == {"type": "pong"}
    await settled(lambda: hub.connections == 1)


async def _noise(port: int, data: bytes) -> None:
    async with wired(port) as wire:
        wire.send(data)
        await asyncio.sleep(0)


async def test_sockets_are_counted(app: web.Application, port: int, hub: ConnectionManager) -> None:
    """The gauge goes up and down with the sockets, and messages are counted both ways."""

    def value(name: str, **labels: str) -> float:
        return app[METRICS].registry.get_sample_value(name, labels) or 0.0

    async with wired(port) as wire:
        wire.say(type="ping")
        await wire.message()
        assert value("websockets") == 1
        assert value("websocket_messages_total", direction="in") == 1
        assert value("websocket_messages_total", direction="out") == 1
    await settled(lambda: hub.connections == 0)
    assert value("websockets") == 0
