"""Which tasks the list shows: search and filters, in the address."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.conftest import Site
from tests.browser.lists import MARKUP, add, row, rows
from tests.browser.pages import Page, findings


async def test_filters_are_in_the_address(site: Site, page: Page) -> None:
    """Status, search and processor are in the address: Back undoes them, a reload keeps them, a link brings them."""
    await add(site.engine, "Dracula.txt", "Emma.txt", MARKUP)
    done = await add(site.engine, "Drift.txt", "Dune.txt", processor="split")
    for task_id in done:
        async for _ in site.engine.watch(task_id):
            continue
    statuses = page.get_by_role("navigation", name="Status")
    await expect(statuses.get_by_role("link", name="all 5")).to_be_visible()
    await expect(row(page, MARKUP)).to_be_visible()
    await statuses.get_by_role("link", name="completed 2").click()
    await expect(rows(page)).to_have_count(2)
    await page.keyboard.press("/")
    await page.keyboard.type("dr")
    await expect(rows(page)).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"#/tasks\?status=completed&q=dr$"))
    await statuses.get_by_role("link", name="all 5").click()
    await expect(rows(page)).to_have_count(2)
    await page.get_by_label("Kind of work").select_option("external")
    await expect(rows(page)).to_have_count(1)
    await expect(page.get_by_text("1 task found")).to_be_visible()
    await page.go_back()
    await expect(rows(page)).to_have_count(2)
    await page.go_back()
    await expect(rows(page)).to_have_text([re.compile("Drift")])
    await page.reload()
    await expect(rows(page)).to_have_text([re.compile("Drift")])
    await expect(page.get_by_role("searchbox")).to_have_value("dr")
    await page.get_by_role("searchbox").press("Escape")
    await expect(rows(page)).to_have_count(2)
    await page.get_by_label("Order").select_option("by name, backwards")
    await expect(rows(page)).to_have_text([re.compile("Dune"), re.compile("Drift")])


async def test_what_nobody_knows_in_the_address_is_said(site: Site, page: Page) -> None:
    """A filter that does not exist is named and left out; one that the server refuses is told at its field."""
    await add(site.engine, "Emma.txt")
    await page.goto(site.url + "#/tasks?status=tired&colour=red")
    await expect(page.get_by_role("status").filter(has_text="status=tired, colour=red")).to_be_visible()
    await expect(rows(page)).to_have_count(1)
    await page.goto(site.url + "#/tasks?q=%00")
    search = page.get_by_role("searchbox", name="Search")
    await expect(search).to_have_attribute("aria-invalid", "true")
    await expect(search).to_have_accessible_description(re.compile("NUL|characters"))
    assert await findings(page) == []
    await search.fill("zz")
    await expect(page.get_by_text("No name or id begins with “zz”.")).to_be_visible()
    await search.fill("mm")
    await expect(page.get_by_text("No name or id begins with “mm”.")).to_be_visible()
    await page.get_by_role("link", name="Look for it anywhere").click()
    await expect(rows(page)).to_have_count(1)
    await page.get_by_role("button", name="More filters").click()
    await page.get_by_label("Added until").fill("2020-01-01")
    await expect(page.get_by_text("No task is like that.")).to_be_visible()
    await page.get_by_role("link", name="Clear the filters").first.click()
    await expect(rows(page)).to_have_count(1)
    await expect(search).to_have_value("")
