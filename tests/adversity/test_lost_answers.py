"""The answer is lost after the commit: whatever was asked has happened exactly once, and everybody finds out."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from novel_tasks_core import (
    AttemptContext,
    EngineConfig,
    LogLevel,
    NewTask,
    OnDuplicate,
    OutcomeKind,
    Processors,
    TaskEngine,
    TaskStatus,
)
from novel_tasks_core.models import Completed, WorkerId

from ..core.storage.bench import Bench, open_bench
from ..core.support import AT_ONCE, NO_RETRY, Db, Gate, Heard, ended, eventually, waiting_for_locks, watching
from .proxy import Proxy


@pytest.fixture
def quick(processors: Processors) -> None:
    """The processor `quick`."""

    async def run(ctx: AttemptContext) -> int:
        await ctx.log("hello", level=LogLevel.DEBUG)
        return ctx.attempt

    processors.register("quick", run, retry=NO_RETRY)


async def test_an_end_whose_answer_is_lost_is_stored_once(
    far_engine: TaskEngine, proxy: Proxy, quick: None, db: Db
) -> None:
    """Fifteen times in a row: each task is completed by its one attempt, and its history has no repeat."""
    async with far_engine.worker():
        for _ in range(15):
            proxy.lose_answers("novel-tasks flush", 1)
            task = await far_engine.submit(processor="quick")
            async with watching(far_engine, task.id) as watcher:
                assert await far_engine.result(task.id) == 1
                assert [e.kind for e in await watcher.finished()] == ["started", "log", "completed"]
    assert proxy.lost["novel-tasks flush"] >= 12
    rows = await db.fetch("select outcome, count(*) from all_attempts group by 1")
    assert [tuple(row) for row in rows] == [("completed", 15)]
    assert await db.fetchval("select count(*) from task_events") == 45


async def test_an_end_that_arrives_after_the_question_is_known_for_what_it_was(
    far_config: EngineConfig, processors: Processors, proxy: Proxy, gate: Gate, db: Db
) -> None:
    """Its connection broke while it waited for a lock: nothing was stored when the worker asked, and then all was."""
    heard = Heard()
    patient = attrs.evolve(far_config, command_timeout_seconds=10)
    async with TaskEngine.open(patient, processors=processors, observers=[heard]) as engine, engine.worker():
        task = await engine.submit(processor="gate")
        await gate.next()
        await eventually(lambda: engine.events(task.id))
        async with db.transaction():
            await db.execute("select from tasks where id = $1 for update", task.id)
            gate.let_go()
            await eventually(lambda: waiting_for_locks(db, "flush", 1))
            proxy.cut("novel-tasks flush")
            await eventually(lambda: waiting_for_locks(db, "flush", 2))
        await eventually(lambda: heard.finished or heard.lost)
    assert (heard.finished, heard.lost) == ([1], 0)


async def test_events_whose_answer_is_lost_are_stored_once(far_engine: TaskEngine, proxy: Proxy, gate: Gate) -> None:
    """What a running attempt said does not appear twice because nobody confirmed it the first time."""
    async with far_engine.worker():
        task = await far_engine.submit(processor="gate")
        ctx = await gate.next()
        async with watching(far_engine, task.id) as watcher:
            for n in range(5):
                lost = proxy.lost["novel-tasks flush"]
                proxy.lose_answers("novel-tasks flush", 1)
                await ctx.log(f"line {n}")
                await eventually(lambda lost=lost: proxy.lost["novel-tasks flush"] > lost)  # type: ignore[misc]
            gate.let_go()
            events = await watcher.finished()
    assert [getattr(e, "message", e.kind) for e in events] == ["started", *(f"line {n}" for n in range(5)), "completed"]
    assert events == await far_engine.events(task.id)


async def test_a_retry_whose_answer_is_lost_is_scheduled_once(
    far_engine: TaskEngine, proxy: Proxy, processors: Processors
) -> None:
    """Each failure counts once, and each attempt runs once."""
    ran: list[int] = []

    async def fail(ctx: AttemptContext) -> None:
        ran.append(ctx.attempt)
        proxy.lose_answers("novel-tasks flush", 1)
        raise ValueError("as wanted")

    processors.register("fail", fail, retry=AT_ONCE)
    async with far_engine.worker():
        task = await far_engine.submit(processor="fail")
        done = await ended(far_engine, task)
    assert (done.status, done.failures, done.attempt, ran) == (TaskStatus.FAILED, 3, 3, [1, 2, 3])
    assert proxy.lost["novel-tasks flush"] == 3


async def test_a_claim_whose_answer_is_lost_is_given_back(
    far_engine: TaskEngine, proxy: Proxy, quick: None, db: Db
) -> None:
    """The tasks were leased to a worker that never heard of it, and that goes on beating: it finds and returns them."""
    async with far_engine.worker():
        await far_engine.result((await far_engine.submit(processor="quick")).id)
        proxy.lose_answers("novel-tasks claim", 1)
        tasks = [await far_engine.submit(processor="quick") for _ in range(10)]
        for task in tasks:
            assert (await ended(far_engine, task)).status is TaskStatus.COMPLETED
    assert proxy.lost["novel-tasks claim"] == 1
    assert await db.fetchval("select max(failures) from tasks") == 0
    outcomes = await db.fetch("select distinct outcome from all_attempts")
    assert {row["outcome"] for row in outcomes} == {OutcomeKind.COMPLETED, OutcomeKind.RELEASED}


async def test_a_submit_whose_answer_is_lost_is_told_as_what_it_was(
    far_engine: TaskEngine, proxy: Proxy, gate: Gate
) -> None:
    """Stored once, with its key or without; many at once too, those whose key was taken included."""
    proxy.lose_answers("novel-tasks submit", 1)
    task = await far_engine.submit(processor="gate", note="n")
    assert await far_engine.get(task.id) == task
    proxy.lose_answers("novel-tasks submit-keys", 1)
    keyed = await far_engine.submit(processor="gate", key="k")
    proxy.lose_answers("novel-tasks submit-keys", 1)
    same = await asyncio.gather(
        *(far_engine.submit(processor="gate", key="k", on_duplicate=OnDuplicate.RETURN) for _ in range(5)),
        *(far_engine.submit(processor="gate", key=f"k{n}") for n in range(5)),
    )
    assert {one.id for one in same[:5]} == {keyed.id}
    assert all(one.duplicate for one in same[:5])
    assert not any(one.duplicate for one in same[5:])
    proxy.lose_answers("novel-tasks submit", 1)
    ids = await far_engine.submit_many(NewTask(processor="gate") for _ in range(20))
    assert await far_engine.count() == 1 + 1 + 5 + len(ids)
    assert (proxy.lost["novel-tasks submit"], proxy.lost["novel-tasks submit-keys"]) == (2, 2)


async def test_a_submit_whose_commit_is_not_confirmed_is_told_as_what_it_was(
    far_engine: TaskEngine, proxy: Proxy, gate: Gate
) -> None:
    """What takes a transaction of several statements: a replacement, a bulk call with keys, an import."""
    first = await far_engine.submit(processor="gate", key="k")
    proxy.lose_commits("novel-tasks", 1)
    second = await far_engine.submit(processor="gate", key="k", on_duplicate=OnDuplicate.REPLACE)
    assert (await far_engine.get(first.id)).status is TaskStatus.CANCELLED
    assert (await far_engine.submit(processor="gate", key="k")).id == second.id
    proxy.lose_commits("novel-tasks", 1)
    ids = await far_engine.submit_many(NewTask(processor="gate", key=key) for key in ("k", "l", None))
    assert ids[0] == second.id
    proxy.lose_commits("novel-tasks import", 1)
    assert await far_engine.import_tasks([NewTask(processor="gate")] * 3) == 3
    assert await far_engine.count() == 2 + 2 + 3
    assert (proxy.lost["novel-tasks"], proxy.lost["novel-tasks import"]) == (2, 1)


async def test_without_the_question_who_ended_it_the_result_would_be_lost(
    database_url: str, engine_config: EngineConfig
) -> None:
    """The mutant: a worker that just sends its end again is told that it lost its lease, and would drop a done task."""
    async for bench in open_bench(database_url, engine_config):
        assert await told_twice(bench, confirm=True)
        await bench.clear()
        assert not await told_twice(bench, confirm=False)


async def told_twice(bench: Bench, *, confirm: bool) -> bool:
    """Send an end twice, as after a lost answer, and say whether the worker learns that it was stored."""
    task_id = await bench.submit()
    [claim] = await bench.claim(1)
    await bench.complete(claim, holder=1)
    again = await bench.end(claim, Completed(), holder=1)
    if confirm:
        again = await bench.queue.confirm([bench.ending(claim, Completed())], finisher=WorkerId(1))
    return task_id in again.last_seq
