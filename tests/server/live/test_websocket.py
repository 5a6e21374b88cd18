"""Live updates: what clients are told, and that nobody can break it for others."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiohttp import WSCloseCode, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient

from novel_tasks_core import AttemptContext, Processors, TaskEngine, parse_task_id
from novel_tasks_server.live import connection, speech
from novel_tasks_server.live.hub import ConnectionManager
from tests.server.live.talking import (
    V1,
    Connect,
    Make,
    followed,
    logged,
    progressed,
    read_on,
    settled,
    stall,
    subscribe,
    told,
)

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def seen() -> asyncio.Event:
    """Set when the processor `half` may go on."""
    return asyncio.Event()


@pytest.fixture
def processors(seen: asyncio.Event) -> Processors:
    """The built-in processors, and one that waits half done until that was seen."""
    known = Processors.builtin()

    @known.register("half")
    async def half(ctx: AttemptContext) -> None:
        await ctx.progress(1, total=2, stage="half")
        await seen.wait()

    return known


async def test_ping(connect: Connect) -> None:
    """Who asks is answered."""
    socket = await connect()
    await socket.send_json({"type": "ping"})
    assert await told(socket) == {"type": "pong"}


async def test_a_subscriber_sees_the_task_at_once_and_every_change(
    make_task: Make, connect: Connect, client: Client
) -> None:
    """The first message shows the task as it is; each change follows."""
    task_id = (await make_task())["task_id"]
    socket = await connect()
    shown = await subscribe(socket, task_id)
    assert shown == {
        "type": "task_update", "task_id": task_id, "status": "pending", "progress": 0, "result_url": None,
        "error_message": None,
    }  # fmt: skip
    await client.patch(f"/api/v1/tasks/{task_id}", json={"status": "processing"})
    assert (await told(socket))["status"] == "processing"
    await client.patch(f"/api/v1/tasks/{task_id}", json={"progress": 40})
    assert (await told(socket))["progress"] == 40
    await client.patch(f"/api/v1/tasks/{task_id}", json={"status": "failed", "error_message": "no ink"})
    last = await told(socket)
    assert (last["status"], last["error_message"]) == ("failed", "no ink")


async def test_a_running_task_is_followed_to_its_end(
    make_task: Make, connect: Connect, engine: TaskEngine, seen: asyncio.Event
) -> None:
    """Progress is told while the task runs, and the last message has the result."""
    made = await make_task(processor="half")
    socket = await connect()
    messages = [await subscribe(socket, made["task_id"])]
    async with engine.worker(concurrency=1):
        while messages[-1]["status"] != "completed":
            messages.append(await told(socket))
            if messages[-1]["progress"] == 50:
                seen.set()
    shown = [(m["status"], m["progress"]) for m in messages]
    assert [one for one in shown if one != ("processing", 0)] == [
        ("pending", 0),
        ("processing", 50),
        ("completed", 100),
    ]
    assert messages[-1]["result_url"] == f"/api/v1/tasks/{made['task_id']}/result"


async def test_a_task_that_goes_round_again_is_followed_again(
    make_task: Make, connect: Connect, client: Client
) -> None:
    """The end of a task is not the end of a subscription."""
    task_id = (await make_task())["task_id"]
    socket = await connect()
    await subscribe(socket, task_id)
    await client.post(f"/api/v1/tasks/{task_id}/cancel")
    assert (await told(socket))["status"] == "cancelled"
    await client.post(f"/api/v1/tasks/{task_id}/retry")
    assert (await told(socket))["status"] == "pending"
    await client.patch(f"/api/v1/tasks/{task_id}", json={"status": "processing"})
    assert (await told(socket))["status"] == "processing"


async def test_a_finished_task_is_shown_to_late_subscribers(make_task: Make, connect: Connect, client: Client) -> None:
    """Who comes after the end still learns how it ended, as often as they ask."""
    task_id = (await make_task())["task_id"]
    await client.post(f"/api/v1/tasks/{task_id}/cancel")
    socket = await connect()
    assert (await subscribe(socket, task_id))["status"] == "cancelled"
    assert (await subscribe(socket, task_id))["status"] == "cancelled"


async def test_deleting_a_task_is_told(
    make_task: Make, connect: Connect, client: Client, hub: ConnectionManager
) -> None:
    """Subscribers learn that there is nothing more to wait for."""
    task_id = (await make_task())["task_id"]
    socket = await connect()
    await subscribe(socket, task_id)
    await client.delete(f"/api/v1/tasks/{task_id}")
    gone = await told(socket)
    assert (gone["type"], gone["code"], gone["task_id"]) == ("error", "not_found", task_id)
    await settled(lambda: hub.topics == 0)


async def test_unknown_tasks_are_told_apart(connect: Connect) -> None:
    """Subscribing to no task is an error message, and the socket stays."""
    socket = await connect()
    for task_id in (f"task-{uuid4().hex}", "task-1", "", "\x00"):
        answer = await subscribe(socket, task_id)
        assert (answer["type"], answer["code"]) == ("error", "not_found")
    await socket.send_json({"type": "ping"})
    assert await told(socket) == {"type": "pong"}


BAD_MESSAGES = [
    "", "{", "[]", "null", "1e999", '{"type": "dance"}', '{"type": "subscribe"}', '{"type": {}}', "[" * 4000,
    '"\\ud800"',
]  # fmt: skip


async def test_bad_messages_are_answered_and_forgiven(connect: Connect) -> None:
    """Whatever text comes, the answer is an error message, and the socket stays."""
    socket = await connect()
    for text in BAD_MESSAGES:
        await socket.send_str(text)
        assert (await told(socket))["type"] == "error"
    await socket.send_json({"type": "ping"})
    assert await told(socket) == {"type": "pong"}


async def test_bytes_are_not_understood(connect: Connect) -> None:
    """Binary messages are refused politely."""
    socket = await connect()
    await socket.send_bytes(b"\x00\x01")
    assert (await told(socket))["code"] == "bad_message"


async def test_too_long_messages_close_the_socket(connect: Connect) -> None:
    """A message beyond the limit is a reason to part."""
    socket = await connect()
    await socket.send_str("x" * 5000)
    message = await socket.receive(timeout=60)
    assert (message.type, message.data) == (WSMsgType.CLOSE, WSCloseCode.MESSAGE_TOO_BIG)


async def test_two_sockets_with_one_client_id_both_work(make_task: Make, connect: Connect, client: Client) -> None:
    """A second tab does not silence the first."""
    task_id = (await make_task())["task_id"]
    first, second = await connect("same"), await connect("same")
    await subscribe(first, task_id)
    await subscribe(second, task_id)
    await client.post(f"/api/v1/tasks/{task_id}/cancel")
    assert [(await told(socket))["status"] for socket in (first, second)] == ["cancelled", "cancelled"]


async def test_a_task_is_watched_once_for_all_and_not_longer_than_needed(
    make_task: Make, connect: Connect, hub: ConnectionManager
) -> None:
    """However many follow, there is one watch; it ends with the last of them."""
    task_id = (await make_task())["task_id"]
    sockets = [await connect() for _ in range(5)]
    for socket in sockets:
        await subscribe(socket, task_id)
    assert (hub.topics, hub.connections) == (1, 5)
    watches = [task for task in asyncio.all_tasks() if task.get_name().startswith("watch ")]
    assert len(watches) == 1
    await sockets[0].send_json({"type": "unsubscribe", "task_id": task_id})
    for socket in sockets[1:]:
        await socket.close()
    await settled(lambda: hub.topics == 0)
    await settled(lambda: watches[0].done())
    await settled(lambda: hub.connections == 1)


async def test_unsubscribed_means_no_more_news(make_task: Make, connect: Connect, client: Client) -> None:
    """After unsubscribing only the other subscriber hears."""
    task_id = (await make_task())["task_id"]
    leaving, staying = await connect(), await connect()
    await subscribe(leaving, task_id)
    await subscribe(staying, task_id)
    await leaving.send_json({"type": "unsubscribe", "task_id": task_id})
    await leaving.send_json({"type": "ping"})
    assert await told(leaving) == {"type": "pong"}
    await client.post(f"/api/v1/tasks/{task_id}/cancel")
    assert (await told(staying))["status"] == "cancelled"
    await leaving.send_json({"type": "ping"})
    assert await told(leaving) == {"type": "pong"}


async def test_subscriptions_are_limited(connect: Connect, make_task: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """One socket cannot follow everything, but may give up one task for another."""
    monkeypatch.setattr(speech, "MAX_SUBSCRIPTIONS", 1)
    first, second = [(await make_task(text))["task_id"] for text in (b"1", b"2")]
    socket = await connect()
    assert (await subscribe(socket, first))["status"] == "pending"
    assert (await subscribe(socket, second))["code"] == "too_many_subscriptions"
    await socket.send_json({"type": "unsubscribe", "task_id": first})
    assert (await subscribe(socket, second))["status"] == "pending"


async def test_pages_of_other_origins_are_kept_out(client: Client) -> None:
    """Only our own pages and those of configured origins may connect; programs send no Origin."""
    ours = f"http://{client.host}:{client.port}"
    for origin in ("https://friend.example", ours, None):
        headers = {} if origin is None else {"Origin": origin}
        async with client.ws_connect("/api/v1/ws/tasks/c", headers=headers) as socket:
            await socket.send_json({"type": "ping"})
            assert await told(socket) == {"type": "pong"}
    for origin in ("https://evil.example", "https://friend.example.evil", "null", "", ours.replace("1", "2")):
        with pytest.raises(WSServerHandshakeError) as caught:
            await client.ws_connect("/api/v1/ws/tasks/c", headers={"Origin": origin})
        assert caught.value.status == 403


async def test_a_plain_request_is_told_to_upgrade(client: Client) -> None:
    """What is no WebSocket handshake is a problem like any other."""
    response = await client.get("/api/v1/ws/tasks/c")
    assert response.status == 400
    assert (await response.json())["status"] == 400


async def test_a_reader_that_stalls_delays_nobody_and_is_let_go(
    connect: Connect, make_task: Make, hub: ConnectionManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not read is closed; the others get every message meanwhile."""
    monkeypatch.setattr(connection, "CLOSE_TIMEOUT_SECONDS", 0.2)
    made = await make_task()
    task_id = parse_task_id(made["task_id"])
    fast, stalled = await connect(protocols=V1), await connect(protocols=V1)
    for socket in (fast, stalled):
        await told(socket)
        await followed(socket, made["task_id"])
    stall(stalled)
    monkeypatch.setattr(connection, "SEND_TIMEOUT_SECONDS", 0.3)
    for number in range(2000):
        hub.broadcast(task_id, progressed(task_id, 1, number, stage="x" * 20_000))
        assert (await told(fast))["fraction"] == number % 1000 / 1000
        if hub.connections == 1:
            break
    await settled(lambda: hub.connections == 1)
    await fast.send_json({"type": "ping"})
    assert await told(fast) == {"type": "pong"}


async def test_a_slow_reader_loses_progress_first(
    connect: Connect, make_task: Make, hub: ConnectionManager, client: Client
) -> None:
    """Of much progress at once only what fits and the latest is sent; what must arrive arrives."""
    made = await make_task()
    task_id = parse_task_id(made["task_id"])
    await client.patch(f"/api/v1/tasks/{made['task_id']}", json={"status": "processing"})
    socket = await connect(protocols=V1)
    await told(socket)
    seq = await followed(socket, made["task_id"], logs=True)
    stall(socket)
    for number in range(20_000):
        hub.broadcast(task_id, progressed(task_id, 1, number, stage="x" * 200))
    hub.broadcast(task_id, logged(task_id, seq + 1, "the end"))
    read_on(socket)
    messages = [await told(socket)]
    while messages[-1]["type"] != "log":
        messages.append(await told(socket))
    assert len(messages) < 19_000
    assert messages[-2]["progress"] == 99
    assert messages[-1]["message"] == "the end"


async def test_a_flood_of_pings_is_answered_at_the_clients_pace(connect: Connect) -> None:
    """Who asks much gets all answers; asking faster than reading only slows the asker."""
    socket = await connect()
    for _ in range(2000):
        await socket.send_str('{"type": "ping"}')
    for _ in range(2000):
        assert await told(socket) == {"type": "pong"}


async def test_closing_says_that_the_service_restarts(
    connect: Connect, make_task: Make, hub: ConnectionManager
) -> None:
    """At shutdown every socket gets what waits for it and then 1012."""
    task_id = (await make_task())["task_id"]
    socket = await connect()
    await subscribe(socket, task_id)
    closing = asyncio.create_task(hub.close(code=WSCloseCode.SERVICE_RESTART, reason="bye"))
    message = await socket.receive(timeout=60)
    assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, WSCloseCode.SERVICE_RESTART, "bye")
    await asyncio.wait_for(closing, 60)
    assert (hub.connections, hub.topics) == (0, 0)
    with pytest.raises(WSServerHandshakeError) as caught:
        await connect()
    assert caught.value.status == 503


async def test_closing_does_not_wait_for_a_stalled_reader(
    connect: Connect, hub: ConnectionManager, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The goodbye is bounded also for one that reads nothing."""
    monkeypatch.setattr(connection, "CLOSE_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(connection, "SEND_TIMEOUT_SECONDS", 3600.0)
    made = await make_task()
    task_id = parse_task_id(made["task_id"])
    socket = await connect(protocols=V1)
    await told(socket)
    seq = await followed(socket, made["task_id"], logs=True)
    stall(socket)
    for number in range(250):
        hub.broadcast(task_id, logged(task_id, seq + number + 1, "x" * 4_000))
    async with asyncio.timeout(60):
        await hub.close(code=WSCloseCode.SERVICE_RESTART, reason="bye")
    assert hub.connections == 0
