"""What holds for every route: problems, methods, names of requests."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from novel_tasks_core import TaskEngine
from novel_tasks_server.app import building
from novel_tasks_server.app.answering import Runner
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.openapi import OPERATIONS

Client = TestClient[web.Request, web.Application]

SOME_PATH = {
    "task_id": f"task-{'0' * 32}",
    "name": "x",
    "processor": "split",
    "client_id": "c",
    "token_id": "t",
    "build": "b",
    "path": "p",
}
MEMBERS = {"type", "title", "status", "detail", "error", "errors", "request_id"}


def paths(app: web.Application) -> dict[str, set[str]]:
    """Return a path of every route, with the methods that it takes."""
    found: dict[str, set[str]] = {}
    for route, operation in app[OPERATIONS].items():
        path = re.sub(r":[^}]*", "", operation.path).format(**SOME_PATH)
        found.setdefault(path, set()).add(route.method)
    return found


async def test_every_path_tells_its_methods(app: web.Application, client: Client) -> None:
    """OPTIONS is answered everywhere, with the methods that the path takes."""
    wrong = {}
    for path, methods in paths(app).items():
        response = await client.options(path)
        allowed = set(response.headers.get("Allow", "").split(","))
        if response.status != 204 or allowed != methods:
            wrong[path] = (response.status, allowed)
    assert not wrong, wrong


async def test_other_methods_are_refused_with_a_problem(app: web.Application, client: Client) -> None:
    """A method that a path does not take is a 405 with those that it takes."""
    wrong = {}
    for path, methods in paths(app).items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
            response = await client.request(method, path)
            body = await response.json()
            if response.status != 405 or body.keys() != MEMBERS or set(response.headers["Allow"].split(",")) != methods:
                wrong[method, path] = body
    assert not wrong, wrong


async def test_head_is_get_without_a_body(app: web.Application, client: Client) -> None:
    """HEAD has the status and the type of GET on every path, and no body."""
    endless = {"/api/v1/events", f"/api/v1/ws/tasks/{SOME_PATH['client_id']}"}
    wrong = {}
    for path, methods in paths(app).items():
        if "GET" not in methods or path in endless:
            continue
        head, get = await client.head(path), await client.get(path)
        if (head.status, head.content_type, await head.read()) != (get.status, get.content_type, b""):
            wrong[path] = (head.status, get.status)
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("POST", "/api/v1/tasks/statistics", 405), ("PATCH", "/api/v1/tasks/upload", 405)],
)
async def test_what_the_router_refuses_is_a_problem(method: str, path: str, status: int, client: Client) -> None:
    """Problems of plain HTTP have all members, and name the request as the client did."""
    response = await client.request(method, path, headers={"X-Request-ID": "mine-1"})
    body = await response.json()
    assert (response.status, body["status"], body["type"]) == (status, status, "about:blank")
    assert response.content_type == "application/problem+json"
    assert body.keys() == MEMBERS
    assert response.headers["X-Request-ID"] == body["request_id"] == "mine-1"


@pytest.fixture
async def port(server_config: ServerConfig, engine: TaskEngine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The port of a server as `serve` runs it, which ends no connection because it is quiet."""
    monkeypatch.setattr(building, "KEEPALIVE_SECONDS", 3600.0)
    runner = Runner(building.create_app(server_config, engine=engine), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        b"POST /api/v1/tasks/bulk HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_problem_too(request_bytes: bytes, port: int) -> None:
    """Even what never becomes a request is answered with a problem, under the same headers, and the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_bytes)
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    problem: dict[str, Any] = json.loads(body)
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert (lines["Content-Type"], lines["Server"]) == ("application/problem+json", "novel-tasks")
    assert (problem["status"], problem["type"]) == (400, "urn:novel-tasks:problem:malformed-request")
    assert problem.keys() == MEMBERS
    assert lines["X-Request-ID"] == problem["request_id"]
    assert lines["X-Content-Type-Options"] == "nosniff"
