"""The list of tasks: watched, chosen and changed, however many there are."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Route, WebSocketRoute, expect

from novel_tasks_core import (
    Processors,
    RetryPolicy,
    TaskEngine,
    TaskFilter,
    TaskId,
    TaskStatus,
    format_task_id,
    parse_task_id,
)
from tests.browser.conftest import OpenSite, Site
from tests.browser.lists import MARKUP, TALE, add, add_many, bulk, failing, row, rows
from tests.browser.pages import Page, Pages, findings


async def test_a_thousand_failed_tasks_are_retried(open_site: OpenSite, processors: Processors, pages: Pages) -> None:
    """All that failed are chosen, counted, asked about and retried; what they come to is seen as it happens."""
    mended = failing(processors)
    site = await open_site(runs_worker=False)
    await add_many(site.engine, 1000, processor="fickle")
    page = await pages.open()
    await page.goto(site.url)
    async with site.engine.worker(concurrency=16):
        await retry_all(page, mended)
    assert (await site.engine.statistics()).completed == 1000


async def retry_all(page: Page, mended: asyncio.Event) -> None:
    """Wait until all 1,000 have failed, retry them, and wait until all are completed."""
    statuses = page.get_by_role("navigation", name="Status")
    await statuses.get_by_role("link", name="failed 1,000").click(timeout=30_000)
    await expect(row(page, "novel 000999")).to_contain_text("the paper is wet")
    mended.set()
    await page.get_by_label("Select all loaded tasks").click()
    await page.get_by_role("button", name="Select all 1,000 that match").click()
    await bulk(page, "Retry").click()
    question = page.get_by_role("dialog", name="Retry 1,000 failed tasks?")
    await expect(question).to_contain_text("They begin anew")
    assert await findings(page) == []
    await question.get_by_role("button", name="Retry 1,000 failed tasks").click()
    await expect(page.get_by_text("Retried: 1,000 tasks.")).to_be_visible()
    await expect(statuses.get_by_role("link", name="completed 1,000")).to_be_visible(timeout=30_000)
    await expect(page.get_by_text("Nothing has failed.")).to_be_visible()


async def test_progress_is_live(open_site: OpenSite, processors: Processors, pages: Pages) -> None:
    """A row says how far its task is and at what, and then where the report is, without being touched."""
    go_on, began = asyncio.Event(), asyncio.Event()

    async def slow(ctx: Any) -> None:
        await ctx.progress(0.42, stage="Chapter XI")
        began.set()
        await go_on.wait()

    processors.register("slow", slow)
    site = await open_site()
    page = await pages.open()
    await page.goto(site.url)
    await expect(page.get_by_text("No novels yet.")).to_be_visible()
    assert await findings(page) == []
    await add(site.engine, "Dracula.txt", processor="slow")
    await expect(row(page, "Dracula")).to_contain_text("Chapter XI")
    await expect(row(page, "Dracula").get_by_role("progressbar")).to_have_attribute("value", "42")
    assert await findings(page) == []
    go_on.set()
    await expect(row(page, "Dracula")).to_contain_text("completed")
    await add(site.engine, "Emma.txt", processor="analyze")
    await expect(row(page, "Emma").get_by_role("link", name="Report: Emma.txt")).to_be_visible()
    async with page.expect_popup() as shown:
        await row(page, "Emma").get_by_role("link", name="Report").click()
    await expect((await shown.value).get_by_role("heading").first).to_be_visible()


async def test_why_a_task_waits_is_said(open_site: OpenSite, processors: Processors, pages: Pages) -> None:
    """A task that is not yet to begin says when it will, one that failed when its next attempt is and why."""
    failing(processors, RetryPolicy(max_attempts=3, base_seconds=7200, max_seconds=7200, jitter=0))
    site = await open_site()
    await add(site.engine, "Torn.txt", processor="fickle")
    source = await site.engine.store(TALE, name="Later.txt")
    later = site.engine.clock.now() + timedelta(days=2, hours=1)
    await site.engine.submit(source, processor="external", run_at=later, priority=-3)
    page = await pages.open()
    await page.goto(site.url)
    await expect(row(page, "Later")).to_contain_text("begins in 2 days")
    await expect(row(page, "Later")).to_contain_text("priority \N{MINUS SIGN}3")
    await expect(row(page, "Torn")).to_contain_text(re.compile("next attempt in [12] hours?: the paper is wet"))


async def test_nothing_is_missed_while_the_server_is_away(site: Site, page: Page) -> None:
    """What was added, finished and deleted in between is there when the connection is; the list stays meanwhile."""
    stays, goes = await add(site.engine, "Stays.txt", "Goes.txt")
    await expect(rows(page)).to_have_count(2)
    await site.stop()
    await expect(page.get_by_text("connection lost, may be old")).to_be_visible()
    await expect(rows(page)).to_have_count(2)
    assert await findings(page) == []
    async with TaskEngine.open(site.config.engine, processors=site.processors) as engine:
        await engine.delete(goes)
        await engine.report(stays, status=TaskStatus.COMPLETED)
        await add(engine, "Came.txt")
    await site.start()
    await expect(rows(page)).to_have_text([re.compile("Came.*pending"), re.compile("Stays.*completed")])
    await expect(page.get_by_text("connection lost, may be old")).to_be_hidden()
    await add(site.engine, "Later.txt")
    await expect(rows(page)).to_have_count(3)


async def test_a_hundred_thousand_tasks(site: Site, page: Page) -> None:
    """However long the list is, only what is in sight is in the page, and the last task is one key away."""
    await add_many(site.engine, 100_000)
    await page.reload()
    await expect(page.get_by_role("paragraph").filter(has_text="100,000 tasks")).to_be_visible()
    await page.keyboard.press("j")
    await expect(page.get_by_role("link", name="novel 099999.txt")).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.get_by_role("link", name="novel 000000.txt")).to_be_focused()
    await expect(row(page, "novel 000000")).to_have_attribute("aria-posinset", "100000")
    assert await rows(page).count() < 60
    assert await page.evaluate("() => document.querySelectorAll('*').length") < 1500
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="novel 000001.txt")).to_be_visible()
    await page.go_back()
    await expect(row(page, "novel 000001")).to_be_in_viewport()
    await page.evaluate("() => scrollTo(0, 60 * document.querySelector('[data-place]').offsetHeight * 100)")
    await expect(row(page, "novel 094000")).to_be_in_viewport()
    place = await row(page, "novel 094000").bounding_box()
    await add(site.engine, "Fresh.txt")
    fresh = page.get_by_role("button", name="1 new task")
    await expect(fresh).to_be_visible()
    assert await row(page, "novel 094000").bounding_box() == place
    await site.stop()
    await expect(page.get_by_text("connection lost, may be old")).to_be_visible()
    async with TaskEngine.open(site.config.engine, processors=site.processors) as engine:
        await add(engine, "Meanwhile.txt", "Meanwhile too.txt")
    await site.start()
    await expect(page.get_by_role("paragraph").filter(has_text="100,003 tasks")).to_be_visible()
    await expect(row(page, "novel 094000")).to_be_in_viewport()
    assert await row(page, "novel 094000").bounding_box() == place
    await add(site.engine, "Last.txt")
    await fresh.click()
    await expect(row(page, "Last.txt")).to_be_in_viewport()
    await expect(row(page, "Fresh.txt")).to_be_in_viewport()


async def test_keys_alone(site: Site, page: Page) -> None:
    """Everything can be done from the keyboard, and the focus goes on to the next task when one is deleted."""
    first, second, third, _ = await add(site.engine, "First.txt", "Second.txt", "Third.txt", "Fourth.txt")
    await expect(rows(page)).to_have_count(4)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(page.get_by_role("link", name="Third.txt")).to_be_focused()
    await page.get_by_role("button", name="Delete: Third.txt").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Delete Third.txt?")).to_contain_text("cannot be undone")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Second.txt")).to_be_focused()
    assert third not in {task.id for task in (await site.engine.find()).items}
    await page.keyboard.press("x")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.get_by_text("2 selected")).to_be_visible()
    await bulk(page, "Priority").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("New priority").fill("7")
    await page.keyboard.press("Enter")
    await (
        page.get_by_role("dialog", name="Change the priority of 2 tasks?").get_by_text("Change 2 tasks").press("Enter")
    )
    await expect(page.get_by_text("Priority changed: 2 tasks.")).to_be_visible()
    await expect(row(page, "First")).to_contain_text("priority +7")
    assert {(await site.engine.get(task_id)).priority for task_id in (first, second)} == {7}
    await page.keyboard.press("k")
    await page.keyboard.press("x")
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("1 selected")).to_be_hidden()


async def test_some_are_chosen(site: Site, page: Page) -> None:
    """A range is chosen with Shift; what cannot be done to a part of it is said before, and that part is left alone."""
    ids = await add(site.engine, *(f"Book {n}.txt" for n in range(6)))
    await site.engine.cancel(ids[2])
    await expect(row(page, "Book 2")).to_contain_text("cancelled")
    await page.get_by_label("Select Book 4.txt").click()
    (fresh,) = await add(site.engine, "Fresh.txt")  # moves the places of all others
    await expect(rows(page)).to_have_count(7)
    await page.get_by_label("Select Book 1.txt").click(modifiers=["Shift"])
    await expect(page.get_by_text("4 selected")).to_be_visible()
    await site.engine.delete(fresh)
    await expect(rows(page)).to_have_count(6)
    await bulk(page, "Cancel").click()
    question = page.get_by_role("dialog", name="Cancel 3 tasks?")
    await expect(question).to_contain_text("1 is skipped because its status does not allow it.")
    await question.get_by_role("button", name="Leave it").click()
    assert await site.engine.count(TaskFilter(status=TaskStatus.CANCELLED)) == 1
    await bulk(page, "Cancel").click()
    await question.get_by_role("button", name="Cancel 3 tasks").click()
    await expect(page.get_by_text("Cancelled: 3 tasks.")).to_be_visible()
    await expect(rows(page).filter(has_text="cancelled")).to_have_count(4)
    await page.get_by_label("Select Book 1.txt").click()
    await page.get_by_label("Select Book 5.txt").click(modifiers=["Shift"])
    await expect(page.get_by_text("5 selected")).to_be_visible()
    await site.engine.delete(ids[5])
    await expect(page.get_by_text("4 selected")).to_be_visible()
    await page.get_by_role("button", name="Select none").click()
    await page.get_by_label("Select all loaded tasks").click()
    await bulk(page, "Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete 5 tasks").click()
    await expect(page.get_by_text("No novels yet.")).to_be_visible()
    assert await site.engine.count() == 0


async def test_what_loses_something_is_asked_about(site: Site, page: Page) -> None:
    """Who stops a running task or retries a completed one is asked first; leaving drops an open question."""
    runs, done = await add(site.engine, "Runs.txt", "Done.txt")
    await site.engine.report(runs, status=TaskStatus.PROCESSING)
    await site.engine.report(done, status=TaskStatus.COMPLETED)
    await row(page, "Runs").filter(has_text="processing").get_by_role("button", name="Cancel").click()
    question = page.get_by_role("dialog", name="Cancel Runs.txt?")
    await question.get_by_role("button", name="Leave it").click()
    assert (await site.engine.get(runs)).status is TaskStatus.PROCESSING
    await row(page, "Runs").get_by_role("button", name="Cancel").click()
    await question.get_by_role("button", name="Cancel the task").click()
    await expect(row(page, "Runs")).to_contain_text("cancelled")
    await row(page, "Done").filter(has_text="completed").get_by_role("button", name="Retry").click()
    question = page.get_by_role("dialog", name="Retry Done.txt?")
    assert await findings(page) == []
    await question.get_by_role("button", name="Retry the task").click()
    await expect(row(page, "Done")).to_contain_text("pending")
    await row(page, "Done").get_by_role("button", name="Priority").click()
    await expect(page.get_by_label("New priority")).to_be_focused()
    await page.goto(site.url + "#/queue")
    await expect(page.get_by_role("heading", name="Queue").first).to_be_visible()
    await page.go_back()
    await row(page, "Done").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("dialog")).to_have_accessible_name("Delete Done.txt?")


async def test_a_task_that_somebody_else_has_deleted(site: Site, page: Page) -> None:
    """Who acts on a task that is gone is told so, and the row goes."""
    await add(site.engine, "Stays.txt")
    (gone,) = await add(site.engine, "Gone.txt")
    await expect(rows(page)).to_have_count(2)
    await page.route(re.compile(r"/api/v1/tasks/task-.*/cancel"), lambda route: meanwhile(site, gone, route))
    await row(page, "Gone").get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("alert").filter(has_text="Gone.txt: ")).to_contain_text("not found")
    await expect(rows(page)).to_have_count(1)


async def meanwhile(site: Site, gone: TaskId, route: Any) -> None:
    """Delete the task before the request for it goes on."""
    await site.engine.delete(gone)
    await route.continue_()


async def test_a_list_that_cannot_be_loaded_says_so(site: Site, page: Page) -> None:
    """What went wrong is said in the place of the list, with a way on; the rest of the page stays."""
    await add(site.engine, "Emma.txt")
    is_said, is_repeated = asyncio.Event(), asyncio.Event()

    async def abort(route: Route) -> None:
        await route.abort()
        if is_said.is_set():
            is_repeated.set()

    async def connect(socket: WebSocketRoute) -> None:
        await is_said.wait()
        socket.connect_to_server()

    await page.route("**/api/v1/tasks?*", abort)
    await page.route_web_socket("**/ws/**", connect)
    await page.reload()
    await expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    is_said.set()
    await expect(page.get_by_role("link", name="all 1")).to_be_visible()
    assert await findings(page) == []
    async with asyncio.timeout(15):
        await is_repeated.wait()  # when the connection stands; after that nobody asks by itself
    await page.unroute("**/api/v1/tasks?*")
    await page.get_by_role("button", name="Try again").click()
    await expect(row(page, "Emma")).to_be_visible()


async def test_without_sockets_the_list_is_asked_for(site: Site, pages: Pages) -> None:
    """Where no WebSocket gets through, what is new and what has changed is shown all the same, a little later."""
    page = await pages.open()
    await page.route_web_socket("**/ws/**", lambda socket: socket.close())
    await page.goto(site.url)
    await expect(page.get_by_text("every 3 s")).to_be_visible()
    (late,) = await add(site.engine, "Late.txt")
    await expect(row(page, "Late")).to_contain_text("pending")
    await site.engine.cancel(late)
    await expect(row(page, "Late")).to_contain_text("cancelled")
    await expect(page.get_by_role("link", name="cancelled 1")).to_be_visible()


async def test_a_token_that_ends_in_the_middle(site: Site, pages: Pages) -> None:
    """The list stays while another token is asked for, and goes on with it; readers get reports and no buttons."""
    secret, token = await site.engine.tokens.create(owner="ann", scopes=("tasks:read", "tasks:write"))
    other, _ = await site.engine.tokens.create(owner="ann", scopes=("tasks:read",))
    await add(site.engine, "Hers.txt", owner="ann")
    await add(site.engine, "His.txt", owner="bob")
    page = await pages.open()
    await page.goto(site.url)
    field = page.get_by_role("dialog").get_by_label("Token", exact=True)
    await field.fill(secret)
    await page.keyboard.press("Enter")
    await expect(rows(page)).to_have_text([re.compile("Hers")])
    await expect(page.get_by_role("button", name="Cancel: Hers.txt")).to_be_attached()
    await site.engine.tokens.revoke(token.id)
    await field.fill(other)
    await expect(row(page, "Hers")).to_be_attached()
    await page.keyboard.press("Enter")
    await add(site.engine, "Hers too.txt", owner="ann", processor="analyze")
    await expect(rows(page)).to_have_count(2)
    async with page.expect_popup() as shown:
        await row(page, "Hers too").get_by_role("link", name="Report").click()
    await expect((await shown.value).get_by_role("heading").first).to_be_visible()
    await expect(page.get_by_role("button", name="Cancel: Hers.txt")).to_have_count(0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True},
            ("Cancel", "cancelled", "Delete"),
        ),
        ({"color_scheme": "dark", "locale": "zh-CN"}, ("取消", "已取消", "删除")),
    ],
    ids=["phone", "dark and Chinese"],
)
async def test_other_screens(site: Site, pages: Pages, options: dict[str, Any], words: tuple[str, str, str]) -> None:
    """On a phone, in the dark and in Chinese the list is whole, accessible and no wider than the screen."""
    act, done, delete = words
    await add(site.engine, "道" * 120 + ".txt", MARKUP, "رواية.txt")
    (failed,) = await add(site.engine, "x" * 250 + ".txt")
    await site.engine.report(failed, status=TaskStatus.FAILED, error_message="it broke " * 100)
    page = await pages.open(**options)
    await page.goto(site.url)
    item = page.get_by_role("listitem").filter(has_text=MARKUP)
    await expect(item).to_be_visible()
    assert await findings(page) == []
    if "is_mobile" in options:
        await item.get_by_role("button", name="What to do with").click()
        assert await findings(page) == []
        await page.get_by_role("dialog").get_by_role("button", name=act).click()
    else:
        await item.hover()
        await item.get_by_role("button", name=act).click()
    await expect(item).to_contain_text(done)
    await page.get_by_role("checkbox").first.click()
    await expect(page.get_by_role("button", name=delete, exact=True)).to_be_visible()
    assert await findings(page) == []
    width = options.get("viewport", {"width": 1280})["width"]
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= width


FAULTS: dict[str, tuple[dict[str, Any] | None, str]] = {
    "older.txt": (None, "the press broke"),
    "lost.txt": (
        {"type": "worker_lost", "message": "gone", "details": {"worker": 12345, "attempt": 2}},
        "工作进程 12345 停止，第 2 次尝试未完成。",
    ),
    "odd.txt": (
        {"type": "DecodingError", "message": "odd", "details": {"kind": "other_format"}},
        "文件无法作为文本读取。",
    ),
}
"""What a server may tell of a failure, and what a page in Chinese makes of it."""


async def test_failures_are_said_as_far_as_they_are_told(site: Site, pages: Pages) -> None:
    """A server that is not upgraded yet tells only a sentence, a processor not all fields: no place stays empty."""
    names = {format_task_id(one): name for one, name in zip(await add(site.engine, *FAULTS), FAULTS, strict=True)}
    for task_id in names:
        await site.engine.report(parse_task_id(task_id), status=TaskStatus.FAILED, error_message="the press broke")
    page = await pages.open(locale="zh-CN")

    async def told(route: Route) -> None:
        response = await route.fetch()
        listed = await response.json()
        for task in listed["tasks"]:
            task["error"] = FAULTS[names[task["id"]]][0]
        await route.fulfill(response=response, json=listed)

    await page.route("**/api/v1/tasks?**", told)
    await page.goto(site.url)
    for name, (_, words) in FAULTS.items():
        fault = page.get_by_role("listitem").filter(has_text=name).locator(".bad")
        await expect(fault).to_have_text(words)
