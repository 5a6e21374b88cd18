"""Pages of a real browser, watched for whatever should not happen in them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

import axe_playwright_python
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

__all__ = ["Page", "Pages", "findings", "open_browser"]

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
_EXPECTED = re.compile(r"Failed to load resource|WebSocket connection to|net::ERR_")
"""What Chromium itself logs when the network or the server says no, which tests bring about."""

_WATCH = "addEventListener('securitypolicyviolation', (e) => reportViolation(`${e.violatedDirective} ${e.blockedURI}`))"


@asynccontextmanager
async def open_browser(path: str) -> AsyncIterator[Browser]:
    """Start the browser at `path`, headless."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            await browser.close()


class Pages:
    """Opens pages, each in a context of its own, and asserts at the end that all went well in them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._stack = AsyncExitStack()
        self.faults: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._stack.aclose()
        if kind is None:
            assert not self.faults, self.faults

    async def context(self, **options: Any) -> BrowserContext:
        """Make a context: a browser as of another person. `options` are those of Playwright's `new_context`."""
        chosen = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US", "color_scheme": "light", **options}
        context = await self._browser.new_context(**chosen)
        self._stack.push_async_callback(self._close, context)
        await context.expose_binding("reportViolation", lambda _, text: self.faults.append(f"policy: {text}"))
        await context.add_init_script(_WATCH)
        context.set_default_timeout(15_000)
        return context

    async def _close(self, context: BrowserContext) -> None:
        for page in context.pages:  # else a request of the last moment fails the next test
            await page.unroute_all(behavior="ignoreErrors")
        await context.close()

    async def open(self, **options: Any) -> Page:
        """Open an empty page in a context of its own."""
        return self.watch(await (await self.context(**options)).new_page())

    def watch(self, page: Page) -> Page:
        """Note what goes wrong in `page`."""
        page.on("pageerror", lambda error: self.faults.append(f"thrown: {error}"))
        page.on("console", self._note)
        return page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _EXPECTED.search(message.text):
            self.faults.append(f"console: {message.text}")


async def findings(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it is, in short."""
    await page.evaluate(_AXE)
    found = await page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
