"""The system at a glance: checks, versions, storage, settings; never a secret, never a long wait."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from attrs import evolve

from novel_tasks_core import EngineConfig, SchemaError, TaskEngine
from novel_tasks_server import checks
from novel_tasks_server.access import gate
from novel_tasks_server.access.gate import FRESH_SECONDS, GATE, MEMORY_SECONDS
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.findings import Finding
from novel_tasks_server.routes import system
from novel_tasks_server.routes.recent import Recent
from novel_tasks_server.routes.settings import mask_database_url, shown_settings
from novel_tasks_server.schemas.views import SettingView

from ..core.support import eventually

Client = TestClient[web.Request, web.Application]
Make = Callable[..., Awaitable[dict[str, Any]]]

SYSTEM = "/api/v1/system"
SECRETS = ("hunter2", "sesame")


class Relay(Protocol):
    """A way to the database that can be interrupted."""

    url: str

    def silence(self) -> None:
        """Pass nothing on."""

    async def cut(self) -> None:
        """End all connections, and take no others."""


async def look(client: Client) -> dict[str, Any]:
    """Return the system, its checks and settings by name."""
    response = await client.get(SYSTEM)
    assert response.status == 200, await response.text()
    found: dict[str, Any] = await response.json()
    return {
        **found,
        "checks": {one["name"]: one for one in found["checks"]},
        "names": [one["name"] for one in found["checks"]],
        "settings": {one["name"]: one for one in found["settings"]},
    }


async def test_the_system_is_shown(client: Client, make_task: Make, engine: TaskEngine) -> None:
    """Every check by a name of its own, the versions that run, how much is stored, and which process answers."""
    await make_task(b"x" * 1000)
    found = await look(client)
    assert len(found["names"]) == len(found["checks"])
    assert {"database", "schema", "clock", "services", "queues", "folder", "settings", "processors"} <= set(
        found["names"]
    )
    assert {one["status"] for one in found["checks"].values()} <= {"ok", "warning"}
    assert found["checks"]["durability"]["status"] == "warning", "the tests' server need not survive a power cut"
    assert all(bool(one["advice"]) is (one["status"] != "ok") for one in found["checks"].values())
    for one in found["checks"].values():
        assert one["detail"] == "; ".join(condition["text"] for condition in one["conditions"]), one["name"]
        assert all(condition["code"] for condition in one["conditions"])
    newest = TaskEngine.migrations()[-1]
    assert found["versions"]["schema"] == f"{newest.number:04}_{newest.name}"
    assert {"novel_tasks", "python", "postgresql", "aiohttp"} <= set(found["versions"])
    storage = found["storage"]
    assert (storage["files_bytes"], storage["tasks"], storage["tasks_is_estimate"]) == (1000, 1, False)
    assert 0 < storage["free_bytes"] <= storage["total_bytes"]
    assert storage["database_bytes"] > 1_000_000
    assert found["pid"] == os.getpid()


async def test_tasks_that_nobody_works_on_are_a_warning(client: Client, make_task: Make) -> None:
    """In the words of the queue."""
    await make_task(b"1", processor="split")
    check = (await look(client))["checks"]["queues"]
    assert (check["status"], check["detail"]) == ("warning", "no worker for split, one task waits")
    [told] = check["conditions"]
    assert (told["code"], told["values"]) == ("no_worker", {"processor": "split", "waiting": 1})


async def test_it_is_looked_at_once_for_all(client: Client, engine: TaskEngine, make_task: Make) -> None:
    """Who asks at the same time, or soon after, gets the same."""
    answers = await asyncio.gather(*(client.get(SYSTEM) for _ in range(5)))
    await make_task(b"1")
    bodies = {await answer.read() for answer in (*answers, await client.get(SYSTEM))}
    assert len(bodies) == 1


@pytest.mark.parametrize(("how", "is_open"), [("silent", False), ("gone", True)])
async def test_it_answers_without_a_database(
    relay: Relay,
    server_config: ServerConfig,
    engine: TaskEngine,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    is_open: bool,
) -> None:
    """Within seconds, with what is known without it, and the database as what is wrong; to who was an admin before."""
    patient = evolve(server_config.engine, database_url=relay.url, command_timeout_seconds=600)
    headers = {}
    if not is_open:
        secret, _ = await engine.tokens.create(owner="ann", scopes=["admin"])
        headers["Authorization"] = f"Bearer {secret}"
    app = create_app(evolve(server_config, engine=patient, runs_worker=False))
    async with TestClient(TestServer(app), headers=headers) as client:
        await look(client)
        for module in (system, gate):
            monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.5)
        monkeypatch.setattr(system, "_DISK_SECONDS", 60.0)
        app[GATE]._now = lambda: time.monotonic() + FRESH_SECONDS + 1  # it has to ask again
        app[system.SYSTEM]._kept.clear()
        if how == "silent":
            relay.silence()
        else:
            await relay.cut()
        async with asyncio.timeout(60):
            found = await look(client)
        stranger = await client.get(SYSTEM, headers={"Authorization": "Bearer nt_unknown"})
        assert stranger.status == (200 if is_open else 503)
        app[GATE]._now = lambda: time.monotonic() + FRESH_SECONDS + MEMORY_SECONDS + 10
        assert (await client.get(SYSTEM)).status == 503
    assert (found["checks"]["database"]["status"], found["checks"]["services"]["status"]) == ("error", "error")
    assert (found["checks"]["folder"]["status"], found["versions"]["postgresql"]) == ("ok", None)
    assert (found["storage"]["tasks"], found["storage"]["free_bytes"] > 0) == (None, True)


async def test_a_disk_that_does_not_answer_blocks_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what is wrong then, the event loop goes on, and one thread waits for it however often anybody asks."""
    waiting, go_on, looks = threading.Event(), threading.Event(), 0

    def stuck(config: ServerConfig) -> list[Finding]:
        nonlocal looks
        looks += 1
        waiting.set()
        go_on.wait(60)
        return []

    monkeypatch.setattr(checks, "check_folders", stuck)
    monkeypatch.setattr(system, "_DISK_SECONDS", 0.2)
    client.app[system.SYSTEM]._seconds = 0.0
    try:
        for _ in range(3):
            found = await look(client)
            await eventually(waiting.is_set)
            assert (found["checks"]["folder"]["status"], found["storage"]["free_bytes"]) == ("error", None)
    finally:
        go_on.set()
    assert looks == 1


async def test_an_answer_is_kept_for_a_while_and_an_error_is_not() -> None:
    """One reading serves all who wait for it; the next comes after its time, or at once after an error."""
    readings = 0

    async def read(key: str) -> int:
        nonlocal readings
        readings += 1
        await asyncio.sleep(0)
        if readings == 1:
            raise SchemaError("as wanted")
        return readings

    now = 0.0
    kept = Recent(read, seconds=1.0, now=lambda: now)
    first = await asyncio.gather(*(kept.get("a") for _ in range(5)), return_exceptions=True)
    assert {type(one) for one in first} == {SchemaError}
    assert await asyncio.gather(*(kept.get("a") for _ in range(5))) == [2] * 5
    assert await kept.get("b") == 3
    now += 0.5
    assert await kept.get("a") == 2
    now += 0.5
    assert await kept.get("a") == 4
    for n in range(100):
        await kept.get(str(n))
    assert len(kept._kept) <= 32


def settings_of(**values: str) -> Mapping[str, SettingView]:
    """Return the settings as they are shown, by name, where these variables are set."""
    return {one.name: one for one in shown_settings(ServerConfig.from_env(values, dotenv=None))}


def test_every_setting_is_shown() -> None:
    """By its variable, with its value as JSON has it, and whether it is the default."""
    every = {
        field.metadata["variable"]
        for kind in (EngineConfig, ServerConfig)
        for field in attrs.fields(kind)
        if field.metadata.get("variable")
    }
    shown = settings_of(API_PORT="9000", LOG_LEVEL="debug", TRUSTED_PROXIES="10.0.0.0/8", DATA_DIR="/data")
    assert set(shown) == every
    for name, value in (
        ("API_PORT", 9000), ("LOG_LEVEL", "debug"), ("TRUSTED_PROXIES", ["10.0.0.0/8"]), ("DATA_DIR", "/data")
    ):  # fmt: skip
        assert (shown[name].value, shown[name].is_default, shown[name].is_secret) == (value, False, False)
    assert (shown["API_HOST"].value, shown["API_HOST"].is_default) == ("127.0.0.1", True)
    assert (shown["METRICS_PUBLIC"].value, shown["RETENTION_DAYS"].value) == (False, None)
    assert shown["MAX_CONCURRENT_TASKS"].is_default


async def test_secrets_are_not_shown(server_config: ServerConfig, engine: TaskEngine, tmp_path: Path) -> None:
    """Only whether they are set; of the database's place all but the password; nor are they in any check."""
    url = f"{engine.config.database_url}?password=hunter2".replace("postgresql://", "postgresql://ann:hunter2@", 1)
    config = evolve(
        server_config,
        secret_key="sesame-open-yourself",
        cors_origins=("https://ann:hunter2@friend.example",),
        engine=evolve(server_config.engine, database_url=url),
    )
    async with TestClient(TestServer(create_app(config, engine=engine))) as client:
        text = await (await client.get(SYSTEM)).text()
        shown = (await look(client))["settings"]
    assert not [secret for secret in SECRETS if secret in text]
    assert (shown["SECRET_KEY"]["value"], shown["SECRET_KEY"]["is_set"], shown["SECRET_KEY"]["is_secret"]) == (
        None, True, True
    )  # fmt: skip
    assert (shown["JWT_KEY"]["is_set"], shown["JWT_KEY"]["is_default"]) == (False, True)
    assert shown["CORS_ORIGINS"]["value"] == ["https://***@friend.example"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://localhost/db", "postgresql://localhost/db"),
        ("postgresql://ann@localhost:5432/db", "postgresql://ann@localhost:5432/db"),
        ("postgresql://ann:hunter2@db.example/novels", "postgresql://ann:***@db.example/novels"),
        ("postgresql://:hunter2@db.example/novels", "postgresql://:***@db.example/novels"),
        ("postgresql://ann:hunter2:hunter2@a,b:1/d?sslmode=require", "postgresql://ann:***@a,b:1/d?sslmode=require"),
        ("postgresql:///d?host=/run&user=ann&password=hunter2", "postgresql:///d?host=/run&user=ann&***"),
        ("postgresql:///d?passfile=/hunter2&sslpassword=hunter2", "postgresql:///d?***"),
        ("postgresql://ann:hun@hunter2@db/novels", "postgresql://***"),
        ("postgresql://ann:hun/hunter2@db/novels", "postgresql://***"),
        ("postgresql://ann:hun?hunter2@db/novels", "postgresql://***"),
        ("postgresql://ann:hun#hunter2@db/novels", "postgresql://***"),
        ("postgresql://db/novels?password=hun@hunter2", "postgresql://***"),
        ("postgresql://db/novels?options=hun&hunter2", "postgresql://db/novels?***"),
    ],
)
def test_passwords_of_databases_are_masked(url: str, shown: str) -> None:
    """Wherever they stand; where nobody knows where one ends, nothing is shown."""
    assert mask_database_url(url) == shown


async def test_a_look_that_is_cut_off_at_once_leaves_nothing_behind(app: web.Application, client: Client) -> None:
    """Whoever leaves before the questions are asked leaves none that was made and never asked."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        looking = asyncio.ensure_future(app[system.SYSTEM].get(None))
        await asyncio.sleep(0)  # its parts are about to begin
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        del looking
        gc.collect()
    assert [str(each.message) for each in caught if "never awaited" in str(each.message)] == []
