"""The frame of the page: that it starts, what it looks like to machines, and that it comes back."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Site
from tests.browser.pages import Page, Pages, findings


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
