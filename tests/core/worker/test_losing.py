"""What a worker does when it hears that leases of its own are gone."""

from __future__ import annotations

import asyncio
import contextlib

from novel_tasks_core import AttemptContext, NewTask, Observer, OutcomeKind, Processors, TaskEngine, Worker
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.storage.workers import Flags

from ..support import AT_ONCE, Db, Gate, Heard, eventually, waiting_for_locks


class BadNews(Observer):
    """Tells a worker that all its leases are gone at a moment when attempts have a slot but had no turn of the loop."""

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.told = 0

    def slots_changed(self, *, used: int, total: int) -> None:
        """Bring the news once, when slots are first used."""
        if self.worker is not None and used and not self.told:
            held = self.worker._flusher.held
            assert not any(running.started for running in held.values())
            self.told = len(held)
            asyncio.get_running_loop().call_soon(self.worker.apply_flags, Flags((), tuple(held)))
            self.worker.apply_flags(Flags((), tuple(held)))


async def test_leases_may_be_lost_before_their_attempts_had_a_turn(
    engine_config: EngineConfig, processors: Processors, gate: Gate, db: Db
) -> None:
    """None of them runs, each is forgotten once, and the worker goes on with others."""
    news = BadNews()
    async with (
        TaskEngine.open(engine_config, processors=processors, observers=[news]) as engine,
        engine.worker(concurrency=2) as worker,
    ):
        news.worker = worker
        await engine.submit_many(NewTask(processor="gate") for _ in range(2))
        await eventually(lambda: news.told == 2)
        await eventually(lambda: not worker._flusher.held)
        assert gate.begun.empty()
        news.worker = None
        await engine.submit(processor="gate")
        await gate.next()
        gate.let_go()


async def test_a_worker_that_is_declared_dead_as_it_claims_comes_back(
    engine_config: EngineConfig, processors: Processors, db: Db
) -> None:
    """It was stopped between a claim and the first step of its attempts: it starts anew and its tasks run again."""
    gate = Gate()
    processors.register("again", gate.run, retry=AT_ONCE)

    class Death(Observer):
        worker: Worker | None = None

        def slots_changed(self, *, used: int, total: int) -> None:
            if self.worker is not None and used:
                worker, self.worker = self.worker, None
                worker._lost("it was declared dead")

    death = Death()
    async with (
        TaskEngine.open(engine_config, processors=processors, observers=[death]) as engine,
        engine.worker(concurrency=2) as worker,
    ):
        before, death.worker = worker.id, worker
        task = await engine.submit(processor="again")
        assert (await gate.next()).attempt == 2
        assert worker.id != before
        gate.let_go()
        await engine.result(task.id)
        outcomes = [attempt.outcome for attempt in await engine.attempts(task.id)]
    assert outcomes == [OutcomeKind.LOST, OutcomeKind.COMPLETED]


async def test_what_was_claimed_under_an_id_that_is_gone_does_not_run(
    engine: TaskEngine, stubborn_gate: Gate, db: Db
) -> None:
    """The answer to a claim comes after its worker was declared dead: the task is rescued and claimed anew."""
    async with engine.worker(concurrency=2) as worker:
        async with db.transaction():
            await db.execute("lock table task_leases in share mode")
            task = await engine.submit(processor="again")
            await eventually(lambda: waiting_for_locks(db, "claim", 1))
            before = worker.id
            worker._lost("it was declared dead")
            await eventually(lambda: worker.id != before)
        assert (await stubborn_gate.next()).attempt == 2
        stubborn_gate.let_go()
        await engine.result(task.id)
        outcomes = [attempt.outcome for attempt in await engine.attempts(task.id)]
    assert outcomes == [OutcomeKind.LOST, OutcomeKind.COMPLETED]
    assert stubborn_gate.begun.empty()


async def test_what_a_lost_attempt_says_is_not_mixed_up_with_the_next_one(
    engine_config: EngineConfig, processors: Processors
) -> None:
    """A worker that was declared dead runs a task again before its first attempt stopped: only the second counts."""
    began, zombie_spoke = asyncio.Event(), asyncio.Event()

    async def run(ctx: AttemptContext) -> int:
        if ctx.attempt == 1:
            began.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await again.wait()
            await ctx.log("too late")
            await ctx.progress(0.9, stage="zombie")
            zombie_spoke.set()
            return 1
        again.set()
        await ctx.log("in time")
        await zombie_spoke.wait()
        return 2

    again, heard = asyncio.Event(), Heard()
    processors.register("again", run, retry=AT_ONCE)
    async with (
        TaskEngine.open(engine_config, processors=processors, observers=[heard]) as engine,
        engine.worker(concurrency=2) as worker,
    ):
        task = await engine.submit(processor="again")
        await began.wait()
        worker._lost("it was declared dead")
        assert await engine.result(task.id) == 2
        assert [entry.message for entry in await engine.logs(task.id)] == ["in time"]
        await eventually(lambda: heard.finished and heard.lost)
        assert not worker.failed
    assert (heard.finished, heard.lost) == ([2], 1)
