"""A chapter rule can be tried out on the beginning of a novel, and nothing of it stays."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, FormData, web
from aiohttp.test_utils import TestClient
from attrs import evolve

from novel_tasks_core import TaskEngine
from novel_tasks_server.app import serve
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.routes import previews
from novel_tasks_server.routes.previews import PREVIEWS

Client = TestClient[web.Request, web.Application]
Preview = Callable[..., Awaitable[ClientResponse]]

PATH = "/api/v1/chapters/preview"
NOVEL = "@ Harbour\nThe lamp was lit.\n@ Salt\nNobody came.\n"
TALE = Path(__file__).parents[1] / "data" / "渡口的灯.txt"
TITLES = ["第一章 夜渡", "第二章 来客", "第三章 断弦", "第四章 大水", "第五章 桥上"]
HOSTILE = r"(a+)+$"
"""Tries every way to cut a line of the letter a in pieces."""

SLOW_TEXT = b"a" * 60 + b"!\n"


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, this test's own."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def form(data: bytes, name: str = "novel.txt", **options: Any) -> FormData:
    """Write a form with a file and options."""
    made = FormData(quote_fields=False)
    made.add_field("file", io.BytesIO(data), filename=name, content_type="application/octet-stream")
    if options:
        made.add_field("options", json.dumps(options))
    return made


@pytest.fixture
def preview(client: Client) -> Preview:
    """Ask for a preview of these bytes, with these options."""

    async def send(data: bytes = NOVEL.encode(), name: str = "novel.txt", **options: Any) -> ClientResponse:
        return await client.post(PATH, data=form(data, name, **options))

    return send


async def test_a_rule_is_tried_out(preview: Preview, engine: TaskEngine, scratch: Path) -> None:
    """The answer lists what the rule finds and where; there is no task, no file, and no scrap of it left."""
    answer = await preview(chapter_rule=r"@ (?P<title>.+)")
    found = await answer.json()
    assert answer.status == 200, found
    assert found["headings"] == [
        {"title": "Harbour", "line": 1, "level": 2, "offset": 0, "characters": 28},
        {"title": "Salt", "line": 3, "level": 2, "offset": 28, "characters": 20},
    ]
    assert (found["encoding"], found["language"], found["headings_total"]) == ("utf-8", "en", 2)
    assert found["reason"]
    assert 0 < found["confidence"] <= 1
    assert await engine.count() == 0
    assert [path for path in engine.config.files.rglob("*") if path.is_file()] == []
    assert list(scratch.iterdir()) == []


async def test_without_a_rule_it_is_found_out(preview: Preview) -> None:
    """Chapters are found by evidence then, in whatever encoding the beginning is."""
    text = TALE.read_text(encoding="utf-8")
    for encoding in ("utf-8", "gb18030"):
        found = await (await preview(text.encode(encoding))).json()
        assert [heading["title"] for heading in found["headings"]] == TITLES
        assert all(text.startswith(one["title"], one["offset"]) for one in found["headings"])
        assert (found["encoding"], found["language"]) == (encoding, "zh-Hans")
    named = await (await preview(text.encode("utf-16-le"), encoding="utf-16-le")).json()
    assert (named["encoding"], named["chapters"]) == ("utf-16-le", 5)


async def test_the_extension_says_how_to_read(preview: Preview) -> None:
    """What is Markdown by its name is read as that."""
    text = b"# The Tale\n\n## One\n\nIt began.\n\n## Two\n\nIt ended.\n"
    found = await (await preview(text, name="tale.md")).json()
    assert [heading["title"] for heading in found["headings"]] == ["One", "Two"]


async def test_a_beginning_may_end_anywhere(preview: Preview) -> None:
    """Cut off within a character, it is read as what it is; that one character alone is damaged."""
    text = TALE.read_bytes()
    found = await (await preview(text[: text.rindex("上".encode()) + 2])).json()
    assert (found["encoding"], found["headings_total"]) == ("utf-8", 5)
    assert 0 < found["repaired_bytes"] < 3


async def test_more_than_the_beginning_is_refused(preview: Preview) -> None:
    """Two mebibytes are taken, one byte more is not, and the answer says how much would be."""
    line = b"Nobody came to the harbour that day, nor the next.\n"
    full = (line * (previews.MAX_PREVIEW_BYTES // len(line) + 1))[: previews.MAX_PREVIEW_BYTES]
    answer = await preview(full)
    assert answer.status == 200, await answer.text()
    for more in (1, 4 * 1024 * 1024):
        answer = await preview(full + b"!" * more)
        assert (answer.status, "bytes" in (await answer.json())["detail"]) == (413, True)


@pytest.mark.parametrize(
    ("data", "name", "options", "status", "pointer"),
    [
        (NOVEL.encode(), "novel.txt", {"chapter_rule": "("}, 422, "/options/chapter_rule"),
        (NOVEL.encode(), "novel.txt", {"chapter_rule": "x*"}, 422, "/options/chapter_rule"),
        (NOVEL.encode(), "novel.txt", {"chapter_rule": "x" * 501}, 422, "/options/chapter_rule"),
        (NOVEL.encode(), "novel.txt", {"chapter_rule": 5}, 422, "/options/chapter_rule"),
        (NOVEL.encode(), "novel.txt", {"encoding": "klingon"}, 422, "/options/encoding"),
        (NOVEL.encode(), "novel.txt", {"colour": "red"}, 422, "/options/colour"),
        (b"", "novel.txt", {}, 422, "/file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "novel.txt", {}, 422, "/file"),
        (NOVEL.encode(), "novel.exe", {}, 415, None),
    ],
)
async def test_what_is_wrong_is_pointed_at(
    preview: Preview, scratch: Path, data: bytes, name: str, options: dict[str, Any], status: int, pointer: str | None
) -> None:
    """Options and files are refused as they would be when uploaded, and leave nothing behind."""
    answer = await preview(data, name, **options)
    problem = await answer.json()
    assert (answer.status, [fault["pointer"] for fault in problem["errors"]]) == (status, [pointer] if pointer else [])
    assert list(scratch.iterdir()) == []


async def test_other_fields_are_unknown(client: Client) -> None:
    """Only the options can be given beside the file, and the file must be there."""
    made = FormData({"priority": "5"})
    made.add_field("file", b"Once", filename="a.txt")
    answer = await client.post(PATH, data=made)
    assert (answer.status, (await answer.json())["errors"][0]["pointer"]) == (422, "/priority")
    made = FormData({"options": "{}"}, default_to_multipart=True)
    answer = await client.post(PATH, data=made)
    assert (answer.status, (await answer.json())["errors"][0]["pointer"]) == (422, "/file")
    assert (await client.post(PATH, json={})).status == 415


def children() -> list[int]:
    """Return the processes of our own that run processors."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and b"execution.child" in (folder / "cmdline").read_bytes():
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                found += [int(folder.name)] if parent == os.getpid() else []
        except OSError:
            continue
    return found


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so, a minute at most."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what other processes do has no event here
            await asyncio.sleep(0)


async def until_gone(scratch: Path) -> None:
    """Wait until nothing is left of any preview."""
    await until(lambda: not children() and not any(scratch.iterdir()))


async def test_a_rule_that_never_ends_is_killed(
    client: Client, preview: Preview, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with words about the rule, its process is gone, and others are served."""
    with monkeypatch.context() as hurry:
        hurry.setattr(previews, "PREVIEW_SECONDS", 1.5)
        async with asyncio.timeout(60):
            answer = await preview(SLOW_TEXT, chapter_rule=HOSTILE)
    problem = await answer.json()
    assert (answer.status, problem["type"]) == (422, "urn:novel-tasks:problem:rule-too-slow")
    assert problem["errors"] == [
        {
            "pointer": "/options/chapter_rule",
            "detail": "takes more than 1.5 seconds on this text: a simpler one finds the same sooner",
            "code": "slow",
            "values": {"seconds": 1.5},
        }
    ]
    await until_gone(scratch)
    assert (await preview()).status == 200


async def test_a_text_that_takes_long_without_a_rule_is_no_fault_of_the_clients(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are told to try again."""
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 0.001)
    answer = await preview()
    assert (answer.status, (await answer.json())["type"]) == (503, "urn:novel-tasks:problem:preview-busy")
    assert answer.headers["Retry-After"] == "5"


async def test_two_are_looked_at_at_once(
    client: Client, preview: Preview, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others wait for their turn; all are answered."""
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 1.5)
    asking = [asyncio.ensure_future(preview(SLOW_TEXT, chapter_rule=HOSTILE)) for _ in range(4)]
    await until(lambda: len(children()) == 2)
    most = 0
    while not all(one.done() for one in asking):
        most = max(most, len(children()))
        await asyncio.sleep(0)
    assert most == 2
    assert [one.result().status for one in asking] == [422] * 4
    await until_gone(scratch)


async def test_beyond_a_short_queue_they_are_sent_away(client: Client, preview: Preview) -> None:
    """Whoever finds all places taken is told when to come again, and finds one when there is one."""
    with ExitStack() as others:
        for _ in range(previews.MOST_PRESENT):
            others.enter_context(client.app[PREVIEWS].place())
        answer = await preview()
        assert (answer.status, (await answer.json())["type"]) == (503, "urn:novel-tasks:problem:preview-busy")
        assert answer.headers["Retry-After"] == "5"
    assert (await preview()).status == 200


@asynccontextmanager
async def serving(config: ServerConfig) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Run the real server for a block: unlike one made for tests it lets handlers run when clients leave."""
    stop, url = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with asyncio.timeout(100), asyncio.TaskGroup() as group:
        group.create_task(serve(evolve(config, port=0, runs_worker=False), on_started=url.set_result, stop=stop))
        try:
            yield f"{await url}{PATH}", stop
        finally:
            stop.set()


async def test_who_leaves_stops_the_look(
    server_config: ServerConfig, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is killed long before its time is over, whether it was at work or waiting, and its place is free."""
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 600.0)
    monkeypatch.setattr(previews, "MOST_PRESENT", 3)
    async with serving(server_config) as (url, _), ClientSession() as session:
        asking = [
            asyncio.ensure_future(session.post(url, data=form(SLOW_TEXT, chapter_rule=HOSTILE))) for _ in range(3)
        ]
        await until(lambda: len(children()) == 2)
        for one in asking:
            one.cancel()
        await asyncio.wait(asking)
        await until_gone(scratch)
        async with session.post(url, data=form(NOVEL.encode())) as answer:
            assert answer.status == 200


async def test_a_stop_does_not_wait_for_a_rule(
    server_config: ServerConfig, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that ends kills what is looked at, and leaves no scrap of it."""
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 600.0)
    async with ClientSession() as session:
        async with serving(server_config) as (url, stop):
            asking = asyncio.ensure_future(session.post(url, data=form(SLOW_TEXT, chapter_rule=HOSTILE)))
            await until(lambda: len(children()) == 1)
            stop.set()
            async with await asking as answer:
                assert (answer.status, (await answer.json())["type"]) == (503, "urn:novel-tasks:problem:stopping")
        assert children() == []
        assert not any(scratch.iterdir())
