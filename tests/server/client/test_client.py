"""The client against a server that behaves as badly as networks do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import BodyPartReader, web

from novel_tasks_core import TaskStatus
from novel_tasks_server.client import (
    Client,
    RemoteArtifact,
    ServerRefusedError,
    ServerUnreachableError,
    TaskUpdate,
    UnexpectedAnswerError,
    UploadOptions,
)

from .conftest import TASK_ID, serving, task


async def test_upload_sends_the_file_under_its_name_with_its_wishes(tmp_path: Path) -> None:
    """The form holds the file, a name in any script, and only the wishes that were made."""
    received: dict[str, Any] = {}

    async def accept(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            received[str(part.name)] = (part.filename, bytes(await part.read()))
        answer = {"task_id": TASK_ID, "file_name": "夜.txt", "file_size": 3, "status": "pending"}
        return web.json_response(answer)

    path = tmp_path / '夜 "x".txt'
    path.write_bytes(b"abc")
    async with serving({("POST", "/api/v1/tasks/upload"): accept}) as url, Client(url) as client:
        upload = await client.upload(path, wanted=UploadOptions(processor="split", options={"a": 1}))
    assert (upload.task_id, upload.status, upload.duplicate) == (TASK_ID, TaskStatus.PENDING, False)
    assert received == {
        "processor": (None, b"split"),
        "options": (None, b'{"a": 1}'),
        "file": ('夜 "x".txt', b"abc"),
    }


async def test_wait_follows_over_the_socket() -> None:
    """Updates of the socket are passed on, and the task is fetched once it has finished."""
    status = "processing"

    async def live(request: web.Request) -> web.WebSocketResponse:
        nonlocal status
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert await socket.receive_json() == {"type": "subscribe", "task_id": TASK_ID}
        for status, progress in (("processing", 50), ("completed", 100)):
            message = {"type": "task_update", "task_id": TASK_ID, "status": status, "progress": progress}
            await socket.send_json(message | {"result_url": None, "error_message": None})
        await socket.receive()
        return socket

    async def get(request: web.Request) -> web.Response:
        return web.json_response(task(status))

    seen: list[TaskUpdate] = []
    routes = {("GET", "/api/v1/ws/tasks/{client}"): live, ("GET", "/api/v1/tasks/{id}"): get}
    async with serving(routes) as url, Client(url) as client:
        finished = await client.wait([TASK_ID], on_update=seen.append)
    assert finished[TASK_ID].status is TaskStatus.COMPLETED
    assert [(update.status.value, update.progress) for update in seen[:2]] == [("processing", 50), ("completed", 100)]


async def test_wait_polls_where_there_is_no_socket() -> None:
    """A proxy that knows no WebSockets only makes it slower; a moment of 503 is put up with."""
    answers = iter([task("pending"), None, task("processing", 40), task("completed", 100)])

    async def get(request: web.Request) -> web.Response:
        answer = next(answers)
        return web.json_response(answer) if answer else web.json_response({"detail": "starting"}, status=503)

    seen: list[TaskUpdate] = []
    async with serving({("GET", "/api/v1/tasks/{id}"): get}) as url, Client(url) as client:
        await client.wait([TASK_ID], on_update=seen.append, poll_seconds=0)
    assert [update.status.value for update in seen] == ["pending", "processing", "completed"]


async def test_wait_loses_patience() -> None:
    """A server that stays away is told as unreachable once the patience is over."""
    async with Client("http://127.0.0.1:1", patience_seconds=0.0) as client:
        with pytest.raises(ServerUnreachableError, match="no server at"):
            await client.wait([TASK_ID])


async def test_wait_tells_of_a_deleted_task() -> None:
    """A task that is gone ends the wait with the server's 404."""

    async def get(request: web.Request) -> web.Response:
        return web.json_response({"detail": f"Task {TASK_ID} not found"}, status=404)

    async with serving({("GET", "/api/v1/tasks/{id}"): get}) as url, Client(url) as client:
        with pytest.raises(ServerRefusedError, match="not found") as caught:
            await client.wait([TASK_ID])
    assert caught.value.status == 404


async def test_wait_asks_no_socket_for_more_than_it_may_follow() -> None:
    """More tasks than one socket may follow are followed one thousand after the other."""
    wanted = [f"task-{number:032x}" for number in range(1001)]
    followed: list[int] = []
    finished: set[str] = set()

    async def live(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        followed.append(0)
        async for message in socket:
            asked = message.json()["task_id"]
            followed[-1] += 1
            finished.add(asked)
            await socket.send_json({"type": "task_update", "task_id": asked, "status": "completed", "progress": 100})
        return socket

    async def get(request: web.Request) -> web.Response:
        task_id = request.match_info["id"]
        return web.json_response(task("completed" if task_id in finished else "pending") | {"id": task_id})

    routes = {("GET", "/api/v1/ws/tasks/{client}"): live, ("GET", "/api/v1/tasks/{id}"): get}
    async with serving(routes) as url, Client(url) as client:
        assert set(await client.wait(wanted, poll_seconds=0)) == set(wanted)
    assert followed == [1000, 1]


async def test_wait_hears_that_a_task_is_not_there() -> None:
    """A socket that knows no such task is left at once, not after a long silence."""

    async def live(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        await socket.send_json({"type": "error", "code": "not_found", "message": "no such task", "task_id": TASK_ID})
        await socket.receive()
        return socket

    async def get(request: web.Request) -> web.Response:
        return web.json_response({"detail": f"Task {TASK_ID} not found"}, status=404)

    routes = {("GET", "/api/v1/ws/tasks/{client}"): live, ("GET", "/api/v1/tasks/{id}"): get}
    async with asyncio.timeout(60), serving(routes) as url, Client(url) as client:
        with pytest.raises(ServerRefusedError, match="not found"):
            await client.wait([TASK_ID])


async def test_wait_can_be_cancelled() -> None:
    """Cancelling a wait that hears nothing ends it at once."""
    silent = asyncio.Event()

    async def live(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        silent.set()
        await socket.receive()
        await socket.receive()
        return socket

    async with serving({("GET", "/api/v1/ws/tasks/{client}"): live}) as url, Client(url) as client:
        waiting = asyncio.create_task(client.wait([TASK_ID]))
        await silent.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_another_service_is_told_apart() -> None:
    """An answer that is no task says so, and not that the task failed."""

    async def other(request: web.Request) -> web.Response:
        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    async with serving({("GET", "/api/v1/tasks/{id}"): other}) as url, Client(url) as client:
        with pytest.raises(UnexpectedAnswerError, match="not JSON"):
            await client.get(TASK_ID)


async def test_artifacts_are_listed_and_downloaded(tmp_path: Path) -> None:
    """An artifact is written to the named file, whose folder is made."""

    async def listing(request: web.Request) -> web.Response:
        return web.json_response({"artifacts": [{"name": "report 1.html", "size": 4}]})

    async def content(request: web.Request) -> web.Response:
        assert request.match_info["name"] == "report 1.html"
        return web.Response(body=b"<ok>")

    routes = {
        ("GET", "/api/v1/tasks/{id}/artifacts"): listing,
        ("GET", "/api/v1/tasks/{id}/artifacts/{name}"): content,
    }
    async with serving(routes) as url, Client(url) as client:
        assert await client.artifacts(TASK_ID) == (RemoteArtifact(name="report 1.html", size=4),)
        await client.download(TASK_ID, "report 1.html", to=tmp_path / "deep" / "report.html")
    assert (tmp_path / "deep" / "report.html").read_bytes() == b"<ok>"
