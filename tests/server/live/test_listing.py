"""Following tasks at large: all, or those that match a filter; on sockets and as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientWebSocketResponse, web
from aiohttp.test_utils import TestClient
from aiohttp.typedefs import Handler

from novel_tasks_core import Changes, TaskDeleted, TaskEngine, TaskId, TaskStatus, format_task_id
from novel_tasks_server.keys import PRINCIPAL
from novel_tasks_server.live import speech, stats
from novel_tasks_server.live.hub import ConnectionManager
from novel_tasks_server.live.listing import MAX_WAITING, Listing, listed_events
from novel_tasks_server.live.protocol_v1 import ListWish
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.schemas.access import Principal, Scope
from tests.server.live.talking import V1, Connect, followed, read_on, settled, stall, told
from tests.server.live.test_streams import listening

Client = TestClient[web.Request, web.Application]


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


async def following(connect: Connect, owner: str | None = None, **wish: Any) -> ClientWebSocketResponse:
    """Open a socket that follows tasks at large, and wait until it misses nothing."""
    socket = await connect(protocols=V1, headers={} if owner is None else {"X-Test-Owner": owner})
    assert (await told(socket))["type"] == "hello"
    await socket.send_json({"type": "subscribe", "ref": 1, **(wish or {"task_id": "*"})})
    answer = await told(socket)
    assert (answer["type"], answer["ref"]) == ("subscribed", 1)
    assert await told(socket) == {"type": "resync"}
    return socket


async def told_of(socket: ClientWebSocketResponse, task_id: TaskId, status: str) -> dict[str, Any]:
    """Wait until a socket is told that a task has this status; it must not be told of others, nor repeat itself."""
    while True:
        message = await told(socket)
        assert message["type"] == "task", message
        assert message["task"]["id"] == format_task_id(task_id)
        if message["task"]["status"] == status:
            return message


async def silent(socket: ClientWebSocketResponse) -> bool:
    """Say whether nothing but the answer to a ping comes."""
    await socket.send_json({"type": "ping"})
    answer = await told(socket)
    return bool(answer["type"] == "pong")


async def test_all_tasks_are_followed_from_their_beginning(connect: Connect, engine: TaskEngine) -> None:
    """New tasks, every change and every end is told, of tasks that nobody named."""
    socket = await following(connect)
    task = await engine.submit(processor="external")
    message = await told_of(socket, task.id, "pending")
    assert message["task"]["processor"] == "external"
    await engine.report(task.id, status=TaskStatus.PROCESSING)
    await told_of(socket, task.id, "processing")
    await engine.cancel(task.id)
    await told_of(socket, task.id, "cancelled")
    await engine.delete(task.id)
    assert await told(socket) == {"type": "deleted", "task_id": format_task_id(task.id)}


async def test_everybody_sees_their_own(connect: Connect, engine: TaskEngine) -> None:
    """Who is no admin hears of no other owner's task, whatever they ask for: not when it is new, changes or goes."""
    admin, ann, bob = await following(connect), await following(connect, "ann"), await following(connect, "bob")
    hers = await engine.submit(processor="external", owner="ann")
    for socket in (admin, ann):
        await told_of(socket, hers.id, "pending")
    await engine.cancel(hers.id)
    for socket in (admin, ann):
        await told_of(socket, hers.id, "cancelled")
    await engine.delete(hers.id)
    for socket in (admin, ann):
        assert (await told(socket))["type"] == "deleted"
    assert await silent(bob)
    nobodys = await engine.submit(processor="external")
    await told_of(admin, nobodys.id, "pending")
    assert await silent(ann)
    await bob.send_json({"type": "subscribe", "filter": {"owner": "ann"}})
    assert (await told(bob))["code"] == "forbidden"


async def test_filters_say_what_matches_and_what_does_not_any_longer(connect: Connect, engine: TaskEngine) -> None:
    """A task that loses the wanted status is told of by its id; others are not told of at all."""
    pending = await following(connect, filter={"status": "pending", "processor": "external"})
    named = await following(connect, filter={"q": "DRAC"})
    source = await engine.store(b"Once", name="Dracula.txt")
    book = await engine.submit(source, processor="external")
    await told_of(pending, book.id, "pending")
    await told_of(named, book.id, "pending")
    await engine.report(book.id, status=TaskStatus.PROCESSING)
    assert await told(pending) == {"type": "left", "task_id": format_task_id(book.id)}
    await told_of(named, book.id, "processing")
    other = await engine.submit(processor="external")
    await told_of(pending, other.id, "pending")
    assert await silent(named)


async def test_what_is_searched_for_is_what_lists_would_find(connect: Connect, engine: TaskEngine) -> None:
    """A part of a name after an asterisk, and the beginning of an id, mean the same to a socket as to a list."""
    source = await engine.store(b"Once", name="Dracula.txt")
    known = await engine.submit(source, processor="external")
    sockets = [await following(connect, filter={"q": q}) for q in ("*ACUL", format_task_id(known.id)[:-4])]
    await engine.report(known.id, status=TaskStatus.PROCESSING)
    for socket in sockets:
        await told_of(socket, known.id, "processing")


async def test_one_socket_hears_each_thing_once_however_many_filters_match(
    connect: Connect, engine: TaskEngine
) -> None:
    """Two filters are two wishes and one message."""
    socket = await following(connect)
    await socket.send_json({"type": "subscribe", "filter": {"processor": "external"}})
    assert await told(socket) == {"type": "subscribed", "filter": {"processor": "external"}}
    assert await told(socket) == {"type": "resync"}
    task = await engine.submit(processor="external")
    await told_of(socket, task.id, "pending")
    assert await silent(socket)


async def test_unsubscribed_means_no_more_and_no_look_at_the_database(
    connect: Connect, engine: TaskEngine, hub: ConnectionManager
) -> None:
    """A wish is taken back as it was made; with the last one the look at all changes ends."""
    socket = await following(connect, filter={"processor": "external", "status": "pending"})
    await socket.send_json({"type": "unsubscribe", "filter": {"status": "pending", "processor": "external"}})
    assert (await told(socket))["type"] == "unsubscribed"
    await engine.submit(processor="external")
    assert await silent(socket)
    await settled(lambda: not [task for task in asyncio.all_tasks() if task.get_name() == "live listing"])
    again = await following(connect)
    await again.close()
    await settled(lambda: not [task for task in asyncio.all_tasks() if task.get_name() == "live listing"])


async def test_filters_are_limited(connect: Connect) -> None:
    """One socket may have some, and the same again is no other."""
    socket = await connect(protocols=V1)
    await told(socket)
    answers = []
    for number in range(speech.MAX_FILTERS + 1):
        await socket.send_json({"type": "subscribe", "filter": {"q": f"{number}"}, "ref": number})
        while "ref" not in (answer := await told(socket)):
            assert answer["type"] == "resync"
        answers.append(answer["type"])
    assert answers == ["subscribed"] * speech.MAX_FILTERS + ["error"]
    await socket.send_json({"type": "subscribe", "filter": {"q": "0"}, "ref": "again"})
    while "ref" not in (answer := await told(socket)):
        pass
    assert answer["type"] == "subscribed"


@pytest.mark.parametrize(
    "wish",
    [
        {"filter": 5}, {"filter": {"color": "red"}}, {"filter": {"status": "odd"}}, {"filter": {"q": ""}},
        {"filter": {"q": "x" * 256}}, {"filter": {"q": "\x00"}}, {"filter": {"owner": 5}}, {"stats": 1},
        {"task_id": "*", "stats": True}, {}, {"filter": {"q": "\ud800"}},
    ],
)  # fmt: skip
async def test_wishes_that_make_no_sense_are_refused(connect: Connect, wish: dict[str, Any]) -> None:
    """Each with an error that can be read."""
    socket = await connect(protocols=V1)
    await told(socket)
    await socket.send_json({"type": "subscribe", **wish})
    assert (await told(socket))["code"] == "bad_message"


async def test_a_reader_that_cannot_take_all_is_told_to_load_the_list(
    connect: Connect, engine: TaskEngine, hub: ConnectionManager
) -> None:
    """A slow follower is not closed and costs bounded memory: it gets the latest of some, and then `resync`."""
    socket = await following(connect)
    stall(socket)
    task = await engine.submit(processor="external", extra_data={"padding": "x" * 60_000})
    big = await engine.get(task.id)
    gone = TaskDeleted(task_id=task.id, at=engine.clock.now(), owner="")
    for _ in range(200):
        hub.listing._spread(Changes(tasks=(big,)))
        hub.listing._spread(Changes(deleted=(gone,)))
    for number in range(300):
        other = TaskDeleted(task_id=TaskId(UUID(int=number)), at=gone.at, owner="")
        hub.listing._spread(Changes(deleted=(other,)))
    read_on(socket)
    kinds = set()
    while (message := await told(socket))["type"] != "resync":
        kinds.add(message["type"])
    assert kinds <= {"task", "deleted"}
    assert hub.connections == 1


async def test_the_counts_are_shown_at_once_and_when_they_change(
    connect: Connect, engine: TaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Admins get the counts of all and the queues, others those of their own tasks."""
    monkeypatch.setattr(stats, "EVERY_SECONDS", 0.05)
    sockets = []
    for owner in (None, "ann"):
        socket = await connect(protocols=V1, headers={} if owner is None else {"X-Test-Owner": owner})
        await told(socket)
        await socket.send_json({"type": "subscribe", "stats": True, "ref": "s"})
        assert await told(socket) == {"type": "subscribed", "stats": True, "ref": "s"}
        sockets.append(socket)
    admin, ann = sockets
    first = await told(admin)
    assert (first["type"], first["statistics"]["total"]) == ("stats", 0)
    assert isinstance(first["queues"], list)
    mine = await told(ann)
    assert mine["statistics"]["total"] == 0
    assert "queues" not in mine
    await engine.submit(processor="external")
    while (await told(admin))["statistics"]["pending"] != 1:
        pass
    assert await silent(ann)
    await engine.submit(processor="external", owner="ann")
    assert (await told(ann))["statistics"]["pending"] == 1
    await ann.send_json({"type": "unsubscribe", "stats": True})
    assert (await told(ann))["type"] == "unsubscribed"


async def test_changes_are_streamed_too(client: Client, engine: TaskEngine) -> None:
    """The same as server-sent events, without ids: who comes back loads the list."""
    async with listening(client, "/api/v1/events?processor=external&status=pending") as listener:
        assert await listener.next() == {"kind": "resync"}
        task = await engine.submit(processor="external")
        event = await listener.next()
        assert event is not None
        assert (event["kind"], event["id"]) == ("task", format_task_id(task.id))
        await engine.report(task.id, status=TaskStatus.PROCESSING)
        assert await listener.next() == {"kind": "left", "task_id": format_task_id(task.id)}
        await engine.delete(task.id)
        assert await listener.next() == {"kind": "deleted", "task_id": format_task_id(task.id)}
        assert b"\nid:" not in listener.raw


async def test_streams_show_everybody_their_own(client: Client, engine: TaskEngine) -> None:
    """As on sockets; asking for others' tasks is refused."""
    response = await client.get("/api/v1/events?owner=ann", headers={"X-Test-Owner": "bob"})
    assert response.status == 403
    async with (
        listening(client, "/api/v1/events", **{"X-Test-Owner": "bob"}) as bobs,
        listening(client, "/api/v1/events", **{"X-Test-Owner": "ann"}) as anns,
    ):
        assert [await bobs.next(), await anns.next()] == [{"kind": "resync"}] * 2
        await engine.submit(processor="external", owner="ann")
        hers = await anns.next()
        his = await engine.submit(processor="external", owner="bob")
        first = await bobs.next()
        assert first is not None
        assert hers is not None
        assert hers["owner"] == "ann"
        assert first["id"] == format_task_id(his.id)


async def test_a_slow_stream_gets_the_latest_and_in_the_end_a_resync(engine: TaskEngine) -> None:
    """What waits for a listener is one message a task, and bounded."""
    listing = Listing(engine, metrics=Metrics(), changed=lambda _: None)
    task = await engine.submit(processor="external")
    running = await engine.report(task.id, status=TaskStatus.PROCESSING)
    source: AsyncGenerator[bytes, None] = listed_events(listing, None, ListWish())
    async with aclosing(source):
        assert (await anext(source)).startswith(b"event: resync\n")
        for changed in (task, running):
            listing._spread(Changes(tasks=(changed,)))
        told_once = await anext(source)
        assert told_once.count(b"event: task\n") == 1
        assert b'"processing"' in told_once
        for number in range(MAX_WAITING + 5):
            gone = TaskDeleted(task_id=TaskId(UUID(int=number)), at=engine.clock.now(), owner="")
            listing._spread(Changes(deleted=(gone,)))
        rest = await anext(source)
        assert rest.startswith(b"event: resync\n")
        assert rest.count(b"event: deleted\n") <= 5
    await listing.close()


async def test_a_finished_task_that_another_process_sends_round_again_is_followed_again(
    connect: Connect, engine: TaskEngine, hub: ConnectionManager
) -> None:
    """The hub minds finished tasks that are followed: requeued or deleted elsewhere, their followers hear of it."""
    task = await engine.submit(processor="external")
    await engine.cancel(task.id)
    socket = await connect(protocols=V1)
    await told(socket)
    seq = await followed(socket, format_task_id(task.id))
    await engine.requeue(task.id)
    message = await told(socket)
    assert (message["kind"], message["seq"]) == ("requeued", seq + 1)
    await engine.cancel(task.id)
    assert (await told(socket))["kind"] == "cancelled"
    await engine.delete(task.id)
    assert (await told(socket))["type"] == "deleted"
    await settled(lambda: hub.topics == 0)
