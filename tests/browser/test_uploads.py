"""How novels come in by the page: dropped or chosen, with what is wanted of them, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from playwright.async_api import Locator, expect

from tests.browser.conftest import OpenSite, Site
from tests.browser.pages import Page, Pages, findings
from tests.browser.uploading import (
    FREE,
    LARGE,
    SLOW,
    choose,
    drop,
    hold_over,
    line_of,
    novel,
    panel,
    payload,
    settled,
    uploads,
)


async def test_dropped_files_and_folders_become_tasks(site: Site, pages: Pages, tmp_path: Path) -> None:
    """Three novels dropped anywhere, one of them in a folder with other things, are processed and can be opened."""
    page = await pages.open()
    await page.goto(site.url)
    await expect(page.get_by_role("heading", name="Drop your first novel here")).to_be_visible()
    first, second = novel(tmp_path, "one <img src=x onerror=alert(1)>.txt"), novel(tmp_path, "二.md")
    novel(tmp_path / "shelf", "three.txt")
    (tmp_path / "shelf" / "cover.png").write_bytes(b"\x89PNG")
    await hold_over(page, first, second, tmp_path / "shelf")
    await expect(page.get_by_text("Let go to add: analyze")).to_be_visible()
    await drop(page, first, second, tmp_path / "shelf")
    await expect(page.get_by_text("Let go to add: analyze")).to_be_hidden()
    await expect(settled(page, "3 taken in")).to_be_visible()
    await expect(page.get_by_text("1 file of another kind was left out; this server takes .txt, .md.")).to_be_visible()
    assert await findings(page) == []
    await panel(page).get_by_role("link", name="shelf/three.txt").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("three.txt")
    await page.go_back()
    await expect(panel(page).get_by_role("link", name="one <img src=x onerror=alert(1)>.txt")).to_be_visible()
    await expect(panel(page).get_by_role("link", name="二.md")).to_be_visible()
    assert await site.engine.count() == 3


async def test_uploads_show_progress_and_can_be_cancelled(open_site: OpenSite, pages: Pages, tmp_path: Path) -> None:
    """At most three are sent at once, each with its progress; one that is cancelled leaves nothing behind."""
    site = await open_site(runs_worker=False)
    page = await pages.open()
    await page.goto(site.url)
    await expect(page.get_by_label("Processor")).to_be_visible()
    line = await line_of(page)
    await line(SLOW)
    await drop(page, *(novel(tmp_path, f"{number}.txt", size=LARGE) for number in range(1, 5)))
    for number in (1, 2, 3):
        await expect(page.get_by_role("progressbar", name=f"Upload of {number}.txt")).to_be_visible()
    await expect(page.get_by_role("progressbar", name="Upload of 4.txt")).to_be_hidden()
    await expect(panel(page).get_by_text("0 of 4 taken in").first).to_be_visible()
    await expect(uploads(page)).to_contain_text(r"% sent")
    await expect(panel(page).get_by_text("B/s")).to_be_visible()
    assert await findings(page) == []
    await page.get_by_role("button", name="Cancel: 2.txt").click()
    await page.get_by_role("button", name="Cancel: 4.txt").click()
    await line(FREE)
    await expect(settled(page, "2 taken in, 2 cancelled")).to_be_visible()
    await page.get_by_role("button", name="Try again: 4.txt").click()
    await expect(settled(page, "3 taken in, 1 cancelled")).to_be_visible()
    assert sorted(task.source.name for task in (await site.engine.find()).items if task.source) == [
        "1.txt",
        "3.txt",
        "4.txt",
    ]


async def test_what_the_server_would_refuse_is_said_before_it_is_sent(open_site: OpenSite, pages: Pages) -> None:
    """Other kinds, empty and oversized files are told with what would be right, and the rest goes on."""
    site = await open_site(runs_worker=False, max_file_size=1000)
    page = await pages.open()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    await page.goto(site.url)
    files = [payload("letter.docx"), payload("empty.txt", ""), payload("long.txt", "x" * 1200), payload("good.txt")]
    await choose(page).set_input_files(files)
    await expect(settled(page, "1 taken in, 3 refused")).to_be_visible()
    await expect(panel(page).get_by_text("This kind of file is not taken in, only .txt, .md.").first).to_be_visible()
    await expect(panel(page).get_by_text("The file is empty.")).to_be_visible()
    await expect(panel(page).get_by_text("1.2 kB are more than this server takes: at most 1 kB.")).to_be_visible()
    assert len(sent) == 1
    assert await findings(page) == []
    await choose(page).set_input_files([payload("empty.txt", "Now there is something.")])
    await expect(settled(page, "1 taken in, 2 refused")).to_be_visible()
    await page.get_by_role("button", name="Clear this list").click()
    await expect(panel(page).get_by_text("refused").first).to_be_hidden()


async def test_what_is_there_already_is_named_and_can_be_done_again(open_site: OpenSite, pages: Pages) -> None:
    """The same bytes with the same options lead to the task that is there, unless somebody wants it done again."""
    site = await open_site(runs_worker=False)
    page = await pages.open()
    await page.goto(site.url)
    await choose(page).set_input_files([payload("a.txt"), payload("b.txt")])
    await expect(settled(page, "2 taken in")).to_be_visible()
    await choose(page).set_input_files([payload("a.txt")])
    await expect(settled(page, "1 was there already")).to_be_visible()
    before = await panel(page).get_by_role("link", name="a.txt").get_attribute("href")
    await page.get_by_role("button", name="Process again: a.txt").click()
    await expect(settled(page, "1 taken in")).to_be_visible()
    after = await panel(page).get_by_role("link", name="a.txt").get_attribute("href")
    assert before != after
    assert await site.engine.count() == 3


async def _closed(open_site: OpenSite, pages: Pages, **settings: Any) -> tuple[Site, Page, str]:
    """Open the page of a server that wants tokens, with the token that is returned."""
    site = await open_site(runs_worker=False, host="0.0.0.0", **settings)
    secret, _ = await site.engine.tokens.create(owner="ann", scopes=("tasks:read", "tasks:write"))
    page = await pages.open()
    await page.add_init_script(
        f"sessionStorage.getItem('novel-tasks.token') ?? sessionStorage.setItem('novel-tasks.token', '{secret}')"
    )
    await page.goto(site.url)
    await expect(page.get_by_label("Processor")).to_be_visible()
    return site, page, secret


async def _use_up(site: Site, secret: str, *, uploads: int) -> None:
    """Have the owner of the token ask for so many uploads, which come to nothing but are counted."""
    async with ClientSession(headers={"Authorization": f"Bearer {secret}"}) as session:
        asked = (session.post(f"{site.url}api/v1/tasks/upload", data="no form") for _ in range(uploads))
        assert {response.status for response in await asyncio.gather(*asked)} == {415}


async def test_two_hundred_files_obey_the_limit_and_none_is_lost(open_site: OpenSite, pages: Pages) -> None:
    """The page waits as long as the server says, tells it, and goes on by itself until all are there."""
    site, page, secret = await _closed(open_site, pages, upload_rate_limit="300/12 second")
    await _use_up(site, secret, uploads=295)
    refused: list[int] = []
    page.on("response", lambda response: refused.append(response.status) if response.status == 429 else None)
    await choose(page).set_input_files([payload(f"{number}.txt") for number in range(200)])
    await expect(panel(page).get_by_text("The server takes no more just now.")).to_be_visible()
    await expect(panel(page).get_by_text("Next try in")).to_be_visible()
    await expect(settled(page, "200 taken in")).to_be_visible(timeout=60_000)
    assert await site.engine.count() == 200
    assert 1 <= len(refused) <= 60


async def test_uploads_go_on_with_another_token(open_site: OpenSite, pages: Pages) -> None:
    """Without a good token the novels wait; with another one they go on, each of them once."""
    site, page, _ = await _closed(open_site, pages)
    [token] = [token for token in await site.engine.tokens.list() if token.owner == "ann"]
    await choose(page).set_input_files([payload("a.txt")])
    await expect(settled(page, "1 taken in")).to_be_visible()
    await site.engine.tokens.revoke(token.id)
    await expect(page.get_by_role("dialog", name="Token")).to_be_visible(
        timeout=20_000
    )  # sockets are looked at now and then
    await page.get_by_role("dialog", name="Token").get_by_role("button", name="Close").click()
    await choose(page).set_input_files([payload(f"{number}.txt") for number in range(5)])
    await expect(panel(page).get_by_text("Sending waits for a token.")).to_be_visible()
    secret, _ = await site.engine.tokens.create(owner="ann", scopes=("tasks:read", "tasks:write"))
    await page.get_by_role("button", name="Give a token").click()
    await page.get_by_role("dialog").get_by_label("Token", exact=True).fill(secret)
    await page.get_by_role("button", name="Use this token").click()
    await expect(settled(page, "5 taken in")).to_be_visible()
    assert await site.engine.count() == 6


async def test_a_restart_leaves_each_novel_once(open_site: OpenSite, pages: Pages, tmp_path: Path) -> None:
    """What was cut off is sent again by itself when the server is back; leaving the page meanwhile is asked about."""
    site = await open_site(runs_worker=False, engine={"shutdown_grace_seconds": 0.2})
    page = await pages.open()
    await page.goto(site.url)
    await expect(page.get_by_label("Processor")).to_be_visible()
    line = await line_of(page)
    await line(SLOW)
    await drop(page, novel(tmp_path, "cut.txt", size=LARGE), novel(tmp_path, "whole.txt"))
    await expect(panel(page).get_by_text("1 of 2 taken in").first).to_be_visible()
    await expect(uploads(page)).to_contain_text("% sent")
    await site.stop()
    await expect(panel(page).get_by_text("The server does not answer. Nothing is lost")).to_be_visible()
    assert await findings(page) == []
    await panel(page).get_by_text("The server does not answer").first.click()
    async with page.expect_event("dialog") as asked:
        await page.close(run_before_unload=True)
    await (await asked.value).dismiss()
    await line(FREE)
    await site.start()
    await expect(settled(page, "2 taken in")).to_be_visible()
    tasks = (await site.engine.find()).items
    assert sorted(task.source.name for task in tasks if task.source) == ["cut.txt", "whole.txt"]


async def test_a_file_may_vanish(open_site: OpenSite, pages: Pages, tmp_path: Path) -> None:
    """A file that is deleted, or changed, after it was given is named; what is given again takes its place."""
    site = await open_site(runs_worker=False)
    page = await pages.open()
    await page.goto(site.url)
    await page.get_by_role("button", name="Options").click()
    await page.get_by_label("Chapter rule").fill("x" * 501)
    gone, other, good = (novel(tmp_path, name) for name in ("gone.txt", "other.txt", "good.txt"))
    await choose(page).set_input_files([gone, other, good])
    await expect(panel(page).get_by_text("3 novels wait: correct the options above.")).to_be_visible()
    gone.unlink()
    novel(tmp_path, "other.txt", size=500)
    await page.get_by_label("Chapter rule").fill("")
    await page.get_by_role("button", name="Add 3").click()
    await expect(settled(page, "1 taken in, 2 refused")).to_be_visible()
    await expect(panel(page).get_by_text("The file was moved, deleted or changed after it was chosen.")).to_have_count(
        2
    )
    await choose(page).set_input_files([novel(tmp_path, "gone.txt"), other])
    await expect(settled(page, "2 taken in")).to_be_visible()
    assert await site.engine.count() == 3


_FOCUSED_NAME = """() => {
    const { activeElement: held } = document;
    if (!held.matches("a, button, input, select, summary, textarea")) return "";
    return held.labels?.[0]?.textContent ?? held.getAttribute("aria-label") ?? held.textContent;
}"""


async def _focused(page: Page, name: str, *, most: int = 30) -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if name in await page.evaluate(_FOCUSED_NAME):
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


async def test_uploading_works_by_keyboard_alone(site: Site, pages: Pages) -> None:
    """A key opens the choice of files from anywhere, and all the rest can be reached and used by Tab and Enter."""
    page = await pages.open()
    page.on("filechooser", lambda _: None)  # the driver takes a moment before it catches them
    await page.goto(site.url)
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await expect(page.get_by_label("Processor")).to_be_visible()
    async with page.expect_file_chooser() as by_key:
        await page.keyboard.press("u")
    await (await by_key.value).set_files([payload("a.txt")])
    await expect(settled(page, "1 taken in")).to_be_visible()
    await _focused(page, "Choose files")
    async with page.expect_file_chooser() as by_enter:
        await page.keyboard.press("Enter")
    await (await by_enter.value).set_files([payload("a.txt"), payload("b.pdf")])
    await expect(settled(page, "1 was there already, 1 refused")).to_be_visible()
    await _focused(page, "Options")
    await page.keyboard.press("Enter")
    await _focused(page, "Encoding")
    await page.keyboard.type("utf-8")
    await _focused(page, "Process again")
    await page.keyboard.press("Enter")
    await expect(settled(page, "1 taken in, 1 refused")).to_be_visible()
    await expect(panel(page)).to_be_focused()
    await _focused(page, "Take off the list")
    await page.keyboard.press("Enter")
    await expect(panel(page)).to_be_focused()


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"viewport": {"width": 320, "height": 700}, "has_touch": True, "is_mobile": True}, "1 taken in, 1 refused"),
        ({"locale": "zh-CN", "color_scheme": "dark"}, "已收下 1 本，1 个被拒绝"),
    ],
)
async def test_uploads_are_right_on_phones_in_the_dark_and_in_chinese(
    site: Site, pages: Pages, context: dict[str, Any], words: str
) -> None:
    """Nothing is cut off or hard to hit on a small phone, axe finds nothing, and Chinese is spoken throughout."""
    page = await pages.open(**context)
    await page.goto(site.url)
    await page.locator("#uploads-processor").select_option("clean")
    await page.get_by_role("button", name=re.compile("Options|选项")).click()
    assert await findings(page) == []
    await page.get_by_label(re.compile("Choose files|选择文件")).set_input_files([payload("a.txt"), payload("b.pdf")])
    await expect(settled(page, words)).to_be_visible()
    assert await findings(page) == []
    widths = await page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    if "is_mobile" in context:
        assert await _heights(panel(page).get_by_role("button")) >= 40


async def _heights(controls: Locator) -> float:
    """Return the height of the lowest of these controls, in CSS pixels."""
    boxes = [await control.bounding_box() for control in await controls.all()]
    return min(box["height"] for box in boxes if box)
