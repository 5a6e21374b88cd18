"""The page in a real Chromium, served by the real application with a worker, on a database of the test's own."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from attrs import evolve
from playwright.async_api import expect

from novel_tasks_core import EngineConfig, Processors, TaskEngine
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig
from tests.browser.pages import Page, Pages, open_browser

expect.set_options(timeout=15_000)  # on a busy machine the five seconds of the driver do not always do

CHROMIUM = os.environ.get("NOVEL_TASKS_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

_OFF = "--disable-features="
_UNSEEN = "PreloadTopChromeWebUI,WebUIOmniboxPopup,WebUIOmniboxAimPopup"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests on one event loop a run, which is the one that the browser's driver knows."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the browser is; without one the tests are skipped, unless NOVEL_TASKS_BROWSER=required."""
    if CHROMIUM is None:
        reason = "no Chromium: install Debian's `chromium`, or name one in NOVEL_TASKS_CHROMIUM"
        if os.environ.get("NOVEL_TASKS_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    # What nobody sees of a browser without a head is not made: pages of its own toolbar, a process for the screen.
    program = tmp_path_factory.mktemp("chromium") / "chromium"
    program.write_text(
        f'#!/bin/bash\nexec {shlex.quote(CHROMIUM)} --in-process-gpu "${{@/#{_OFF}/{_OFF}{_UNSEEN},}}"\n'
    )
    program.chmod(0o755)
    return str(program)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium_path: str) -> AsyncIterator[Any]:
    """One browser for the whole run; each test has contexts of its own."""
    async with open_browser(chromium_path) as browser:
        yield browser


class Site:
    """The served application, which can be stopped and started again at the same address."""

    def __init__(self, config: ServerConfig, processors: Processors) -> None:
        self.config = config
        self.processors = processors
        self._port: int | None = None
        self._stack = AsyncExitStack()
        self.engine: TaskEngine = None  # type: ignore[assignment]

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self._port}/"

    async def start(self) -> None:
        """Serve; with a worker if the settings say so."""
        self.engine = await self._stack.enter_async_context(
            TaskEngine.open(self.config.engine, processors=self.processors)
        )
        if self.config.runs_worker:
            await self._stack.enter_async_context(self.engine.worker())
        server = TestServer(create_app(self.config, engine=self.engine), port=self._port)
        await server.start_server(shutdown_timeout=self.config.engine.shutdown_grace_seconds)
        self._stack.push_async_callback(server.close)
        self._port = server.port

    async def stop(self) -> None:
        """Stop serving; again it does nothing."""
        await self._stack.aclose()


OpenSite = Callable[..., Awaitable[Site]]


@pytest_asyncio.fixture(loop_scope="session")
async def open_site(engine_config: EngineConfig, processors: Processors) -> AsyncIterator[OpenSite]:
    """Serve the application; the arguments change fields of ServerConfig, the dict `engine` those of EngineConfig."""
    async with AsyncExitStack() as stack:

        async def opened(*, engine: dict[str, Any] | None = None, **settings: Any) -> Site:
            known = evolve(engine_config, slots=2, **(engine or {}))
            site = Site(ServerConfig(engine=known, **settings), processors)
            stack.push_async_callback(site.stop)
            await site.start()
            return site

        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def site(open_site: OpenSite) -> Site:
    """The application as it is by default."""
    return await open_site()


@pytest_asyncio.fixture(loop_scope="session")
async def pages(browser: Any) -> AsyncIterator[Pages]:
    """Open pages; afterwards none of them may have broken the policy, thrown, or logged an error."""
    async with Pages(browser) as pages:
        yield pages


@pytest_asyncio.fixture(loop_scope="session")
async def page(pages: Pages, site: Site) -> Page:
    """The page of `site`, in English, light, 1280 x 800, loaded."""
    page = await pages.open()
    await page.goto(site.url)
    return page
