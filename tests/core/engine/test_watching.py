"""Watching: replay and live joined without a gap, from this process or another, until the task is over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from novel_tasks_core import (
    AttemptContext,
    Event,
    LogLevel,
    Processors,
    TaskCompleted,
    TaskDeleted,
    TaskEngine,
    TaskFailedError,
    TaskId,
    TaskNotFoundError,
    TaskProgressed,
)
from novel_tasks_core.engine import watching as watching_module
from novel_tasks_core.testing import drain

from ..support import AT_ONCE, Gate, eventually, watching


def seqs(events: list[Event]) -> list[int]:
    """Return the seqs of the stored events."""
    return [e.seq for e in events if not isinstance(e, TaskProgressed | TaskDeleted)]


@pytest.fixture
def talkative(processors: Processors) -> None:
    """A processor that logs as often as it is told, with pauses in which events are flushed."""

    async def talk(ctx: AttemptContext) -> str:
        for n in range(ctx.options["lines"]):
            await ctx.log(f"line {n}")
            await ctx.progress(n, total=ctx.options["lines"])
            if n % 10 == 0:
                await asyncio.sleep(0.005)
        if ctx.attempt == 1:
            raise ValueError("once more")
        return "done"

    processors.register("talk", talk, retry=AT_ONCE)


async def test_a_watcher_from_the_start_sees_everything_once(engine: TaskEngine, talkative: None) -> None:
    """Stored events arrive without gap or repeat, in order; a retry does not end the watch, the end does."""
    task = await engine.submit(processor="talk", options={"lines": 300}, note="n")
    async with watching(engine, task.id) as watcher, engine.worker():
        events = await watcher.finished()
    assert seqs(events) == list(range(1, len(seqs(events)) + 1))
    assert isinstance(events[-1], TaskCompleted)
    assert [e for e in events if not isinstance(e, TaskProgressed)] == await engine.events(task.id)
    for place, event in enumerate(events):
        if isinstance(event, TaskProgressed):
            assert event.after_seq >= max(seqs(events[:place]))


async def test_a_watcher_of_another_process_sees_the_same(
    engine: TaskEngine, another_engine: Any, talkative: None
) -> None:
    """The worker runs elsewhere: the doorbell tells that there is something to read."""
    task = await engine.submit(processor="talk", options={"lines": 300})
    async with another_engine() as other, watching(engine, task.id) as watcher, other.worker():
        events = await watcher.finished()
    assert seqs(events) == list(range(1, len(seqs(events)) + 1))
    assert isinstance(events[-1], TaskCompleted)


async def test_a_watcher_that_comes_back_misses_nothing(engine: TaskEngine, talkative: None) -> None:
    """It leaves at any moment and returns with its last seq, again and again."""
    task = await engine.submit(processor="talk", options={"lines": 200})
    seen: list[int] = []
    async with engine.worker():
        over = False
        while not over:
            watch = engine.watch(task.id, after=seen[-1] if seen else 0)
            patience = 1 + len(seen) % 7
            async for event in watch:
                over = isinstance(event, TaskCompleted)
                seen += seqs([event])
                patience -= 1
                if patience == 0:
                    break
            await watch.aclose()
    assert seen == list(range(1, (await engine.get(task.id)).last_seq + 1))


async def test_many_watchers_of_one_task_agree(engine: TaskEngine, gate: Gate) -> None:
    """Whenever they joined; those who joined late are shown where the task stands."""
    task = await engine.submit(processor="gate", note="n")
    async with engine.worker(), watching(engine, task.id) as early:
        ctx = await gate.next()
        await ctx.progress(0.5, stage="half")
        await eventually(lambda: [e for e in early.events if isinstance(e, TaskProgressed)])
        await eventually(lambda: _stage(engine, task.id))
        async with watching(engine, task.id, after=2) as late, watching(engine, task.id) as later:
            await late.subscribed.wait()
            assert isinstance(late.events[0], TaskProgressed)
            assert (late.events[0].fraction, late.events[0].stage) == (0.5, "half")
            await later.subscribed.wait()
            gate.let_go()
            assert seqs(await late.finished()) == [3]
            assert seqs(await later.finished()) == seqs(await early.finished()) == [1, 2, 3]


async def _stage(engine: TaskEngine, task_id: TaskId) -> str:
    return (await engine.get(task_id)).stage


async def test_a_finished_task_is_replayed_and_the_watch_ends(engine: TaskEngine, talkative: None) -> None:
    """Up to its last event, from any seq; beyond the last there is nothing."""
    task = await engine.submit(processor="talk", options={"lines": 3})
    await drain(engine)
    last = (await engine.get(task.id)).last_seq
    assert seqs([e async for e in engine.watch(task.id)]) == list(range(1, last + 1))
    assert seqs([e async for e in engine.watch(task.id, after=last - 1)]) == [last]
    assert [e async for e in engine.watch(task.id, after=last)] == []
    assert [e async for e in engine.watch(task.id, after=last + 100)] == []


async def test_a_requeued_task_can_be_watched_through_its_second_life(engine: TaskEngine, talkative: None) -> None:
    """The first completion in its history does not end the watch."""
    task = await engine.submit(processor="talk", options={"lines": 2})
    await drain(engine)
    first = (await engine.get(task.id)).last_seq
    await engine.requeue(task.id)
    async with watching(engine, task.id) as watcher, engine.worker():
        events = await watcher.finished()
    assert seqs(events) == list(range(1, (await engine.get(task.id)).last_seq + 1))
    assert [e.kind for e in events if e.kind in ("completed", "requeued")] == ["completed", "requeued", "completed"]
    assert len(events) > first


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_deletion_is_the_last_thing_heard(
    engine: TaskEngine, another_engine: Any, gate: Gate, elsewhere: bool
) -> None:
    """Here and in other processes, of a waiting task and of a running one; afterwards the task is unknown."""
    async with another_engine() as other:
        deleting = other if elsewhere else engine
        for running in (False, True):
            task = await engine.submit(processor="gate", note="n")
            async with watching(engine, task.id) as watcher:
                await watcher.subscribed.wait()
                if running:
                    async with engine.worker():
                        await gate.next()
                        await deleting.delete(task.id)
                        events = await watcher.finished()
                        await eventually(lambda: not gate.running)
                else:
                    await deleting.delete(task.id)
                    events = await watcher.finished()
            assert isinstance(events[-1], TaskDeleted)
            with pytest.raises(TaskNotFoundError):
                await anext(aiter(engine.watch(task.id)))


async def test_a_slow_watcher_still_gets_every_stored_event(engine: TaskEngine, processors: Processors) -> None:
    """One that stops reading while thousands of events pass catches up from the database."""

    async def shout(ctx: AttemptContext) -> None:
        for n in range(2000):
            await ctx.log(str(n), level=LogLevel.DEBUG)
            if n % 100 == 0:
                await asyncio.sleep(0)

    processors.register("shout", shout)
    task = await engine.submit(processor="shout", note="n")
    watch = engine.watch(task.id)
    seen = seqs([await anext(watch)])
    await drain(engine)
    seen += seqs([event async for event in watch])
    assert seen == list(range(1, 2004))


async def test_results_can_be_awaited(engine: TaskEngine, another_engine: Any, gate: Gate) -> None:
    """By many at once, here and elsewhere, before and after the end; a cancellation is an error."""
    task = await engine.submit(processor="gate")
    cancelled = await engine.submit(processor="gate")
    async with another_engine() as other, engine.worker():
        waiting = [asyncio.create_task(one.result(task.id)) for one in (engine, other, engine)]
        losing = asyncio.create_task(other.result(cancelled.id))
        for _ in range(2):
            await gate.next()
        await engine.cancel(cancelled.id, reason="no")
        with pytest.raises(TaskFailedError, match="cancelled: no"):
            await losing
        gate.let_go()
        assert await asyncio.gather(*waiting) == [{"attempt": 1}] * 3
        assert await engine.result(task.id) == {"attempt": 1}


async def test_nothing_depends_on_being_told(
    engine: TaskEngine, another_engine: Any, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a deaf doorbell a watcher elsewhere looks by itself: news only come later."""
    monkeypatch.setattr(watching_module, "LOOK_SECONDS", 0.1)
    task = await engine.submit(processor="gate")
    async with another_engine() as other:
        other._parts.doorbell._on_ring = lambda ring: None
        async with watching(other, task.id) as watcher, engine.worker():
            await gate.next()
            await eventually(lambda: seqs(watcher.events) == [1])
            gate.let_go()
            assert seqs(await watcher.finished()) == [1, 2]
