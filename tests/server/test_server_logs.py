"""Log lines: one stream, one shape, and nobody can fill the disk with garbage."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp import ClientConnectionResetError, web
from aiohttp.test_utils import TestClient

from novel_tasks_core import OutcomeKind, format_task_id
from novel_tasks_core.models import new_task_id
from novel_tasks_server.logs import TaskLog, configure_logging
from novel_tasks_server.middlewares.draining import DRAINING

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A stream to log to; afterwards logging is as it was."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield io.StringIO()
    root.handlers[:], root.level = before[0], before[1]
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the lines as what their JSON says."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_and_the_librarys_have_one_shape(stream: io.StringIO) -> None:
    """structlog and the standard library end in the same JSON, context and fields included."""
    configure_logging(level="info", as_json=True, stream=stream)
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("ours").info("task_processed", task_id="t", duration_ms=5)
        logging.getLogger("theirs").warning("lease_lost", extra={"worker_id": 7})
        logging.getLogger("theirs").debug("not wanted")
    ours, theirs = lines(stream)
    assert {k: ours[k] for k in ("event", "level", "logger", "task_id", "duration_ms", "request_id")} == {
        "event": "task_processed", "level": "info", "logger": "ours", "task_id": "t", "duration_ms": 5,
        "request_id": "r-1",
    }  # fmt: skip
    assert (theirs["event"], theirs["worker_id"], theirs["request_id"]) == ("lease_lost", 7, "r-1")
    assert ours["timestamp"].endswith("Z")


def test_errors_are_one_line_too(stream: io.StringIO) -> None:
    """A traceback does not break the one-object-a-line shape."""
    configure_logging(level="info", as_json=True, stream=stream)
    try:
        raise ValueError("broken\nin two lines")
    except ValueError:
        structlog.get_logger("ours").exception("request_failed")
    (line,) = lines(stream)
    assert line["exception"][0]["exc_type"] == "ValueError"


def test_lines_for_people(stream: io.StringIO) -> None:
    """The console shape has the event and its fields."""
    configure_logging(level="debug", as_json=False, stream=stream)
    structlog.get_logger("ours").debug("looked", task_id="t-1")
    assert "looked" in stream.getvalue()
    assert "t-1" in stream.getvalue()


async def test_requests_are_logged_by_template(stream: io.StringIO, client: Client) -> None:
    """One line a request, with the path's template: no ids, no queries, no names."""
    configure_logging(level="info", as_json=True, stream=stream)
    await client.get("/api/v1/tasks/task-123?secret=hunter2", headers={"X-Request-ID": "r-9"})
    await client.get("/health")
    (line,) = [line for line in lines(stream) if line["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/tasks/{task_id}", 422)
    assert line["request_id"] == "r-9"
    assert line["duration_ms"] >= 0
    assert "hunter2" not in stream.getvalue()


async def test_garbage_costs_no_log(stream: io.StringIO, client: Client) -> None:
    """What is not HTTP is answered and forgotten, without a traceback for each."""
    configure_logging(level="info", as_json=True, stream=stream)
    for garbage in (b"\x16\x03\x01 hello\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"G\x00T / HTTP/1.1\r\n\r\n", b"x" * 9000):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(garbage)
        writer.write_eof()
        answer = await reader.read()
        assert answer == b"" or b" 400 " in answer.splitlines()[0]
        writer.close()
        await writer.wait_closed()
    assert stream.getvalue() == ""
    (await client.get("/livez")).raise_for_status()


@pytest.mark.parametrize(("level", "events"), [("info", []), ("debug", ["client_left"])])
def test_clients_that_leave_are_nobodys_fault(stream: io.StringIO, level: str, events: list[str]) -> None:
    """Who goes before the answer begins costs a line at debug level, without a traceback."""
    configure_logging(level=level, as_json=True, stream=stream)
    left = ClientConnectionResetError("Cannot write to closing transport")
    logging.getLogger("aiohttp.server").error("Error handling request from 127.0.0.1", exc_info=left)
    assert [line["event"] for line in lines(stream)] == events
    assert "Traceback" not in stream.getvalue()
    assert "exception" not in stream.getvalue()


def test_a_processed_task_is_told_once(stream: io.StringIO) -> None:
    """Every attempt ends with a line that says which task, how it ended and how long it took."""
    configure_logging(level="info", as_json=True, stream=stream)
    task_id = new_task_id()
    TaskLog().attempt_finished(
        task_id=task_id, processor="split", attempt=2, outcome=OutcomeKind.COMPLETED, seconds=0.25
    )
    (line,) = lines(stream)
    assert line["event"] == "task_processed"
    assert (line["task_id"], line["status"], line["duration_ms"]) == (format_task_id(task_id), "completed", 250.0)


SECRETS = {
    "a URL": ("postgresql://novels:hunter2@db/novels", "hunter2"),
    "a URL with odd characters": ("postgresql://novels:hu/nt@er2@db/novels", "er2"),
    "a header": ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
    "a basic header": ("Authorization: Basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy"),
    "a token": ("nt_0123456789abcdefghij", "0123456789abcdefghij"),
    "a subprotocol": ("bearer.nt_0123456789abcdefghij", "0123456789abcdefghij"),
    "a signed link": ("/source?expires=1&signature=WyI0MiJd.c2lnbmF0dXJl_-%3D", "c2lnbmF0dXJl"),
    "a JWT": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
}


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "console"])
@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_no_secret_is_logged(stream: io.StringIO, text: str, secret: str, as_json: bool) -> None:
    """Neither as a value, nor in what an error says, nor from the variables of a frame."""
    configure_logging(level="debug", as_json=as_json, stream=stream)
    structlog.get_logger("ours").info("connecting", to=text)
    logging.getLogger("theirs").error("cannot connect to %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger("ours").exception("request_failed")
        logging.getLogger("theirs").exception("worse")
    told = stream.getvalue()
    assert secret not in told
    assert told.count("***") >= 4
    assert told.count("ValueError") >= 2


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "console"])
def test_variables_are_not_logged(stream: io.StringIO, as_json: bool) -> None:
    """A traceback tells places, not what was in the variables: that may be a novel."""
    configure_logging(level="debug", as_json=as_json, stream=stream)
    novel = "It was " + "a dark and stormy night."
    try:
        raise ValueError(len(novel))
    except ValueError:
        structlog.get_logger("ours").exception("request_failed")
    assert "request_failed" in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert "It was a dark" not in stream.getvalue()


def test_what_looks_like_no_secret_stays(stream: io.StringIO) -> None:
    """Addresses without a password, ids, and times are told as they are."""
    configure_logging(level="debug", as_json=True, stream=stream)
    said = {"url": "http://127.0.0.1:8000/x", "task": "task-0123456789abcdef", "at": "2026-01-01T00:00:00Z"}
    structlog.get_logger("ours").info("listening", **said)
    [line] = lines(stream)
    assert said.items() <= line.items()


async def test_garbage_costs_one_line_at_most(stream: io.StringIO, client: Client) -> None:
    """Even when every step is logged, a request that is not HTTP is one short line."""
    configure_logging(level="debug", as_json=True, stream=stream)
    for _ in range(5):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(b"GET / HTTP/9\r\nX: " + b"x" * 5000 + b"\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
    told = [line for line in stream.getvalue().splitlines() if '"asyncio"' not in line]
    assert len(told) == 5
    assert max(map(len, told)) < 300
    assert {json.loads(line)["level"] for line in told} == {"debug"}


async def test_a_server_that_stops_is_not_ill(stream: io.StringIO, app: web.Application, client: Client) -> None:
    """Uploads that are refused on purpose are a line of the request each, and no warning."""
    configure_logging(level="info", as_json=True, stream=stream)
    app[DRAINING].begin()
    assert (await client.post("/api/v1/tasks/upload", data=b"x")).status == 503
    [line] = lines(stream)
    assert (line["event"], line["status"], line["level"]) == ("request", 503, "info")
