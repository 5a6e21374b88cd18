"""Every bad upload has its own answer, none is our fault, and none leaves anything behind."""

from __future__ import annotations

import asyncio
import errno
import gzip
import io
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectionError, FormData, web
from aiohttp.test_utils import TestClient, TestServer
from attrs import evolve, frozen

from novel_tasks_core import ConfigError, TaskEngine
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.middlewares.draining import DRAINING
from novel_tasks_server.routes import bodies

Client = TestClient[web.Request, web.Application]

FORM = "multipart/form-data; boundary=b"


@pytest.fixture(autouse=True)
async def nothing_remains(engine: TaskEngine, stored_files: Callable[[], list[Path]]) -> AsyncIterator[None]:
    """After each of these tests there is no task and no file, whole or half."""
    yield
    assert await engine.count() == 0
    assert stored_files() == []


def part(body: bytes = b"text", *, name: str = "file", file_name: str | None = "novel.txt", more: str = "") -> bytes:
    """Write one part with its delimiter."""
    named = "" if file_name is None else f'; filename="{file_name}"'
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{named}{more}\r\n\r\n'
    return head.encode("utf-8", "surrogateescape") + body + b"\r\n"


def field(name: str, text: str | bytes) -> bytes:
    """Write one text field with its delimiter."""
    return part(text if isinstance(text, bytes) else text.encode(), name=name, file_name=None)


END = b"--b--\r\n"


@frozen
class Case:
    """A body, what it is called in the report, and what it must be answered with."""

    title: str
    status: int
    body: bytes
    content_type: str = FORM
    says: str = ""


CASES = [
    Case("wrong extension", 415, part(file_name="novel.exe") + END, says="Allowed types: .txt, .md"),
    Case("no extension", 415, part(file_name="novel") + END),
    Case("only an extension", 415, part(file_name=".txt") + END),
    Case("empty file", 422, part(b"") + END, says="empty"),
    Case("no file field", 422, field("priority", "1") + END, says="no file"),
    Case("no parts", 422, END, says="no file"),
    Case("file without a name", 422, part(file_name="") + END),
    Case("file as a text field", 422, part(file_name=None) + END),
    Case("file in another field", 422, part(name="novel") + END, says="field 'file'"),
    Case("two files", 422, part() + part(b"other") + END, says="one file"),
    Case("file too large", 413, part(b"x" * 200_001) + END, says="200000 bytes"),
    Case("announced body too large", 413, part(b"x" * 2_000_000) + END),
    Case("NUL in the name", 422, part(file_name="a\x00.txt") + END, says="NUL"),
    Case("NUL in the encoded name", 422, part(file_name=None, more="; filename*=UTF-8''a%00.txt") + END, says="NUL"),
    Case("name is not UTF-8", 422, part(file_name="\udcff.txt") + END, says="surrogate"),
    Case("encoded name is not UTF-8", 400, part(file_name=None, more="; filename*=UTF-8''%ED%A0%80.txt") + END),
    Case("name of dots", 422, part(file_name="..") + END),
    Case("unknown processor", 422, field("processor", "magic") + part() + END, says="magic"),
    Case("unknown processor after the file", 422, part() + field("processor", "magic") + END, says="magic"),
    Case("NUL in the processor", 422, field("processor", "a\x00") + part() + END),
    Case("options are not JSON", 422, part() + field("options", "{") + END),
    Case("options are no object", 422, part() + field("options", "[1]") + END),
    Case("options are not UTF-8", 422, part() + field("options", b'{"a": "\xff"}') + END),
    Case("NUL in options", 422, part() + field("options", '{"a": "\\u0000"}') + END, says="NUL"),
    Case("surrogate in options", 422, part() + field("options", '{"a": "\\ud800"}') + END, says="surrogate"),
    Case("infinite options", 422, part() + field("options", '{"a": 1e999}') + END),
    Case("NaN in options", 422, part() + field("options", '{"a": NaN}') + END),
    Case("deep options", 422, part() + field("options", '{"a":' * 500 + "1" + "}" * 500) + END),
    Case("abyssal options", 422, part() + field("options", "[" * 60_000) + END),
    Case(
        "options that no processor knows", 422, part() + field("processor", "split") + field("options", '{"x":1}') + END
    ),
    Case("priority is no number", 422, part() + field("priority", "high") + END),
    Case("priority out of range", 422, part() + field("priority", "99999") + END),
    Case("attempts out of range", 422, part() + field("max_attempts", "0") + END),
    Case("timeout is infinite", 422, part() + field("timeout_seconds", "inf") + END),
    Case("time without zone", 422, part() + field("run_at", "2030-01-01T00:00:00") + END),
    Case("unknown duplicate rule", 422, part() + field("on_duplicate", "maybe") + END),
    Case("unknown field", 422, part() + field("colour", "red") + END, says="colour"),
    Case("field given twice", 422, field("priority", "1") + field("priority", "2") + part() + END, says="twice"),
    Case("field too long", 413, field("extra_data", " " * 65_537) + part() + END),
    Case("too many parts", 413, part() + b"".join(field(f"f{i}", "") for i in range(40)) + END),
    Case("two hundred thousand parts", 413, b"".join(field(f"f{i}", "") for i in range(14_000)) + END),
    Case("not multipart", 415, b"{}", content_type="application/json"),
    Case("another multipart", 415, part() + END, content_type="multipart/mixed; boundary=b"),
    Case("no content type", 415, part() + END, content_type="application/octet-stream"),
    Case("no boundary", 400, part() + END, content_type="multipart/form-data"),
    Case("empty boundary", 400, part() + END, content_type="multipart/form-data; boundary="),
    Case("endless boundary", 400, part() + END, content_type="multipart/form-data; boundary=" + "b" * 200),
    Case("wrong boundary", 400, part() + END, content_type="multipart/form-data; boundary=other"),
    Case("nothing at all", 400, b""),
    Case("breaks off in the file", 400, part()[:-2]),
    Case("breaks off in a header", 400, b"--b\r\nContent-Disp"),
    Case("breaks off before the last boundary", 400, part()),
    Case("breaks off after a valid file and field", 400, part() + field("priority", "1")),
    Case("malformed header", 400, b"--b\r\nContent-Disposition form-data\r\n\r\nx\r\n--b--\r\n"),
    Case("header without end", 400, b"--b\r\nX: " + b"y" * 20_000),
    Case("no disposition", 400, b"--b\r\n\r\nx\r\n--b--\r\n"),
    Case("malformed disposition", 400, b'--b\r\nContent-Disposition: form-data; name="file\r\n\r\nx\r\n--b--\r\n'),
    Case("part in base64", 415, b"--b\r\nContent-Transfer-Encoding: base64\r\n" + part()[5:] + END),
    Case("part in an unknown encoding", 415, b"--b\r\nContent-Transfer-Encoding: x\r\n" + part()[5:] + END),
    Case("nested multipart", 415, b"--b\r\nContent-Encoding: gzip\r\n" + part()[5:] + END),
    Case("endless preamble", 400, b"\n" * 150_000),
    Case("preamble of text", 400, b"prose and no boundary\r\n" * 9000),
]


async def test_bad_uploads(client: Client, engine: TaskEngine, stored_files: Callable[[], list[Path]]) -> None:
    """Each is answered with a problem that has the right status and a sentence that helps, and leaves nothing."""
    wrong = {}
    for case in CASES:
        async with asyncio.timeout(60):
            response = await client.post(
                "/api/v1/tasks/upload", data=io.BytesIO(case.body), headers={"Content-Type": case.content_type}
            )
        body = await response.json(content_type="application/problem+json")
        is_problem = body["error"] == body["detail"] and body["request_id"] == response.headers["X-Request-ID"]
        if (response.status, body["status"], is_problem) != (case.status, case.status, True):
            wrong[case.title] = body
        elif case.says not in body["detail"] or await engine.count() or stored_files():
            wrong[case.title] = {**body, "tasks": await engine.count(), "files": stored_files()}
    assert not wrong, wrong


async def test_compressed_bodies_are_refused(client: Client) -> None:
    """A small body that unfolds to a large one is not even opened."""
    bomb = gzip.compress(b"\0" * 50_000_000)
    response = await client.post(
        "/api/v1/tasks/upload", data=bomb, headers={"Content-Type": FORM, "Content-Encoding": "gzip"}
    )
    assert response.status == 415
    assert (await response.json())["type"].endswith("content-encoding-not-accepted")


async def test_a_body_of_unknown_length_is_cut_at_the_limit(client: Client) -> None:
    """Chunked uploads stop where the limit is, not where the client stops."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(2000):
            sent += 50_000
            yield b"x" * 50_000

    form = FormData()
    form.add_field("file", endless(), filename="endless.txt")
    try:
        response = await client.post("/api/v1/tasks/upload", data=form)
    except ClientConnectionError:
        pass  # the server hung up while we were still talking
    else:
        assert response.status == 413
    assert sent < 100_000_000


async def raw_upload(client: Client, *pieces: bytes, length: int) -> bytes:
    """Send a request by hand, hang up after the pieces, and return what came back before."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        b"POST /api/v1/tasks/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        + FORM.encode()
        + f"\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(
    client: Client, stored_files: Callable[[], list[Path]]
) -> None:
    """A connection that ends before its body does is no upload, wherever it is cut."""
    body = part(b"x" * 100_000) + END
    for sent in [0, 30, 90, 150, *range(4096, 100_000, 16_384), len(body) - 1]:
        answer = await raw_upload(client, body[:sent], length=len(body))
        assert b" 200 " not in answer
        assert stored_files() == []


async def test_broken_chunks_are_the_clients_fault(client: Client) -> None:
    """Transfer-Encoding that is not correct HTTP ends in a 400."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        b"POST /api/v1/tasks/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        + FORM.encode()
        + b"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n--b\r\n\r\nZZZ\r\n"
    )
    answer = await reader.read(200)
    assert b" 400 " in answer.splitlines()[0]
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("expectation", [b"miracles", b"\xeb100-continue"])
async def test_strange_expectations_are_ignored(client: Client, expectation: bytes) -> None:
    """What a client expects beside 100-continue changes nothing, be it text or not."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nExpect: " + expectation + b"\r\n\r\n")
    assert b" 200 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_silent_clients_are_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come is not waited for."""
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        b"POST /api/v1/tasks/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        + FORM.encode()
        + b"\r\nContent-Length: 1000\r\n\r\n--b\r\n"
    )
    async with asyncio.timeout(60):
        answer = await reader.read(200)
    assert answer.startswith(b"HTTP/1.1 408 ")
    writer.close()
    await writer.wait_closed()


async def test_dribbling_clients_are_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that comes a byte at a time is refused once that is clear."""
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    body = part(b"x" * 50_000)
    writer.write(
        b"POST /api/v1/tasks/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        + FORM.encode()
        + f"\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    answered = asyncio.create_task(reader.read(200))
    for byte in body:
        writer.write(bytes([byte]))
        done, _ = await asyncio.wait((answered,), timeout=0.01)
        if done:
            break
    assert answered.result().startswith(b"HTTP/1.1 408 ")
    writer.close()
    await writer.wait_closed()


async def test_no_uploads_while_stopping(app: web.Application, client: Client) -> None:
    """A server that stops sends clients elsewhere, and says when to come back."""
    app[DRAINING].begin()
    response = await client.post("/api/v1/tasks/upload", data=part() + END, headers={"Content-Type": FORM})
    assert response.status == 503
    assert response.headers["Retry-After"]


@pytest.fixture
def full_disk(engine: TaskEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every flush to the disk fail as on a full one."""

    def fail(*_: Any, **__: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, fail)
    yield
    monkeypatch.undo()


async def test_a_full_disk_is_507(client: Client, full_disk: None) -> None:
    """When nothing can be stored the client is told so."""
    response = await client.post("/api/v1/tasks/upload", data=part() + END, headers={"Content-Type": FORM})
    assert response.status == 507
    assert (await response.json())["type"].endswith("storage-full")


async def test_default_processor_must_exist(server_config: ServerConfig, engine: TaskEngine) -> None:
    """A server that could take nothing in does not start."""
    app = create_app(evolve(server_config, default_processor="magic"), engine=engine)
    server = TestServer(app)
    with pytest.raises(ConfigError, match="DEFAULT_PROCESSOR"):
        await server.start_server()
    await server.close()
