"""One task, as whoever brought it sees it: from the upload to the report."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from novel_tasks_core import AttemptContext, LogLevel, Processors, RetryPolicy, TaskId, TaskStatus, format_task_id
from tests.browser.conftest import OpenSite, Site
from tests.browser.pages import Page, Pages, findings

Order = Callable[[AttemptContext], Awaitable[None]] | Exception | None
Puppet = asyncio.Queue[Order]

PARTS = ("“You are late,” said Anna. “So is the river,” said Holt, and the ferry turned.\n\n",)
TALE = "".join(f"Chapter {n}\n\n{PARTS[0] * (2 + n % 5)}" for n in range(1, 13))


@pytest.fixture
def puppet(processors: Processors) -> Puppet:
    """A processor whose attempts do what the test says: an order at a time; an error fails them, None ends them."""
    orders: Puppet = asyncio.Queue()

    async def obey(ctx: AttemptContext) -> dict[str, object]:
        while (order := await orders.get()) is not None:
            if isinstance(order, Exception):
                raise order
            await order(ctx)
        return {"verdict": "good", "marks": [{"page": page} for page in range(1, 121)]}

    processors.register("puppet", obey, retry=RetryPolicy(max_attempts=1))
    return orders


def says(*lines: str, level: LogLevel = LogLevel.INFO) -> Order:
    """Order an attempt to log."""

    async def log(ctx: AttemptContext) -> None:
        for line in lines:
            await ctx.log(line, level=level)

    return log


def gets(done: float, stage: str) -> Order:
    """Order an attempt to tell how far it is."""

    async def progress(ctx: AttemptContext) -> None:
        await ctx.progress(done, stage=stage)

    return progress


async def submit(site: Site, processor: str, *, name: str = "ferry.txt", text: str = TALE, owner: str = "") -> TaskId:
    """Submit a novel."""
    source = await site.engine.store(text.encode(), name=name)
    return (await site.engine.submit(source, processor=processor, owner=owner)).id


async def finished(site: Site, task_id: TaskId) -> TaskStatus:
    """Wait until a task has finished."""
    async for _ in site.engine.watch(task_id):
        continue
    return (await site.engine.get(task_id)).status


def address(site: Site, task_id: TaskId, rest: str = "") -> str:
    """Return where the page shows a task."""
    return f"{site.url}#/tasks/{format_task_id(task_id)}{rest}"


async def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(await page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))


async def seqs(page: Page) -> set[int]:
    """Return the seqs of all events that the page shows, in the history and in the log."""
    return set(await page.locator("[data-seq]").evaluate_all("(found) => found.map((e) => Number(e.dataset.seq))"))


async def test_a_novel_is_watched_to_its_report(open_site: OpenSite, pages: Pages) -> None:
    """It waits, and the page says why; it is read; the report opens in the page, the charts speak to the keyboard."""
    site = await open_site(runs_worker=False)
    task_id = await submit(site, "analyze", name="<i>The Ferry<i> - A. Brook.txt")
    page = await pages.open()
    await page.goto(address(site, task_id))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("<i>The Ferry<i> - A. Brook.txt pending")
    await expect(page.get_by_text("No worker runs analyze.")).to_be_visible()
    assert await findings(page) == []
    async with site.engine.worker(concurrency=1):
        await expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    await expect(page).to_have_title("completed · <i>The Ferry<i> - A. Brook.txt · Novel Tasks")
    history = page.get_by_role("region", name="History").get_by_role("listitem")
    await expect(history).to_contain_text(["Submitted", "Attempt 1 started on worker", "Completed"])
    result = page.get_by_role("region", name="Result")
    await expect(result.get_by_role("definition").first).to_have_text("12")
    chart = result.get_by_role("slider", name="Length of the chapters")
    await chart.focus()
    await page.keyboard.press("End")
    await expect(chart).to_have_attribute(
        "aria-valuetext", re.compile(r"^Chapter 12: \d+ words, \d+% dialogue\. .*Anna")
    )
    await result.get_by_text("The chapters as a table").click()
    await expect(result.get_by_role("row", name="Chapter 7")).to_be_visible()
    assert await findings(page) == []
    await page.get_by_role("button", name="Open the report").click()
    frame = page.get_by_title(re.compile("Report on"))
    await expect(frame.content_frame.get_by_role("heading", level=1)).to_contain_text("The Ferry")
    assert page.url.endswith("?show=report")
    async with page.expect_download() as download:
        await page.get_by_role("region", name="Files").get_by_role("button", name="Download analysis.json").click()
    assert (await download.value).suggested_filename.endswith("A. Brook analysis.json")
    await page.get_by_role("button", name="Close the report").click()
    await expect(frame).to_be_hidden()


async def test_progress_and_log_are_live_and_a_pause_is_one(puppet: Puppet, site: Site, page: Page) -> None:
    """Percent, stage and lines come as they are told; who scrolls up is left in peace until they want the new ones."""
    task_id = await submit(site, "puppet")
    await page.goto(address(site, task_id))
    await puppet.put(gets(0.42, "Chapter XI"))
    progress = page.get_by_role("region", name="Progress")
    await expect(progress).to_contain_text("42%")
    await expect(progress).to_contain_text("Chapter XI")
    await expect(page).to_have_title(re.compile("^42% · ferry.txt"))
    await puppet.put(says(*(f"line {n}" for n in range(200))))
    log = page.get_by_role("log")
    await expect(log.get_by_text("line 199", exact=True)).to_be_in_viewport()
    await log.hover()
    await page.mouse.wheel(0, -1500)
    await expect(log.get_by_text("line 199", exact=True)).not_to_be_in_viewport()
    await expect(page.get_by_role("button", name="Follow")).to_be_visible()
    before = await log.evaluate(
        "(box) => [box.scrollTop, document.elementFromPoint(500, box.getBoundingClientRect().top + 40).textContent]"
    )
    await puppet.put(says(*(f"later {n}" for n in range(12))))
    fresh = page.get_by_role("button", name="12 new lines")
    await expect(fresh).to_be_visible()
    after = await log.evaluate(
        "(box) => [box.scrollTop, document.elementFromPoint(500, box.getBoundingClientRect().top + 40).textContent]"
    )
    assert after == before
    await fresh.click()
    await expect(log.get_by_text("later 11", exact=True)).to_be_in_viewport()
    await puppet.put(says("the ink is dry", level=LogLevel.WARNING))
    await expect(log.get_by_text("the ink is dry")).to_be_in_viewport()
    await page.get_by_text("Warnings", exact=True).click()
    await expect(log.get_by_text("later 11", exact=True)).to_be_hidden()
    await expect(log.get_by_text("the ink is dry")).to_be_visible()
    await page.get_by_text("All", exact=True).click()
    await page.keyboard.press("Tab")
    await page.keyboard.type("LATER 7")
    await expect(page.get_by_text("1 line", exact=True)).to_be_visible()
    await expect(log.locator("mark")).to_have_text("later 7")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download the log").click()
    written = (await (await download.value).path()).read_text(encoding="utf-8").splitlines()
    assert [line.split()[-1] for line in written] == [e.message.split()[-1] for e in await site.engine.logs(task_id)]
    await puppet.put(None)
    await expect(page.get_by_role("region", name="Result")).to_contain_text("good")
    await page.get_by_role("button", name="Show more of 20").click()
    await expect(page.get_by_role("region", name="Result").get_by_text("120", exact=True).last).to_be_visible()


IS_AT_ITS_END = "(box) => box.scrollTop + box.clientHeight > box.scrollHeight - 2"


async def test_old_lines_come_when_they_are_wanted(puppet: Puppet, site: Site, page: Page) -> None:
    """A long log shows its end at once and a small part of it in the page; the rest is loaded on the way up."""
    await puppet.put(says("where it begins", level=LogLevel.ERROR))
    await puppet.put(says(*(f"line {n}" for n in range(2500))))
    await puppet.put(None)
    task_id = await submit(site, "puppet")
    assert await finished(site, task_id) is TaskStatus.COMPLETED
    await page.goto(address(site, task_id))
    log = page.get_by_role("log")
    await expect(page.get_by_role("region", name="Result")).to_contain_text("good")
    await log.scroll_into_view_if_needed()
    await expect(log.get_by_text("line 2499", exact=True)).to_be_in_viewport()
    assert await log.locator("[data-seq]").count() < 300
    await page.get_by_text("Errors", exact=True).click()
    await log.get_by_role("button", name="Load older lines").click()
    await expect(log.get_by_text("where it begins")).to_be_visible()
    await expect(page.get_by_role("button", name="new line")).to_be_hidden()
    await page.get_by_text("All", exact=True).click()
    whole = page.get_by_text("2,501 lines")
    await expect(whole).to_be_hidden()
    async with asyncio.timeout(30):
        while not await whole.is_visible():
            await log.evaluate("(box) => { box.scrollTop = 0; }")
    await log.evaluate("(box) => { box.scrollTop = 0; }")
    await expect(log.get_by_text("line 1", exact=True)).to_be_in_viewport()
    assert await log.locator("[data-seq]").count() < 300
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download the log").click()
    written = (await (await download.value).path()).read_text(encoding="utf-8").splitlines()
    assert len(written) == 2501
    await log.focus()
    async with asyncio.timeout(60):
        while not await log.evaluate(IS_AT_ITS_END):  # lines that are drawn on the way may lengthen it
            await page.keyboard.press("End")
    await expect(log.get_by_text("line 2499", exact=True)).to_be_in_viewport()


async def test_a_restart_in_the_middle_misses_nothing(puppet: Puppet, open_site: OpenSite, pages: Pages) -> None:
    """What happens while the server is away is there when it is back: each event once."""
    site = await open_site(engine={"shutdown_grace_seconds": 0.1})
    page = await pages.open()
    task_id = await submit(site, "puppet")
    await page.goto(address(site, task_id))
    await puppet.put(says("before", "the end"))
    log = page.get_by_role("log")
    await expect(log.get_by_text("the end")).to_be_visible()
    await site.stop()
    await expect(page.get_by_text("The connection is lost.")).to_be_visible()
    await site.start()
    await puppet.put(says(*(f"after {n}" for n in range(10))))
    await puppet.put(None)
    assert await finished(site, task_id) is TaskStatus.COMPLETED
    await expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    await expect(log.get_by_text("after 9")).to_be_visible()
    stored = [event.seq for event in await site.engine.events(task_id)]
    assert await seqs(page) == set(stored)
    assert await page.locator("[data-seq]").count() == len(stored)
    await expect(page.get_by_role("region", name="History")).to_contain_text("Attempt 1 was handed back")


async def test_a_failure_is_clear_and_can_be_tried_again(puppet: Puppet, site: Site, page: Page) -> None:
    """Type and message stand where the eye is, as text and nothing else; trying again leads to success."""
    await puppet.put(ValueError("<img src=x onerror=alert(1)> is no chapter\nand a second line"))
    task_id = await submit(site, "puppet", name="ת <script>alert(1)</script> 小说 🚀.txt")
    assert await finished(site, task_id) is TaskStatus.FAILED
    await page.goto(address(site, task_id))
    failure = page.get_by_role("region", name="It failed")
    await expect(failure.get_by_role("button")).to_have_text(["Retry", "Process again …"])
    await expect(failure).to_contain_text("ValueError")
    await expect(failure).to_contain_text("<img src=x onerror=alert(1)> is no chapter")
    await failure.get_by_text("The whole message").click()
    await expect(failure.get_by_role("group", name="The whole message")).to_contain_text("and a second line")
    assert await findings(page) == []
    await failure.get_by_role("button", name="Retry").click()
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await puppet.put(None)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    await expect(failure).to_be_hidden()
    attempts = page.get_by_role("region", name="Attempts").get_by_role("listitem")
    await expect(attempts).to_contain_text(["Attempt 2completed", "Attempt 1failed"])
    await expect(page.get_by_role("region", name="History")).to_contain_text("Retried")


async def test_where_a_retry_cannot_help_another_way_comes_first(site: Site, page: Page) -> None:
    """A novel that was not in the encoding that was named is processed again, with the options where they are seen."""
    source = await site.engine.store("渡口的灯，夜里很静。\n".encode("gb18030") * 9, name="ferry.txt")
    task = await site.engine.submit(source, processor="split", options={"encoding": "utf-8"})
    assert await finished(site, task.id) is TaskStatus.FAILED
    await page.goto(address(site, task.id))
    ways = page.get_by_role("region", name="It failed").get_by_role("button")
    await expect(ways).to_have_text(["Process again …", "Retry"])
    await expect(page.get_by_role("button", name="Retry")).to_have_count(1)
    await ways.first.click()
    await page.get_by_label("Encoding").fill("klingon")
    await page.get_by_role("button", name="Start").click()
    refusal = page.get_by_role("dialog").get_by_role("alert")
    await expect(refusal).to_have_text(re.compile("^The processor does not take these options: options/encoding: "))
    await page.get_by_label("Encoding").fill("gb18030")
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    assert (await site.engine.get(task.id)).status is TaskStatus.FAILED


async def test_a_task_is_cancelled_put_first_and_processed_otherwise(open_site: OpenSite, pages: Pages) -> None:
    """All that can be done is done from the keyboard, asks where it should, and is told in the history."""
    site = await open_site(runs_worker=False)
    task_id = await submit(site, "analyze")
    page = await pages.open()
    await page.goto(address(site, task_id))
    await page.get_by_role("button", name="Priority").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("New priority").fill("7")
    assert await findings(page) == []
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("region", name="History")).to_contain_text("Priority set to 7")
    assert (await site.engine.get(task_id)).priority == 7
    await expect(page.get_by_role("button", name="Cancel")).to_be_enabled()
    await page.get_by_role("button", name="Cancel").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("cancelled")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert await findings(page) == []
    await page.get_by_role("button", name="Process again").click()
    await page.get_by_label("Processor").select_option("split")
    assert await findings(page) == []
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("pending")
    assert not page.url.endswith(format_task_id(task_id))
    async with site.engine.worker(concurrency=1):
        await expect(page.get_by_role("region", name="Result").get_by_role("row", name="Chapter 12")).to_be_visible()


async def test_what_would_be_lost_is_asked_about(puppet: Puppet, site: Site, page: Page) -> None:
    """A task that runs is not cancelled, and one that is completed is not retried, before the person agrees."""
    task_id = await submit(site, "puppet")
    await page.goto(address(site, task_id))
    title = page.get_by_role("heading", level=1)
    await expect(title).to_contain_text("processing")
    await page.get_by_role("button", name="Cancel").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("what has been done so far is dropped")
    assert await findings(page) == []
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    await puppet.put(None)
    await expect(title).to_contain_text("completed")
    await page.get_by_role("button", name="Retry").click()
    await expect(question).to_contain_text("its results are replaced")
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    assert (await site.engine.get(task_id)).attempt == 1
    await page.get_by_role("button", name="Retry").click()
    await question.get_by_role("button", name="Retry the task").click()
    await expect(title).to_be_focused()
    await puppet.put(None)
    await expect(page.get_by_role("region", name="Attempts")).to_contain_text("Attempt 2")


async def test_a_history_that_failed_to_load_comes_with_what_happens_next(
    puppet: Puppet, site: Site, page: Page
) -> None:
    """What could not be loaded at first is said, and is made up for as soon as something is told of the task."""
    task_id = await submit(site, "puppet")
    await page.goto(address(site, task_id))
    history = page.get_by_role("region", name="History")
    await expect(history).to_contain_text("Attempt 1 started")
    await page.goto(f"{site.url}#/queue")
    await expect(history).to_be_hidden()
    await page.route("**/events?*", lambda route: route.fulfill(status=503, body="{}"), times=1)
    await page.goto(address(site, task_id))
    fault = page.get_by_role("alert").get_by_role("button", name="Try again")
    await expect(fault).to_be_visible()
    await puppet.put(None)
    await expect(history).to_contain_text("Completed")
    await expect(history).to_contain_text("Attempt 1 started")
    await expect(fault).to_be_hidden()


async def test_a_token_is_given_after_it_was_declined(open_site: OpenSite, pages: Pages) -> None:
    """Who said "Not now" is told why nothing is there, and gives the token from there."""
    site = await open_site()
    task_id = await submit(site, "split", owner="ann")
    await finished(site, task_id)
    secret, _ = await site.engine.tokens.create(owner="ann", scopes=("tasks:read",))
    page = await pages.open()
    await page.goto(address(site, task_id))
    await page.get_by_role("button", name="Not now").click()
    assert await findings(page) == []
    await page.get_by_role("button", name="Give a token").click()
    await page.get_by_role("textbox", name="Token").fill(secret)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("region", name="History")).to_contain_text("Completed")
    await expect(page.get_by_role("row", name="Chapter 12")).to_be_visible()


async def test_what_is_gone_is_said_with_a_way_back(site: Site, page: Page) -> None:
    """A task that is deleted meanwhile, one that never was, one whose file is lost: words, and the list as it was."""
    task_id = await submit(site, "split")
    await page.goto(f"{site.url}#/tasks?status=completed")
    await page.goto(address(site, task_id))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    await expect(page.get_by_role("row", name="Chapter 12")).to_be_visible()
    for path in site.config.engine.data_dir.rglob("*"):
        if path.is_file() and b"novel-tasks/chapters" in path.read_bytes():
            path.unlink()
    await page.get_by_role("button", name="Download chapters.json").click()
    await expect(page.get_by_role("region", name="Messages").get_by_role("alert")).to_be_visible()
    await site.engine.delete(task_id)
    await expect(page.get_by_role("heading", name="This task has been deleted")).to_be_focused()
    assert await findings(page) == []
    await page.get_by_role("link", name="Back to the tasks").click()
    assert page.url.endswith("#/tasks?status=completed")
    await page.goto(f"{site.url}#/tasks/%3Cimg%20src=x%20onerror=alert(1)%3E")
    await expect(page.get_by_role("heading", name="There is no such task")).to_be_visible()
    await expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    other = await submit(site, "split", name="other.txt")
    await page.goto(address(site, other))
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("dialog")).to_contain_text("cannot be undone")
    await page.get_by_role("button", name="Delete the task").click()
    await expect(page.get_by_role("region", name="Messages")).to_contain_text("“other.txt” is deleted.")
    assert page.url.endswith("#/tasks?status=completed")


async def test_files_are_had_with_a_token(site: Site, pages: Pages) -> None:
    """Where a token is needed the report opens and files come all the same; who may only read is offered no more."""
    task_id = await submit(site, "analyze", owner="ann")
    await finished(site, task_id)
    secret, _ = await site.engine.tokens.create(owner="ann", scopes=("tasks:read",))
    page = await pages.open()
    await page.goto(address(site, task_id, "?show=report"))
    await page.get_by_role("textbox", name="Token").fill(secret)
    await page.keyboard.press("Enter")
    await expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download ferry.txt").click()
    assert (await (await download.value).path()).read_text(encoding="utf-8") == TALE
    assert secret not in (await download.value).url
    await expect(page.get_by_role("button", name="Delete")).to_be_hidden()


async def test_an_address_from_outside_is_a_link_only_if_it_leads_to_a_page(site: Site, page: Page) -> None:
    """Outside services say where their result is; what would run as a script stays text."""
    task_id = await submit(site, "external")
    await site.engine.report(task_id, status=TaskStatus.COMPLETED, result_url="https://novels.example/1?a=b")
    await page.goto(address(site, task_id))
    link = page.get_by_role("link", name="https://novels.example/1?a=b")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")


@pytest.mark.parametrize(
    ("options", "report", "reason"),
    [
        (
            {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}},
            "Open the report",
            "headings of the form",
        ),
        ({"locale": "zh-CN", "viewport": {"width": 320, "height": 700}}, "打开报告", "个标题，形式为"),
    ],
)
async def test_it_fits_phones_and_languages(
    site: Site, pages: Pages, options: dict[str, Any], report: str, reason: str
) -> None:
    """Dark, Chinese, narrow: nothing sticks out, nothing is unreadable or of another language."""
    task_id = await submit(site, "analyze", name=f"{'a-very-long-name-' * 12}.txt")
    await finished(site, task_id)
    page = await pages.open(**options)
    await page.goto(address(site, task_id))
    result = page.get_by_role("region", name=re.compile("^(Result|结果)$"))
    await expect(result.get_by_role("paragraph").filter(has_text=reason)).to_be_visible()
    await page.get_by_role("button", name=report).click()
    await expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_role("slider")).to_be_visible()
    assert await sideways(page) == 0
    assert await findings(page) == []
