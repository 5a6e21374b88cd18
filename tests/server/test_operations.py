"""How operators see the service: health, readiness, metrics, request ids, headers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Protocol

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from attrs import evolve
from prometheus_client.parser import text_string_to_metric_families

from novel_tasks_core import AttemptContext, Processors, RetryPolicy, TaskEngine, TaskFailedError, parse_task_id
from novel_tasks_server.access import gate
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.keys import ENGINE
from novel_tasks_server.middlewares.draining import DRAINING
from novel_tasks_server.routes import health

Client = TestClient[web.Request, web.Application]

FORM = {"Content-Type": "multipart/form-data; boundary=b"}
FORM_BODY = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ntext\r\n--b--\r\n'


class Relay(Protocol):
    """The way to the database, which the fixture of this name can interrupt."""

    url: str

    def silence(self) -> None:
        """Pass nothing on any more, and tell nobody."""

    async def cut(self) -> None:
        """Break every connection and refuse new ones."""

    async def restore(self) -> None:
        """Accept connections again."""


async def samples(client: Client) -> dict[str, float]:
    """Fetch the metrics as `name{label values}` to value; labels in the order of their names."""
    response = await client.get("/metrics")
    assert response.status == 200
    families = text_string_to_metric_families(await response.text())
    found = [sample for family in families for sample in family.samples]
    return {f"{s.name}{{{','.join(s.labels.values())}}}": s.value for s in found}


async def test_health(client: Client) -> None:
    """A healthy service says so, part by part."""
    response = await client.get("/health")
    assert (response.status, await response.json()) == (
        200,
        {
            "status": "healthy",
            "database": "connected",
            "storage": "available",
            "problems": [],
            "notes": [],
            "conditions": [],
        },
    )


async def test_little_room_is_told(server_config: ServerConfig, engine: TaskEngine) -> None:
    """A disk with room for few of the largest files is noted by health, readiness and system; the service is well."""
    app = create_app(evolve(server_config, max_file_size=1 << 40), engine=engine)
    async with TestClient(TestServer(app)) as client:
        for path in ("/health", "/readyz?verbose"):
            response = await client.get(path)
            told = await response.json()
            [note], [condition] = told["notes"], told["conditions"]
            assert (condition["code"], condition["text"]) == ("little_room", note)
            assert condition["values"]["settings"].startswith("UPLOAD_DIR")
            assert (response.status, note.partition(":")[0]) == (200, "room")
        checks = (await (await client.get("/api/v1/system")).json())["checks"]
    assert {one["name"]: one["status"] for one in checks if one["name"] in ("conditions", "folder")} == {
        "conditions": "warning",
        "folder": "warning",
    }


async def test_alive_and_ready(app: web.Application, client: Client) -> None:
    """Ready until it stops, alive also then."""
    assert (await client.get("/readyz")).status == 200
    assert (await (await client.get("/readyz?verbose")).json())["status"] == "healthy"
    app[DRAINING].begin()
    assert (await client.get("/readyz")).status == 503
    assert (await client.get("/livez")).status == 200
    assert (await client.get("/api/v1/tasks")).status == 200


@pytest.fixture
async def own_engine_client(server_config: ServerConfig) -> AsyncIterator[Client]:
    """A client of an application that opened its own engine and worker."""
    async with TestClient(TestServer(create_app(server_config))) as client:
        yield client


async def test_metrics_follow_what_happens(own_engine_client: Client) -> None:
    """Tasks, uploads, requests and sockets are counted in a registry of the application's own."""
    client = own_engine_client
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n# One\n\nText.\r\n'
    more = b'--b\r\nContent-Disposition: form-data; name="processor"\r\n\r\nsplit\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    made = await (await client.post("/api/v1/tasks/upload", data=form + more, headers=headers)).json()
    assert (await client.post("/api/v1/tasks/upload", data=b"", headers=headers)).status == 400
    async with asyncio.timeout(60), client.ws_connect("/api/v1/ws/tasks/c") as socket:
        await socket.send_json({"type": "subscribe", "task_id": made["task_id"]})
        while (await socket.receive_json())["status"] != "completed":
            pass
        assert (await samples(client))["tasks_total{failed,split}"] == 0
        while "task_duration_seconds_count{completed,split}" not in (counted := await samples(client)):
            pass  # the database may tell of the end before the worker has heard that it was stored
    assert counted["tasks_total{completed,split}"] == 1
    assert counted["task_duration_seconds_count{completed,split}"] == 1
    assert counted["tasks_submitted_total{split}"] == 1
    assert counted["upload_bytes_total{}"] == 12
    assert counted["upload_duration_seconds_count{}"] == 2
    assert counted["upload_failures_total{}"] == 1
    assert counted["uploads_in_progress{}"] == 0
    assert counted["websockets{}"] == 1
    assert counted["websocket_messages_total{in}"] == 1
    assert counted["http_request_duration_seconds_count{POST,/api/v1/tasks/upload,200}"] == 1
    assert counted["queue_depth{split,ready}"] == 0
    assert counted["worker_slots{all}"] >= 1
    assert counted["flush_seconds_count{}"] >= 1
    assert counted["doorbell_heard{}"] == 1
    assert counted["database_oldest_transaction_seconds{}"] >= 0
    assert counted["database_dead_rows{task_ready}"] >= 0
    assert counted["database_pool_connections{used}"] + counted["database_pool_connections{idle}"] >= 1
    assert counted["database_pool_limit{}"] == 8
    assert counted["database_pool_waiting{}"] >= 0
    assert counted["process_open_fds{}"] > 0
    assert not any(made["task_id"] in name for name in counted)


async def test_the_lag_of_the_event_loop_is_measured(own_engine_client: Client) -> None:
    """What blocks the loop for a while is seen in its lag."""
    before = await samples(own_engine_client)
    async with asyncio.timeout(60):
        while (await samples(own_engine_client))["event_loop_lag_seconds_sum{}"] < 0.4:
            time.sleep(0.5)  # noqa: ASYNC251 - the thing to be noticed
            await asyncio.sleep(0.01)
    assert before["event_loop_lag_seconds_sum{}"] < 0.4


async def test_retries_are_counted(server_config: ServerConfig) -> None:
    """An attempt that failed and is followed by another counts as a retry of its processor."""
    processors = Processors.builtin()

    @processors.register("shaky", retry=RetryPolicy(max_attempts=2, base_seconds=0, jitter=0))
    async def shaky(ctx: AttemptContext) -> None:
        raise ValueError("no good")

    async with TestClient(TestServer(create_app(server_config, processors=processors))) as client:
        task = await client.app[ENGINE].submit(processor="shaky")
        with pytest.raises(TaskFailedError):
            await client.app[ENGINE].result(task.id)
        async with asyncio.timeout(60):
            while "task_duration_seconds_count{failed,shaky}" not in (counted := await samples(client)):
                pass
    assert counted["task_retries_total{shaky}"] == 1
    assert counted["tasks_total{retry,shaky}"] == 1


async def test_two_applications_count_apart(client: Client, server_config: ServerConfig, engine: TaskEngine) -> None:
    """Nothing is shared by the whole process."""
    await client.get("/api/v1/tasks")
    async with TestClient(TestServer(create_app(server_config, engine=engine))) as other:
        assert not any("/api/v1/tasks" in name for name in await samples(other))


async def test_metrics_are_for_this_machine_unless_opened(
    client: Client, server_config: ServerConfig, engine: TaskEngine
) -> None:
    """What a proxy passes on from outside is refused."""
    outside = {"X-Forwarded-For": "203.0.113.9"}
    assert (await client.get("/metrics", headers=outside)).status == 401
    opened = create_app(evolve(server_config, metrics_public=True), engine=engine)
    async with TestClient(TestServer(opened)) as other:
        assert (await other.get("/metrics", headers=outside)).status == 200


async def test_request_ids_are_honoured_if_sane(client: Client) -> None:
    """A client's own id comes back, in the header and in problems; anything else gets a fresh one."""
    response = await client.get("/nowhere", headers={"X-Request-ID": "trace-42"})
    assert response.headers["X-Request-ID"] == "trace-42"
    assert (await response.json())["request_id"] == "trace-42"
    for odd in ("", "a b", "x" * 200, "ü"):
        made = (await client.get("/livez", headers={"X-Request-ID": odd})).headers["X-Request-ID"]
        assert made != odd
        assert len(made) == 32


async def test_what_aiohttp_refuses_is_a_problem_too(client: Client) -> None:
    """Unknown paths and methods are answered like everything else."""
    missing = await client.get("/api/v2/nothing")
    assert (missing.status, missing.content_type) == (404, "application/problem+json")
    wrong = await client.put("/api/v1/tasks")
    body: dict[str, Any] = await wrong.json()
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET,HEAD")
    assert body.keys() == {"type", "title", "status", "detail", "error", "errors", "request_id"}
    options = await client.options("/api/v1/tasks")
    assert (options.status, options.headers["Allow"]) == (204, "GET,HEAD")


async def test_every_answer_is_guarded(client: Client) -> None:
    """No answer may be sniffed, framed, or run anything; none tells which software this is."""
    for path in ("/", "/health", "/nowhere", "/api/v1/tasks", "/dashboard/build/app/main.js"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Server"] == "novel-tasks"


async def test_pages_of_friends_may_use_the_api(client: Client) -> None:
    """Configured origins pass the preflight and may read answers, refusals too; others get no such header."""
    friend, stranger = {"Origin": "https://friend.example"}, {"Origin": "https://stranger.example"}
    asked = {"Access-Control-Request-Method": "PATCH"}
    preflight = await client.options("/api/v1/tasks/task-1", headers={**friend, **asked})
    assert preflight.status == 204
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    for path, status in (("/api/v1/tasks", 200), ("/nowhere", 404)):
        response = await client.get(path, headers=friend)
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == "https://friend.example"
        assert "Origin" in response.headers["Vary"]
        other = await client.get(path, headers=stranger)
        assert "Access-Control-Allow-Origin" not in other.headers


@pytest.fixture
async def relayed(relay: Relay, server_config: ServerConfig) -> AsyncIterator[Client]:
    """A client of an application whose way to the database can be interrupted."""
    settings = evolve(server_config.engine, database_url=relay.url)
    app = create_app(evolve(server_config, engine=settings, runs_worker=False))
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_sockets_hear_what_happened_while_the_database_was_away(
    relay: Relay, relayed: Client, engine: TaskEngine
) -> None:
    """An interruption delays updates and loses none, also of changes made by another process."""
    made = await (await relayed.post("/api/v1/tasks/upload", data=FORM_BODY, headers=FORM)).json()
    async with asyncio.timeout(60), relayed.ws_connect("/api/v1/ws/tasks/c") as socket:
        await socket.send_json({"type": "subscribe", "task_id": made["task_id"]})
        assert (await socket.receive_json())["status"] == "pending"
        await relay.cut()
        await engine.cancel(parse_task_id(made["task_id"]))
        await relay.restore()
        assert (await socket.receive_json())["status"] == "cancelled"


async def test_metrics_do_without_a_database(
    relay: Relay, server_config: ServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the database is silent or gone the figures come in time, without stale ones of the queue."""
    patient = evolve(server_config.engine, database_url=relay.url, command_timeout_seconds=600)
    app = create_app(evolve(server_config, engine=patient, runs_worker=False))
    async with TestClient(TestServer(app)) as client:
        await client.post("/api/v1/tasks/upload", data=FORM_BODY, headers=FORM)
        assert any(name.startswith("queue_depth") for name in await samples(client))
        relay.silence()
        monkeypatch.setattr(gate, "_PATIENCE_SECONDS", 0.2)
        monkeypatch.setattr(health, "_QUEUE_SECONDS", 0.2)
        async with asyncio.timeout(60):
            counted = await samples(client)
        assert not any(name.startswith("queue_depth") for name in counted)
        assert counted["database_pool_limit{}"] == 8
        await relay.cut()
        async with asyncio.timeout(60):
            assert not any(name.startswith("queue_depth") for name in await samples(client))


async def test_an_unreachable_database_is_503(relay: Relay, relayed: Client) -> None:
    """While the database is away clients are told to come back, nothing is a 500, and the page still loads."""
    client = relayed
    made = await client.post("/api/v1/tasks/upload", data=FORM_BODY, headers=FORM)
    path = f"/api/v1/tasks/{(await made.json())['task_id']}"
    await relay.cut()
    for method, where in (
        ("GET", "/api/v1/tasks"), ("GET", "/api/v1/tasks/statistics"), ("GET", path), ("PATCH", path),
        ("DELETE", path), ("POST", f"{path}/retry"), ("GET", f"{path}/events"), ("GET", f"{path}/source"),
    ):  # fmt: skip
        response = await client.request(method, where, json={} if method == "PATCH" else None)
        assert (response.status, response.headers.get("Retry-After")) == (503, "5"), await response.text()
    again = await client.post("/api/v1/tasks/upload", data=FORM_BODY.replace(b"text", b"more"), headers=FORM)
    assert again.status == 503
    health = await client.get("/health")
    assert (health.status, (await health.json())["database"]) == (503, "unavailable")
    assert (await client.get("/readyz")).status == 503
    for where in ("/livez", "/metrics", "/"):
        assert (await client.get(where)).status == 200
    await relay.restore()
    async with asyncio.timeout(60):
        while (await client.get(path)).status == 503:  # noqa: ASYNC110 - it comes back when it comes back
            await asyncio.sleep(0.05)
    assert (await client.get(path)).status == 200
