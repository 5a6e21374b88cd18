"""A server that is busy, or says no: what is asked again, when, for how long, and what the caller is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from novel_tasks_core import ConfigError
from novel_tasks_server.client import (
    Client,
    ServerRefusedError,
    ServerUnreachableError,
    UnexpectedAnswerError,
    UploadOptions,
)

from .conftest import TASK_ID, Handler, serving, task

ONE = "/api/v1/tasks/{id}"
UPLOADED = {"task_id": TASK_ID, "file_name": "n.txt", "file_size": 1, "status": "pending"}


def problem(status: int, kind: str = "", **headers: str) -> web.Response:
    """Return a refusal as the server writes it."""
    body = {"type": f"urn:novel-tasks:problem:{kind}" if kind else "about:blank", "detail": "No.", "error": "No."}
    return web.json_response(body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def refusing(*refusals: Callable[[], web.Response], then: Any) -> tuple[Handler, list[float]]:
    """Return a handler that refuses so often, then answers; and the times at which it was asked."""
    asked: list[float] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(time.monotonic())
        await request.read()
        if len(asked) <= len(refusals):
            return refusals[len(asked) - 1]()
        return web.json_response(then)

    return handler, asked


async def test_retry_after_is_obeyed() -> None:
    """A server that has enough says when to come again, in seconds or as a date, and that is waited for."""

    def later() -> str:
        return format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)

    get, asked = refusing(
        lambda: problem(429, "rate-limited", Retry_After="1"),
        lambda: problem(503, "stopping", Retry_After=later()),
        then=task("completed"),
    )
    async with serving({("GET", ONE): get}) as url, Client(url) as client:
        assert (await client.get(TASK_ID)).id == TASK_ID
    assert asked[1] - asked[0] >= 1
    assert asked[2] - asked[1] >= 2  # a date has no parts of a second


async def test_patience_is_bounded() -> None:
    """When the server wants more time than there is patience, the caller is told at once, and how long it would be."""
    get, asked = refusing(lambda: problem(429, "rate-limited", Retry_After="60"), then={})
    async with serving({("GET", ONE): get}) as url, Client(url, patience_seconds=5) as client:
        with pytest.raises(ServerRefusedError, match=r"No. \(HTTP 429, try again in 60 s\)") as caught:
            await client.get(TASK_ID)
    assert (caught.value.retry_after, caught.value.kind, len(asked)) == (60, "rate-limited", 1)


async def test_patience_ends() -> None:
    """A server that never has time is given up once the patience is over."""
    get, asked = refusing(*[lambda: problem(503)] * 100, then={})
    async with serving({("GET", ONE): get}) as url, Client(url, patience_seconds=1) as client:
        with pytest.raises(ServerRefusedError):
            await client.get(TASK_ID)
    assert 2 <= len(asked) < 20


async def test_uploads_are_sent_again_when_the_server_is_busy() -> None:
    """A file that was refused for now is sent again, whole."""
    sizes: list[int] = []

    async def accept(request: web.Request) -> web.Response:
        sizes.append(len(await request.read()))
        return web.json_response(UPLOADED) if len(sizes) > 1 else problem(429, Retry_After="0")

    async with serving({("POST", "/api/v1/tasks/upload"): accept}) as url, Client(url) as client:
        assert (await client.upload(b"x" * 5000, name="n.txt")).task_id == TASK_ID
    assert sizes[0] == sizes[1] > 5000


@pytest.mark.parametrize(
    ("kind", "status", "times"), [("stopping", 503, 2), ("", 429, 2), ("database-unavailable", 503, 1)]
)
async def test_a_change_is_asked_for_again_only_when_it_was_not_made(kind: str, status: int, times: int) -> None:
    """A database that broke off may have made the change: then nobody but the caller can say whether to repeat it."""
    handler, asked = refusing(lambda: problem(status, kind, Retry_After="0"), then=task("pending"))
    async with serving({("POST", f"{ONE}/retry"): handler}) as url, Client(url) as client:
        if times == 1:
            with pytest.raises(ServerRefusedError):
                await client.retry(TASK_ID)
        else:
            await client.retry(TASK_ID)
    assert len(asked) == times


async def test_an_upload_that_must_not_arrive_twice_is_not_repeated_blindly() -> None:
    """With `allow` an upload of which the database broke off is told, and not sent again."""
    handler, asked = refusing(lambda: problem(503, "database-unavailable"), then=UPLOADED)
    async with serving({("POST", "/api/v1/tasks/upload"): handler}) as url, Client(url) as client:
        with pytest.raises(ServerRefusedError):
            await client.upload(b"x", name="n.txt", wanted=UploadOptions(on_duplicate="allow"))
    assert len(asked) == 1


async def test_health_is_asked_once() -> None:
    """A server that is unwell says so at once."""
    handler, asked = refusing(lambda: problem(503, Retry_After="0"), then={})
    async with serving({("GET", "/health"): handler}) as url, Client(url) as client:
        with pytest.raises(ServerRefusedError):
            await client.health()
    assert len(asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 415, 422, 507])
async def test_refusals_without_words_get_some(status: int) -> None:
    """A refusal for which the server gives no reason, such as a proxy's, is still told in words; and not repeated."""
    asked = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=status, text="<html>nope</html>", content_type="text/html")

    async with serving({("GET", ONE): handler}) as url, Client(url) as client:
        with pytest.raises(ServerRefusedError, match=rf"^(the|this|there) [a-z ]+ \(HTTP {status}\)$") as caught:
            await client.get(TASK_ID)
    assert (caught.value.status, caught.value.kind, caught.value.errors, asked) == (status, "", (), 1)


async def test_all_faults_are_told(remote: Client) -> None:
    """A request with several faults is refused with all of them, and with the name that the server's logs know."""
    with pytest.raises(ServerRefusedError) as caught:
        await remote.page(page=0, page_size=1000, sort_by="colour")
    error = caught.value
    assert (error.status, error.kind) == (422, "invalid-request")
    assert {fault.pointer for fault in error.errors} == {"/page", "/page_size", "/sort_by"}
    assert all(f"{fault.pointer[1:]}: {fault.detail}" in str(error) for fault in error.errors)
    assert error.request_id


async def test_the_token_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token goes along as a bearer token: the one that is given, else that of the environment, else none."""
    shown: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        shown.append(request.headers.get("Authorization"))
        return web.json_response(task("completed"))

    async def live(request: web.Request) -> web.WebSocketResponse:
        await handler(request)
        raise web.HTTPForbidden

    routes = {("GET", ONE): handler, ("GET", "/api/v1/ws/tasks/{client}"): live}
    monkeypatch.setenv("NOVEL_TASKS_TOKEN", "from-environment\n")
    async with serving(routes) as url:
        for token in ("given", None, ""):
            async with Client(url, token=token) as client:
                await client.wait([TASK_ID])
    assert shown == ["Bearer given"] * 2 + ["Bearer from-environment"] * 2 + [None] * 2


def test_a_token_that_cannot_be_sent_is_refused() -> None:
    """A token that would be more than one word of a header is refused, and not repeated in the error."""
    for token in ("se\ncret", "secret secret", "sécret"):
        with pytest.raises(ConfigError) as caught:
            Client("http://127.0.0.1", token=token)
        assert "cret" not in str(caught.value)


async def test_the_token_goes_nowhere_else() -> None:
    """A redirect is told, and not followed: the token is for the server that was named."""
    asked = 0

    async def elsewhere(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response(task("completed"))

    async with serving({("GET", ONE): elsewhere}) as other:

        async def redirect(request: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(f"{other}{request.path}")

        async with serving({("GET", ONE): redirect}) as url, Client(url, token="secret") as client:
            with pytest.raises(UnexpectedAnswerError, match="redirects to http"):
                await client.get(TASK_ID)
    assert asked == 0


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999"])
async def test_a_wrong_address_is_told(url: str) -> None:
    """What is no address of a server is told as such."""
    async with Client(url) as client:
        with pytest.raises(ServerUnreachableError):
            await client.get(TASK_ID)


async def test_answers_that_make_no_sense_are_told() -> None:
    """JSON of another shape is not our service, whatever the shape."""
    answers: list[Any] = [[], None, "x", 1, {"id": 1}, {**task("completed"), "uploaded_at": 5}]
    for answer in answers:

        async def handler(request: web.Request, answer: Any = answer) -> web.Response:
            return web.json_response(answer)

        async with serving({("GET", ONE): handler}) as url, Client(url) as client:
            with pytest.raises(UnexpectedAnswerError):
                await client.get(TASK_ID)


async def test_a_client_must_be_open() -> None:
    """A client that was not entered says so."""
    with pytest.raises(RuntimeError, match="async with"):
        await Client("http://127.0.0.1").get(TASK_ID)
