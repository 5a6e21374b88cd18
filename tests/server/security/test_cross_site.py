"""Pages of other sites, opened by somebody who can reach this server, may not act in their place."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import pytest
from aiohttp import FormData, WSServerHandshakeError
from attrs import evolve
from structlog.testing import capture_logs

from novel_tasks_core import TaskEngine
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.openapi import OPERATIONS

Client = Any
Connect = Callable[..., Awaitable[Client]]
MakeToken = Callable[..., Awaitable[dict[str, str]]]
TASKS = "/api/v1/tasks"
SOCKET = "/api/v1/ws/tasks/c"
UNKNOWN = "task-" + "0" * 32

FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "https://friend.example.evil.example"},
    {"Origin": "https://friend.example:444"},
    {"Origin": "https://evil.example/?https://friend.example"},
    {"Origin": ""},
    {"Origin": "//["},
    {"Origin": "http://127.0.0.1:99999999"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
)
OWN: tuple[dict[str, str], ...] = (
    {},
    {"Origin": "https://friend.example"},
    {"Origin": "HTTPS://Friend.Example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://friend.example"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
)


def unsafe_routes(client: Client) -> list[tuple[str, str]]:
    """Return method and path of every route that changes something."""
    return [(one.method, one.path) for one in client.app[OPERATIONS].values() if one.method not in ("GET", "HEAD")]


async def test_a_foreign_page_changes_nothing(client: Client, engine: TaskEngine) -> None:
    """Every route that changes something refuses it with 403, whatever form its request takes."""
    routes = unsafe_routes(client)
    assert len(routes) >= 5
    for headers, (method, path) in product(FOREIGN, routes):
        answer = await client.request(method, re.sub(r"\{\w+\}", "x", path), headers=headers)
        assert answer.status == 403, (method, path, headers)
        assert (await answer.json())["type"].endswith(":origin-not-allowed")
    for headers in FOREIGN:
        form = FormData()
        form.add_field("file", b"text", filename="a.txt")
        assert (await client.post(f"{TASKS}/upload", data=form, headers=headers)).status == 403
    assert await engine.count() == 0


async def test_a_foreign_page_opens_no_socket(client: Client) -> None:
    """A browser would let it, and asks nobody: the handshake is refused."""
    for headers in FOREIGN:
        with pytest.raises(WSServerHandshakeError) as caught:
            await client.ws_connect(SOCKET, headers=headers)
        assert caught.value.status == 403, headers


async def test_own_pages_friends_and_programs_may(
    client: Client, make_task: Callable[..., Awaitable[dict[str, Any]]]
) -> None:
    """Our own page, pages of origins in the settings, and programs that are no browsers act as always."""
    task_id = (await make_task())["task_id"]
    for headers in OWN:
        answer = await client.patch(f"{TASKS}/{task_id}", json={"progress": 5}, headers=headers)
        assert answer.status == 200, headers
        await (await client.ws_connect(SOCKET, headers=headers)).close()


async def test_the_page_of_this_server_may(client: Client) -> None:
    """Its origin is the host and port that the request was sent to; a default port may be left out."""
    own = {"Origin": f"http://127.0.0.1:{client.port}"}
    assert (await client.post(f"{TASKS}/bulk/nothing", headers=own)).status in (404, 405)
    for host, origin in (("localhost", "http://localhost:80"), ("localhost:443", "https://localhost")):
        assert (await client.post("/nowhere", headers={"Host": host, "Origin": origin})).status == 404


OUR_HOSTS = (
    *("localhost", "localhost:1234", "LOCALHOST", "localhost.:80", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8000"),
)
OTHER_HOSTS = (
    *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "a.localhost"),
    *("0.0.0.0:8000", "[::]", "192.168.0.2", "169.254.169.254", "2130706433", "0x7f.1", "evil@127.0.0.1:1@x"),
    *("[::1", "", "127.0.0.1 evil.example"),
)


async def test_an_open_server_answers_to_its_own_name_alone(client: Client) -> None:
    """A page that points a name of its own at this machine gets nothing: the name stands in `Host`."""
    for path in (TASKS, f"{TASKS}/statistics", "/api/v1/tokens", "/metrics"):
        for host in OUR_HOSTS:
            assert (await client.get(path, headers={"Host": host})).status == 200, (path, host)
        for host in OTHER_HOSTS:
            assert (await client.get(path, headers={"Host": host})).status in (400, 403), (path, host)
    for host in OTHER_HOSTS:
        assert (await client.delete(f"{TASKS}/{UNKNOWN}", headers={"Host": host})).status in (400, 403), host


async def test_with_tokens_any_name_will_do(closed: Client, make_token: MakeToken) -> None:
    """Behind a proxy the server has the name that the proxy gives it."""
    token = await make_token("ann")
    assert (await closed.get(TASKS, headers=token | {"Host": "novels.example"})).status == 200


async def test_any_origin_never_means_with_credentials(connect: Connect, server_config: ServerConfig) -> None:
    """`*` lets pages read what they have a token for, and nothing that a browser sends by itself."""
    client = await connect(evolve(server_config, cors_origins=("*", "https://friend.example")))
    anybody = await client.get(TASKS, headers={"Origin": "https://evil.example"})
    assert anybody.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in anybody.headers
    friend = await client.get(TASKS, headers={"Origin": "https://friend.example"})
    assert friend.headers["Access-Control-Allow-Origin"] == "https://friend.example"
    assert friend.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize(("origins", "warned"), [(("*",), True), (("https://friend.example",), False)])
async def test_an_open_server_warns_when_every_page_may_use_it(
    connect: Connect, server_config: ServerConfig, origins: tuple[str, ...], warned: bool
) -> None:
    """Nothing is left then that keeps a page from acting here."""
    with capture_logs() as lines:
        await connect(evolve(server_config, cors_origins=origins))
    assert ("open_to_every_page" in [line["event"] for line in lines]) is warned


async def test_caches_keep_origins_apart(client: Client) -> None:
    """Where origins are allowed, every answer says that it depends on the origin; a stranger's names none."""
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "https://friend.example"}):
        assert "Origin" in (await client.get(TASKS, headers=headers)).headers["Vary"]
    stranger = await client.options(
        TASKS, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
    )
    assert not any(name.startswith("Access-Control") for name in stranger.headers)


async def test_nothing_private_is_kept_or_embedded(
    client: Client, make_task: Callable[..., Awaitable[dict[str, Any]]]
) -> None:
    """No shared cache keeps what is of a person, no other site embeds it, and what was uploaded runs nowhere."""
    task_id = (await make_task(b"<script>alert(1)</script>", name="a.txt"))["task_id"]
    for path in (TASKS, f"{TASKS}/{task_id}", f"{TASKS}/{task_id}/source", f"{TASKS}/{task_id}/logs", "/api/v1/tokens"):
        headers = (await client.get(path)).headers
        assert headers["Cache-Control"] in ("no-store", "private, no-cache")
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
    source = (await client.get(f"{TASKS}/{task_id}/source")).headers
    assert source["Content-Security-Policy"].startswith("sandbox;")
    assert source["Content-Disposition"].startswith("attachment")
