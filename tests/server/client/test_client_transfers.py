"""Files on their way to the server and back: whole or not at all, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from novel_tasks_core import TaskEngine, parse_task_id
from novel_tasks_server.client import (
    Client,
    DamagedDownloadError,
    ServerRefusedError,
    ServerUnreachableError,
    UploadOptions,
)

from ..conftest import MAX_FILE_SIZE
from .conftest import LARGE, TASK_ID, Gate, Line, Submit, serving

TEXT = "夜の川。\n".encode() * 10_000
TEXT = TEXT[: MAX_FILE_SIZE - 1000]


async def pieces() -> AsyncIterator[bytes]:
    """Yield the text in pieces."""
    for start in range(0, len(TEXT), 7001):
        yield TEXT[start : start + 7001]


async def content_of(engine: TaskEngine, task_id: str) -> bytes:
    """Return what the server has."""
    _, path = await engine.open_source(parse_task_id(task_id))
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["path", "bytes", "iterator"])
async def test_upload_tells_how_much_has_left(remote: Client, engine: TaskEngine, tmp_path: Path, kind: str) -> None:
    """A file, bytes or an iterator arrive as they are; progress grows to the size, which is known but for iterators."""
    path = tmp_path / "novel.txt"
    path.write_bytes(TEXT)
    contents: dict[str, Path | bytes | AsyncIterator[bytes]] = {"path": path, "bytes": TEXT, "iterator": pieces()}
    told: list[tuple[int, int | None]] = []
    upload = await remote.upload(contents[kind], name="n.txt", progress=lambda sent, total: told.append((sent, total)))
    assert await content_of(engine, upload.task_id) == TEXT
    assert upload.file_size == len(TEXT)
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)
    assert {total for _, total in told} == {None if kind == "iterator" else len(TEXT)}
    assert (told[0][0], told[-1][0]) == (0, len(TEXT))


async def test_all_that_can_be_asked_for_arrives(remote: Client) -> None:
    """Every wish of an upload is taken and shown by the task."""
    wanted = UploadOptions(
        processor="split", priority=7, extra_data={"shelf": "夜"}, session_id="s", max_attempts=2, timeout_seconds=9
    )
    task = await remote.get((await remote.upload(b"x", name='a "b" \\ %.txt', wanted=wanted)).task_id)
    assert (task.file_name, task.processor, task.priority) == ("%.txt", "split", 7)
    assert (task.extra_data, task.session_id, task.max_attempts) == ({"shelf": "夜"}, "s", 2)
    assert task.timeout_seconds == 9


async def test_what_is_no_path_needs_a_name(remote: Client) -> None:
    """Bytes without a name are refused before anything is sent."""
    with pytest.raises(ValueError, match="name"):
        await remote.upload(b"x")


async def test_an_interrupted_upload_is_sent_again(broken: Client, line: Line, engine: TaskEngine) -> None:
    """Connections that break at any byte of the upload cost nothing: one task in the end, with all of the file."""
    line.up = [0, 300, len(TEXT) // 2, len(TEXT)]
    upload = await broken.upload(TEXT, name="n.txt")
    assert line.connections == 5
    assert await content_of(engine, upload.task_id) == TEXT
    assert (await engine.statistics()).total == 1


async def test_an_upload_whose_answer_was_lost_is_one_task(broken: Client, line: Line, engine: TaskEngine) -> None:
    """What had arrived after all is found again, and called a duplicate."""
    line.down = [10]
    upload = await broken.upload(TEXT, name="n.txt")
    assert upload.duplicate
    assert (await engine.statistics()).total == 1


async def test_an_upload_that_must_not_arrive_twice_is_not_sent_again(
    broken: Client, line: Line, engine: TaskEngine
) -> None:
    """Where each arrival makes a task, nobody is told that there is one while there may be two."""
    line.down = [10]
    with pytest.raises(ServerUnreachableError, match="broke off"):
        await broken.upload(TEXT, name="n.txt", wanted=UploadOptions(on_duplicate="allow"))
    assert line.connections == 1
    assert (await engine.statistics()).total == 1


async def test_an_iterator_is_sent_once(broken: Client, line: Line) -> None:
    """What cannot be read again is not sent again."""
    line.up = [5000]
    with pytest.raises(ServerUnreachableError):
        await broken.upload(pieces(), name="n.txt")
    assert line.connections == 1


async def test_an_upload_to_a_server_that_was_never_there_is_told_at_once() -> None:
    """Where nothing ever answered the address may be wrong: that is not put up with."""
    async with asyncio.timeout(60), Client("http://127.0.0.1:1", patience_seconds=600) as client:
        with pytest.raises(ServerUnreachableError, match="no server at"):
            await client.upload(TEXT, name="n.txt")


async def test_a_file_that_becomes_shorter_is_told(remote: Client, engine: TaskEngine, tmp_path: Path) -> None:
    """A file that cannot be read to its end is an error of the file, not of the connection; no task is made."""
    path = tmp_path / "novel.txt"
    path.write_bytes(TEXT)

    def shorten(sent: int, total: int | None) -> None:
        path.write_bytes(b"short")

    with pytest.raises(OSError, match="shorter"):
        await remote.upload(path, progress=shorten)
    assert (await engine.statistics()).total == 0


async def test_an_upload_can_be_cancelled(remote: Client, engine: TaskEngine) -> None:
    """Cancelling an upload leaves no task and ends at once."""
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"Once upon"
        begun.set()
        await asyncio.Event().wait()

    sending = asyncio.create_task(remote.upload(endless(), name="n.txt"))
    async with asyncio.timeout(60):
        await begun.wait()
        sending.cancel()
        await asyncio.wait([sending])
    assert sending.cancelled()
    assert (await engine.statistics()).total == 0


async def test_refused_uploads_say_why(remote: Client) -> None:
    """Each refusal has its status, its kind, and the server's own words."""
    for content, name, wanted, status, kind in (
        (b"MZ", "novel.exe", UploadOptions(), 415, "file-type-not-allowed"),
        (b"x" * (MAX_FILE_SIZE + 1), "n.txt", UploadOptions(), 413, "file-too-large"),
        (b"", "n.txt", UploadOptions(), 422, "invalid-request"),
        (b"x", "n.txt", UploadOptions(processor="absent"), 422, "unknown-processor"),
    ):
        with pytest.raises(ServerRefusedError) as caught:
            await remote.upload(content, name=name, wanted=wanted)
        assert (caught.value.status, caught.value.kind) == (status, kind)
        assert str(caught.value).endswith(f"(HTTP {status})")


@pytest.fixture
async def finished(submit: Submit, remote: Client, engine: TaskEngine, gate: Gate) -> str:
    """The id of a task that has made a large file."""
    gate.open.set()
    task_id = await submit()
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        await remote.wait([task_id], poll_seconds=0.02)
    return task_id


async def test_a_download_is_taken_up_where_it_broke(broken: Client, line: Line, finished: str, tmp_path: Path) -> None:
    """A line that breaks again and again delays a download, and what had arrived is not sent again."""
    line.down = [10, 300_000, 700_000, 1000, 500_000]
    lost = sum(line.down)
    to = tmp_path / "deep" / "large.bin"
    there: list[bool] = []
    told: list[tuple[int, int | None]] = []

    def progress(done: int, total: int | None) -> None:
        told.append((done, total))
        there.append(to.exists())

    await broken.download(finished, "large.bin", to=to, progress=progress)
    assert to.read_bytes() == LARGE
    assert [path.name for path in to.parent.iterdir()] == ["large.bin"]
    assert line.connections == 6
    assert line.received < lost + 0.9 * len(LARGE)
    assert not any(there)
    assert told[-1] == (len(LARGE), len(LARGE))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


async def test_the_source_can_be_downloaded(remote: Client, finished: str, tmp_path: Path) -> None:
    """The original comes back byte for byte, over a file that was there."""
    to = tmp_path / "novel.txt"
    to.write_text("old")
    await remote.download_source(finished, to=to)
    assert to.read_bytes() == b"Once upon a time."


async def test_a_download_that_does_not_succeed_changes_nothing(remote: Client, finished: str, tmp_path: Path) -> None:
    """A file that there is not leaves the old one as it was, and nothing beside it."""
    to = tmp_path / "novel.txt"
    to.write_text("old")
    with pytest.raises(ServerRefusedError) as caught:
        await remote.download(finished, "absent.txt", to=to)
    assert (caught.value.status, caught.value.kind) == (404, "artifact-not-found")
    assert [path.read_text() for path in tmp_path.iterdir() if path.is_file()] == ["old"]


def digest_of(content: bytes) -> str:
    """Return the header's value for this content."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


async def test_a_damaged_download_is_not_kept(tmp_path: Path) -> None:
    """Bytes that have not the digest that the server told are thrown away, and the old file stays."""

    async def damaged(request: web.Request) -> web.Response:
        return web.Response(body=b"evil", headers={"Repr-Digest": digest_of(b"good")})

    to = tmp_path / "report.html"
    to.write_text("old")
    routes = {("GET", "/api/v1/tasks/{id}/artifacts/{name}"): damaged}
    async with serving(routes) as url, Client(url) as client:
        with pytest.raises(DamagedDownloadError, match="SHA-256"):
            await client.download(TASK_ID, "report.html", to=to)
    assert to.read_text() == "old"
    assert list(tmp_path.iterdir()) == [to]


async def test_a_file_that_changed_between_two_tries_is_fetched_anew(tmp_path: Path) -> None:
    """When the rest that comes is that of another file, the download begins again, and is that file whole."""
    asked: list[tuple[str | None, str | None]] = []
    arrived = asyncio.Event()

    def told(done: int, total: Any) -> None:
        if done >= 5:
            arrived.set()

    async def changing(request: web.Request) -> web.StreamResponse:
        asked.append((request.headers.get("Range"), request.headers.get("If-Range")))
        content = b"first version" if len(asked) == 1 else b"2nd"
        headers = {"Repr-Digest": digest_of(content), "ETag": f'"{len(asked)}"', "Content-Length": str(len(content))}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(content[:5])
        if len(asked) == 1:
            await arrived.wait()  # else the bytes would be lost with the connection
            assert request.transport is not None
            request.transport.abort()
        return response

    routes = {("GET", "/api/v1/tasks/{id}/source"): changing}
    async with serving(routes) as url, Client(url) as client:
        await client.download_source(TASK_ID, to=tmp_path / "n.txt", progress=told)
    assert (tmp_path / "n.txt").read_bytes() == b"2nd"
    assert asked == [(None, None), ("bytes=5-", '"1"')]


async def test_a_download_can_be_cancelled(tmp_path: Path) -> None:
    """Cancelling a download leaves no file, whole or half."""
    begun = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"x" * 50)
        await asyncio.Event().wait()
        return response

    def told(done: int, total: Any) -> None:
        begun.set()

    async with serving({("GET", "/api/v1/tasks/{id}/source"): endless}) as url, Client(url) as client:
        fetching = asyncio.create_task(client.download_source(TASK_ID, to=tmp_path / "n.txt", progress=told))
        async with asyncio.timeout(60):
            await begun.wait()
            fetching.cancel()
            await asyncio.wait([fetching])
    assert fetching.cancelled()
    assert list(tmp_path.iterdir()) == []
