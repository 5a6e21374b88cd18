"""Programs that take part in a benchmark: how they are told what to do, and what they do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from benchmarks.harness import bounds
from benchmarks.harness.engine_programs import engine_program
from benchmarks.harness.partners import partner
from benchmarks.harness.raw_programs import raw_program
from benchmarks.harness.run import BenchmarkError, Run
from novel_tasks_core import EngineConfig, Processors, TaskEngine, TaskFilter, TaskStatus

ECHO = """
import asyncio
from benchmarks.harness.partners import obey

async def double(number): return [number, 2 * number]
async def fail(): raise RuntimeError("the last words")

asyncio.run(obey({"double": double, "fail": fail}))
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log, in a folder where a partner finds the module `echo`."""
    (tmp_path / "echo.py").write_text(ECHO)
    return tmp_path / "log"


@pytest.fixture
async def empty_url(postgres_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database."""
    async with Run(quick=True, server_url=postgres_url, folder=tmp_path).database() as url:
        yield url


async def test_a_partner_answers_one_order_after_the_other(log: Path) -> None:
    """Orders and answers are JSON; when the block ends, so does the partner, in good order."""
    async with partner("echo", log=log) as echo:
        assert echo.pid in {child.pid for child in psutil.Process().children()}
        assert [await echo.ask("double", number=n) for n in (1, 2)] == [[1, 2], [2, 4]]
    assert echo.process.returncode == 0
    assert log.read_text() == ""


async def test_a_partner_that_dies_is_explained(log: Path) -> None:
    """The end of what it said is in the error."""
    async with partner("echo", log=log) as echo:
        with pytest.raises(BenchmarkError, match="the last words"):
            await echo.ask("fail")


async def test_a_partner_that_does_not_start_is_explained(log: Path) -> None:
    """A run cannot go on without it."""
    with pytest.raises(BenchmarkError, match="No module named"):
        async with partner("no_such_module", log=log):
            pytest.fail("it started")


async def test_the_floor_of_latencies_starts_every_row_once(empty_url: str, tmp_path: Path) -> None:
    """The bound does the whole work: each row is stored, heard of, claimed, and counted once."""
    await bounds.create(empty_url)
    async with (
        raw_program("worker", url=empty_url, folder=tmp_path) as works,
        raw_program("submitter", url=empty_url, folder=tmp_path) as submits,
    ):
        await submits.ask("arrivals", tasks=100, rate=2000.0, seed=1)
        seconds = await works.ask("taken", tasks=100)
    assert len(seconds) == 100
    assert min(seconds) > 0
    connection = await asyncpg.connect(empty_url)
    rows = await connection.fetch("select status, count(*) from raw_tasks group by status")
    assert [tuple(row) for row in rows] == [(1, 100)]
    await connection.close()


async def test_engines_in_two_processes_measure_each_start(database_url: str, tmp_path: Path) -> None:
    """What one process submits starts in the other, which tells how long each took."""
    async with (
        engine_program("worker", url=database_url, folder=tmp_path) as works,
        engine_program("submitter", url=database_url, folder=tmp_path) as submits,
    ):
        await submits.ask("one_by_one", tasks=2)
        assert len(await works.ask("taken", tasks=2)) == 2
        await submits.ask("arrivals", tasks=50, rate=1000.0, seed=1)
        seconds = await works.ask("taken", tasks=50)
        assert (len(seconds), min(seconds) > 0) == (50, True)
        await works.ask("tidy")
        await works.ask("committed", tasks=52)


async def test_tasks_that_talk_are_watched_to_their_end(database_url: str, tmp_path: Path) -> None:
    """Ten log lines of every task are stored, and the worker's process has seen each task finish."""
    async with engine_program("worker", url=database_url, folder=tmp_path) as works:
        await works.ask("talk", tasks=60)
    config = EngineConfig(database_url=database_url, data_dir=tmp_path / "reader")
    async with TaskEngine.open(config, processors=Processors()) as engine:
        assert await engine.count(TaskFilter(status=TaskStatus.COMPLETED)) == 60
        (task,) = (await engine.find(limit=1)).items
        assert len(await engine.logs(task.id)) == 10
