"""The database crashes and comes back while a worker works: the engine waits for it, and nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg

from novel_tasks_core import AttemptContext, DatabaseUnavailableError, EngineConfig, NewTask, Processors, TaskEngine
from novel_tasks_core.storage.embedded import EmbeddedPostgres

from ..conftest import check_invariants
from ..core.support import NO_RETRY, eventually
from .programs import crash, restart


async def test_a_database_that_crashes_is_waited_for(open_folder: Path) -> None:
    """Twice in the middle of the work: unhealthy meanwhile, then every task is completed by its one attempt."""

    async def short(ctx: AttemptContext) -> int:
        await asyncio.sleep(0.02)
        return ctx.attempt

    processors = Processors()
    processors.register("short", short, retry=NO_RETRY)
    async with EmbeddedPostgres(open_folder / "postgres") as server:
        config = EngineConfig(database_url=server.url, data_dir=open_folder / "data", poll_max_seconds=0.2)
        async with TaskEngine.open(config, processors=processors) as engine, engine.worker(concurrency=4):
            ids = await engine.submit_many(NewTask(processor="short") for _ in range(600))
            for completed in (50, 200):
                await eventually(lambda most=completed: _completed(engine, most))  # type: ignore[misc]
                await crash(server)
                health = await engine.health()
                assert (health.healthy, health.database) == (False, False)
                await restart(server)
            await eventually(lambda: _completed(engine, len(ids)), within_seconds=240)
            assert (await engine.health()).healthy
        connection = await asyncpg.connect(server.url)
        rows = await connection.fetch("select outcome, count(*) from all_attempts group by 1")
        outcomes = {row["outcome"]: row["count"] for row in rows}
        assert (outcomes.pop("completed"), set(outcomes) - {"released"}) == (len(ids), set())
        assert await connection.fetchval("select max(failures) from tasks") == 0
        await connection.close()
        await check_invariants(server.url)


async def _completed(engine: TaskEngine, at_least: int) -> bool:
    try:
        return (await engine.statistics()).completed >= at_least
    except DatabaseUnavailableError:
        return False
