"""Databases that are made large."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from benchmarks.growth import FREE_BYTES, require_space
from benchmarks.harness.history import multiply, size_of
from benchmarks.harness.noops import noop_engine, wave
from benchmarks.harness.run import BenchmarkError, BenchmarkSkippedError, Run
from novel_tasks_core import TaskFilter, TaskStatus

ROWS = """
select (select count(*) from tasks where status = 'completed' and result is not null),
       (select count(*) from all_attempts), (select count(*) from task_events)
"""


@pytest.fixture
def run(template: str, tmp_path: Path) -> Run:
    """A quick run."""
    return Run(quick=True, server_url=template, folder=tmp_path)


async def test_a_finished_task_is_multiplied_with_all_its_rows(run: Run, database_url: str) -> None:
    """Copies have result, attempt and events, count as completed, and the engine lists them; nothing is ready."""
    async with noop_engine(run, database_url) as (engine, counter):
        async with engine.worker(concurrency=1):
            await wave(engine, counter, tasks=1)
        before = await size_of(database_url)
        await multiply(database_url, tasks=2_000)
        connection = await asyncpg.connect(database_url)
        (rows,) = await connection.fetch(ROWS)
        assert tuple(rows) == (2_001, 2_001, 4_002)
        await connection.close()
        assert await engine.count(TaskFilter(status=TaskStatus.COMPLETED)) == 2_001
        newest, copy = (await engine.find(limit=2)).items
        assert len(await engine.events(copy.id)) == len(await engine.events(newest.id)) == 2
        assert (await engine.get(copy.id)).result == (await engine.get(newest.id)).result
        assert await size_of(database_url) > before


async def test_without_a_finished_task_there_is_nothing_to_multiply(database_url: str) -> None:
    """An empty database is an error, not an empty history."""
    with pytest.raises(BenchmarkError, match="no completed task"):
        await multiply(database_url, tasks=10)


def test_growth_is_skipped_where_space_is_short(run: Run) -> None:
    """Only a full run needs much space."""
    require_space(run, free=0)
    full = Run(quick=False, server_url="", folder=run.folder)
    require_space(full, free=FREE_BYTES)
    with pytest.raises(BenchmarkSkippedError, match=r"needs 20 GB of free space and there are 1\.0"):
        require_space(full, free=1 << 30)
