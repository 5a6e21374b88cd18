"""Server-sent events: the same news for those who only listen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from novel_tasks_core import AttemptContext, Processors, TaskEngine, TaskId, format_task_id
from novel_tasks_server.client.events import MessageParser
from novel_tasks_server.live import stream
from novel_tasks_server.live.doorkeeper import Doorkeeper
from novel_tasks_server.live.hub import HUB
from novel_tasks_server.live.stream import STREAMS, Streams
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.schemas.access import Principal
from tests.server.live.talking import Make, settled

Client = TestClient[web.Request, web.Application]
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def gate() -> asyncio.Event:
    """Set when the processor `half` may go on."""
    return asyncio.Event()


@pytest.fixture
def processors(gate: asyncio.Event) -> Processors:
    """The built-in processors, and one that waits half done."""
    known = Processors.builtin()

    @known.register("half")
    async def half(ctx: AttemptContext) -> None:
        await ctx.log("half way")
        await ctx.progress(1, total=2, stage="half")
        await gate.wait()

    return known


class Listener:
    """Reads one stream."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.raw = b""
        self._parser = MessageParser()
        self._messages: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any] | None:
        """Wait for the next event; None at the end of the stream."""
        while not self._messages:
            async with asyncio.timeout(60):
                data = await self.response.content.readany()
            if not data:
                return None
            self.raw += data
            self._messages += [{"kind": told.kind, **json.loads(told.data)} for told in self._parser.feed(data)]
        return self._messages.pop(0)

    async def rest(self) -> list[dict[str, Any]]:
        """Read to the end."""
        events = []
        while (event := await self.next()) is not None:
            events.append(event)
        return events


@asynccontextmanager
async def listening(client: Client, path: str, **headers: str) -> AsyncIterator[Listener]:
    """Open a stream."""
    async with client.get(path, headers={**STREAM, **headers}) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield Listener(response)


async def ended(engine: TaskEngine, gate: asyncio.Event) -> TaskId:
    """Run a task to its end and return its id."""
    task = await engine.submit(processor="half")
    gate.set()
    async with engine.worker(concurrency=1):
        await engine.result(task.id)
    return task.id


async def test_a_task_is_heard_to_its_end(
    client: Client, make_task: Make, engine: TaskEngine, gate: asyncio.Event
) -> None:
    """Stored events have their seq as id, progress has none, and after the end nothing comes."""
    made = await make_task(processor="half")
    async with listening(client, f"/api/v1/tasks/{made['task_id']}/events") as listener, engine.worker(concurrency=1):
        events = []
        while (event := await listener.next()) is not None:
            events.append(event)
            if event["kind"] == "progress":
                assert (event["fraction"], event["stage"]) == (0.5, "half")
                gate.set()
    stored = [event for event in events if event["kind"] != "progress"]
    assert [event["seq"] for event in stored] == list(range(1, len(stored) + 1))
    assert stored[-1]["kind"] == "completed"
    assert listener.raw.startswith(b"retry: ")
    assert f"id: {stored[-1]['seq']}\nevent: completed\ndata: ".encode() in listener.raw
    assert b"\n\nevent: progress\ndata: " in listener.raw


async def test_who_comes_back_gets_what_is_new(client: Client, engine: TaskEngine, gate: asyncio.Event) -> None:
    """The id of the last event counts, before what the address says; without either all comes."""
    path = f"/api/v1/tasks/{format_task_id(await ended(engine, gate))}/events"
    async with listening(client, path) as listener:
        everything = await listener.rest()
    async with listening(client, f"{path}?after=1") as listener:
        assert await listener.rest() == everything[1:]
    async with listening(client, f"{path}?after=1", **{"Last-Event-ID": "2"}) as listener:
        assert await listener.rest() == everything[2:]
    async with listening(client, path, **{"Last-Event-ID": "999"}) as listener:
        assert await listener.rest() == everything


async def test_when_all_is_known_there_is_no_stream(client: Client, engine: TaskEngine, gate: asyncio.Event) -> None:
    """204 keeps a browser from asking again and again for a task that has finished."""
    task_id = await ended(engine, gate)
    last = (await engine.get(task_id)).last_seq
    path = f"/api/v1/tasks/{format_task_id(task_id)}/events"
    response = await client.get(path, headers={**STREAM, "Last-Event-ID": str(last)})
    assert (response.status, await response.read()) == (204, b"")


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "٣", "9" * 30])
async def test_a_last_event_id_is_a_seq(client: Client, make_task: Make, given: str) -> None:
    """Anything else is refused before a stream begins."""
    made = await make_task()
    headers = {**STREAM, "Last-Event-ID": given}
    response = await client.get(f"/api/v1/tasks/{made['task_id']}/events", headers=headers)
    assert response.status == 422
    assert (await response.json())["errors"][0]["pointer"] == "/headers/Last-Event-ID"


async def test_streams_are_for_those_who_name_them(client: Client, make_task: Make) -> None:
    """Who accepts anything gets JSON, and HEAD gets the headers alone."""
    path = f"/api/v1/tasks/{(await make_task())['task_id']}/events"
    for accept in ("*/*", "application/json", "text/event-stream;q=0", "text/html, */*;q=0.5"):
        response = await client.get(path, headers={"Accept": accept})
        assert response.content_type == "application/json"
        assert (await response.json())["events"]
    response = await client.head(path, headers={"Accept": "application/json;q=0.5, text/event-stream"})
    assert (response.status, response.content_type) == (200, "text/event-stream")


async def test_there_is_no_stream_of_no_task(client: Client) -> None:
    """An unknown id is 404 as everywhere."""
    response = await client.get(f"/api/v1/tasks/task-{uuid4().hex}/events", headers=STREAM)
    assert response.status == 404


async def test_deleting_a_task_ends_its_streams(client: Client, make_task: Make) -> None:
    """The last event says that the task is gone."""
    task_id = (await make_task())["task_id"]
    async with listening(client, f"/api/v1/tasks/{task_id}/events") as listener:
        assert await listener.next() is not None
        await client.delete(f"/api/v1/tasks/{task_id}")
        last = (await listener.rest())[-1]
        assert (last["kind"], last["task_id"]) == ("deleted", task_id)


async def test_a_silent_stream_says_that_it_is_there(
    client: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comments keep proxies from closing it."""
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.02)
    task_id = (await make_task())["task_id"]
    async with client.get(f"/api/v1/tasks/{task_id}/events", headers=STREAM) as response, asyncio.timeout(60):
        read = b""
        while read.count(b"\n: still here\n\n") < 3:
            read += await response.content.readany()


async def test_stopping_ends_streams(app: web.Application, client: Client, make_task: Make) -> None:
    """No stream holds up the end of the server."""
    task_id = (await make_task())["task_id"]
    async with listening(client, f"/api/v1/tasks/{task_id}/events") as listener:
        assert await listener.next() is not None
        app[STREAMS].close()
        await listener.rest()
    assert app[STREAMS].open == 0


async def test_a_listener_that_leaves_is_forgotten(
    app: web.Application, client: Client, make_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its watch ends with the next thing that is written."""
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.02)
    task_id = (await make_task())["task_id"]
    async with listening(client, f"/api/v1/tasks/{task_id}/events") as listener:
        await listener.next()
        listener.response.close()
    await settled(lambda: app[STREAMS].open == 0)
    assert app[HUB].connections == 0


async def test_a_listener_that_leaves_is_forgotten_though_nothing_is_written(
    app: web.Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are gone are looked for: they do not wait for the next comment."""
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.02)
    runner = web.AppRunner(app)  # as when served: a test server would cancel the handler
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    await reader.readuntil(b"event: resync")
    assert app[STREAMS].open == 1
    writer.transport.abort()
    await settled(lambda: app[STREAMS].open == 0)
    await runner.cleanup()


async def test_a_listener_that_stalls_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that takes nothing is let go, and what it is written is not made meanwhile."""
    monkeypatch.setattr(stream, "SEND_TIMEOUT_SECONDS", 0.3)

    async def nobody(token: str | None) -> None:
        return None

    streams, made, done = Streams(Metrics(), Doorkeeper(nobody)), [0], asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                made[0] += 1
                yield stream.written("log", {"message": "x" * 100_000})
        finally:
            done.set()

    async def serve(request: web.Request) -> web.StreamResponse:
        return await streams.serve(request, endless(), principal=Principal.anyone(), token=None)

    app = web.Application()
    app.router.add_get("/", serve)
    async with TestClient(TestServer(app)) as client, client.get("/") as response, asyncio.timeout(60):
        await response.content.readany()
        assert response.connection is not None
        assert response.connection.transport is not None
        response.connection.transport.pause_reading()
        await done.wait()
    assert made[0] < 1000
    assert streams.open == 0
