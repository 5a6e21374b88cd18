"""The queue and the system, as operators see them."""

from __future__ import annotations

from playwright.async_api import expect

from novel_tasks_core import TaskId
from tests.browser.conftest import OpenSite, Site
from tests.browser.pages import Page, Pages, findings

TALE = b"Chapter 1\n\nIt was late, and nobody came.\n\nChapter 2\n\nThen somebody came.\n"


async def add(site: Site, name: str) -> TaskId:
    """Submit a small task of `split`."""
    source = await site.engine.store(TALE + name.encode(), name=name)
    return (await site.engine.submit(source, processor="split")).id


async def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(await page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))


async def test_what_waits_without_a_worker_is_said_until_one_comes(open_site: OpenSite, pages: Pages) -> None:
    """Nobody has to find out why nothing happens: the page says that there is no worker, and how to start one."""
    site = await open_site(runs_worker=False)
    await add(site, "waits.txt")
    page = await pages.open()
    await page.goto(site.url + "#/queue")
    warning = page.get_by_role("alert").filter(has_text="No worker for split: one task waits")
    await expect(warning).to_contain_text("novel-tasks worker")
    await expect(page.get_by_text("No worker is known")).to_be_visible()
    assert await findings(page) == []
    async with site.engine.worker(concurrency=3, name="night shift"):
        await expect(page.get_by_role("row", name="night shift")).to_contain_text("/ 3")
        await expect(warning).to_be_hidden()
        row = page.get_by_role("region", name="Throughput")
        await row.get_by_text("As a table").click()
        await expect(row.get_by_role("row").nth(1)).to_contain_text("1", timeout=25_000)


async def test_a_processor_is_paused_and_goes_on(site: Site, page: Page) -> None:
    """Pausing asks first and says what it does; what waits meanwhile is told, and goes on afterwards."""
    await page.goto(site.url + "#/queue")
    await page.get_by_role("button", name="Pause split").click()
    await expect(page.get_by_role("dialog")).to_contain_text("nothing is lost")
    await page.get_by_role("button", name="Leave it").click()
    await page.get_by_role("button", name="Pause split").click()
    await page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("row", name="split paused")).to_be_visible()
    waiting = await add(site, "paused.txt")
    await expect(page.get_by_role("alert").filter(has_text="split is paused: one task waits")).to_be_visible()
    await page.get_by_role("button", name="Resume split").click()
    await expect(page.get_by_role("alert").filter(has_text="split is paused")).to_be_hidden()
    async for _ in site.engine.watch(waiting):
        continue
    assert (await site.engine.statistics()).completed == 1


async def test_the_charts_are_of_the_chosen_time(site: Site, page: Page) -> None:
    """The time and the processor of the charts stand in the address; a reload shows the same."""
    await page.goto(site.url + "#/queue")
    await page.get_by_role("combobox", name="Time").select_option("Last 7 days")
    await page.get_by_role("combobox", name="Processor").select_option("epub")
    await page.reload()
    await expect(page.get_by_role("combobox", name="Time")).to_have_value("10080")
    await expect(page.get_by_role("combobox", name="Processor")).to_have_value("epub")
    await expect(page.get_by_role("img", name="How long tasks waited and ran over time")).to_be_visible()
    assert page.url.endswith("#/queue?minutes=10080&processor=epub")


async def test_who_may_not_pause_is_not_offered_to(site: Site, pages: Pages) -> None:
    """Readers see the queue without buttons that would be refused, and of the system only how it is."""
    secret, _ = await site.engine.tokens.create(owner="ann", scopes=("tasks:read",))
    page = await pages.open()
    await page.goto(site.url + "#/queue")
    await page.get_by_role("textbox", name="Token").fill(secret)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row", name="split running")).to_be_visible()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Pause split")).to_be_hidden()
    await page.goto(site.url + "#/system")
    await expect(page.get_by_text("All is well")).to_be_visible()
    await expect(page.get_by_text("are for admins")).to_be_visible()


async def test_the_system_is_shown_without_its_secrets(open_site: OpenSite, pages: Pages) -> None:
    """Checks, versions, room and settings are there; the values of secrets are not sent at all."""
    site = await open_site(secret_key="correct horse battery staple", max_file_size=123_456)
    page = await pages.open(viewport={"width": 390, "height": 800})
    async with page.expect_response("**/api/v1/system") as answer:
        await page.goto(site.url + "#/system")
    assert "horse" not in await (await answer.value).text()
    await expect(page.get_by_role("region", name="Versions")).to_contain_text("PostgreSQL")
    await expect(page.get_by_role("region", name="Storage")).to_contain_text("free")
    settings = page.get_by_role("region", name="Settings")
    await settings.get_by_label("Find a setting").fill("secret_key")
    await expect(settings).to_contain_text("set, not shown")
    await settings.get_by_label("Find a setting").fill("file_size")
    await expect(settings).to_contain_text("123456")
    await expect(settings).to_contain_text("changed")
    await settings.get_by_label("Find a setting").fill("cors")  # a list of nothing
    await expect(settings.get_by_role("row", name="CORS_ORIGINS")).to_contain_text("not set")
    assert await sideways(page) == 0
    assert await findings(page) == []


async def test_operators_find_their_way_on_a_telephone(site: Site, pages: Pages) -> None:
    """Nothing is wider than the screen of a telephone; tables become lists."""
    await add(site, "small.txt")
    page = await pages.open(viewport={"width": 320, "height": 640}, locale="zh-CN", color_scheme="dark")
    await page.goto(site.url + "#/queue")
    await expect(page.get_by_role("heading", name="工作进程")).to_be_visible()
    assert await sideways(page) == 0
    assert await findings(page) == []
