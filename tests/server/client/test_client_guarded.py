"""A real server that wants tokens and counts requests: what a client with a right, a wrong or no token gets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network

import pytest
from attrs import evolve

from novel_tasks_core import TaskCompleted, TaskEngine
from novel_tasks_server.client import Client, ServerRefusedError, UploadOptions
from novel_tasks_server.config import ServerConfig

from .conftest import Gate, Site

MakeToken = Callable[..., Awaitable[str]]
CHATTY = UploadOptions(processor="chatty")


@pytest.fixture
def server_config(server_config: ServerConfig) -> ServerConfig:
    """Settings of a server that other machines reach, with a rate that a test can reach too."""
    return evolve(server_config, host="0.0.0.0", rate_limit="20/second", trusted_proxies=(ip_network("10.0.0.0/8"),))


@pytest.fixture
def make_token(engine: TaskEngine) -> MakeToken:
    """Make a token of an owner and return what to show."""

    async def make(owner: str = "ann", *scopes: str) -> str:
        secret, _ = await engine.tokens.create(owner=owner, scopes=scopes or ("tasks:read", "tasks:write"))
        return secret

    return make


@pytest.fixture
async def ann(site: Site, make_token: MakeToken) -> AsyncIterator[Client]:
    """A client with a token of Ann's."""
    async with Client(site.url, token=await make_token("ann"), patience_seconds=30) as client:
        yield client


async def test_everything_works_with_a_token(ann: Client, engine: TaskEngine, gate: Gate) -> None:
    """Uploading, watching and waiting show the token wherever it is wanted."""
    task_id = (await ann.upload(b"Once.", name="n.txt", wanted=CHATTY)).task_id
    gate.open.set()
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        seen = [event async for event in ann.watch(task_id)]
        assert (await ann.wait([task_id]))[task_id].owner == "ann"
    assert isinstance(seen[-1], TaskCompleted)


@pytest.mark.parametrize("token", ["", "wrong", "ntk_" + "A" * 43])
async def test_without_a_right_token_nothing_is_told(site: Site, ann: Client, token: str) -> None:
    """No token and a wrong one are refused alike, whatever is asked, and are not tried again."""
    async with Client(site.url, token=token, patience_seconds=30) as stranger:
        task_id = (await ann.upload(b"Once.", name="n.txt")).task_id
        for ask in (stranger.get(task_id), stranger.wait([task_id]), anext(stranger.watch(task_id)), stranger.page()):
            with pytest.raises(ServerRefusedError) as caught:
                await ask
            assert caught.value.status == 401
        with pytest.raises(ServerRefusedError) as caught:
            await stranger.upload(b"Once.", name="n.txt")
        assert caught.value.status == 401
        assert (await stranger.health())["status"] == "healthy"


async def test_the_tasks_of_others_are_not_there(site: Site, ann: Client, make_token: MakeToken) -> None:
    """Somebody else's task is 404 to every question, and in no list."""
    task_id = (await ann.upload(b"Once.", name="n.txt")).task_id
    async with Client(site.url, token=await make_token("bob")) as bob:
        for ask in (bob.get(task_id), bob.logs(task_id), bob.wait([task_id]), anext(bob.watch(task_id))):
            with pytest.raises(ServerRefusedError) as caught:
                await ask
            assert (caught.value.status, caught.value.kind) == (404, "task-not-found")
        assert [task async for task in bob.list()] == []


async def test_a_token_without_the_scope_may_only_look(site: Site, make_token: MakeToken) -> None:
    """What a token does not allow is 403, and says what is missing."""
    async with Client(site.url, token=await make_token("ann", "tasks:read")) as reader:
        assert (await reader.page()).total == 0
        with pytest.raises(ServerRefusedError, match="tasks:write") as caught:
            await reader.upload(b"Once.", name="n.txt")
        assert caught.value.status == 403


async def test_the_servers_rate_is_kept(ann: Client) -> None:
    """More questions than the server answers in a second take longer, and none of them fails."""
    assert (await ann.meta()).limits.rate_limit == "20/second"
    await ann.page()
    began = time.monotonic()
    pages = await asyncio.gather(*(ann.page() for _ in range(45)))
    assert len(pages) == 45
    assert time.monotonic() - began >= 1
