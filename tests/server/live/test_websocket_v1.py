"""The protocol novel-tasks.v1: what is told of single tasks, in which order, and how a client comes back."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType, web
from aiohttp.test_utils import TestClient
from aiohttp.typedefs import Handler

from novel_tasks_core import (
    AttemptContext,
    LogLevel,
    Processors,
    Task,
    TaskCancelled,
    TaskEngine,
    TaskId,
    format_task_id,
    parse_task_id,
)
from novel_tasks_server.keys import PRINCIPAL
from novel_tasks_server.live import speech
from novel_tasks_server.live.hub import ConnectionManager
from novel_tasks_server.schemas.access import Principal, Scope
from tests.core.support import eventually
from tests.server.live.talking import V1, Connect, Make, followed, read_on, settled, stall, told

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def gates() -> dict[str, asyncio.Event]:
    """Set to let a task go on, by name."""
    return {"half": asyncio.Event(), "lines": asyncio.Event()}


@pytest.fixture
def processors(gates: dict[str, asyncio.Event]) -> Processors:
    """The built-in processors, one that waits half done, and one that writes as many lines as it is told."""
    known = Processors.builtin()

    @known.register("half")
    async def half(ctx: AttemptContext) -> None:
        await ctx.progress(1, total=2, stage="half")
        await gates["half"].wait()

    @known.register("lines")
    async def lines(ctx: AttemptContext) -> None:
        for number in range(int(ctx.options["lines"])):
            level = LogLevel.WARNING if number % 10 == 0 else LogLevel.INFO
            await ctx.log(f"line {number}{ctx.options.get('padding', '')}", level=level)
            if number % 50 == 0:
                await asyncio.sleep(0)
        if ctx.options.get("waits"):
            await gates["lines"].wait()

    return known


@pytest.fixture
def app(app: web.Application) -> web.Application:
    """The application, for which a request is of whom its header X-Test-Owner says."""

    @web.middleware
    async def claimed(request: web.Request, handler: Handler) -> web.StreamResponse:
        if "X-Test-Owner" in request.headers:
            owner = request.headers["X-Test-Owner"]
            request[PRINCIPAL] = Principal(owner=owner, scopes=frozenset({Scope.READ}), name=f"test {owner}")
        return await handler(request)

    app.middlewares.append(claimed)
    return app


async def greeted(connect: Connect, **kwargs: Any) -> ClientWebSocketResponse:
    """Open a socket of the newer protocol and take its hello."""
    socket = await connect(protocols=V1, **kwargs)
    assert (await told(socket))["type"] == "hello"
    return socket


async def told_until(socket: ClientWebSocketResponse, kind: str) -> list[dict[str, Any]]:
    """Return all messages up to the event of this kind."""
    messages = [await told(socket)]
    while messages[-1].get("kind") != kind:
        messages.append(await told(socket))
    return messages


async def written(engine: TaskEngine, lines: int) -> TaskId:
    """Run a task that writes so many lines, and return its id."""
    task = await engine.submit(processor="lines", options={"lines": lines})
    async with engine.worker(concurrency=1):
        await engine.result(task.id)
    return task.id


async def test_hello_says_what_may_be_asked(connect: Connect) -> None:
    """The first message names the protocol, the limits, the heartbeat and who the client is."""
    socket = await connect(protocols=("other", *V1))
    assert socket.protocol == "novel-tasks.v1"
    hello = await told(socket)
    assert (hello["type"], hello["protocol"], hello["heartbeat_seconds"]) == ("hello", "novel-tasks.v1", 25)
    assert hello["limits"]["message_bytes"] == 4096
    assert hello["limits"]["subscriptions"] == speech.MAX_SUBSCRIPTIONS
    assert (hello["owner"], hello["scopes"]) == ("", ["admin", "tasks:read", "tasks:write"])
    assert hello["server_version"]


async def test_an_unknown_subprotocol_is_not_spoken(connect: Connect, make_task: Make) -> None:
    """As RFC 6455 says the answer names none then; who goes on speaks the older protocol."""
    socket = await connect(protocols=("novel-tasks.v9",))
    assert socket.protocol is None
    await socket.send_json({"type": "ping"})
    assert await told(socket) == {"type": "pong"}


async def test_a_subscriber_gets_a_snapshot_and_then_every_event(
    connect: Connect, make_task: Make, engine: TaskEngine, gates: dict[str, asyncio.Event]
) -> None:
    """The task whole and its seq at once, then stored events in their order, and progress between them."""
    task_id = (await make_task(processor="half"))["task_id"]
    socket = await greeted(connect)
    await socket.send_json({"type": "subscribe", "task_id": task_id, "ref": "a"})
    assert await told(socket) == {"type": "subscribed", "task_id": task_id, "ref": "a"}
    snapshot = await told(socket)
    assert (snapshot["type"], snapshot["task_id"], snapshot["task"]["status"]) == ("snapshot", task_id, "pending")
    assert snapshot["task"]["file_name"] == "novel.txt"
    assert snapshot["seq"] == snapshot["task"]["last_seq"]
    async with engine.worker(concurrency=1):
        messages = [await told(socket)]
        while messages[-1].get("progress") != 50:
            messages.append(await told(socket))
        gates["half"].set()
        messages += await told_until(socket, "completed")
    events = [message for message in messages if message["type"] == "event"]
    assert [event["seq"] for event in events] == [snapshot["seq"] + 1, snapshot["seq"] + 2]
    assert [(event["kind"], event["status"]) for event in events] == [
        ("started", "processing"),
        ("completed", "completed"),
    ]
    half = next(message for message in messages if message.get("progress") == 50)
    assert (half["type"], half["stage"], half["fraction"]) == ("progress", "half", 0.5)
    assert half["after_seq"] == events[0]["seq"]


async def test_log_entries_come_only_if_asked_for(connect: Connect, engine: TaskEngine) -> None:
    """Without `logs` there are none, with a level those of at least that level; all see the same seqs."""
    task_id = format_task_id(await written(engine, 30))
    heard = {}
    for logs in (False, True, "warning", "error"):
        socket = await greeted(connect)
        await socket.send_json({"type": "resume", "task_id": task_id, "after_seq": 0, "logs": logs})
        assert (await told(socket))["type"] == "subscribed"
        heard[logs] = await told_until(socket, "completed")
    lines = [message for message in heard[True] if message["type"] == "log"]
    assert [line["message"] for line in lines if line["message"].startswith("line")] == [f"line {n}" for n in range(30)]
    assert [message["seq"] for message in heard[True]] == list(range(1, len(heard[True]) + 1))
    warnings = [message["message"] for message in heard["warning"] if message["type"] == "log"]
    assert warnings == ["line 0", "line 10", "line 20"]
    assert heard[False] == heard["error"] == [message for message in heard[True] if message["type"] == "event"]


async def test_coming_back_with_the_last_seq_misses_nothing(connect: Connect, engine: TaskEngine) -> None:
    """From any seq on, the stored events after it come once and in order."""
    task_id = await written(engine, 1200)
    last = (await engine.get(task_id)).last_seq
    socket = await greeted(connect)
    for after in (0, 1, 499, 500, 501, last - 1):
        await socket.send_json(
            {"type": "resume", "task_id": format_task_id(task_id), "after_seq": after, "logs": "debug"}
        )
        assert (await told(socket))["type"] == "subscribed"
        seqs = [message["seq"] for message in await told_until(socket, "completed")]
        assert seqs == list(range(after + 1, last + 1))


async def test_nothing_missed_is_said_by_silence(connect: Connect, engine: TaskEngine) -> None:
    """Who resumes with the last seq gets the acknowledgement alone."""
    task_id = await written(engine, 3)
    last = (await engine.get(task_id)).last_seq
    socket = await greeted(connect)
    await socket.send_json({"type": "resume", "task_id": format_task_id(task_id), "after_seq": last})
    assert (await told(socket))["type"] == "subscribed"
    await socket.send_json({"type": "ping", "ref": 7})
    assert await told(socket) == {"type": "pong", "ref": 7}


async def test_a_seq_that_never_was_begins_anew(connect: Connect, engine: TaskEngine) -> None:
    """Whoever knows more than the database, as after a restored backup, gets a snapshot."""
    task_id = await written(engine, 3)
    socket = await greeted(connect)
    await socket.send_json({"type": "resume", "task_id": format_task_id(task_id), "after_seq": 10_000})
    assert (await told(socket))["type"] == "subscribed"
    snapshot = await told(socket)
    assert snapshot["type"] == "snapshot"
    assert snapshot["seq"] == (await engine.get(task_id)).last_seq


async def test_a_long_history_comes_at_the_readers_pace(
    connect: Connect, engine: TaskEngine, hub: ConnectionManager
) -> None:
    """A reader that stalls while it catches up is not flooded: it gets all once it reads on."""
    task_id = await written(engine, 12_000)
    last = (await engine.get(task_id)).last_seq
    socket, other = await greeted(connect), await greeted(connect)
    stall(socket)
    for one in (socket, other):
        await one.send_json({"type": "resume", "task_id": format_task_id(task_id), "after_seq": 0, "logs": True})
    await told_until(other, "completed")
    read_on(socket)
    assert (await told(socket))["type"] == "subscribed"
    seqs = [message["seq"] for message in await told_until(socket, "completed")]
    assert seqs == list(range(1, last + 1))
    assert hub.connections == 2


async def test_a_reader_that_falls_behind_catches_up(
    connect: Connect, engine: TaskEngine, hub: ConnectionManager
) -> None:
    """One that cannot follow what is told live is not closed while it reads on: it gets all, a little later."""
    options = {"lines": 6000, "padding": "x" * 500}
    task = await engine.submit(processor="lines", options=options)
    slow = await greeted(connect)
    seq = await followed(slow, format_task_id(task.id), logs=True)
    stall(slow)
    async with engine.worker(concurrency=1):
        await engine.result(task.id)
    await settled(lambda: hub._topics[task.id].seq is not None and not hub._topics[task.id].is_watched)
    assert not hub._topics[task.id].is_joined
    read_on(slow)
    last = (await engine.get(task.id)).last_seq
    seqs = [message["seq"] for message in await told_until(slow, "completed") if "seq" in message]
    assert seqs == list(range(seq + 1, last + 1))


async def test_when_the_database_has_another_history_all_begin_anew(
    connect: Connect, make_task: Make, hub: ConnectionManager
) -> None:
    """After a failover that lost commits nobody waits for events that never come: all get a snapshot."""
    task_id = (await make_task())["task_id"]
    first, second = await greeted(connect), await greeted(connect)
    seq = await followed(first, task_id)
    for number in range(1, 4):
        lost = TaskCancelled(
            task_id=parse_task_id(task_id), seq=seq + number, at=datetime.now(UTC), attempt=0, reason="lost"
        )
        hub.broadcast(parse_task_id(task_id), lost)
        assert (await told(first))["seq"] == seq + number
    await second.send_json({"type": "resume", "task_id": task_id, "after_seq": seq})
    assert (await told(second))["type"] == "subscribed"
    snapshot = await told(first)
    assert (snapshot["type"], snapshot["seq"]) == ("snapshot", seq)


async def test_whenever_one_joins_nothing_is_missed_or_repeated(
    connect: Connect, engine: TaskEngine, gates: dict[str, asyncio.Event]
) -> None:
    """Sockets that subscribe, resume, and resume again while events flow each see every seq once, in order."""
    task = await engine.submit(processor="lines", options={"lines": 4000, "waits": True})
    task_id, chance = format_task_id(task.id), random.Random(5)

    async def watch(after: int | None) -> None:
        socket = await greeted(connect)
        seq = after
        while True:
            wish: dict[str, Any] = {"type": "subscribe", "task_id": task_id, "logs": True, "after_seq": seq}
            await socket.send_json(wish)
            while (await told(socket))["type"] != "subscribed":
                pass  # what was on its way before
            if seq is None:
                seq = (await told(socket))["seq"]
            for _ in range(chance.randrange(1, 900)):
                message = await told(socket)
                if message["type"] == "progress":
                    continue
                seq += 1
                assert message["seq"] == seq
                if message.get("kind") == "completed":
                    return
                if message.get("message") == "line 3999":
                    gates["lines"].set()

    async with engine.worker(concurrency=1), asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(watch(None if number % 2 else 0))
            await asyncio.sleep(0)


async def test_who_knows_more_than_was_told_resumes_there(
    connect: Connect, engine: TaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored events reach who catches up before they are told to all: it resumes behind them, and sees none again."""
    tells, watch = asyncio.Event(), engine.watch

    async def held(task_id: TaskId, **wish: Any) -> AsyncIterator[Any]:
        await tells.wait()
        async for event in watch(task_id, **wish):
            yield event

    monkeypatch.setattr(engine, "watch", held)
    task = await engine.submit(processor="lines", options={"lines": 5})
    await _run(engine, task.id)
    await engine.requeue(task.id)
    task_id = format_task_id(task.id)
    first, second = await greeted(connect), await greeted(connect)
    known = await followed(first, task_id, logs=True)
    await _run(engine, task.id)
    last = (await engine.get(task.id)).last_seq
    await second.send_json({"type": "subscribe", "task_id": task_id, "logs": True, "after_seq": 0})
    assert (await told(second))["type"] == "subscribed"
    assert [(await told(second))["seq"] for _ in range(last)] == list(range(1, last + 1))
    await second.send_json({"type": "subscribe", "task_id": task_id, "logs": True, "after_seq": last})
    assert (await told(second))["type"] == "subscribed"
    await engine.requeue(task.id)
    tells.set()
    message = await told(second)
    assert (message["type"], message["kind"], message["seq"]) == ("event", "requeued", last + 1)
    assert [(await told(first))["seq"] for _ in range(last + 1 - known)] == list(range(known + 1, last + 2))


async def _run(engine: TaskEngine, task_id: TaskId) -> None:
    """Run a task to its end."""

    async def is_over() -> bool:
        return (await engine.get(task_id)).status.is_final

    async with engine.worker(concurrency=1):
        await eventually(is_over)


async def test_who_comes_late_gets_the_snapshot_without_asking_the_database_again(
    connect: Connect, make_task: Make, hub: ConnectionManager, engine: TaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many join a followed task, it is looked up once."""
    task_id = (await make_task())["task_id"]
    await followed(await greeted(connect), task_id)
    looked: list[TaskId] = []
    get = engine.get

    async def noted(asked: TaskId) -> Task:
        looked.append(asked)
        return await get(asked)

    monkeypatch.setattr(engine, "get", noted)
    for _ in range(5):
        await followed(await greeted(connect), task_id)
    assert looked == []


async def test_a_task_that_goes_round_again_goes_on(connect: Connect, make_task: Make, client: Client) -> None:
    """The end of a task is not the end of a subscription: the seq goes on."""
    task_id = (await make_task())["task_id"]
    socket = await greeted(connect)
    seq = await followed(socket, task_id)
    for number, (what, kind) in enumerate([("cancel", "cancelled"), ("retry", "requeued"), ("cancel", "cancelled")], 1):
        await client.post(f"/api/v1/tasks/{task_id}/{what}")
        message = await told(socket)
        assert (message["kind"], message["seq"]) == (kind, seq + number)


async def test_deleting_a_task_is_told(connect: Connect, make_task: Make, client: Client) -> None:
    """Followers learn that it is gone."""
    task_id = (await make_task())["task_id"]
    socket = await greeted(connect)
    await followed(socket, task_id)
    await client.delete(f"/api/v1/tasks/{task_id}")
    assert await told(socket) == {"type": "deleted", "task_id": task_id}
    await socket.send_json({"type": "resume", "task_id": task_id, "after_seq": 1, "ref": 2})
    answer = await told(socket)
    assert (answer["type"], answer["code"], answer["ref"]) == ("error", "not_found", 2)


async def test_foreign_tasks_do_not_exist(connect: Connect, engine: TaskEngine, make_task: Make) -> None:
    """What is said of somebody else's task is what is said of none, whoever else follows it."""
    hers = format_task_id((await engine.submit(processor="external", owner="ann")).id)
    nobodys = (await make_task())["task_id"]
    ann, bob = [await greeted(connect, headers={"X-Test-Owner": owner}) for owner in ("ann", "bob")]
    await followed(ann, hers)
    answers = []
    for task_id in (hers, nobodys, f"task-{uuid4().hex}"):
        for asked in ("subscribe", "resume"):
            await bob.send_json({"type": asked, "task_id": task_id, "after_seq": 0})
            answers.append({**await told(bob), "task_id": None})
    assert answers == [answers[0]] * 6
    assert answers[0]["code"] == "not_found"
    await engine.cancel(parse_task_id(hers))
    assert (await told(ann))["kind"] == "cancelled"
    await bob.send_json({"type": "ping"})
    assert await told(bob) == {"type": "pong"}


async def test_unsubscribed_means_no_more_news(connect: Connect, make_task: Make, client: Client) -> None:
    """Unsubscribing is acknowledged, also of what was not followed."""
    task_id = (await make_task())["task_id"]
    socket = await greeted(connect)
    await followed(socket, task_id)
    for ref in (1, 2):
        await socket.send_json({"type": "unsubscribe", "task_id": task_id, "ref": ref})
        assert await told(socket) == {"type": "unsubscribed", "task_id": task_id, "ref": ref}
    await client.post(f"/api/v1/tasks/{task_id}/cancel")
    await socket.send_json({"type": "ping"})
    assert await told(socket) == {"type": "pong"}


async def test_messages_that_make_no_sense_are_answered_and_in_the_end_enough(connect: Connect) -> None:
    """Each is refused with its ref; after many the socket is closed with 4400."""
    socket = await greeted(connect)
    for number in range(speech.MAX_FAULTS):
        await socket.send_json({"type": "dance", "ref": number})
        answer = await told(socket)
        assert (answer["type"], answer["code"], answer["ref"]) == ("error", "unknown_type", number)
    closing = await socket.receive(timeout=60)
    assert (closing.type, closing.data) == (WSMsgType.CLOSE, 4400)


async def test_asking_for_unknown_tasks_is_no_fault(connect: Connect) -> None:
    """Who follows tasks that others delete is not closed for it."""
    socket = await greeted(connect)
    for _ in range(2 * speech.MAX_FAULTS):
        await socket.send_json({"type": "subscribe", "task_id": f"task-{uuid4().hex}"})
        assert (await told(socket))["code"] == "not_found"


async def test_a_flood_is_closed(connect: Connect) -> None:
    """More messages than hello allows close the socket with 4429."""
    socket = await greeted(connect)
    for _ in range(int(speech.MESSAGES_AT_ONCE) + 100):
        await socket.send_str('{"type": "ping"}')
    answers = 0
    while (message := await socket.receive(timeout=60)).type is WSMsgType.TEXT:
        answers += 1
    assert (message.type, message.data) == (WSMsgType.CLOSE, 4429)
    assert speech.MESSAGES_AT_ONCE <= answers < speech.MESSAGES_AT_ONCE + 100


async def test_a_restart_is_told(connect: Connect, hub: ConnectionManager) -> None:
    """At shutdown every socket gets 1012, and comes back elsewhere with its seqs."""
    socket = await greeted(connect)
    closing = asyncio.create_task(hub.close(code=WSCloseCode.SERVICE_RESTART, reason="bye"))
    message = await socket.receive(timeout=60)
    assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 1012, "bye")
    await closing


async def test_all_is_forgotten_when_a_socket_goes(connect: Connect, make_task: Make, hub: ConnectionManager) -> None:
    """Nothing of a socket remains, whatever it was doing."""
    task_id = (await make_task())["task_id"]
    sockets = [await greeted(connect) for _ in range(4)]
    for number, socket in enumerate(sockets):
        await followed(socket, task_id, logs=number % 2 == 0)
        await socket.send_str(json.dumps({"type": "resume", "task_id": task_id, "after_seq": 0}))
        await socket.close()
    await settled(lambda: (hub.connections, hub.topics) == (0, 0))
    await settled(
        lambda: not [task for task in asyncio.all_tasks() if task.get_name().startswith(("watch ", "admit "))]
    )
