"""The frame of the page: that it starts, what it looks like to machines, and that it comes back."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import WebSocketRoute, expect

from novel_tasks_core import format_task_id
from novel_tasks_server.app import create_app
from tests.browser.conftest import Site
from tests.browser.pages import Page, Pages, findings
from tests.browser.uploading import payload


@pytest.mark.parametrize("path", ["", "#/queue", "#/system"])
@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_every_view_is_accessible(site: Site, pages: Pages, path: str, colours: str) -> None:
    """axe-core finds nothing wrong with any view, light or dark."""
    page = await pages.open(color_scheme=colours)
    await page.goto(site.url + path)
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    assert await findings(page) == []


async def test_the_page_comes_back_after_a_restart(site: Site, page: Page) -> None:
    """When the server stops the page says so, and it is live again by itself when the server is back."""
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await site.stop()
    await expect(page.get_by_text("reconnecting …")).to_be_visible()
    await site.start()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()


async def test_the_page_speaks_chinese(site: Site, pages: Pages) -> None:
    """A browser that prefers Chinese gets a Chinese page; another language can be chosen, for good."""
    page = await pages.open(locale="zh-CN")
    await page.goto(site.url)
    await expect(page.get_by_role("link", name="队列")).to_be_visible()
    await page.get_by_label("页面设置").click()
    await page.get_by_label("语言").select_option("en")
    await expect(page.get_by_role("link", name="Queue")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("link", name="Queue")).to_be_visible()
    assert await page.locator("html").get_attribute("lang") == "en"


async def test_what_the_server_says_is_chinese_too(site: Site, pages: Pages) -> None:
    """A failure, what a check found, and why an upload is refused; what stays English is marked as English."""
    source = await site.engine.store(b"\x89PNG\r\n\x1a\n no novel", name="picture.txt")
    task = await site.engine.submit(source, processor="split")
    page = await pages.open(locale="zh-CN")
    await page.goto(f"{site.url}#/tasks/{format_task_id(task.id)}")
    failure = page.get_by_role("region", name="处理失败")
    await expect(failure).to_contain_text("文件是 PNG 图片，不是纯文本。")
    await failure.get_by_text("完整信息").click()
    told = failure.get_by_role("group", name="完整信息")
    await expect(told).to_have_text("the file is a PNG picture, not plain text")
    await expect(told).to_have_attribute("lang", "en")
    line = page.get_by_role("log").get_by_text("Attempt 1 failed")
    await expect(line).to_have_attribute("lang", "en")
    assert await findings(page) == []
    await page.get_by_role("link", name="系统").click()
    checks = page.get_by_role("region", name="检查")
    await expect(checks.get_by_role("listitem").filter(has_text="持久性")).to_contain_text(
        "在 psql 中运行：ALTER SYSTEM"
    )
    await expect(checks).to_contain_text("数据库结构 已是最新")
    assert await checks.locator(":lang(en)").count() == 0
    await page.get_by_role("link", name="任务", exact=True).click()
    await expect(page.get_by_text("文件是 PNG 图片，不是纯文本。")).to_be_visible()
    await page.get_by_role("button", name="选项").click()
    form = page.get_by_role("region", name="analyze 的选项")
    await form.get_by_label("编码").fill("klingon")
    files = [payload("picture.png"), payload("a.txt")]
    await page.get_by_label("选择文件").set_input_files(files)
    await expect(page.get_by_text("不接受这种文件，只接受 .txt、.md。")).to_be_visible()
    await expect(form.get_by_text("没有名为“klingon”的文件编码")).to_be_visible()
    assert await form.locator(":lang(en)").count() == 0
    assert await findings(page) == []


async def test_what_is_wrong_with_a_field_of_a_question_is_chinese(site: Site, pages: Pages) -> None:
    """Said by the page, whatever language the browser speaks itself; and only as long as it is so."""
    await site.engine.tokens.create(owner="ann", scopes=("tasks:read",))
    page = await pages.open(locale="zh-CN")
    await page.goto(site.url)
    dialog = page.get_by_role("dialog", name="令牌")
    field = dialog.get_by_role("textbox")
    await dialog.get_by_role("button", name="使用此令牌").click()
    assert await field.evaluate("field => field.validationMessage") == "此项必填。"
    await field.fill("nt_wrong")
    await dialog.get_by_role("button", name="使用此令牌").click()
    await expect(dialog).to_contain_text("服务器不接受这个令牌")


async def test_a_token_is_asked_for_and_kept_as_long_as_wished(site: Site, pages: Pages) -> None:
    """A page without a token asks for one, says when it is refused, and goes on by itself when it is good."""
    secret, _ = await site.engine.tokens.create(owner="ann", scopes=("tasks:read", "tasks:write"))
    page = await pages.open()
    await page.goto(site.url)
    dialog = page.get_by_role("dialog", name="Token")
    await expect(dialog).to_contain_text("novel-tasks token create")
    await dialog.get_by_label("Token", exact=True).fill("nt_wrong")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("does not accept this token")
    assert await findings(page) == []
    await dialog.get_by_label("Token", exact=True).fill(secret)
    await dialog.get_by_role("button", name="Use this token").click()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await expect(dialog).to_be_hidden()
    await page.reload()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    other = pages.watch(await page.context.new_page())
    await other.goto(site.url)
    await expect(other.get_by_role("dialog", name="Token")).to_be_visible()


async def test_a_revoked_token_is_said_at_once_and_another_goes_on(site: Site, pages: Pages) -> None:
    """When the token ends in the middle the page says so, without being touched; nothing that was shown is lost."""
    secret, token = await site.engine.tokens.create(owner="ann", scopes=("tasks:read",))
    other, _ = await site.engine.tokens.create(owner="ann", scopes=("tasks:read",))
    page = await pages.open()
    await page.goto(site.url + "#/queue")
    dialog = page.get_by_role("dialog", name="Token")
    await dialog.get_by_label("Token", exact=True).fill(secret)
    await dialog.get_by_role("button", name="Use this token").click()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await site.engine.tokens.revoke(token.id)
    await expect(dialog).to_contain_text("expired or was revoked")
    await expect(page.get_by_role("heading", name="Queue", exact=True)).to_be_attached()
    await dialog.get_by_label("Token", exact=True).fill(other)
    await dialog.get_by_role("button", name="Use this token").click()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()


async def test_where_no_socket_gets_through_the_page_asks(site: Site, pages: Pages) -> None:
    """Behind a proxy that knows no WebSocket the page says that it asks every few seconds, and shows what is new."""
    page = await pages.open()
    await page.route_web_socket("**/ws/**", lambda socket: socket.close())
    await page.goto(site.url)
    await expect(page.get_by_text("every 3 s")).to_be_visible()
    source = await site.engine.store(b"Chapter 1\n\nIt was late.\n", name="late.txt")
    await site.engine.submit(source, processor="split")
    await expect(page.get_by_role("link", name="late.txt")).to_be_visible()


async def test_keys_and_colours(page: Page) -> None:
    """Keys go from view to view and are listed; the colours that were chosen stay."""
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await page.keyboard.press("2")
    await expect(page.get_by_role("heading", name="Queue", exact=True)).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Go to the system")
    await page.keyboard.press("Escape")
    await page.get_by_label("Settings of this page").click()
    await page.get_by_label("Colours").select_option("dark")
    await page.reload()
    assert await page.locator("html").get_attribute("data-theme") == "dark"


async def test_the_page_works_below_a_path(site: Site, pages: Pages) -> None:
    """All addresses are relative: a proxy may serve the page, its files, its requests and its socket below any path."""
    outer = web.Application()
    outer.add_subapp("/books/novels/", create_app(site.config, engine=site.engine))
    async with TestServer(outer) as server:
        page = await pages.open()
        await page.goto(str(server.make_url("/books/novels/")))
        await expect(page.get_by_text("live", exact=True)).to_be_visible()
        await page.goto(str(server.make_url("/books/novels/#/system")))
        await expect(page.get_by_role("heading", name="System", exact=True)).to_be_visible()


async def test_who_declines_to_give_a_token_is_left_alone(site: Site, pages: Pages) -> None:
    """The question is asked once; then the page says what it lacks, with a button to give it after all."""
    secret, _ = await site.engine.tokens.create(owner="ann", scopes=("tasks:read",))
    page = await pages.open()
    await page.goto(site.url + "#/queue")
    await page.get_by_role("button", name="Not now").click()
    await expect(page.get_by_text("no token", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Give a token").first.click()
    await page.get_by_role("textbox", name="Token").fill(secret)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await expect(page.get_by_role("row", name="split running")).to_be_visible()


async def test_a_silent_line_is_noticed(site: Site, pages: Pages) -> None:
    """A socket that is open but tells nothing any more is given up after a question without an answer."""
    page = await pages.open()
    await page.clock.install()
    is_silent, is_noticed = False, asyncio.Event()

    async def relay(socket: WebSocketRoute) -> None:
        if is_silent:
            await is_noticed.wait()
            socket.connect_to_server()
            return
        server = socket.connect_to_server()
        server.on_message(lambda message: None if is_silent else socket.send(message))

    await page.route_web_socket("**/ws/**", relay)
    await page.goto(site.url)
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    is_silent = True
    await page.clock.run_for(29_000)
    await expect(page.get_by_text("reconnecting …")).to_be_visible()
    is_noticed.set()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()


async def test_a_view_that_does_not_get_here_is_asked_for_again(site: Site, pages: Pages) -> None:
    """Files that are loaded late may not come: it is said, the rest of the page stays, and one can try again."""
    page = await pages.open()
    await page.clock.install()
    await page.route("**/app/system/*.js", lambda route: route.abort())
    async with page.expect_event("requestfailed", lambda request: "app/system/view.js" in request.url):
        await page.goto(site.url)
        await expect(page.get_by_text("live", exact=True)).to_be_visible()
        await page.clock.run_for(4000)  # until all is loaded that nobody opened yet
    await page.get_by_role("link", name="System").click()
    await expect(page.get_by_role("heading", name="This part of the page could not be loaded")).to_be_visible()
    assert await findings(page) == []
    await page.unroute("**/app/system/*.js")
    await page.get_by_role("button", name="Try again").press("Enter")
    await expect(page.get_by_role("heading", name="System", level=1)).to_be_visible()
    await expect(page.get_by_role("main")).to_be_focused()
