"""What a task was made from and what came of it can be fetched, and never runs as ours."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

from novel_tasks_core import AttemptContext, Processors, TaskEngine, parse_task_id

Client = TestClient[web.Request, web.Application]
Make = Callable[..., Awaitable[dict[str, Any]]]

TEXT = "第一章 渡口\n\n灯亮了。\n".encode()
PAGE = b"<script>alert(document.domain)</script>"


@pytest.fixture
def processors() -> Processors:
    """The built-in processors, and one that stores artifacts of every kind."""
    known = Processors.builtin()

    @known.register("artifacts")
    async def artifacts(ctx: AttemptContext) -> dict[str, int]:
        await ctx.save_artifact("report.html", PAGE, content_type="text/html; charset=utf-8")
        await ctx.save_artifact("other.html", PAGE, content_type="text/html; charset=utf-8")
        await ctx.save_artifact("目录 1%.txt", TEXT, content_type="text/plain; charset=utf-8")
        return {"stored": 3}

    return known


@pytest.fixture
async def finished(make_task: Make, engine: TaskEngine) -> str:
    """The path of a task that has stored artifacts."""
    made = await make_task(TEXT, '渡口的"灯".txt', processor="artifacts")
    async with asyncio.timeout(60), engine.worker(concurrency=1):
        await engine.result(parse_task_id(made["task_id"]))
    return f"/api/v1/tasks/{made['task_id']}"


async def test_artifacts_are_listed_with_their_addresses(finished: str, client: Client) -> None:
    """Each artifact says how large it is and where to fetch it."""
    artifacts = (await (await client.get(f"{finished}/artifacts")).json())["artifacts"]
    by_name = {artifact["name"]: artifact for artifact in artifacts}
    assert by_name.keys() == {"report.html", "other.html", "目录 1%.txt"}
    named = by_name["目录 1%.txt"]
    assert (named["size"], named["sha256"]) == (len(TEXT), hashlib.sha256(TEXT).hexdigest())
    response = await client.get(named["url"])
    assert await response.read() == TEXT
    assert response.content_disposition is not None
    assert response.content_disposition.filename == '渡口的"灯" 目录 1%.txt'


async def test_only_the_report_is_shown_and_even_that_in_a_sandbox(finished: str, client: Client) -> None:
    """Other pages are downloaded; the report is shown where no script can run."""
    report = await client.get(f"{finished}/artifacts/report.html")
    other = await client.get(f"{finished}/artifacts/other.html")
    assert report.headers["Content-Disposition"].startswith("inline")
    assert other.headers["Content-Disposition"].startswith("attachment")
    for response in (report, other):
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "script-src" not in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_only_the_report_can_be_framed_and_only_here(finished: str, client: Client) -> None:
    """Pages of this origin may frame it; nobody may frame anything else, nor what is said instead of it."""
    report = await client.get(f"{finished}/artifacts/report.html")
    assert report.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in report.headers["Content-Security-Policy"]
    assert report.headers["Content-Security-Policy"].startswith("sandbox;")
    for name in ("artifacts/other.html", "artifacts/absent.html", "source", "result", "artifacts"):
        response = await client.get(f"{finished}/{name}")
        assert response.headers["X-Frame-Options"] == "DENY", name
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"], name


async def test_the_report_is_downloaded_when_that_is_asked_for(finished: str, client: Client) -> None:
    """`download=1` makes an attachment of it too; what is no such choice is refused."""
    for name in ("artifacts/report.html", "artifacts/other.html", "source"):
        asked = await client.get(f"{finished}/{name}", params={"download": "1"})
        assert asked.headers["Content-Disposition"].startswith("attachment"), name
        for query, pointer in (({"download": "2"}, "/download"), ({"colour": "red"}, "/colour")):
            refused = await client.get(f"{finished}/{name}", params=query)
            assert (refused.status, (await refused.json())["errors"][0]["pointer"]) == (422, pointer)
    shown = await client.get(f"{finished}/artifacts/report.html", params={"download": "0"})
    assert shown.headers["Content-Disposition"].startswith("inline")


async def test_the_source_comes_back_byte_for_byte(finished: str, client: Client) -> None:
    """The original keeps its name, and its digest is told."""
    response = await client.get(f"{finished}/source")
    assert await response.read() == TEXT
    assert response.headers["Content-Type"] == "application/octet-stream"
    digest = base64.b64encode(hashlib.sha256(TEXT).digest()).decode()
    assert response.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert response.content_disposition is not None
    assert response.content_disposition.filename == '渡口的"灯".txt'


async def test_parts_of_a_file(finished: str, client: Client) -> None:
    """A download can be continued, and is not repeated for who has it."""
    path = f"{finished}/source"
    whole = await client.get(path)
    some = await client.get(path, headers={"Range": "bytes=3-6"})
    assert (some.status, await some.read()) == (206, TEXT[3:7])
    assert some.headers["Content-Range"] == f"bytes 3-6/{len(TEXT)}"
    tail = await client.get(path, headers={"Range": "bytes=-4"})
    assert (tail.status, await tail.read()) == (206, TEXT[-4:])
    known = await client.get(path, headers={"If-None-Match": whole.headers["ETag"]})
    assert (known.status, await known.read()) == (304, b"")
    head = await client.head(path)
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(TEXT)))


async def test_ranges_that_hold_nothing_are_416(finished: str, client: Client) -> None:
    """A range beyond the file is a problem like any other."""
    for value in ("bytes=9999-", "bytes=x", "bytes=-", "bytes=-0", "bytes=5-2"):
        response = await client.get(f"{finished}/source", headers={"Range": value})
        assert (response.status, (await response.json())["status"]) == (416, 416)
        assert response.headers["Content-Range"] == f"bytes */{len(TEXT)}"


async def test_what_is_no_single_range_of_bytes_is_the_whole_file(finished: str, client: Client) -> None:
    """Several parts at once and other units are not split: the answer is the file."""
    for value in ("lines=1-2", "bytes=0-1,3-4", "bytes=9999-,0-1", "nonsense"):
        response = await client.get(f"{finished}/source", headers={"Range": value})
        assert (response.status, await response.read()) == (200, TEXT), value
        assert "Content-Range" not in response.headers


async def test_a_part_is_of_the_file_that_is_meant(finished: str, client: Client) -> None:
    """If-Range with the present ETag or date gives the part, with any other the whole file."""
    path = f"{finished}/source"
    whole = await client.get(path)
    etag, date = whole.headers["ETag"], whole.headers["Last-Modified"]
    for condition, status in (
        (etag, 206),
        (date, 206),
        ('"other"', 200),
        (f"W/{etag}", 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 200),
        ("soon", 200),
    ):
        response = await client.get(path, headers={"Range": "bytes=0-3", "If-Range": condition})
        assert (response.status, await response.read()) == (status, TEXT[:4] if status == 206 else TEXT), condition


async def test_conditions_come_before_ranges(finished: str, client: Client) -> None:
    """Who has the file is told so whatever part they ask for; another file than the one asked for is a problem."""
    path = f"{finished}/source"
    etag = (await client.get(path)).headers["ETag"]
    known = await client.get(path, headers={"Range": "bytes=9999-", "If-None-Match": f'"x", {etag}'})
    assert known.status == 304
    assert (await client.get(path, headers={"If-Match": etag, "Range": "bytes=0-0"})).status == 206
    for name, value in (("If-Match", '"x"'), ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")):
        response = await client.get(path, headers={name: value})
        assert (response.status, (await response.json())["status"]) == (412, 412)


async def test_other_artifacts_are_404(finished: str, client: Client) -> None:
    """A name that the task did not store is unknown, whatever it looks like."""
    for name in ("absent.txt", "..%2F..%2Fetc%2Fpasswd", "%2E%2E", "%00", "REPORT.HTML", "x" * 300):
        response = await client.get(URL(f"{finished}/artifacts/{name}", encoded=True))
        assert response.status == 404, await response.text()


async def test_a_source_whose_file_is_gone_is_404(make_task: Make, client: Client, engine: TaskEngine) -> None:
    """A file lost from the store is said to be lost, not our fault to answer with."""
    made = await make_task()
    _, path = await engine.open_source(parse_task_id(made["task_id"]))
    path.unlink()
    response = await client.get(f"/api/v1/tasks/{made['task_id']}/source")
    assert (response.status, (await response.json())["type"].rpartition(":")[2]) == (404, "file-gone")
