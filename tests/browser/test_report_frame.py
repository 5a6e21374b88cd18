"""The report in a frame of the page: shown with its styles, running nothing, and framed by nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest_asyncio
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from attrs import frozen
from playwright.async_api import expect

from novel_tasks_core import format_task_id
from tests.browser.conftest import Site
from tests.browser.pages import Page, Pages

TALE = Path(__file__).parents[1] / "data" / "the-salt-ledger.md"
PREFIX = "/reading/room"

_FRAME = """async ([task, token]) => {
  const body = JSON.stringify({file: "artifacts/report.html"});
  const headers = {"Content-Type": "application/json", Authorization: `Bearer ${token}`};
  const answer = await fetch(`api/v1/tasks/${task}/links`, {method: "POST", body, headers});
  const {url} = await answer.json();
  const frame = document.createElement("iframe");
  frame.title = "report";
  frame.width = 900;
  frame.height = 500;
  frame.src = new URL(`.${url}`, document.baseURI).href;
  document.body.prepend(frame);
  return frame.src;
}"""


@frozen
class Finished:
    """A task that has a report, and the token that may see it."""

    task_id: str
    token: str


@pytest_asyncio.fixture(loop_scope="session")
async def finished(site: Site) -> Finished:
    """A task of ann's with its report, on a server that wants tokens from now on."""
    secret, _ = await site.engine.tokens.create(owner="ann", scopes=["tasks:read"])
    source = await site.engine.store(TALE.read_bytes(), name=TALE.name)
    task = await site.engine.submit(source, processor="analyze", owner="ann")
    async with asyncio.timeout(120):
        await site.engine.result(task.id)
    return Finished(format_task_id(task.id), secret)


Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


@pytest_asyncio.fixture(loop_scope="session")
async def serve() -> AsyncIterator[Serve]:
    """Serve any path by a handler, at an address of its own."""
    async with AsyncExitStack() as stack:

        async def served(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
            server = TestServer(app)
            stack.push_async_callback(server.close)
            await server.start_server()
            return f"http://127.0.0.1:{server.port}"

        yield served


async def _with_report(pages: Pages, url: str, finished: Finished) -> tuple[Page, str]:
    """Open the page at `url`, give it the token, and return it with the report in a frame, and the link to that."""
    page = await pages.open()
    await page.goto(url)
    dialog = page.get_by_role("dialog", name="Token")
    await dialog.get_by_label("Token", exact=True).fill(finished.token)
    await dialog.get_by_role("button", name="Use this token").click()
    await expect(dialog).to_be_hidden()
    return page, await page.evaluate(_FRAME, [finished.task_id, finished.token])


async def _check_report(page: Page) -> None:
    """Check that the frame of the page shows a report as it is meant to look, whose links within it lead somewhere."""
    report = page.frame_locator("iframe")
    await expect(report.get_by_role("heading", level=1)).to_have_text("The Salt Ledger")
    await expect(report.locator("body")).not_to_have_css("font-family", '"Times New Roman"')
    anchor = report.locator("a[href^='#']").last
    target = report.locator(str(await anchor.get_attribute("href")))
    await expect(target).not_to_be_in_viewport()
    await anchor.click()
    await expect(target).to_be_in_viewport()


async def test_the_page_shows_the_report_in_a_frame(site: Site, pages: Pages, finished: Finished) -> None:
    """By a signed link, under the page's own policy and the report's, with nothing of either broken."""
    page, link = await _with_report(pages, site.url, finished)
    await _check_report(page)
    assert finished.token not in link


async def test_it_does_so_below_any_path(site: Site, pages: Pages, finished: Finished, serve: Serve) -> None:
    """Behind a proxy that hands on what is below a path of its own, too."""
    async with ClientSession(auto_decompress=False) as session:

        async def pass_on(request: web.Request) -> web.Response:
            url = site.url.rstrip("/") + request.raw_path.removeprefix(PREFIX)
            body = await request.read()
            async with session.request(request.method, url, headers=request.headers, data=body) as answer:
                headers = [(name, value) for name, value in answer.headers.items() if name != "Content-Length"]
                return web.Response(status=answer.status, headers=headers, body=await answer.read())

        page, link = await _with_report(pages, f"{await serve(pass_on)}{PREFIX}/", finished)
        assert f"{PREFIX}/api/v1/" in link
        await _check_report(page)


async def test_a_page_of_another_origin_may_not_frame_it(
    site: Site, pages: Pages, finished: Finished, serve: Serve
) -> None:
    """Even with a link that is good, the browser refuses to show it there."""
    _, link = await _with_report(pages, site.url, finished)

    async def trap(request: web.Request) -> web.Response:
        return web.Response(text=f'<!doctype html><iframe src="{link}"></iframe>', content_type="text/html")

    other = await (await pages.context()).new_page()
    refused = asyncio.ensure_future(other.wait_for_event("console", lambda said: "frame" in said.text))
    await other.goto(await serve(trap))
    assert "frame-ancestors" in (await refused).text
    await expect(other.frame_locator("iframe").get_by_role("heading", level=1)).to_have_count(0)


_DOWNLOAD = """async ([task, token, file]) => {
  const headers = {"Content-Type": "application/json", Authorization: `Bearer ${token}`};
  const answer = await fetch(`api/v1/tasks/${task}/links`, {method: "POST", body: JSON.stringify({file}), headers});
  const anchor = document.createElement("a");
  anchor.href = `.${(await answer.json()).url}&download=1`;
  anchor.click();
}"""


async def test_the_browser_itself_downloads_by_a_link(site: Site, pages: Pages, finished: Finished) -> None:
    """Files, and the report when it is asked to be one, come under their names, and the page stays where it is."""
    page, _ = await _with_report(pages, site.url, finished)
    for file, name in (("source", TALE.name), ("artifacts/report.html", f"{TALE.stem} report.html")):
        async with page.expect_download() as waiting:
            await page.evaluate(_DOWNLOAD, [finished.task_id, finished.token, file])
        download = await waiting.value
        assert download.suggested_filename == name
        if file == "source":
            assert Path(await download.path()).read_bytes() == TALE.read_bytes()
    assert page.url == site.url
