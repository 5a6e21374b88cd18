"""Tasks for a list, and the places of the list that tests look at."""

from __future__ import annotations

import asyncio
from typing import Any

from attrs import evolve
from playwright.async_api import Locator

from novel_tasks_core import NewTask, OnDuplicate, Processors, RetryPolicy, TaskEngine, TaskId
from tests.browser.pages import Page

TALE = b"Chapter 1\n\nIt was late, and nobody came.\n\nChapter 2\n\nThen somebody came.\n"
MARKUP = "<img src=x onerror=alert(1)>.txt"


async def add(engine: TaskEngine, *names: str, processor: str = "external", owner: str = "") -> list[TaskId]:
    """Submit a task for each name, one after the other; nobody works on those of `external`."""
    source = await engine.store(TALE, name="tale.txt")
    return [
        (
            await engine.submit(
                evolve(source, name=name), processor=processor, owner=owner, on_duplicate=OnDuplicate.ALLOW
            )
        ).id
        for name in names
    ]


async def add_many(engine: TaskEngine, count: int, *, processor: str = "external") -> None:
    """Import so many tasks, whose names end with their number from 0 on."""
    source = await engine.store(TALE, name="tale.txt")
    await engine.import_tasks(
        NewTask(processor=processor, source=evolve(source, name=f"novel {n:06}.txt")) for n in range(count)
    )


def row(page: Page, name: str) -> Locator:
    """Return the row of the task of this name."""
    return page.get_by_role("list", name="Tasks").get_by_role("listitem").filter(has_text=name)


def rows(page: Page) -> Locator:
    """Return all rows that are there."""
    return page.get_by_role("list", name="Tasks").get_by_role("listitem")


def bulk(page: Page, action: str) -> Locator:
    """Return the button that does this to all that are selected."""
    return page.get_by_role("group", name="What to do with the selected tasks").get_by_role("button", name=action)


def failing(processors: Processors, retry: RetryPolicy | None = None) -> asyncio.Event:
    """Add a processor `fickle` that fails until the returned event is set; it is not tried again but by a policy."""
    mended = asyncio.Event()

    async def fickle(ctx: Any) -> None:
        if not mended.is_set():
            raise ValueError("the paper is wet")

    processors.register("fickle", fickle, retry=retry or RetryPolicy.never())
    return mended
