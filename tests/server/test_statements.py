"""How many statements a request costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from aiohttp.test_utils import TestClient, TestServer
from attrs import evolve

from benchmarks.harness.wire import CLOCKED, Traffic, counted
from novel_tasks_core import EngineConfig, TaskEngine
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig


@pytest.fixture
async def traffic(engine_config: EngineConfig) -> AsyncIterator[tuple[Traffic, EngineConfig]]:
    """The settings of an engine whose every statement is counted, and the counters."""
    with TemporaryDirectory(prefix="nt-") as folder:
        async with counted(str(engine_config.database_url), folder=Path(folder)) as (url, traffic):
            yield traffic, evolve(engine_config, database_url=url)


async def test_the_log_of_a_task_costs_one_statement_more(traffic: tuple[Traffic, EngineConfig]) -> None:
    """A task with its log takes one statement for the task, and one for all lines."""
    seen, config = traffic
    async with TaskEngine.open(config) as engine:
        app = create_app(ServerConfig(engine=config), engine=engine)
        async with TestClient(TestServer(app)) as client:
            task = await engine.submit(processor="external", note="first")
            path = f"/api/v1/tasks/task-{task.id.hex}"
            costs = []
            for query in ({}, {"include": "logs"}):
                await client.get(path, params=query)
                seen.clear()
                assert (await client.get(path, params=query)).status == 200
                costs.append(seen.totals(without=CLOCKED)[0])
    assert costs == [1, 2]
