"""Signed links: one file of one task, for some minutes, for whoever has the link, and nothing else."""

from __future__ import annotations

import asyncio
import io
import logging
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog
from attrs import evolve
from yarl import URL

from novel_tasks_core import AttemptContext, Processors, Task, TaskEngine, format_task_id
from novel_tasks_server.access import gate
from novel_tasks_server.access.links import LINK_SECONDS, LinkSigner
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.logs import configure_logging
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.routes import links
from novel_tasks_server.schemas.access import Principal
from tests.server.security.conftest import AUDIENCE, ISSUER, JWT_SECRET
from tests.server.security.forging import World

Client = Any
Connect = Callable[..., Awaitable[Client]]
MakeToken = Callable[..., Awaitable[dict[str, str]]]

TEXT = b"Once upon a time."
PAGE = b"<!doctype html><p>Once"
SECRET = "4XhF-q_ZpVt71mWcRy8sKb2eNd0uLjGa"
EVERY_FILE = ("source", "result", "artifacts/report.html", "artifacts/100%25 灯.txt")


@pytest.fixture
def processors() -> Processors:
    """The built-in processors, and one that stores a report and something with an odd name."""
    known = Processors.builtin()

    @known.register("stores")
    async def stores(ctx: AttemptContext) -> dict[str, int]:
        await ctx.save_artifact("report.html", PAGE, content_type="text/html; charset=utf-8")
        await ctx.save_artifact("100%25 灯.txt", TEXT)
        return {"stored": 2}

    return known


@pytest.fixture
async def task(engine: TaskEngine) -> Task:
    """A completed task of ann's."""
    source = await engine.store(TEXT, name="novel.txt")
    made = await engine.submit(source, processor="stores", owner="ann")
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        await engine.result(made.id)
    return await engine.get(made.id)


def path_of(task: Task) -> str:
    """Return the path of a task."""
    return f"/api/v1/tasks/{format_task_id(task.id)}"


async def link(client: Client, task: Task, token: dict[str, str], file: str = "source") -> str:
    """Have a link made."""
    answer = await client.post(f"{path_of(task)}/links", json={"file": file}, headers=token)
    assert answer.status == 200, await answer.text()
    return str((await answer.json())["url"])


async def asked(client: Client, url: str, **headers: str) -> tuple[int, str]:
    """Fetch a URL as it is written; return the status and the kind of problem, or "" for none."""
    async with client.get(URL(url, encoded=True), headers=headers) as answer:
        if answer.content_type != "application/problem+json":
            return answer.status, ""
        return answer.status, (await answer.json())["type"].rpartition(":")[2]


@pytest.mark.parametrize("file", EVERY_FILE)
async def test_a_link_needs_no_token(closed: Client, make_token: MakeToken, task: Task, file: str) -> None:
    """Whoever has it gets the file, whole or in parts, and what HEAD says of it; without it nobody does."""
    url = await link(closed, task, await make_token("ann"), file)
    assert (await asked(closed, url)) == (200, "")
    head = await closed.head(URL(url, encoded=True))
    assert (head.status, await head.read()) == (200, b"")
    if file != "result":
        part = await closed.get(URL(url, encoded=True), headers={"Range": "bytes=0-3"})
        assert (part.status, await part.read()) == (206, (PAGE if file.endswith("html") else TEXT)[:4])
    assert await asked(closed, url.partition("?")[0]) == (401, "token-needed")


async def test_a_link_says_how_long_it_is_good(closed: Client, make_token: MakeToken, task: Task) -> None:
    """The answer has the moment at which it ends, five minutes from now, and the query has the same."""
    before = int(time.time())
    answer = await closed.post(f"{path_of(task)}/links", json={"file": "source"}, headers=await make_token("ann"))
    made = await answer.json()
    ends = datetime.fromisoformat(made["expires_at"])
    assert before + LINK_SECONDS <= ends.timestamp() <= time.time() + LINK_SECONDS
    assert parse_qs(urlsplit(made["url"]).query)["expires"] == [str(int(ends.timestamp()))]
    assert LINK_SECONDS == 300


async def test_a_link_is_good_for_nothing_else(
    closed: Client, make_token: MakeToken, task: Task, engine: TaskEngine
) -> None:
    """Not for another file or task, not for a list, and not to change anything."""
    url = await link(closed, task, await make_token("ann"), "artifacts/report.html")
    query = urlsplit(url).query
    other = await engine.submit(await engine.store(b"Another.", name="other.txt"), processor="external", owner="ann")
    for path in (f"{path_of(task)}/source", f"{path_of(task)}/result", f"{path_of(other)}/artifacts/report.html"):
        assert await asked(closed, f"{path}?{query}") == (403, "link-invalid"), path
    for path in (path_of(task), f"{path_of(task)}/artifacts", f"{path_of(task)}/events", "/api/v1/tasks"):
        assert await asked(closed, f"{path}?{query}") == (401, "token-needed"), path
    for method in ("POST", "PATCH", "DELETE"):
        for path in (path_of(task), f"{path_of(task)}/links", f"{path_of(task)}/artifacts/report.html"):
            async with closed.request(method, f"{path}?{query}", json={}) as answer:
                assert answer.status in (401, 405), (method, path)
    assert (await engine.get(task.id)).version == task.version


def forged(url: str, *, now: int) -> Iterator[str]:
    """Yield links that nobody made, from one that somebody did."""
    path, _, query = url.partition("?")
    expires, signature = (parse_qs(query)[name][0] for name in ("expires", "signature"))
    said, _, mac = signature.partition(".")
    admin = urlsafe_b64encode(b'[null, "root", ["admin"]]').decode()
    for other in (str(int(expires) + 1), f"0{expires}", f"{expires} ", f"+{expires}", "", "soon", "9" * 400, "1e12"):
        yield f"{path}?expires={other.replace('+', '%2B').replace(' ', '+')}&signature={signature}"
    for other in (
        *(mac, said, f"{said}.", f".{mac}", f"{said}.{mac[:-1]}", f"{said}.{mac}x", f"{said}.{mac}."),
        *(f"{admin}.{mac}", f"{admin}.", f"W10=.{mac}", f"{said}.{'A' * 43}=", f"{said.lower()}.{mac}"),
        *("%00", "%ED%A0%80", "%C3%A9.%C3%BC", "x" * 5000, f"{said}%0A{expires}.{mac}"),
    ):
        yield f"{path}?expires={expires}&signature={other}"
    yield f"{path}?signature={signature}"
    own = LinkSigner(None)
    yield f"{path}?{own.sign(path, Principal.anyone(), expires=now + 60)}"
    yield f"{path}?{LinkSigner('').sign(path, Principal.anyone(), expires=now + 60)}"


async def test_forged_links_are_refused(closed: Client, make_token: MakeToken, task: Task) -> None:
    """However one is changed, it lets nobody in."""
    url = await link(closed, task, await make_token("ann"))
    refused = [
        await asked(closed, one, **{"X-Forwarded-For": f"203.0.113.{at}"})
        for at, one in enumerate(forged(url, now=int(time.time())))
    ]
    assert len(refused) > 25
    assert set(refused) == {(403, "link-invalid")}
    assert await asked(closed, url) == (200, "")


async def test_a_link_ends_with_its_time(
    closed: Client, make_token: MakeToken, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the second on that it names, it is refused with words that say what to do."""
    monkeypatch.setattr(links, "LINK_SECONDS", 0)
    url = await link(closed, task, await make_token("ann"))
    answer = await closed.get(url)
    problem = await answer.json()
    assert (answer.status, problem["type"]) == (403, "urn:novel-tasks:problem:link-expired")
    assert problem["detail"] == "The link has expired. Ask for a new one."


def test_the_last_second_of_a_link() -> None:
    """It is good up to its moment, not at it."""
    signer = LinkSigner(SECRET)
    query = {name: values[0] for name, values in parse_qs(signer.sign("/p", Principal.anyone(), expires=100)).items()}
    assert signer.holder("/p", query, now=99.9) == Principal.anyone()
    with pytest.raises(RequestRefusedError, match="expired"):
        signer.holder("/p", query, now=100)


async def test_a_download_goes_on_when_its_link_has_ended(
    closed: Client, make_token: MakeToken, engine: TaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has begun gets the whole file, though the link lets nobody in any more."""
    monkeypatch.setattr(links, "LINK_SECONDS", 2)
    data = bytes(range(256)) * (96 * 1024)
    made = await engine.submit(await engine.store(data, name="long.txt"), processor="external", owner="ann")
    url = await link(closed, made, await make_token("ann"))
    async with asyncio.timeout(60), closed.get(url) as answer:
        first = await answer.content.readexactly(1000)
        while (await asked(closed, url))[0] != 403:
            pass
        assert first + await answer.content.read() == data


async def test_a_link_ends_with_its_task(closed: Client, make_token: MakeToken, task: Task, engine: TaskEngine) -> None:
    """When the task is deleted there is no such file, with a link as with a token."""
    url = await link(closed, task, await make_token("ann"))
    await engine.delete(task.id)
    assert await asked(closed, url) == (404, "task-not-found")


async def test_a_link_ends_with_the_token_that_asked_for_it(
    closed: Client, make_token: MakeToken, task: Task, engine: TaskEngine
) -> None:
    """Revoked here, the token's links are refused at once; those of another token of the same owner go on."""
    url, other = [await link(closed, task, await make_token("ann")) for _ in range(2)]
    assert await asked(closed, url) == (200, "")
    oldest = next(one for one in await engine.tokens.list() if one.owner == "ann")
    root = await make_token("root", "admin")
    assert (await closed.delete(f"/api/v1/tokens/{oldest.id}", headers=root)).status == 200
    assert await asked(closed, url) == (403, "link-invalid")
    assert await asked(closed, other) == (200, "")


async def test_a_link_ends_with_a_token_revoked_elsewhere(
    closed: Client, make_token: MakeToken, task: Task, engine: TaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another server revoked is known here within seconds, for links as for tokens."""
    monkeypatch.setattr(gate, "FRESH_SECONDS", 0.02)
    url = await link(closed, task, await make_token("ann"))
    assert await asked(closed, url) == (200, "")
    await engine.tokens.revoke(next(one.id for one in await engine.tokens.list() if one.owner == "ann"))
    async with asyncio.timeout(60):
        while await asked(closed, url) != (403, "link-invalid"):
            pass


async def test_beside_a_token_a_link_does_not_count(closed: Client, make_token: MakeToken, task: Task) -> None:
    """The token alone decides: it neither gains by a good link nor suffers from a bad one."""
    ann, bob = await make_token("ann"), await make_token("bob")
    url = await link(closed, task, ann)
    assert await asked(closed, url, **bob) == (404, "task-not-found")
    assert await asked(closed, url, Authorization="Bearer nt_" + "A" * 43) == (401, "token-invalid")
    assert await asked(closed, f"{url}x", **ann) == (200, "")
    assert await asked(closed, url, Authorization="Basic dTpw") == (200, "")  # a proxy's own credentials


async def test_what_cannot_be_fetched_has_no_link(
    closed: Client, make_token: MakeToken, task: Task, engine: TaskEngine
) -> None:
    """What is wrong with a file is told when the link is asked for, as the route of the file would."""
    ann = await make_token("ann")
    bare = await engine.submit(processor="external", owner="ann")
    for one, file in (
        *((task, "artifacts/absent.txt"), (task, "artifacts/REPORT.HTML")),
        *((bare, "source"), (bare, "result"), (bare, "artifacts/report.html")),
    ):
        wanted = await closed.post(f"{path_of(one)}/links", json={"file": file}, headers=ann)
        told = (wanted.status, (await wanted.json())["type"].rpartition(":")[2])
        assert told == await asked(closed, f"{path_of(one)}/{file}", **ann), file
        assert told[0] in (404, 409)
    for wrong in ("", "sources", "artifacts", "artifacts/", "artifacts/a/b", "../source", "source/x", "events", None):
        wanted = await closed.post(f"{path_of(task)}/links", json={"file": wrong}, headers=ann)
        assert (wanted.status, (await wanted.json())["errors"][0]["pointer"]) == (422, "/file"), wrong


async def test_while_nobody_needs_a_token_links_work_too(
    client: Client, task: Task, engine: TaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages need one way only. Not for whom a proxy lets through, and no longer than the server is open."""
    monkeypatch.setattr(gate, "FRESH_SECONDS", 0.02)
    url = await link(client, task, {})
    assert await asked(client, url) == (200, "")
    assert await asked(client, f"{url}x") == (403, "link-invalid")
    assert await asked(client, url, **{"X-Forwarded-For": "203.0.113.9"}) == (403, "link-invalid")
    assert await asked(client, url, Host="evil.example") == (403, "link-invalid")
    await engine.tokens.create(owner="ann", scopes=["tasks:read"])
    async with asyncio.timeout(60):
        while await asked(client, url) != (403, "link-invalid"):
            pass


async def test_a_jwt_gets_links_for_its_own_owner(connect: Connect, jwt_config: ServerConfig, task: Task) -> None:
    """A link says for whom it was made, since the database knows no JWTs; without JWTs it is worth nothing."""
    world = World(audience=AUDIENCE, issuer=ISSUER, algorithm="HS256", secret=JWT_SECRET)
    config = evolve(jwt_config, secret_key=SECRET)
    server = await connect(config)
    ann, bob = (
        {"Authorization": f"Bearer {world.signed(world.claims(sub=who, scope='tasks:read'))}"} for who in ("ann", "bob")
    )
    url = await link(server, task, ann)
    assert await asked(server, url) == (200, "")
    foreign = await server.post(f"{path_of(task)}/links", json={"file": "source"}, headers=bob)
    assert foreign.status == 404
    plain = evolve(config, jwt_algorithm=None, jwt_key=None, jwt_audience=None, jwt_issuer=None)
    assert await asked(await connect(plain), url) == (403, "link-invalid")


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        (SECRET, SECRET, 200),
        (SECRET, SECRET[::-1], 403),
        (None, None, 403),
        ("change-me-please-now", "change-me-please-now", 403),
    ],
)
async def test_servers_with_one_secret_know_each_others_links(
    connect: Connect,
    closed_config: ServerConfig,
    make_token: MakeToken,
    task: Task,
    one: str | None,
    other: str | None,
    status: int,
) -> None:
    """Without a secret, or with one that anybody could know, a link is good where it was made only."""
    first, second = [await connect(evolve(closed_config, secret_key=key)) for key in (one, other)]
    url = await link(first, task, await make_token("ann"))
    assert (await asked(first, url))[0] == 200
    assert (await asked(second, url))[0] == status


async def test_links_are_counted_as_their_owners_requests(
    connect: Connect, closed_config: ServerConfig, make_token: MakeToken, task: Task
) -> None:
    """A link lets nobody ask more often than a token does, and guessing at links is counted by address."""
    server = await connect(evolve(closed_config, rate_limit="4/minute"))
    url = await link(server, task, await make_token("ann"))
    assert [(await asked(server, url))[0] for _ in range(4)] == [200, 200, 200, 429]
    assert [(await asked(server, f"{url}x"))[0] for _ in range(5)] == [403, 403, 403, 403, 429]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where everything is logged; afterwards logging is as it was."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    written = io.StringIO()
    configure_logging(level="debug", as_json=True, stream=written)
    yield written
    root.handlers[:], root.level = before[0], before[1]
    structlog.reset_defaults()


async def test_signatures_are_in_no_log(
    closed: Client, make_token: MakeToken, task: Task, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any level, whether the link is good, bad, or what it leads to breaks."""
    url = await link(closed, task, await make_token("ann"))
    assert [(await asked(closed, one))[0] for one in (url, f"{url}x")] == [200, 403]
    monkeypatch.setattr(gate.Gate, "recheck_holder", None)
    assert (await asked(closed, url))[0] == 500
    text = stream.getvalue()
    assert text.count('"path": "/api/v1/tasks/{task_id}/source"') == 3
    assert parse_qs(urlsplit(url).query)["signature"][0].partition(".")[2] not in text
    assert "signature=" not in text


async def test_a_link_tells_no_token(closed: Client, make_token: MakeToken, task: Task) -> None:
    """It names the token by its id; neither the secret nor the hash of it is anywhere in the link."""
    token = await make_token("ann")
    secret = token["Authorization"].removeprefix("Bearer ")
    url = await link(closed, task, token)
    said = urlsafe_b64decode(parse_qs(urlsplit(url).query)["signature"][0].partition(".")[0])
    assert secret[3:] not in url
    assert len(said) == len('["') + 32 + len('"]')
    assert sha256(secret.encode()).hexdigest()[:32] not in said.decode()
