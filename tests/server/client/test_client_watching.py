"""Following tasks over connections that break: nothing is missed, nothing comes twice, and it ends."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from novel_tasks_core import (
    Event,
    LogLevel,
    TaskCompleted,
    TaskDeleted,
    TaskEngine,
    TaskLogged,
    TaskNotFoundError,
    TaskProgressed,
    TaskRequeued,
    TaskStarted,
    parse_task_id,
)
from novel_tasks_server.client import (
    Client,
    ServerRefusedError,
    ServerUnreachableError,
    TaskUpdate,
    UnexpectedAnswerError,
)
from novel_tasks_server.client.events import MessageParser

from .conftest import TASK_ID, Gate, Line, Site, Submit, serving, task

PROMPT = 0.02


@pytest.fixture(params=["stream", "pages"])
async def either(request: pytest.FixtureRequest, site: Site) -> AsyncIterator[Client]:
    """A client of the real server; by way of something that lets no stream through, so that pages must do."""

    async def without_streams(asked: web.Request) -> web.Response:
        async with session.request(asked.method, site.url + asked.path_qs) as answer:
            return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)

    routes = {("GET", path): without_streams for path in ("/api/v1/tasks/{id}", "/api/v1/tasks/{id}/events")}
    async with aiohttp.ClientSession() as session, serving(routes) as other:
        url = site.url if request.param == "stream" else other
        async with Client(url, patience_seconds=30) as client:
            yield client


async def stored(events: AsyncGenerator[Event, None]) -> list[Event]:
    """Return all that have a seq."""
    return [event async for event in events if not isinstance(event, TaskProgressed | TaskDeleted)]


async def test_watch_tells_all_that_happened(
    remote: Client, either: Client, submit: Submit, engine: TaskEngine, gate: Gate
) -> None:
    """The events are those of the engine, values of the same classes, and the last is the one that finishes."""
    task_id = await submit()
    gate.open.set()
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        seen = await stored(either.watch(task_id, poll_seconds=PROMPT))
    assert seen == await engine.events(parse_task_id(task_id))
    assert isinstance(seen[-1], TaskCompleted)
    assert tuple(seen) == await remote.events(task_id)
    assert await stored(either.watch(task_id, after=5)) == seen[5:]
    assert await stored(either.watch(task_id, after=len(seen))) == []


async def test_watch_tells_how_far_the_task_is(
    remote: Client, either: Client, submit: Submit, engine: TaskEngine, gate: Gate
) -> None:
    """Progress comes while the task runs, and says after which seq."""
    task_id = await submit()
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        async with aclosing(either.watch(task_id, poll_seconds=PROMPT)) as events:
            async for event in events:
                if isinstance(event, TaskProgressed) and event.fraction == 0.5:
                    assert (event.stage, event.attempt, event.after_seq > 0) == ("half", 1, True)
                    gate.open.set()
                    break
        await remote.wait([task_id])


async def test_watch_goes_on_when_the_server_is_restarted(
    site: Site, remote: Client, submit: Submit, engine: TaskEngine, gate: Gate
) -> None:
    """The server is stopped in the middle and comes back while the task goes on: no gap and no repeat."""
    task_id = await submit()
    seen: list[int] = []
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        async for event in remote.watch(task_id, poll_seconds=PROMPT):
            if isinstance(event, TaskProgressed | TaskDeleted):
                continue
            seen.append(event.seq)
            if isinstance(event, TaskLogged) and event.message.startswith("line 10 "):
                await site.leave_until_missed()
                gate.open.set()
                await engine.result(parse_task_id(task_id))
    assert seen == [event.seq for event in await engine.events(parse_task_id(task_id))]


async def test_watch_over_a_line_that_breaks_all_the_time(
    broken: Client, line: Line, submit: Submit, engine: TaskEngine, gate: Gate
) -> None:
    """Connections that are reset at any byte of the answer cost neither a gap nor a repeat."""
    task_id = await submit()
    chance = random.Random(7)
    line.down = [chance.randrange(0, 4000) for _ in range(40)]
    gate.open.set()
    async with asyncio.timeout(90), engine.worker(concurrency=1):
        seen = await stored(broken.watch(task_id, poll_seconds=PROMPT))
    assert seen == await engine.events(parse_task_id(task_id))
    assert line.connections > 5


async def test_watch_passes_over_earlier_ends(
    remote: Client, either: Client, submit: Submit, engine: TaskEngine, gate: Gate
) -> None:
    """What finished a task that was sent round again is history, and not the end."""
    task_id = await submit()
    gate.open.set()
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        await remote.wait([task_id])
        await remote.retry(task_id)
        seen = await stored(either.watch(task_id, poll_seconds=PROMPT))
    assert [type(event) for event in seen if isinstance(event, TaskCompleted | TaskRequeued)] == [
        TaskCompleted,
        TaskRequeued,
        TaskCompleted,
    ]


async def test_watch_ends_when_the_task_is_deleted(remote: Client, either: Client, submit: Submit) -> None:
    """A task that is deleted meanwhile ends the watch with that news."""
    task_id = await submit()
    async with asyncio.timeout(60):
        seen: list[Event] = []
        async for event in either.watch(task_id, poll_seconds=PROMPT):
            if not seen:
                await remote.delete(task_id)
            seen.append(event)
    assert isinstance(seen[-1], TaskDeleted)
    with pytest.raises(ServerRefusedError, match="not found") as caught:
        await stored(either.watch(task_id))
    assert (caught.value.status, caught.value.kind) == (404, "task-not-found")
    with pytest.raises(TaskNotFoundError):
        either.watch("novel.txt")


async def test_watch_loses_patience(site: Site, submit: Submit) -> None:
    """A server that stays away is told once the patience is over."""
    task_id = await submit()
    async with asyncio.timeout(60), Client(site.url, patience_seconds=0.3) as client:
        watch = client.watch(task_id, poll_seconds=PROMPT)
        await anext(watch)
        await site.stop()
        with pytest.raises(ServerUnreachableError):
            await stored(watch)


async def test_watch_can_be_cancelled(remote: Client, either: Client, submit: Submit) -> None:
    """Cancelling a watch that hears nothing ends it at once."""
    task_id = await submit()
    heard = asyncio.Event()

    async def listen() -> None:
        async for _ in either.watch(task_id):
            heard.set()

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(60):
        await heard.wait()
        listening.cancel()
        await asyncio.wait([listening])
    assert listening.cancelled()


async def test_follow_logs_leaves_out_what_matters_less(
    remote: Client, either: Client, submit: Submit, engine: TaskEngine, gate: Gate
) -> None:
    """Log entries of the level and above come as they are told, to the end of the task."""
    task_id = await submit()
    gate.open.set()
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        follow = either.follow_logs(task_id, level=LogLevel.WARNING, poll_seconds=PROMPT)
        seen = [entry.message.split(" x")[0] async for entry in follow]
    assert seen == ["line 0", "line 10"]
    assert tuple(seen) == tuple(e.message.split(" x")[0] for e in await remote.logs(task_id, level=LogLevel.WARNING))


async def test_wait_goes_on_when_the_server_is_restarted(
    site: Site, remote: Client, submit: Submit, engine: TaskEngine, gate: Gate
) -> None:
    """A server that is restarted while tasks are waited for delays only the news."""
    task_id = await submit()
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        half = asyncio.Event()

        def told(update: TaskUpdate) -> None:
            if update.progress >= 50:
                half.set()

        waiting = asyncio.create_task(remote.wait([task_id], on_update=told, poll_seconds=PROMPT))
        await half.wait()
        await site.leave_until_missed()
        gate.open.set()
        await engine.result(parse_task_id(task_id))
        assert (await waiting)[task_id].status == "completed"


def event(seq: int, kind: str = "log", **fields: Any) -> bytes:
    """Return a server-sent event."""
    own: dict[str, dict[str, Any]] = {
        "log": {"level": "info", "message": f"第 {seq} 行", "attempt": 1},
        "completed": {"attempt": 1},
    }
    content = {"kind": kind, "seq": seq, "at": "2026-01-01T00:00:00Z", **own.get(kind, {}), **fields}
    return b"id: %d\nevent: event\ndata: %s\n\n" % (seq, json.dumps(content).encode())


async def streamed(*answers: list[bytes], last_seq: int) -> tuple[list[Event], list[str]]:
    """Watch a server that streams the answers, one a connection; return the events, and what was asked after."""
    asked: list[str] = []

    async def stream(request: web.Request) -> web.StreamResponse:
        asked.append(request.query["after"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in answers[len(asked) - 1]:
            await response.write(piece)
            await asyncio.sleep(0)
        if request.transport is not None and len(asked) < len(answers):
            request.transport.abort()
        return response

    async def get(request: web.Request) -> web.Response:
        ended = len(asked) == len(answers)
        return web.json_response(task("completed" if ended else "processing") | {"last_seq": last_seq})

    routes = {("GET", "/api/v1/tasks/{id}/events"): stream, ("GET", "/api/v1/tasks/{id}"): get}
    async with asyncio.timeout(60), serving(routes) as url, Client(url) as client:
        return [event async for event in client.watch(TASK_ID, poll_seconds=0)], asked


async def test_watch_reads_a_stream_that_breaks() -> None:
    """A stream that breaks in the middle of an event is taken up after the last whole one; repeats are passed over."""
    half = event(3)[:40]
    events, asked = await streamed(
        [b": hello\n\n", event(1)[:10], event(1)[10:] + event(2) + half],
        [event(2), event(3), event(4, "completed")],
        last_seq=4,
    )
    assert [getattr(event, "seq", None) for event in events] == [1, 2, 3, 4]
    assert asked == ["0", "2"]
    assert isinstance(events[0], TaskLogged)
    assert events[0].message == "第 1 行"


async def test_a_long_history_comes_page_by_page_without_a_pause() -> None:
    """Where there is no stream, pages that are full are followed by the next at once."""

    async def pages(request: web.Request) -> web.Response:
        first = int(request.query["after"]) + 1
        log = {"kind": "log", "at": "2026-01-01T00:00:00Z", "level": "info", "message": "x", "attempt": 1}
        return web.json_response({"events": [log | {"seq": seq} for seq in range(first, min(first + 1000, 2501))]})

    async def get(request: web.Request) -> web.Response:
        return web.json_response(task("completed") | {"last_seq": 2500})

    routes = {("GET", "/api/v1/tasks/{id}/events"): pages, ("GET", "/api/v1/tasks/{id}"): get}
    async with asyncio.timeout(60), serving(routes) as url, Client(url) as client:
        seen = await stored(client.watch(TASK_ID, poll_seconds=60))
    assert [getattr(event, "seq", None) for event in seen] == list(range(1, 2501))


async def test_watch_knows_what_is_not_stored_and_passes_over_what_it_does_not_know() -> None:
    """Progress has no seq; an event of a kind that came later is left out, and not asked for again."""
    progress = b'event: progress\ndata: {"after_seq": 1, "at": "2026-01-01T00:00:00Z", "attempt": 1,'
    progress += b' "fraction": 0.5, "stage": "half"}\n\n'
    events, asked = await streamed(
        [event(1), progress, event(2, "invented_later")], [event(3, "completed")], last_seq=3
    )
    assert [type(event) for event in events] == [TaskLogged, TaskProgressed, TaskCompleted]
    assert isinstance(events[1], TaskProgressed)
    assert events[1].fraction == 0.5
    assert asked == ["0", "2"]


async def test_a_stream_that_is_none_of_ours_is_told() -> None:
    """Data that is no event ends the watch with a clear error."""
    with pytest.raises(UnexpectedAnswerError):
        await streamed([b"data: hello\n\n"], last_seq=1)


def test_messages_are_read_whatever_the_pieces() -> None:
    """Line ends of either kind, comments, fields of several lines, and cuts at any byte make no difference."""
    whole = ': comment\r\nevent: log\r\ndata: {"a":\r\ndata: "夜"}\r\n\r\nid: 7\n\ndata:{}\n\n'.encode()
    for size in range(1, len(whole)):
        parser = MessageParser()
        pieces = (whole[start : start + size] for start in range(0, len(whole), size))
        found = [message.content() for piece in pieces for message in parser.feed(piece)]
        assert found == [{"kind": "log", "a": "夜"}, {"kind": ""}]


async def test_a_started_event_tells_the_worker(remote: Client, submit: Submit, engine: TaskEngine, gate: Gate) -> None:
    """An event's own fields arrive with it."""
    task_id = await submit()
    gate.open.set()
    async with asyncio.timeout(60), engine.worker(concurrency=1) as worker:
        await remote.wait([task_id])
        [started] = [event for event in await remote.events(task_id) if isinstance(event, TaskStarted)]
        assert started.worker_id == worker.id
