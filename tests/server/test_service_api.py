"""What the server tells of itself."""

from __future__ import annotations

import jsonschema
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from novel_tasks_core import AttemptContext, Processors, RetryPolicy, TaskEngine
from novel_tasks_server.config import ServerConfig

Client = TestClient[web.Request, web.Application]


async def hurry(ctx: AttemptContext) -> None:
    """Do nothing, soon."""


@pytest.fixture
def processors() -> Processors:
    """The built-in processors, and one with settings of its own."""
    known = Processors.builtin()
    policy = RetryPolicy(max_attempts=7, by_error={"OSError": RetryPolicy.never()}, custom=lambda n, error: 1.0)
    known.register("hurry", hurry, timeout_seconds=5, retry=policy, version="9")
    return known


async def test_processors_are_listed_with_the_schemas_of_their_options(client: Client) -> None:
    """Each has what a form needs: a description, limits, and a schema that is valid."""
    body = await (await client.get("/api/v1/processors")).json()
    known = {one["name"]: one for one in body["processors"]}
    assert {"analyze", "split", "clean", "epub", "external", "hurry"} == known.keys()
    for one in known.values():
        jsonschema.Draft202012Validator.check_schema(one["options_schema"])
        assert one["description"]
    assert [known[name]["runs_in"] for name in ("split", "hurry", "external")] == ["child", "worker", "outside"]
    assert (known["hurry"]["timeout_seconds"], known["hurry"]["version"]) == (5, "9")
    assert known["hurry"]["retry"]["max_attempts"] == 7
    assert known["hurry"]["retry"]["is_custom"]
    assert known["hurry"]["retry"]["by_error"]["OSError"]["max_attempts"] == 1
    assert known["split"]["timeout_seconds"] > 0


async def test_meta_tells_limits_and_no_secrets(client: Client, server_config: ServerConfig) -> None:
    """A client learns what it may send before it sends anything."""
    response = await client.get("/api/v1/meta")
    body = await response.json()
    assert body["limits"]["max_file_size"] == server_config.max_file_size
    assert body["allowed_extensions"] == [".txt", ".md"]
    assert body["default_processor"] == "external"
    assert (body["authentication"], body["jwt"], body["subprotocols"]) == (False, False, ["novel-tasks.v1"])
    assert "split" in body["processors"]
    assert body["limits"]["rate_limit"] == "100/minute"
    assert str(server_config.engine.database_url) not in await response.text()


async def test_meta_tells_that_a_token_is_needed_to_whoever_has_none(client: Client, engine: TaskEngine) -> None:
    """Once there is a token, a client without one learns that it needs one, and still what else it must know."""
    await engine.tokens.create(owner="ada", scopes=["tasks:read"])
    response = await client.get("/api/v1/meta")
    assert (response.status, (await response.json())["authentication"]) == (200, True)


async def test_meta_says_who_asks(client: Client, engine: TaskEngine) -> None:
    """A page that no socket tells learns here who it is; with a token that is no good it is nobody."""
    secret, _ = await engine.tokens.create(owner="ann", scopes=("tasks:read",))
    for token, expected in ((secret, ("ann", ["tasks:read"])), ("nt_wrong", (None, None))):
        answer = await client.get("/api/v1/meta", headers={"Authorization": f"Bearer {token}"})
        told = await answer.json()
        assert (told["owner"], told["scopes"]) == expected


async def test_meta_says_that_everybody_may_do_everything(client: Client) -> None:
    """While the server is open there is nobody to know."""
    told = await (await client.get("/api/v1/meta")).json()
    assert (told["owner"], "admin" in told["scopes"]) == ("", True)
