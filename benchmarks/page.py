"""What the page costs a person: how much it loads, how soon it can be used, and whether it scrolls smoothly.

Measured in a real Chromium without a screen, on the list of 100,000 tasks, with nothing kept from a visit before:

`page.weight`: the bytes that travel until the list is there, headers included; the limit is 250 KB. `page.requests`:
how many requests that takes. `page.interactive`: the seconds until the first row can be clicked; the limit is a second.
`page.elements`: how many elements the page has then; the limit is 2,000, as if the list had a few dozen tasks.

`page.scroll_typical` and `page.scroll_slow`: the median and the 95th percentile of the time between two frames while
12,000 rows are scrolled by, 12 a frame, beside that of an empty page that scrolls as fast; the limits are 1.2 and 3.
`page.scroll_heap`: the memory of the page afterwards; the limit is 50 MB. `page.updates_slow`: the 95th percentile
while about 200 changes a second of tasks in sight come in, beside the empty page at rest; the limit is 2.

`--quick`: 1,200 rows, and 2 seconds of changes instead of 8.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median, quantiles
from typing import Any

from attrs import evolve, frozen
from playwright.async_api import CDPSession, Page, async_playwright, expect

from benchmarks.harness.results import Better, Result, limited
from benchmarks.harness.run import Benchmark, BenchmarkSkippedError, Run
from benchmarks.harness.service import engine_beside, service
from novel_tasks_core import NewTask, TaskEngine, TaskId

TASKS = 100_000
ROWS_A_FRAME = 12
LIMIT_BYTES = 250_000.0
LIMIT_SECONDS = 1.0
LIMIT_ELEMENTS = 2_000.0
LIMIT_HEAP = 50e6

_IN_SIGHT = 20
_FRAMES = """async ([frames, pixels]) => {
  const times = [];
  for (let frame = 0; frame <= frames; frame++) {
    if (pixels) scrollTo(0, scrollY + pixels);
    times.push(await new Promise(requestAnimationFrame));
  }
  return times.slice(1).map((time, index) => time - times[index]);
}"""
_EMPTY = "data:text/html,<!doctype html><div style='height:14000000px'></div>"


@frozen
class Frames:
    """The times between frames, in milliseconds."""

    typical: float
    slow: float

    @classmethod
    async def of(cls, page: Page, frames: int, *, pixels: float = 0) -> Frames:
        """Watch so many frames, and scroll by so many pixels before each."""
        times: Sequence[float] = await page.evaluate(_FRAMES, [frames, pixels])
        return cls(median(times), quantiles(times, n=20)[-1])


@frozen
class Loading:
    """What it took until the list was there."""

    bytes: float
    requests: int
    seconds: float
    elements: int


async def measure(run: Run) -> list[Result]:
    """Measure an empty page, then the list."""
    async with run.database() as url, service(run, url) as server, engine_beside(run, url) as engine:
        await _fill(engine)
        async with _page() as (page, tools):
            await page.goto(_EMPTY)
            steps = run.sized(1000, quick=100)
            resting, moving = await Frames.of(page, 120), await Frames.of(page, steps, pixels=ROWS_A_FRAME * 68)
            loading = await _load(page, tools, f"http://127.0.0.1:{server.port}/")
            height = await page.evaluate("() => document.querySelector('[data-place]').offsetHeight")
            scrolling = await Frames.of(page, steps, pixels=ROWS_A_FRAME * height)
            heap = await _heap(tools)
            await page.evaluate("() => scrollTo(0, 0)")
            updating = await _under_updates(page, engine, seconds=run.sized(8, quick=2))
    return [
        limited("page.weight", loading.bytes, unit="B", limit=LIMIT_BYTES),
        Result(metric="page.requests", value=loading.requests, unit="requests", better=Better.LOWER),
        limited("page.interactive", loading.seconds, unit="s", limit=LIMIT_SECONDS),
        limited("page.elements", loading.elements, unit="elements", limit=LIMIT_ELEMENTS),
        _beside("page.scroll_typical", scrolling.typical, moving.typical, target=1.2),
        _beside("page.scroll_slow", scrolling.slow, moving.slow, target=3.0),
        limited("page.scroll_heap", heap, unit="B", limit=LIMIT_HEAP),
        _beside("page.updates_slow", updating.slow, resting.slow, target=2.0),
    ]


def _beside(metric: str, value: float, bound: float, *, target: float) -> Result:
    return Result(metric=metric, value=value, unit="ms", better=Better.LOWER).against(
        "an empty page", bound, target=target
    )


@asynccontextmanager
async def _page() -> AsyncIterator[tuple[Page, CDPSession]]:
    """Open a page in a browser. Raises: BenchmarkSkippedError without one."""
    path = os.environ.get("NOVEL_TASKS_CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise BenchmarkSkippedError("there is no Chromium: NOVEL_TASKS_CHROMIUM names one")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
        yield page, await page.context.new_cdp_session(page)
        await browser.close()


async def _fill(engine: TaskEngine) -> None:
    source = await engine.store(b"Chapter 1\n\nIt was late.\n", name="tale.txt")
    named = (evolve(source, name=f"novel {n:06}.txt") for n in range(TASKS))
    await engine.import_tasks(NewTask(processor="external", source=one) for one in named)


async def _load(page: Page, tools: CDPSession, url: str) -> Loading:
    loaded: list[float] = []

    def note(event: dict[str, Any]) -> None:
        loaded.append(event["encodedDataLength"])

    tools.on("Network.loadingFinished", note)
    await tools.send("Network.enable")
    loop = asyncio.get_running_loop()
    began = loop.time()
    await page.goto(url, wait_until="commit")
    await page.get_by_role("link", name=f"novel {TASKS - 1:06}.txt").click(trial=True)
    seconds = loop.time() - began
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    elements = await page.evaluate("() => document.querySelectorAll('*').length")
    return Loading(sum(loaded), len(loaded), seconds, elements)


async def _heap(tools: CDPSession) -> float:
    await tools.send("HeapProfiler.collectGarbage")
    await tools.send("Performance.enable")
    metrics = (await tools.send("Performance.getMetrics"))["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "JSHeapUsedSize"))


async def _under_updates(page: Page, engine: TaskEngine, *, seconds: int) -> Frames:
    """Watch frames while 10 times a second 20 tasks in sight change."""
    found = await engine.find(limit=_IN_SIGHT)
    changing = asyncio.create_task(_change([task.id for task in found.items], engine))
    try:
        await expect(page.get_by_role("progressbar").first).to_be_visible()
        return await Frames.of(page, seconds * 60)
    finally:
        changing.cancel()
        await asyncio.gather(changing, return_exceptions=True)


async def _change(ids: Sequence[TaskId], engine: TaskEngine) -> None:
    loop = asyncio.get_running_loop()
    for turn in range(1, 1_000_000):
        began = loop.time()
        await asyncio.gather(*(engine.report(task_id, progress=turn % 90 / 100) for task_id in ids))
        await asyncio.sleep(max(0.0, 0.1 - (loop.time() - began)))


BENCHMARK = Benchmark("page", measure)
