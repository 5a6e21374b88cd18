"""Artifacts are made durable outside the slot of their attempt, which is not over before they are."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from novel_tasks_core import AttemptContext, Processors, TaskEngine, TaskStatus

from ..support import Db, eventually

DATA = b"kept"


async def keep(ctx: AttemptContext) -> None:
    """Save an artifact."""
    await ctx.save_artifact("kept.txt", DATA)


async def after(ctx: AttemptContext) -> None:
    """Do nothing more."""


class StoreLocked:
    """Holds the row of the artifact's file, so that it cannot be stored; leaving lets go."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._transaction: Any = None

    async def __aenter__(self) -> StoreLocked:
        self._transaction = self._db.transaction()
        await self._transaction.start()
        await self._db.execute(
            "insert into files (sha256, size) values ($1, $2)", hashlib.sha256(DATA).digest(), len(DATA)
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._transaction.rollback()


async def test_the_next_attempt_runs_while_artifacts_are_stored(
    engine: TaskEngine, processors: Processors, db: Db
) -> None:
    """The only slot takes the next task although the artifacts of the one before are not durable yet."""
    processors.register("keep", keep)
    processors.register("after", after)
    async with engine.worker(concurrency=1):
        async with StoreLocked(db):
            kept = await engine.submit(processor="keep")
            other = await engine.submit(processor="after")
            await engine.result(other.id)
            assert (await engine.get(kept.id)).status is TaskStatus.PROCESSING
        await engine.result(kept.id)


async def test_no_more_attempts_keep_than_there_are_slots(engine: TaskEngine, processors: Processors, db: Db) -> None:
    """A slow disk sets the pace: with one slot, one attempt stores and one waits in the slot."""
    processors.register("keep", keep)
    async with engine.worker(concurrency=1) as worker:
        async with StoreLocked(db):
            tasks = [await engine.submit(processor="keep") for _ in range(4)]
            await eventually(lambda: _processing(engine, 2))
            assert worker.running == 1
        for task in tasks:
            await engine.result(task.id)


async def _processing(engine: TaskEngine, wanted: int) -> bool:
    return (await engine.statistics()).processing == wanted


async def test_a_drain_waits_for_artifacts(engine: TaskEngine, processors: Processors, db: Db) -> None:
    """What has given up its slot is waited for, also after others have left theirs, and completes."""
    processors.register("keep", keep)
    processors.register("after", after)
    async with engine.worker(concurrency=1) as worker:
        async with StoreLocked(db):
            kept = await engine.submit(processor="keep")
            await eventually(lambda: _is_keeping(engine, kept.id, worker))
            other = await engine.submit(processor="after")
            await engine.result(other.id)
            draining = asyncio.create_task(worker.drain(grace_seconds=600))
            await asyncio.sleep(0)
            assert not draining.done()
        await draining
    assert (await engine.get(kept.id)).status is TaskStatus.COMPLETED


async def _is_keeping(engine: TaskEngine, task_id: Any, worker: Any) -> bool:
    return (await engine.get(task_id)).status is TaskStatus.PROCESSING and worker.running == 0
