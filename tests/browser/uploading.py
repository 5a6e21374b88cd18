"""Files that are given to the page, and where the page tells of them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import FilePayload, Locator

from tests.browser.conftest import Site
from tests.browser.pages import Page

TALE = "Chapter 1\n\nIt was evening in {name}.\n\nChapter 2\n\nIt was night.\n\nChapter 3\n\nMorning came.\n"
SLOW = 150_000
"""Bytes a second of a slow line."""

FREE = -1
LARGE = 600_000


NOTE_FIELDS = """
    const append = FormData.prototype.append;
    window.sentFields = {};
    FormData.prototype.append = function (name, ...rest) {
      sentFields[name] = rest[0];
      append.call(this, name, ...rest);
    };
"""


def payload(name: str, text: str | None = None) -> FilePayload:
    """Return a file as Playwright puts it into a field."""
    content = TALE.format(name=name) if text is None else text
    return {"name": name, "mimeType": "text/plain", "buffer": content.encode()}


def novel(folder: Path, name: str, *, size: int = 0) -> Path:
    """Write a novel of its own kind, of `size` bytes at least, and return where it is."""
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    text = TALE.format(name=name)
    path.write_text(text + "And so it went on.\n" * (1 + size // 19), encoding="utf-8")
    return path


async def hold_over(page: Page, *paths: Path, onto: Locator | None = None) -> Mapping[str, Any]:
    """Hold real files over the middle of the page, or of a part, as the browser hears of it from the system."""
    devtools = await page.context.new_cdp_session(page)
    box = await onto.bounding_box() if onto else None
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2} if box else {"x": 500, "y": 500}
    place = {**middle, "data": {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}}
    for kind in ("dragEnter", "dragOver"):
        await devtools.send("Input.dispatchDragEvent", {"type": kind, **place})
    return {"devtools": devtools, "place": place}


async def drop(page: Page, *paths: Path, onto: Locator | None = None) -> None:
    """Let real files go over the middle of the page, or of a part."""
    held = await hold_over(page, *paths, onto=onto)
    await held["devtools"].send("Input.dispatchDragEvent", {"type": "drop", **held["place"]})
    await held["devtools"].detach()


Line = Callable[[int], Awaitable[None]]


async def line_of(page: Page) -> Line:
    """Return what lets the page send no faster than so many bytes a second; -1 is as fast as it can."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Network.enable")

    async def limit(bytes_per_second: int) -> None:
        speeds = {"downloadThroughput": -1, "uploadThroughput": bytes_per_second}
        await devtools.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, **speeds})

    return limit


def panel(page: Page) -> Locator:
    """Where novels come in, whatever it is called just now."""
    return page.get_by_role("region", name=re.compile("Add novels|Drop your first novel|添加小说|把第一本小说"))


def settled(page: Page, words: str) -> Locator:
    """Where the page says what has become of all uploads, in these words."""
    return panel(page).get_by_text(words, exact=True).first


def choose(page: Page) -> Locator:
    """The field of the button by which files are chosen."""
    return page.get_by_label("Choose files")


def uploads(page: Page) -> Locator:
    """The list of what is on its way or needs somebody."""
    return page.get_by_role("list", name="Uploads").first


async def options_of(site: Site) -> list[Mapping[str, Any]]:
    """Return the options of all tasks, the oldest first."""
    page = await site.engine.find(order="asc", limit=1000)
    return [(await site.engine.get(task.id)).options for task in page.items]
