"""Neighbours that read nothing: they cost bounded memory, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from statistics import quantiles

import pytest
from aiohttp import ClientWebSocketResponse, web
from aiohttp.test_utils import TestClient

from novel_tasks_core import TaskId, parse_task_id
from novel_tasks_server.live import connection, heartbeats
from novel_tasks_server.live.connection import WRITE_BUFFER_BYTES, Connection
from novel_tasks_server.live.hub import ConnectionManager
from novel_tasks_server.live.outbox import CAPACITY_BYTES
from tests.server.live.talking import V1, Connect, Make, followed, logged, progressed, settled, told
from tests.server.live.wire import Wire, wired

Client = TestClient[web.Request, web.Application]
NEIGHBOURS = 25


@pytest.fixture
async def stalled(client: Client) -> AsyncIterator[list[Wire]]:
    """Sockets whose clients read nothing after the handshake."""
    assert client.port is not None
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(wired(client.port, protocol=V1[0], receive_buffer=4096))
            for _ in range(NEIGHBOURS)
        ]


async def latencies(socket: ClientWebSocketResponse, hub: ConnectionManager, task_id: TaskId) -> list[float]:
    """Send progress again and again, and return how long each took to arrive."""
    took = []
    for number in range(300):
        began = time.perf_counter()
        hub.broadcast(task_id, progressed(task_id, 1, number, stage="x" * 2000))
        while (await told(socket)).get("fraction") != number % 1000 / 1000:
            pass
        took.append(time.perf_counter() - began)
    return took


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(values, n=100)[98]


async def test_a_fast_reader_does_not_notice_those_that_stall(
    connect: Connect, make_task: Make, hub: ConnectionManager, stalled: list[Wire]
) -> None:
    """Its p99 with stalled neighbours is that without, but for noise; all that waits for them is bounded."""
    made = await make_task()
    task_id = parse_task_id(made["task_id"])
    fast = await connect(protocols=V1)
    await told(fast)
    await followed(fast, made["task_id"])
    alone = [p99(await latencies(fast, hub, task_id)) for _ in range(2)]
    for wire in stalled:
        wire.say(type="subscribe", task_id=made["task_id"])
    await settled(lambda: len(_followers(hub, task_id)) == NEIGHBOURS + 1)
    together = [p99(await latencies(fast, hub, task_id))]
    while together[-1] >= 10 * max(alone) + 0.05 and len(together) < 10:  # another program had the processor
        together.append(p99(await latencies(fast, hub, task_id)))
    assert min(together) < 10 * max(alone) + 0.05
    slow = [one for one in _followers(hub, task_id) if not one.clear]
    assert len(slow) == NEIGHBOURS
    for one in slow:
        assert one.transport.get_write_buffer_size() <= 2 * WRITE_BUFFER_BYTES
        assert one._outbox is not None
        assert one._outbox._bytes <= CAPACITY_BYTES


def _followers(hub: ConnectionManager, task_id: TaskId) -> list[Connection]:
    return [one for one, followed in hub._sockets.items() if followed]


async def test_a_reader_that_gets_nothing_for_long_is_closed(
    make_task: Make, hub: ConnectionManager, stalled: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one whose outbox never overflows: when nothing leaves for some time it is let go."""
    monkeypatch.setattr(connection, "SEND_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(connection, "CLOSE_TIMEOUT_SECONDS", 0.1)
    made = await make_task()
    task_id = parse_task_id(made["task_id"])
    for wire in stalled:
        wire.say(type="subscribe", task_id=made["task_id"], logs=True)
    await settled(lambda: len(_followers(hub, task_id)) == NEIGHBOURS)
    await settled(lambda: hub._topics[task_id].is_joined)
    seq = hub._topics[task_id].seq
    assert seq is not None
    for number in range(150):
        hub.broadcast(task_id, logged(task_id, seq + number + 1, "x" * 4000))
    assert len(hub.beats.stalled) == NEIGHBOURS
    hub.beats._tick_seconds = 0.05
    hub.beats._slots.clear()
    await settled(lambda: hub.connections == 0)


async def test_sockets_are_asked_in_turns_not_all_at_once() -> None:
    """Ten thousand that came at one moment are asked within some seconds, not in one."""

    class Member:
        due = 0

        def beat(self, now: float) -> float:
            return heartbeats.HEARTBEAT_SECONDS

        def check_stall(self, now: float) -> None:
            raise AssertionError("nothing is written")

    beats = heartbeats.Heartbeats()
    members = [Member() for _ in range(10_000)]
    for member in members:
        beats.join(member)
    sizes = [len(slot) for slot in beats._slots.values()]
    assert max(sizes) < 2_500
    for member in members:
        beats.leave(member)
    assert not beats._slots
    beats.close()
    await asyncio.sleep(0)


async def test_what_leaves_while_others_join_is_looked_after_no_longer() -> None:
    """The wheel keeps nothing of those that left, and stops when all have."""

    class Member:
        due = 0
        beaten = 0

        def beat(self, now: float) -> float:
            self.beaten += 1
            return 0.01

        def check_stall(self, now: float) -> None:
            raise AssertionError("nothing is written")

    beats = heartbeats.Heartbeats(interval=0.01, tick_seconds=0.005)
    staying, leaving = Member(), Member()
    beats.join(staying)
    beats.join(leaving)
    await settled(lambda: min(staying.beaten, leaving.beaten) >= 3)
    beats.leave(leaving)
    seen = leaving.beaten
    goal = staying.beaten + 5
    await settled(lambda: staying.beaten >= goal)
    assert leaving.beaten == seen
    beats.leave(staying)
    await settled(lambda: beats._timer is None)
