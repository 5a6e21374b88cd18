"""What deploy/ and docs/deployment.md have for operators is right.

Settings, metrics, commands and routes exist, and the programs that read the files accept them.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from aiohttp import ClientSession, FormData, WSMsgType, web
from aiohttp.test_utils import TestServer
from prometheus_client import Metric

from benchmarks.harness.processes import free_port
from novel_tasks_core import EngineConfig, TaskEngine
from novel_tasks_server.app import create_app
from novel_tasks_server.cli.main import _COMMANDS as COMMANDS
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.schemas.decoding import decode_json
from novel_tasks_server.schemas.requests import BulkRequest

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
UNIT = (DEPLOY / "novel-tasks.service").read_text(encoding="utf-8")
NGINX = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
GRACE_SECONDS = EngineConfig().shutdown_grace_seconds
HEARTBEAT_SECONDS = 25
SETTINGS = {
    field.metadata["variable"]
    for kind in (EngineConfig, ServerConfig)
    for field in attrs.fields(kind)
    if field.metadata.get("variable")
}
OF_OTHERS = {
    "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR",
    "AF_UNIX", "AF_INET", "AF_INET6",
}  # fmt: skip
"""Names of PostgreSQL's image, of pip, and of the kernel."""
OF_PROMQL = {"up", "sum", "min", "max", "rate", "increase", "min_over_time", "histogram_quantile"}
"""What Prometheus itself knows, of all that the rules use."""


@pytest.mark.parametrize("file", sorted(p for p in DEPLOY.iterdir() if p.is_file()), ids=lambda file: file.name)
def test_the_settings_that_are_spoken_of_exist(file: Path) -> None:
    """Every name in capitals is a setting of the program, or one of somebody else's that is known here."""
    assert set(re.findall(r"\b[A-Z]+(?:_[A-Z0-9]+)+\b", file.read_text(encoding="utf-8"))) <= SETTINGS | OF_OTHERS


def test_the_image_is_small_safe_and_checked() -> None:
    """What runs is built elsewhere, is no root, is asked how it is, and gets its signals itself."""
    build, run = DOCKERFILE.split("\nFROM ")[1:]
    assert "AS build" in build.splitlines()[0]
    assert "COPY --from=build" in run
    assert re.search(r"^USER 10001:10001$", run, re.MULTILINE)
    assert 'CMD ["novel-tasks", "healthcheck"]' in run
    assert 'ENTRYPOINT ["novel-tasks"]' in run
    assert "pip" not in run


def test_what_the_image_copies_and_installs_exists() -> None:
    """Files of the source tree that the ignore file lets through, and extras of the package."""
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()
    ]
    assert copied
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    extras = re.search(r"'\.\[(.*)\]'", DOCKERFILE)
    assert extras is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras[1].split(",")) == set(project["optional-dependencies"]) - {"embedded", "all"}


def test_compose_runs_our_commands_in_good_order() -> None:
    """Server and worker are ours, share database and files, wait for each other, and are given time to stop."""
    services = COMPOSE["services"]
    assert services.keys() == {"database", "server", "worker"}
    for name, command in (("server", "serve"), ("worker", "worker")):
        service = services[name]
        assert service["command"][0] == command
        assert command in COMMANDS
        assert service["environment"].keys() <= SETTINGS
        assert service["volumes"] == ["files:/data"]
        assert _seconds(service["stop_grace_period"]) > GRACE_SECONDS + 20
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert services["server"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert services["worker"]["depends_on"] == {"server": {"condition": "service_healthy"}}
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert services["database"]["networks"] == ["inside"]
    assert services["server"]["ports"] == ["127.0.0.1:${PORT:-8000}:8000"]


def test_compose_has_room_for_the_connections_that_it_promises() -> None:
    """As many as four processes with the defaults may open, and some for operators."""
    [setting] = [word for word in COMPOSE["services"]["database"]["command"] if word.startswith("max_connections=")]
    each = TaskEngine.connections_of(EngineConfig())
    assert int(setting.partition("=")[2]) >= 4 * each + 10
    assert f"may open {each} connections" in (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert f"count {each} connections" in (DEPLOY / "README.md").read_text(encoding="utf-8")


def _seconds(duration: str) -> float:
    assert duration.endswith("s")
    return float(duration.removesuffix("s"))


def test_the_unit_gives_time_to_stop() -> None:
    """systemd waits for longer than the service may take, and does not restart what is set up wrongly."""
    [timeout] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(timeout) > GRACE_SECONDS + 20
    assert "RestartPreventExitStatus=2" in UNIT
    assert re.search(r"^ExecStart=/opt/novel-tasks/bin/novel-tasks serve$", UNIT, re.MULTILINE)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, made to start a program that there is."""
    file = tmp_path / "novel-tasks.service"
    file.write_text(UNIT.replace("/opt/novel-tasks/bin/novel-tasks", "/bin/true"), encoding="utf-8")
    return file


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_unit(unit: Path) -> None:
    """It knows every directive, and finds little that the service could still do to the machine."""
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert not [line for line in verified.stderr.splitlines() if unit.name in line], verified.stderr
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-500:] + judged.stderr


def test_nginx_waits_for_longer_than_a_heartbeat() -> None:
    """A silent but living WebSocket is not cut, and bodies are neither held back nor cut short."""
    [timeout] = re.findall(r"proxy_read_timeout (\d+)s;", NGINX)
    assert int(timeout) >= 2 * HEARTBEAT_SECONDS
    for line in ("proxy_request_buffering off;", "client_max_body_size 0;", "proxy_set_header Upgrade $http_upgrade;"):
        assert line in NGINX


@pytest.fixture
def wrapped(tmp_path: Path) -> tuple[Path, int]:
    """Nginx's main file around ours, with a certificate and free ports; it and its TLS port."""
    certificate, key = tmp_path / "novels.pem", tmp_path / "novels.key"
    wanted = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=novels.example")
    subprocess.run(["openssl", "req", *wanted, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    plain, tls = free_port(), free_port()
    ours = NGINX.replace("/etc/ssl/novels.example.pem", str(certificate))
    ours = ours.replace("/etc/ssl/private/novels.example.key", str(key))
    ours = re.sub(r"^ *listen \[::\].*\n", "", ours, flags=re.MULTILINE)
    ours = ours.replace("listen 80;", f"listen 127.0.0.1:{plain};").replace("listen 443 ", f"listen 127.0.0.1:{tls} ")
    ours = ours.replace("/var/log/nginx/novel-tasks.log", str(tmp_path / "access.log"))
    (tmp_path / "ours.conf").write_text(ours, encoding="utf-8")
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off;\n"
        f"client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;\n"
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"include {tmp_path}/ours.conf; }}\n",
        encoding="utf-8",
    )
    return main, tls


@pytest.fixture
async def proxied(wrapped: tuple[Path, int], engine_config: EngineConfig, engine: TaskEngine) -> AsyncIterator[str]:
    """The application behind nginx; yields the URL of nginx."""
    main, tls = wrapped
    app: web.Application = create_app(
        ServerConfig(engine=engine_config, default_processor="external", max_file_size=8 << 20), engine=engine
    )
    async with TestServer(app) as server:
        ours = main.with_name("ours.conf")
        ours.write_text(ours.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{server.port}"))
        process = await asyncio.create_subprocess_exec("nginx", "-c", str(main), "-p", str(main.parent))
        try:
            await _accepts(tls)
            yield f"https://127.0.0.1:{tls}"
        finally:
            process.terminate()
            await process.wait()


async def _accepts(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.02)
            else:
                writer.transport.abort()
                return


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
async def test_nginx_passes_uploads_and_sockets(proxied: str, engine: TaskEngine) -> None:
    """Behind the example a novel of 4 MB arrives, a WebSocket of a page opens, and nobody is taken for this machine."""
    token, _ = await engine.tokens.create(owner="ann", scopes=("tasks:read", "tasks:write"))
    authorized = {"Authorization": f"Bearer {token}"}
    async with asyncio.timeout(60), ClientSession(headers=authorized) as session:
        form = FormData()
        form.add_field("file", io.BytesIO(b"All that was written. " * 200_000), filename="long.txt")
        async with session.post(f"{proxied}/api/v1/tasks/upload", data=form, ssl=False) as made:
            assert made.status == 200, await made.text()
            task_id = (await made.json())["task_id"]
            assert len(made.headers["X-Request-ID"]) == 32
        origin = {"Origin": proxied}
        async with session.ws_connect(f"{proxied}/api/v1/ws/tasks/page", headers=origin, ssl=False) as socket:
            await socket.send_json({"type": "subscribe", "task_id": task_id})
            message = await socket.receive()
            assert (message.type, message.json()["status"]) == (WSMsgType.TEXT, "pending")
        async with session.get(f"{proxied}/metrics", ssl=False) as figures:
            assert figures.status in (401, 403), "what a proxy passes on is not of this machine"


def test_the_alerts_ask_for_metrics_that_there_are() -> None:
    """Every rule is whole, and names only metrics, labels and values that the server shows, or Prometheus makes."""
    [text] = re.findall(r"```yaml\n(.*?)```", DEPLOYMENT, re.DOTALL)
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    assert all(rule.keys() - {"for"} == {"alert", "expr", "annotations"} for rule in rules)
    samples = {sample for family in Metrics().registry.collect() for sample in sample_names(family)}
    walls = re.findall(r"`([a-z_]+\([^`]*\))`", DEPLOYMENT.partition("For a wall: ")[2].partition("\n\n")[0])
    for expression in [*(rule["expr"] for rule in rules), *walls]:
        asked = re.sub(r'"[^"]*"|\b(?:by|le|instance|job|processor|outcome|status|state)\b', "", expression)
        words = set(re.findall(r"[a-z_]{2,}", re.sub(r"\[\w+\]", "", asked)))
        assert words <= samples | OF_PROMQL, expression
        assert words & (samples | {"up"}), expression


def sample_names(family: Metric) -> set[str]:
    """Return the names under which the values of a metric are told."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    return {family.name + suffix for suffix in suffixes.get(family.type, ("",))}


def test_the_runbook_calls_commands_and_routes_that_there_are() -> None:
    """Every `novel-tasks COMMAND` is one, and every `api ROUTE` is in the description of the API."""
    commands = set(
        re.findall(r"novel-tasks ([a-z]+)\b", "".join(re.findall(r"`[^`]+`|```.*?```", DEPLOYMENT, re.DOTALL)))
    )
    assert commands <= COMMANDS.keys()
    paths = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    routes = {re.sub(r"\{\w+\}", "[^/]+", path.removeprefix("/api/v1")) for path in paths}
    called = set(re.findall(r"\bapi '?(/[a-z/]+)", DEPLOYMENT))
    assert called
    assert not [path for path in called if not any(re.fullmatch(route, path) for route in routes)]


@pytest.mark.parametrize("body", re.findall(r"/tasks/bulk'? -d '(\{.*?\})'", DEPLOYMENT))
def test_the_runbook_asks_for_what_the_server_takes(body: str) -> None:
    """Each request about many tasks is accepted as it stands, and says which tasks it means."""
    wanted = decode_json(body.encode(), BulkRequest)
    assert wanted.filter.status is not None


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
async def test_nginx_logs_no_signature(proxied: str, wrapped: tuple[Path, int]) -> None:
    """What makes a link is not in its log, only the path."""
    path = f"/api/v1/tasks/task-{'0' * 32}/source"
    log = wrapped[0].with_name("access.log")
    async with asyncio.timeout(60), ClientSession() as session:
        async with session.get(f"{proxied}{path}?expires=1&signature=c2lnbmF0dXJl", ssl=False) as answer:
            assert answer.status == 403
        while not (text := log.read_text(encoding="utf-8")):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0)
    assert f'"GET {path}" 403' in text
    assert "c2lnbmF0dXJl" not in text
