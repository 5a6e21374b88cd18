"""`python -m benchmarks.pictures FOLDER`: take the pictures of the README anew, of a page full of real work.

FOLDER holds novels; those named below are sent to a throwaway server, and what the page shows of them is taken in
Chromium. Nothing in the pictures is made up.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen
from playwright.async_api import Browser, Page, async_playwright, expect

from benchmarks.demo import server
from novel_tasks_server.client import Client, UploadOptions

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1200, "height": 780}


@frozen
class Novel:
    """A file of the folder, the name under which it is sent, and what is done with it."""

    file: str
    name: str
    processor: str = "analyze"


FINISHED = (
    Novel("de_effi-briest.txt", "Effi Briest.txt", "split"),
    Novel("ja_kokoro.txt", "こころ.txt"),
    Novel("en_alice.md", "Alice's Adventures in Wonderland.md", "epub"),
    Novel("zh-hans_sanguo-yanyi.txt", "三国演义.txt"),
    Novel("en_moby-dick.txt", "Moby-Dick.txt"),
)
RUNNING = (
    Novel("en_war-and-peace.md", "War and Peace.md"),
    Novel("ru_voyna-i-mir.txt", "Война и мир.txt"),
    Novel("fr_trois-mousquetaires.txt", "Les Trois Mousquetaires.txt"),
    Novel("es_quijote.txt", "Don Quijote de la Mancha.txt", "epub"),
)


async def send(client: Client, folder: Path, novel: Novel, scratch: Path) -> str:
    """Upload a novel under its own name; return the id of its task."""
    path = scratch / novel.name
    path.write_bytes((folder / novel.file).read_bytes())
    return (await client.upload(path, wanted=UploadOptions(processor=novel.processor, on_duplicate="allow"))).task_id


async def open_page(browser: Browser, url: str, **options: object) -> Page:
    """Open the page in a browser of another person; `options` are those of Playwright's `new_context`."""
    context = await browser.new_context(**{"viewport": DESK, "locale": "en-GB", **options})  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(url)
    return page


async def take(page: Page, name: str) -> None:
    """Keep what is to be seen as a picture of the README."""
    path = IMAGES / f"{name}.png"
    await page.screenshot(path=path)
    print(f"{path} ({path.stat().st_size / 1000:.0f} kB)")


async def shoot(browser: Browser, url: str, client: Client, folder: Path, scratch: Path) -> None:
    """Send the novels and take all pictures."""
    ids = {novel.file: await send(client, folder, novel, scratch) for novel in FINISHED}
    broken = scratch / "not really text.txt"
    broken.write_bytes(bytes(range(256)) * 40)
    await client.wait([(await client.upload(broken)).task_id, *ids.values()])
    pages = {
        "dashboard-light": await open_page(browser, url, color_scheme="light"),
        "dashboard-dark": await open_page(browser, url, color_scheme="dark"),
        "dashboard-chinese": await open_page(browser, url, color_scheme="light", locale="zh-CN"),
        "dashboard-phone": await open_page(browser, url, viewport=PHONE, color_scheme="dark"),
    }
    for name, page in pages.items():
        running = [await send(client, folder, novel, scratch) for novel in RUNNING]
        await expect(page.get_by_role("progressbar").nth(1)).to_be_visible()
        await expect(page.get_by_role("listitem").get_by_text("%").first).to_be_visible()
        await page.wait_for_timeout(500)  # the bars move to where they are
        await take(page, name)
        await client.wait(running)
        for task_id in running:
            await client.delete(task_id)
    await shoot_task(pages["dashboard-light"], f"{url}/#/tasks/{ids['en_moby-dick.txt']}", "task-light")
    await shoot_task(pages["dashboard-dark"], f"{url}/#/tasks/{ids['en_moby-dick.txt']}", "task-dark")
    await shoot_task(pages["dashboard-chinese"], f"{url}/#/tasks/{ids['zh-hans_sanguo-yanyi.txt']}", "task-chinese")
    await shoot_task(pages["dashboard-dark"], f"{url}/#/queue", "queue-dark")


async def shoot_task(page: Page, address: str, name: str) -> None:
    """Take another view."""
    await page.goto(address)
    await page.wait_for_load_state("networkidle")
    await page.wait_for_timeout(500)
    await take(page, name)


async def main(folder: Path, chromium: str) -> None:
    """Run the server and the browser, and take the pictures."""
    with tempfile.TemporaryDirectory(prefix="novel-tasks-pictures-") as name:
        scratch = Path(name)
        async with server(scratch) as url, Client(url) as client, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            await shoot(browser, url, client, folder, scratch)
            await browser.close()


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pictures", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="where the novels are")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    chosen = parsed()
    asyncio.run(main(chosen.folder, chosen.chromium))
