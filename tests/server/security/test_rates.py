"""Limits on how often somebody may ask, and the ways in which people try to dodge them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import make_mocked_request
from attrs import evolve

from novel_tasks_core import TaskEngine
from novel_tasks_server.access import rates
from novel_tasks_server.access.addresses import address_group, client_address
from novel_tasks_server.access.rates import RateLimit
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.keys import CONFIG

Client = Any
Connect = Callable[..., Awaitable[Client]]
MakeToken = Callable[..., Awaitable[dict[str, str]]]
TASKS = "/api/v1/tasks"


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def allowed(limit: RateLimit, key: str, tries: int) -> int:
    """Return how many of these tries are allowed."""
    return sum(limit.hit(key).wait_seconds <= 0 for _ in range(tries))


def test_a_burst_is_as_large_as_the_rate() -> None:
    """So many pass at once and not one more; each key has its own."""
    limit = RateLimit("100/minute", now=Seconds())
    assert allowed(limit, "ann", 500) == 100
    assert allowed(limit, "bob", 99) == 99


def test_no_minute_holds_many_more_than_the_rate() -> None:
    """The window moves: a burst at the end of one minute leaves no room at the beginning of the next."""
    clock = Seconds()
    limit = RateLimit("100/minute", now=clock)
    assert allowed(limit, "ann", 1) == 1
    clock.now += 59.9
    assert allowed(limit, "ann", 500) == 99
    clock.now += 0.2
    assert allowed(limit, "ann", 500) <= 1
    clock.now += 29.9
    assert allowed(limit, "ann", 500) in range(45, 52)
    clock.now += 120
    assert allowed(limit, "ann", 500) == 100


@pytest.mark.parametrize("rate", ["1/second", "3/minute", "100/minute", "1000/hour"])
@pytest.mark.parametrize("spread", [0.0, 0.01, 0.7])
def test_who_waits_as_told_passes(rate: str, spread: float) -> None:
    """After the time that a refusal names one more is allowed, and not much before."""
    clock = Seconds()
    limit = RateLimit(rate, now=clock)
    for _ in range(5):
        while (quota := limit.hit("ann")).wait_seconds <= 0:
            clock.now += spread * quota.period_seconds / quota.amount
        clock.now += quota.wait_seconds * 0.9
        assert limit.hit("ann").wait_seconds > 0
        clock.now += quota.wait_seconds * 0.1 + 1e-6
        assert limit.hit("ann").wait_seconds <= 0


def test_several_rates_hold_together() -> None:
    """Each of them may refuse, and what one refuses is not counted by the other."""
    clock = Seconds()
    limit = RateLimit("2/second;5/minute", now=clock)
    counts = []
    for _ in range(4):
        counts.append(allowed(limit, "ann", 10))
        clock.now += 2
    assert counts == [2, 2, 1, 0]


def test_what_is_forgiven_may_be_used_again() -> None:
    """A token that turned out good was no wrong guess."""
    limit = RateLimit("2/minute", now=Seconds())
    for _ in range(10):
        assert limit.hit("ann").wait_seconds <= 0
        limit.forgive("ann")
    assert allowed(limit, "ann", 10) == 2


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many addresses come, only so many are counted; those that come all the time stay counted."""
    monkeypatch.setattr(rates, "MAX_KEYS", 50)
    limit = RateLimit("3/minute", now=Seconds())
    assert allowed(limit, "ann", 10) == 3
    for number in range(1000):
        limit.hit(f"address {number}")
        assert limit.hit("ann").wait_seconds > 0
    assert len(limit._windows) == 50


@pytest.fixture
def strict(closed_config: ServerConfig) -> ServerConfig:
    """Settings that allow three requests a minute and two uploads an hour, behind a proxy on this machine."""
    return evolve(closed_config, rate_limit="3/minute", upload_rate_limit="2/hour")


async def statuses(client: Client, tries: int, headers: dict[str, str] | None = None) -> list[int]:
    """Ask for the list of tasks so often, and return the statuses."""
    return [(await client.get(TASKS, headers=headers)).status for _ in range(tries)]


async def test_an_owner_is_limited_whatever_token_they_show(
    connect: Connect, strict: ServerConfig, make_token: MakeToken
) -> None:
    """More tokens and more addresses do not help; others are not concerned; the answer says when to come again."""
    client = await connect(strict)
    ann, too, bob = await make_token("ann"), await make_token("ann"), await make_token("bob")
    assert await statuses(client, 2, ann) == [200, 200]
    assert await statuses(client, 1, too | {"X-Forwarded-For": "203.0.113.1"}) == [200]
    for headers in (ann, too, ann | {"X-Forwarded-For": "203.0.113.2"}):
        refused = await client.get(TASKS, headers=headers)
        assert (refused.status, refused.content_type) == (429, "application/problem+json")
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["RateLimit-Policy"] == '"default";q=3;w=60'
        assert refused.headers["RateLimit"].startswith('"default";r=0;t=')
    assert await statuses(client, 3, bob) == [200] * 3


async def test_strangers_are_limited_by_address(connect: Connect, strict: ServerConfig) -> None:
    """Without a good token the address counts, whatever is shown instead."""
    client = await connect(strict)
    assert await statuses(client, 2) == [401, 401]
    tricks: list[dict[str, str]] = [
        {"Authorization": "Bearer nt_" + "A" * 43},
        {"Authorization": "Bearer nt_" + "B" * 43},
        {"Authorization": "Basic dTpw"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"X-Request-ID": "another"},
        {"X-HTTP-Method-Override": "HEAD"},
    ]
    assert [(await client.get(TASKS, headers=trick)).status for trick in tricks] == [401] + [429] * 7


async def test_a_header_that_a_client_writes_does_not_help(connect: Connect, strict: ServerConfig) -> None:
    """Without a trusted proxy X-Forwarded-For means nothing; with one, only what the proxy itself added."""
    bare = await connect(evolve(strict, trusted_proxies=()))
    got = [(await bare.get(TASKS, headers={"X-Forwarded-For": f"203.0.113.{n}"})).status for n in range(6)]
    assert got == [401] * 3 + [429] * 3
    proxied = await connect(strict)
    got = [(await proxied.get(TASKS, headers={"X-Forwarded-For": f"10.9.8.{n}, 203.0.113.1"})).status for n in range(6)]
    assert got == [401] * 3 + [429] * 3
    assert await statuses(proxied, 1, {"X-Forwarded-For": "203.0.113.2"}) == [401]


async def test_pipelined_requests_are_counted_one_by_one(
    connect: Connect, strict: ServerConfig, make_token: MakeToken
) -> None:
    """Ten requests in one packet are ten requests."""
    client = await connect(strict)
    token = (await make_token("ann"))["Authorization"]
    request = f"GET {TASKS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write((f"{request}\r\n" * 9 + f"{request}Connection: close\r\n\r\n").encode())
    answers = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    assert (answers.count("HTTP/1.1 200"), answers.count("HTTP/1.1 429")) == (3, 7)


async def test_uploads_are_counted_apart(connect: Connect, strict: ServerConfig, make_token: MakeToken) -> None:
    """They have their own, longer period, and take nothing from the other requests."""
    client = await connect(strict)
    ann = await make_token("ann")

    async def upload() -> int:
        form = FormData()
        form.add_field("file", b"text", filename="a.txt")
        return int((await client.post(f"{TASKS}/upload", data=form, headers=ann)).status)

    assert [await upload() for _ in range(3)] == [200, 200, 429]
    assert await statuses(client, 4, ann) == [200, 200, 200, 429]


async def test_guessing_is_limited(
    connect: Connect, closed_config: ServerConfig, make_token: MakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After too many wrong tokens an address shows no new one; those known to be good go on, others too."""
    monkeypatch.setattr(rates, "FAILURES_RATE", "5/minute")
    client = await connect(evolve(closed_config, rate_limit=None))
    guesser = {"X-Forwarded-For": "203.0.113.1"}
    known, fresh = await make_token("ann"), await make_token("bob")
    assert await statuses(client, 1, guesser | known) == [200]
    wrong = [{"Authorization": f"Bearer nt_{n:043}"} for n in range(12)]
    got = await asyncio.gather(*(client.get(TASKS, headers=guesser | header) for header in wrong))
    assert sorted(answer.status for answer in got) == [401] * 5 + [429] * 7
    assert await statuses(client, 1, guesser | fresh) == [429]
    assert await statuses(client, 1, guesser | known) == [200]
    assert await statuses(client, 1, {"X-Forwarded-For": "203.0.113.2"} | fresh) == [200]


async def test_neighbours_in_ipv6_share_a_limit(connect: Connect, strict: ServerConfig) -> None:
    """Whoever has one address of a /64 has all of them."""
    client = await connect(strict)
    got = [(await client.get(TASKS, headers={"X-Forwarded-For": f"2001:db8:1:2::{n:x}"})).status for n in range(5)]
    assert got == [401] * 3 + [429] * 2
    assert await statuses(client, 1, {"X-Forwarded-For": "2001:db8:1:3::1"}) == [401]


async def test_an_open_server_counts_nothing(client: Client) -> None:
    """On loopback without tokens there is no limit, and none is told of."""
    assert await statuses(client, 120) == [200] * 120
    assert "RateLimit" not in (await client.get(TASKS)).headers


async def test_health_is_not_limited(connect: Connect, strict: ServerConfig) -> None:
    """Monitors may ask as often as they like."""
    client = await connect(strict)
    assert [(await client.get("/livez")).status for _ in range(10)] == [200] * 10


@pytest.mark.parametrize(
    ("peer", "lines", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1, 10.0.0.2, 10.0.0.3"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.7"], "10.0.0.7"),
        ("10.0.0.1", ["6.6.6.6, rubbish"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, rubbish, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("fe80::1%eth0", ["198.51.100.1"], "fe80::1"),
        ("", ["198.51.100.1"], "unknown"),
    ],
)
def test_a_proxy_is_believed_for_what_it_saw(peer: str, lines: list[str], client: str) -> None:
    """X-Forwarded-For is read from the right, as far as the addresses there are proxies of ours."""
    app = web.Application()
    app[CONFIG] = ServerConfig(trusted_proxies=(ip_network("10.0.0.0/8"),))

    class Transport(asyncio.Transport):
        def get_extra_info(self, name: str, default: Any = None) -> Any:
            return (peer, 1234) if name == "peername" and peer else default

    headers = [("X-Forwarded-For", line) for line in lines]
    request = make_mocked_request("GET", "/", headers=headers, app=app, transport=Transport())
    assert client_address(request) == client


def test_addresses_are_grouped_as_clients_have_them() -> None:
    """An IPv4 address stands for itself, an IPv6 one for its /64, what is none for itself."""
    assert address_group("198.51.100.1") == "198.51.100.1"
    assert address_group("2001:db8:1:2:3:4:5:6") == address_group("2001:db8:1:2::") == "2001:db8:1:2::"
    assert address_group("unknown") == "unknown"


async def test_the_engine_is_not_asked_by_who_is_limited(
    connect: Connect, strict: ServerConfig, make_token: MakeToken, engine: TaskEngine
) -> None:
    """A refused upload stores nothing."""
    client = await connect(evolve(strict, upload_rate_limit="1/hour"))
    ann = await make_token("ann")
    for _ in range(3):
        form = FormData()
        form.add_field("file", b"text", filename="a.txt")
        form.add_field("on_duplicate", "allow")
        await client.post(f"{TASKS}/upload", data=form, headers=ann)
    assert await engine.count() == 1
