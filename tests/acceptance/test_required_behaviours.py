"""What the service must do, one named test for each requirement; the details are tested where they live."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from attrs import evolve
from structlog.testing import capture_logs

from benchmarks.harness.wire import CLOCKED, counted
from novel_tasks_core import (
    AttemptContext,
    ConfigError,
    EngineConfig,
    NewTask,
    Processors,
    TaskEngine,
    TaskNotFoundError,
    TaskProcessingError,
    format_task_id,
    parse_task_id,
)
from novel_tasks_core.storage import queries
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.migrator import load_migrations
from novel_tasks_core.storage.queries import load_queries, query_files
from novel_tasks_server.app import create_app
from novel_tasks_server.config import Environment, ServerConfig

from ..core.conftest import database, db
from ..core.support import NO_RETRY, Db, eventually
from ..plans.plan_reading import explain
from ..server.conftest import app, client, make_task, server_config, upload

__all__ = ["app", "client", "database", "db", "make_task", "server_config", "upload"]

Client = TestClient[web.Request, web.Application]
Make = Callable[..., Awaitable[dict[str, Any]]]
TASKS = "/api/v1/tasks"
SOCKETS = "/api/v1/ws/tasks"
OURS = """
select count(*) from pg_stat_activity where datname = current_database() and application_name like 'novel-tasks%'
"""


@pytest.fixture
def processors() -> Processors:
    """The built-in processors, and one that fails."""
    known = Processors.builtin()

    @known.register("broken", retry=NO_RETRY)
    async def broken(ctx: AttemptContext) -> None:
        await ctx.save_artifact("half.txt", b"half of it")
        raise TaskProcessingError("page 3 is missing")

    return known


@pytest.fixture
async def working(server_config: ServerConfig, processors: Processors) -> AsyncIterator[Client]:
    """A client of an application with an engine and a worker of its own."""
    config = evolve(server_config, default_processor="split")
    async with TestClient(TestServer(create_app(config, processors=processors))) as opened:
        yield opened


async def uploaded(client: Client, text: bytes = b"Chapter 1\n\nText.\n", **fields: str) -> dict[str, Any]:
    """Upload a text as test.txt and return what is answered."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()]
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="test.txt"\r\n\r\n' + text + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = await client.post(f"{TASKS}/upload", data=b"".join(parts) + file, headers=headers)
    assert response.status == 200, await response.text()
    made: dict[str, Any] = await response.json()
    return made


async def finished(client: Client, task_id: str) -> dict[str, Any]:
    """Wait until a task has ended and return it."""

    async def task() -> dict[str, Any] | None:
        shown: dict[str, Any] = await (await client.get(f"{TASKS}/{task_id}")).json()
        return shown if shown["completed_at"] else None

    found: dict[str, Any] = await eventually(task, within_seconds=60)
    return found


async def test_an_upload_is_accepted(client: Client) -> None:
    """Uploading test.txt is answered with 200 and what was made of it."""
    made = await uploaded(client, b"Some text.")
    assert made.keys() >= {"task_id", "file_name", "file_size", "status", "message"}
    assert (made["file_name"], made["file_size"]) == ("test.txt", 10)


async def test_a_new_task_is_pending(client: Client) -> None:
    """A task begins as pending, in the answer and in the database."""
    made = await uploaded(client)
    shown = await (await client.get(f"{TASKS}/{made['task_id']}")).json()
    assert (made["status"], shown["status"], shown["progress"]) == ("pending", "pending", 0)


async def test_processing_goes_on_in_the_background(working: Client) -> None:
    """Asking for more processing is answered at once, and the work is really done."""
    made = await uploaded(working)
    await finished(working, made["task_id"])
    response = await working.post(f"{TASKS}/{made['task_id']}/process", json={"processor": "analyze"})
    begun = await response.json()
    assert (response.status, begun["status"]) == (202, "processing")
    assert (await finished(working, begun["task_id"]))["status"] == "completed"


async def test_a_change_is_broadcast_to_sockets_by_client_id(client: Client, make_task: Make) -> None:
    """A client connects under its id, twice if it likes, and each socket hears of a change."""
    task_id = (await make_task())["task_id"]
    async with client.ws_connect(f"{SOCKETS}/me") as one, client.ws_connect(f"{SOCKETS}/me") as two:
        for socket in (one, two):
            await socket.send_json({"type": "subscribe", "task_id": task_id})
            assert (await socket.receive_json(timeout=60))["status"] == "pending"
        await client.patch(f"{TASKS}/{task_id}", json={"status": "processing"})
        for socket in (one, two):
            assert (await socket.receive_json(timeout=60))["status"] == "processing"


async def test_a_task_and_its_first_log_are_one_transaction(make_task: Make, db: Db) -> None:
    """No task is ever seen without its first log entry: one transaction wrote both."""
    task_id = parse_task_id((await make_task())["task_id"])
    row = await db.fetchrow(
        "select t.xmin = e.xmin as together, e.kind"
        " from tasks t join task_events e on e.task_id = t.id where t.id = $1",
        task_id,
    )
    assert row is not None
    assert (row["together"], row["kind"]) == (True, "log")


async def test_what_belongs_to_a_task_goes_with_it(working: Client, db: Db) -> None:
    """Deleting a task deletes its logs, events, attempts and artifacts."""
    task_id = (await uploaded(working))["task_id"]
    await finished(working, task_id)
    tables = ("tasks", "task_events", "task_attempts", "artifacts", "task_keys", "task_checkpoints")

    async def rows() -> int:
        counts = [
            await db.fetchval(f"select count(*) from {table} where {'id' if table == 'tasks' else 'task_id'} = $1", own)
            for table in tables
        ]
        return sum(counts)

    own = parse_task_id(task_id)
    assert await rows() > 3
    assert (await working.delete(f"{TASKS}/{task_id}")).status == 200
    assert await rows() == 0


async def test_status_and_priority_are_found_by_an_index(engine: TaskEngine, db: Db) -> None:
    """Neither the failed tasks nor the most urgent one are looked for among all."""
    await engine.import_tasks(NewTask(processor="external", priority=n % 50) for n in range(20_000))
    one = (await engine.find(limit=1)).items[0]
    await engine.cancel(one.id)
    await db.execute("analyze")
    lane = await db.fetchval(load_queries("lists")["lane"], "external")
    by_status = "select id from tasks where unhappy = 'cancelled' and unhappy is not null order by id desc limit 20"
    by_priority = "select task_id from task_ready where lane = $1 order by priority desc, position limit 20"
    for text, args in ((by_status, []), (by_priority, [lane])):
        found = await explain(db, text, args)
        assert found.found > 0
        found.check(text, most_rows=1000, most_pages=1000)


async def test_lists_select_only_what_they_show(db: Db) -> None:
    """The statement behind lists fetches neither results nor options, which may be large."""
    text = load_queries("lists")["summaries"]
    plan = [row[0].strip() for row in await db.fetch(f"explain (verbose) {text.replace('$1', 'null')}")]
    shown = next(line for line in plan if line.startswith("Output:"))
    assert "source_name" in shown
    assert not re.search(r"\b(result|options)\b", shown)


async def test_a_task_with_its_logs_takes_a_fixed_number_of_statements(
    engine_config: EngineConfig, server_config: ServerConfig, open_folder: Path
) -> None:
    """However many log entries a task has, showing it with them asks the database as often: no N+1."""
    assert engine_config.database_url is not None
    async with counted(engine_config.database_url, folder=open_folder) as (url, traffic):
        config = evolve(server_config, engine=evolve(engine_config, database_url=url), runs_worker=False)
        async with TestClient(TestServer(create_app(config))) as client:
            task_id = (await uploaded(client, processor="external"))["task_id"]
            asked = []
            for reports in (0, 30):
                for _ in range(reports):
                    await client.patch(f"{TASKS}/{task_id}", json={"error_message": "still at it", "progress": 1})
                tries = []
                for _ in range(3):  # beside other work of the server, such as a look for tokens, now and then
                    traffic.clear()
                    shown = await (await client.get(f"{TASKS}/{task_id}", params={"include": "logs"})).json()
                    assert shown["logs"]
                    tries.append(traffic.totals(without=CLOCKED)[0])
                asked.append(min(tries))
    assert asked[0] == asked[1] <= 2


async def test_an_unknown_task_is_not_found(client: Client, engine: TaskEngine) -> None:
    """The library raises an error with the id, the API answers 404 with the same sentence as `error`."""
    task_id = "task-" + "0" * 32
    with pytest.raises(TaskNotFoundError) as caught:
        await engine.get(parse_task_id(task_id))
    assert str(caught.value) == f"Task {task_id} not found"
    response = await client.get(f"{TASKS}/{task_id}")
    assert response.status == 404
    assert (await response.json())["error"] == f"Task {task_id} not found"


async def test_a_processing_error_fails_the_task_and_is_logged_on_it(
    working: Client, engine_config: EngineConfig
) -> None:
    """The task is failed, its log says why, and nothing of the attempt is left lying about."""
    task_id = (await uploaded(working, processor="broken"))["task_id"]
    task = await finished(working, task_id)
    assert (task["status"], task["error_message"]) == ("failed", "page 3 is missing")
    logs = (await (await working.get(f"{TASKS}/{task_id}/logs", params={"level": "error"})).json())["logs"]
    assert any("page 3 is missing" in entry["message"] for entry in logs)
    assert (await (await working.get(f"{TASKS}/{task_id}/artifacts")).json())["artifacts"] == []
    staged = engine_config.files / "tmp"
    await eventually(lambda: not staged.exists() or not any(p.is_file() for p in staged.rglob("*")))


def test_settings_come_from_the_environment_and_a_file(tmp_path: Path) -> None:
    """The environment wins over `.env`; development and production differ where the table says so."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("API_PORT=9001\nMAX_FILE_SIZE=77\nDATABASE_URL=postgresql+asyncpg://me@db/novels\n")
    config = ServerConfig.from_env({"API_PORT": "9002"}, dotenv=dotenv)
    assert (config.port, config.max_file_size) == (9002, 77)
    assert config.engine.database_url == "postgresql://me@db/novels"
    assert config.environment is Environment.DEVELOPMENT
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        ServerConfig.from_env({"ENVIRONMENT": "production"}, dotenv=None)


def test_configurations_of_processors_are_cached() -> None:
    """The same question of a processor is answered once; the hits are counted."""
    known = Processors.builtin()
    assert known.configuration("split", {"encoding": "utf-8"}) is known.configuration("split", {"encoding": "utf-8"})
    assert known.configuration_counts().hits == 1


def test_every_statement_takes_its_values_as_parameters() -> None:
    """All SQL lives in files and is sent as it stands there: no value ever becomes part of a statement."""
    texts = [text for file in query_files() for text in load_queries(file).values()]
    assert len(texts) > 50
    assert not [text for text in texts if re.search(r"%s|%\(|\{\w*\}", text)]
    storage = Path(queries.__file__).parent
    built = re.compile(r"\.(?:fetch|fetchrow|fetchval|execute)\(\s*f[\"']")
    assert not [path.name for path in storage.glob("*.py") if built.search(path.read_text())]


async def test_the_pool_keeps_its_limits_and_its_connections_fresh(
    engine_config: EngineConfig, processors: Processors, db: Db
) -> None:
    """As many connections as size and overflow allow, however many ask; none is used beyond its lifetime."""
    pid = "select pg_backend_pid() from pg_sleep(0.02)"
    config = evolve(engine_config, pool_size=2, pool_overflow=1, pool_recycle_seconds=1.0)
    async with Database.open(str(config.database_url), config=config) as pool:
        first = set(await asyncio.gather(*(pool.fetchval(pid) for _ in range(20))))
        assert len(first) <= 3
        await eventually(lambda: _is_fresh(pool, first))


async def _is_fresh(pool: Database, before: set[int]) -> bool:
    return await pool.fetchval("select pg_backend_pid() from pg_sleep(0.05)") not in before


async def test_a_bearer_token_is_the_current_user(server_config: ServerConfig, engine: TaskEngine) -> None:
    """Off the loopback address a token is needed; what is made with it belongs to its owner, and to nobody else."""
    config = evolve(server_config, host="0.0.0.0")
    headers = {}
    for owner in ("ann", "ben"):
        secret, _ = await engine.tokens.create(owner=owner, scopes=["tasks:read", "tasks:write"])
        headers[owner] = {"Authorization": f"Bearer {secret}"}
    async with TestClient(TestServer(create_app(config, engine=engine))) as client:
        assert (await client.get(TASKS)).status == 401
        assert (await client.get(TASKS, headers={"Authorization": "Bearer nonsense"})).status == 401
        task = await engine.submit(processor="external", owner="ann")
        path = f"{TASKS}/{format_task_id(task.id)}"
        shown = await (await client.get(path, headers=headers["ann"])).json()
        assert shown["owner"] == "ann"
        assert (await client.get(path, headers=headers["ben"])).status == 404


async def test_more_than_a_hundred_requests_a_minute_are_too_many(
    server_config: ServerConfig, engine: TaskEngine
) -> None:
    """The hundred and first within a minute is answered with 429 and when to come back; others are not affected."""
    config = evolve(server_config, host="0.0.0.0")
    assert config.rate_limit == "100/minute"
    headers = []
    for owner in ("ann", "ben"):
        secret, _ = await engine.tokens.create(owner=owner, scopes=["tasks:read"])
        headers.append({"Authorization": f"Bearer {secret}"})
    async with TestClient(TestServer(create_app(config, engine=engine))) as client:
        statuses = [(await client.get(TASKS, headers=headers[0])).status for _ in range(100)]
        assert set(statuses) == {200}
        refused = await client.get(TASKS, headers=headers[0])
        assert refused.status == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert (await client.get(TASKS, headers=headers[1])).status == 200


async def test_tasks_are_counted_and_timed(working: Client) -> None:
    """`tasks_total` and `task_duration_seconds` tell of every attempt by processor and outcome."""
    await finished(working, (await uploaded(working))["task_id"])

    async def told() -> bool:
        text = await (await working.get("/metrics")).text()
        return all(
            re.search(rf'^{name}{{[^}}]*outcome="completed"[^}}]*processor="split"[^}}]*}} 1', text, re.MULTILINE)
            for name in ("tasks_total", "task_duration_seconds_count")
        )

    await eventually(told)


async def test_the_end_of_a_task_is_one_structured_line(working: Client) -> None:
    """`task_processed` carries the id, how long it took, and how it ended."""
    with capture_logs() as lines:
        task_id = (await uploaded(working))["task_id"]
        await finished(working, task_id)
        line = await eventually(lambda: next((one for one in lines if one["event"] == "task_processed"), None))
    assert (line["task_id"], line["status"]) == (task_id, "completed")
    assert line["duration_ms"] > 0


async def test_health_tells_of_database_and_storage(client: Client) -> None:
    """Both are told apart, and both are well."""
    response = await client.get("/health")
    assert response.status == 200
    told = await response.json()
    assert (told["status"], told["database"], told["storage"]) == ("healthy", "connected", "available")


async def test_stopping_closes_connections_and_removes_temporary_files(
    server_config: ServerConfig, processors: Processors, db: Db
) -> None:
    """After the end no connection to the database is open, and no temporary file is left."""
    async with TestClient(TestServer(create_app(server_config, processors=processors))) as client:
        await uploaded(client)
        await db.execute("select pg_stat_clear_snapshot()")
        assert await db.fetchval(OURS) > 0
    await eventually(lambda: _none_is_open(db))
    assert not [path for path in (server_config.engine.files / "tmp").rglob("*") if path.is_file()]


async def _none_is_open(db: Db) -> bool:
    await db.execute("select pg_stat_clear_snapshot()")
    return bool(await db.fetchval(OURS) == 0)


async def test_size_and_extension_are_enforced(client: Client, make_task: Make) -> None:
    """What is too large is 413, what is no text 415; the limits are the settings'."""
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    for name, size, status in (("a.exe", 10, 415), ("a.txt", 200_001, 413), ("a.txt", 200_000, 200)):
        part = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n{"x" * size}\r\n--b--\r\n'
        assert (await client.post(f"{TASKS}/upload", data=part.encode(), headers=headers)).status == status


async def test_migrations_apply_and_apply_again(empty_database: str) -> None:
    """An empty database gets the whole schema; doing it again changes nothing."""
    config = EngineConfig(database_url=empty_database)
    assert await TaskEngine.migrate(config) == load_migrations()
    assert await TaskEngine.migrate(config) == ()
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("select count(*) from tasks") == 0
    await connection.close()
