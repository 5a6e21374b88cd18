"""Readers who ask at one moment: what they share, and what they do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import evolve

from benchmarks.harness.wire import CLOCKED, Traffic, counted
from novel_tasks_core import (
    EngineClosedError,
    EngineConfig,
    NewTask,
    Processors,
    TaskEngine,
    TaskFilter,
    TaskNotFoundError,
)
from novel_tasks_core.models import new_task_id

READERS = 40


@asynccontextmanager
async def watched(config: EngineConfig, processors: Processors) -> AsyncIterator[tuple[TaskEngine, Traffic]]:
    """Open an engine whose every statement is counted."""
    with TemporaryDirectory(prefix="nt-") as folder:
        async with (
            counted(str(config.database_url), folder=Path(folder)) as (url, traffic),
            TaskEngine.open(evolve(config, database_url=url), processors=processors) as engine,
        ):
            yield engine, traffic


def statements(traffic: Traffic) -> int:
    """Return how many statements the readers' questions took."""
    return traffic.totals(without=CLOCKED)[0]


async def test_tasks_are_looked_up_together(engine_config: EngineConfig, processors: Processors) -> None:
    """Forty who ask for different tasks at one moment get each their own, by a statement or two."""
    async with watched(engine_config, processors) as (engine, traffic):
        ids = await engine.submit_many([NewTask(processor="external", session_id=str(n)) for n in range(READERS)])
        await engine.get(ids[0])
        traffic.clear()
        tasks = await asyncio.gather(*map(engine.get, ids))
        assert [task.session_id for task in tasks] == [str(n) for n in range(READERS)]
        assert statements(traffic) <= 2


async def test_the_same_page_and_the_same_counts_are_asked_for_once(
    engine_config: EngineConfig, processors: Processors
) -> None:
    """Forty who want the same at one moment cost a statement or two; another owner's page is another question."""
    async with watched(engine_config, processors) as (engine, traffic):
        await engine.submit_many([NewTask(processor="external", owner=owner) for owner in ("ann", "bob", "bob")])
        await engine.find()
        traffic.clear()
        pages = await asyncio.gather(*(engine.find() for _ in range(READERS)))
        assert {page.total for page in pages} == {3}
        assert statements(traffic) <= 2
        traffic.clear()
        counts = await asyncio.gather(*(engine.statistics() for _ in range(READERS)))
        assert {one.total for one in counts} == {3}
        assert statements(traffic) <= 2
        owners = ("ann", "bob", "nobody") * READERS
        pages = await asyncio.gather(*(engine.find(TaskFilter(owner=owner)) for owner in owners))
        sums = await asyncio.gather(*(engine.statistics(owner=owner) for owner in owners))
        for owner, page, one in zip(owners, pages, sums, strict=True):
            assert {task.owner for task in page.items} <= {owner}
            assert len(page.items) == page.total == one.total == {"ann": 1, "bob": 2, "nobody": 0}[owner]


async def test_an_answer_is_never_older_than_its_question(engine: TaskEngine) -> None:
    """Whoever has submitted sees it in what they ask for then, however many others ask all the time."""

    async def submit_and_look(owner: str) -> None:
        for made in range(1, 11):
            task = await engine.submit(processor="external", owner=owner)
            assert (await engine.get(task.id)).id == task.id
            page, counts = await asyncio.gather(
                engine.find(TaskFilter(owner=owner), limit=1), engine.statistics(owner=owner)
            )
            assert (page.items[0].id, page.total, counts.total) == (task.id, made, made)
            everything = await engine.find(limit=1000)
            assert task.id in {one.id for one in everything.items}

    await asyncio.gather(*(submit_and_look(f"owner-{n}") for n in range(10)))


async def test_a_task_that_there_is_not_spoils_no_other_look_up(engine: TaskEngine) -> None:
    """One who asks for an unknown task at the same moment is alone told so."""
    task = await engine.submit(processor="external")
    found, missing = await asyncio.gather(engine.get(task.id), engine.get(new_task_id()), return_exceptions=True)
    assert found == task
    assert isinstance(missing, TaskNotFoundError)


async def test_a_reader_who_leaves_takes_no_other_along(engine: TaskEngine) -> None:
    """A cancelled call leaves the others their answers."""
    task = await engine.submit(processor="external")
    readers = [asyncio.create_task(engine.get(task.id)) for _ in range(4)]
    lists = [asyncio.create_task(engine.find()) for _ in range(4)]
    await asyncio.sleep(0)
    for leaving in (readers[0], lists[0]):
        leaving.cancel()
    assert await asyncio.gather(*readers[1:]) == [task] * 3
    assert [page.total for page in await asyncio.gather(*lists[1:])] == [1] * 3
    assert readers[0].cancelled()
    assert lists[0].cancelled()


async def test_pages_from_the_start_meet_those_further_on(engine: TaskEngine) -> None:
    """Each task is on exactly one page, by number and by cursor, also where pages are no longer shared."""
    ids = await engine.submit_many([NewTask(processor="external") for _ in range(1_250)])
    by_number = [await engine.find(limit=100, offset=offset) for offset in range(0, 1_400, 100)]
    assert [task.id for page in by_number for task in page.items] == ids[::-1]
    assert {page.total for page in by_number} == {1_250}
    assert [page.next_cursor is None for page in by_number] == [False] * 12 + [True] * 2
    found, cursor = [], None
    while True:
        page = await engine.find(limit=400, cursor=cursor)
        found += [task.id for task in page.items]
        assert page.total == 1_250
        if (cursor := page.next_cursor) is None:
            break
    assert found == ids[::-1]


async def test_a_closed_engine_answers_no_reader(engine_config: EngineConfig, processors: Processors) -> None:
    """Who asks when the engine has closed is told, and waits for nothing."""
    async with TaskEngine.open(engine_config, processors=processors) as engine:
        task = await engine.submit(processor="external")
    for question in (engine.get(task.id), engine.find(), engine.statistics()):
        with pytest.raises(EngineClosedError):
            await asyncio.wait_for(question, 60)
