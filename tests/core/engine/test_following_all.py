"""Following all tasks: what happens anywhere is told soon and once; what cannot be named is owned up to."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from novel_tasks_core import (
    AttemptContext,
    Changes,
    EngineClosedError,
    EngineConfig,
    NewTask,
    Processors,
    TaskEngine,
    TaskFilter,
    TaskId,
    TaskStatus,
    TaskSummary,
)
from novel_tasks_core.engine import arrivals as arrivals_module
from novel_tasks_core.engine import feeding as feeding_module
from novel_tasks_core.engine import told as told_module
from novel_tasks_core.storage.doorbell import Ring
from novel_tasks_core.testing import drain
from novel_tasks_core.worker import flusher as flusher_module

from ..followers import Follower, following
from ..support import Db, Gate, eventually

FAR = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
def nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not told of something never finds it by a look of his own."""
    monkeypatch.setattr(feeding_module, "LOOK_SECONDS", 3600)


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_the_whole_life_of_a_task_is_told_at_once(
    engine: TaskEngine, another_engine: Any, gate: Gate, nobody_looks: None, elsewhere: bool
) -> None:
    """Submit, start, progress, log, end, requeue, cancel and deletion, here or in another process: by being told."""
    async with another_engine() as other, following(engine) as follower:
        acting: TaskEngine = other if elsewhere else engine
        task = await acting.submit(processor="gate", owner="ann")
        pending = await follower.heard(task.id, "pending")
        assert (pending.owner, pending.processor, pending.progress) == ("ann", "gate", 0)
        async with acting.worker():
            ctx = await gate.next()
            await follower.heard(task.id, "processing")
            await ctx.progress(0.25, stage="a quarter")
            await ctx.log("said")
            told = follower.told[task.id]
            await eventually(lambda: (told[-1].progress, told[-1].stage, told[-1].last_seq) == (0.25, "a quarter", 2))
            gate.let_go()
            done = await follower.heard(task.id, "completed")
            assert (done.progress, done.last_seq) == (1, 3)
        await acting.requeue(task.id)
        await eventually(lambda: follower.statuses(task.id)[-1] == "pending")
        await acting.cancel(task.id)
        await follower.heard(task.id, "cancelled")
        await acting.delete(task.id)
        await eventually(lambda: follower.deleted == {task.id: "ann"})
        assert follower.statuses(task.id) == ["pending", "processing", "completed", "pending", "cancelled"]
        assert follower.resyncs == 1
        versions = [(one.version, one.progress, one.stage) for one in told]
        assert len(versions) == len(set(versions))


async def test_a_claim_of_this_process_is_told_before_its_start_is_stored(
    engine: TaskEngine, gate: Gate, nobody_looks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task is processing from then on, as everybody sees who asks."""
    monkeypatch.setattr(flusher_module, "_EVENTS_SECONDS", 3600)
    task = await engine.submit(processor="gate")
    async with following(engine) as follower, engine.worker():
        assert (await follower.heard(task.id, "processing")).last_seq == 0
        gate.let_go()
        await follower.heard(task.id, "completed")


async def test_progress_of_this_process_is_told_before_it_is_written_down(
    engine: TaskEngine, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as to watchers; and what is read of the task meanwhile does not set it back."""
    monkeypatch.setattr(flusher_module, "_LEASE_PROGRESS_SECONDS", 3600)
    async with following(engine) as follower, engine.worker():
        task = await engine.submit(processor="gate")
        ctx = await gate.next()
        await follower.heard(task.id, "processing")
        told = follower.told[task.id]
        await eventually(lambda: told[-1].last_seq == 1)
        await ctx.progress(0.1)  # is written down at once, and then no more
        await eventually(lambda: told[-1].progress == 0.1)
        await eventually(lambda: _goes_on(ctx, told))
        await ctx.log("has the task looked at")
        await eventually(lambda: told[-1].last_seq == 2)
        assert told[-1].progress == 0.5
        assert (await engine.get(task.id)).progress == pytest.approx(0.1)
        gate.let_go()
        assert (await follower.heard(task.id, "completed")).progress == 1


async def _goes_on(ctx: AttemptContext, told: list[TaskSummary]) -> bool:
    await ctx.progress(0.5)
    return told[-1].progress == 0.5


async def test_scheduled_tasks_of_this_process_are_told(engine: TaskEngine, gate: Gate, nobody_looks: None) -> None:
    """One by one and many at once, though no worker has to hear of them."""
    async with following(engine) as follower:
        one = await engine.submit(processor="gate", run_at=FAR)
        assert (await follower.heard(one.id, "pending")).run_at == FAR
        many = await engine.submit_many([NewTask(processor="gate", run_at=FAR)] * 2)
        for task_id in many:
            await follower.heard(task_id, "pending")


async def test_scheduled_tasks_of_others_are_found(engine: TaskEngine, another_engine: Any, gate: Gate) -> None:
    """Nobody rings for them: the next look names them."""
    async with another_engine() as other, following(engine) as follower:
        task = await other.submit(processor="gate", run_at=FAR)
        assert (await follower.heard(task.id, "pending")).run_at == FAR
        assert follower.resyncs == 1


async def test_imports_and_bulk_submits_are_told(engine: TaskEngine, another_engine: Any, gate: Gate) -> None:
    """By name, while there are not too many."""
    async with another_engine() as other, following(engine) as follower:
        for acting in (engine, other):
            await acting.submit_many([NewTask(processor="gate")] * 100)
            await acting.import_tasks([NewTask(processor="gate")] * 100)
        await eventually(lambda: len(follower.told) == 400)


async def test_what_a_callers_transaction_brings_is_found_after_its_commit(
    engine: TaskEngine, another_engine: Any, gate: Gate, db: Db
) -> None:
    """It was rung for too early; the next look finds it by name."""
    async with another_engine() as other, following(engine) as follower:
        async with db.transaction():
            task = await other.submit(processor="gate", connection=db)
        await follower.heard(task.id, "pending", within_seconds=60)
        assert follower.resyncs == 1


async def test_what_came_too_late_to_be_named_is_not_passed_over(
    engine: TaskEngine, another_engine: Any, gate: Gate, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that lasts longer than looks go back: the number of all tasks tells that one has come."""
    monkeypatch.setattr(arrivals_module, "BACK", timedelta(seconds=0.5))
    monkeypatch.setattr(feeding_module, "LOOK_SECONDS", 0.6)
    async with another_engine() as other, following(engine) as follower:
        async with db.transaction():
            task = await other.submit(processor="gate", connection=db)
            await _counted(engine, 2)
            assert follower.resyncs == 1
        await eventually(lambda: follower.resyncs == 2)
        assert task.id not in follower.told


async def test_what_retention_takes_elsewhere_is_not_passed_over(
    engine: TaskEngine, another_engine: Any, gate: Gate
) -> None:
    """Nobody rings for it: the number of all tasks tells. Here it is named, with the owners."""
    here, there = [await engine.submit(processor="gate", owner="ann") for _ in range(2)]
    async with another_engine() as other:
        await engine.cancel(here.id)
        async with following(engine) as follower:
            await engine.prune(older_than_days=0)
            await eventually(lambda: follower.deleted == {here.id: "ann"})
            await other.cancel(there.id)
            await follower.heard(there.id, "cancelled")
            resyncs = follower.resyncs
            await other.prune(older_than_days=0)
            await eventually(lambda: follower.resyncs > resyncs)


async def test_deletions_do_not_unsettle_the_count(
    engine: TaskEngine, another_engine: Any, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old and new tasks, named and never seen, deleted here and elsewhere: all are accounted for."""
    monkeypatch.setattr(feeding_module, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(feeding_module, "DOUBT_SECONDS", 3.0)  # time to hear what was counted before it was told
    old = [await engine.submit(processor="gate") for _ in range(4)]
    async with another_engine() as other, following(engine) as follower:
        for acting in (engine, other):
            for task in (old.pop(), await acting.submit(processor="gate")):
                await acting.delete(task.id)
        told = await other.submit(processor="gate", owner="bob")
        await follower.heard(told.id, "pending")
        await other.delete(told.id)
        await eventually(lambda: len(follower.deleted) >= 5)
        assert follower.deleted[told.id] == "bob"
        await _counted(engine, 3)
        assert follower.resyncs == 1


async def _counted(engine: TaskEngine, times: int) -> None:
    """Wait until all tasks were counted so many times."""
    feed, seen = engine._parts.feeding._feed, asyncio.Queue[None]()
    arrived = feed.arrived

    async def counting(*args: Any, counts: bool, **rest: Any) -> Any:
        found = await arrived(*args, counts=counts, **rest)
        if counts:
            seen.put_nowait(None)
        return found

    feed.arrived = counting  # type: ignore[method-assign]
    async with asyncio.timeout(60):
        for _ in range(times):
            await seen.get()


async def test_of_a_crowd_every_task_is_told_or_owned_up_to(
    engine: TaskEngine, another_engine: Any, gate: Gate
) -> None:
    """Thousands of submits elsewhere, one by one and at once: what is not named comes before a resync."""
    async with another_engine() as other, following(engine) as follower:
        begun, began = len(follower.batches), time.monotonic()
        tasks = await asyncio.gather(*(other.submit(processor="gate") for _ in range(3000)))
        slowly = [await other.submit(processor="gate") for _ in range(100)]
        every = {task.id for task in (*tasks, *slowly)}
        await eventually(
            lambda: every <= follower.told.keys() or any(batch.resync for batch in follower.batches[begun:])
        )
        last = await other.submit(processor="gate")
        await follower.heard(last.id, "pending")
        resynced = any(batch.resync for batch in follower.batches[begun:])
        assert resynced or every <= follower.told.keys()
        assert all(len(batch.tasks) <= 1000 for batch in follower.batches)
        assert len(follower.batches) - begun <= 1 + (time.monotonic() - began) / 0.06


async def test_a_busy_process_elsewhere_brings_at_most_one_resync_a_second(
    engine: TaskEngine, another_engine: Any
) -> None:
    """It cannot name all that it ends; whoever follows is not sent to load its lists with every ring."""

    async def third(follower: Follower) -> bool:
        other._parts.doorbell.press().tasks = None
        return follower.resyncs >= 3

    began = time.monotonic()
    async with another_engine() as other, following(engine) as follower:
        await eventually(partial(third, follower))
        assert follower.resyncs <= 1 + (time.monotonic() - began) / 0.9


async def test_too_many_changes_at_once_are_not_named(
    engine: TaskEngine, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a thousand here while one look takes its time: a resync, and no more than the bound is named."""
    looks = asyncio.Event()
    summaries = engine._parts.feeding._feed.summaries

    async def slowly(task_ids: Any) -> Any:
        await looks.wait()
        return await summaries(task_ids)

    monkeypatch.setattr(engine._parts.feeding._feed, "summaries", slowly)
    await engine.submit_many([NewTask(processor="gate")] * 2500)
    async with following(engine) as follower:
        await engine.cancel_all(TaskFilter())
        looks.set()
        await eventually(lambda: follower.resyncs == 2)
        assert all(len(batch.tasks) <= 1000 for batch in follower.batches)


async def test_a_batch_asks_for_no_more_than_it_tells(
    engine: TaskEngine, another_engine: Any, gate: Gate, asked: list[int]
) -> None:
    """Many that appear at one moment elsewhere, fewer than a look sees: they are not looked up in vain."""
    async with another_engine() as other, following(engine) as follower:
        await other.import_tasks([NewTask(processor="gate")] * 1500)
        await eventually(lambda: follower.resyncs == 2)
        last = await other.submit(processor="gate")
        await follower.heard(last.id, "pending")
        assert max(asked) <= 1000


async def test_what_is_told_is_not_told_again(engine: TaskEngine, gate: Gate, nobody_looks: None) -> None:
    """Whoever rings twice for one change, or for none, is heard once."""
    async with following(engine) as follower:
        task = await engine.submit(processor="gate")
        await follower.heard(task.id, "pending")
        again = Ring()
        again.add_tasks([task.id])
        engine._parts.heard(again)
        await engine.delete((await engine.submit(processor="gate")).id)
        await eventually(lambda: follower.deleted)
        [gone] = follower.deleted
        again.add_tasks([gone])
        engine._parts.heard(again)
        last = await engine.submit(processor="gate")
        await follower.heard(last.id, "pending")
        await engine.cancel(last.id)
        await follower.heard(last.id, "cancelled")
        assert len(follower.told[task.id]) == 1
        assert follower.error is None


async def test_a_slow_reader_gets_one_batch_for_many_and_then_a_resync(engine: TaskEngine, gate: Gate) -> None:
    """What it has not read becomes one batch with each task once; when that grows too large it is dropped."""
    async with following(engine) as quick, aclosing(engine.changes()) as slow:
        assert await anext(slow) == Changes(resync=True)
        tasks = [await engine.submit(processor="gate") for _ in range(3)]
        for task in tasks:
            await quick.heard(task.id, "pending")
        await engine.cancel(tasks[0].id)
        await quick.heard(tasks[0].id, "cancelled")
        await engine.delete(tasks[1].id)
        await eventually(lambda: tasks[1].id in quick.deleted)
        batch = await anext(slow)
        assert {task.id: task.status for task in batch.tasks} == {
            tasks[0].id: TaskStatus.CANCELLED,
            tasks[2].id: TaskStatus.PENDING,
        }
        assert [gone.task_id for gone in batch.deleted] == [tasks[1].id]
        assert not batch.resync
        for _ in range(3):
            ids = set(await engine.submit_many([NewTask(processor="gate")] * 500))
            await eventually(partial(ids.issubset, quick.told))
        assert await anext(slow) == Changes(resync=True)
        last = await engine.submit(processor="gate")
        assert [task.id for task in (await anext(slow)).tasks] == [last.id]
        assert quick.resyncs == 1


@pytest.fixture
def asked(engine: TaskEngine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tasks were looked up, each time."""
    sizes: list[int] = []
    summaries = engine._parts.feeding._feed.summaries

    async def noting(task_ids: Any) -> Any:
        sizes.append(len(task_ids))
        return await summaries(task_ids)

    monkeypatch.setattr(engine._parts.feeding._feed, "summaries", noting)
    return sizes


async def test_readers_share_one_look(engine: TaskEngine, gate: Gate, asked: list[int]) -> None:
    """Each is told all, and begins with a resync of its own; the database is asked once for all of them."""
    async with following(engine) as one, following(engine) as two, following(engine) as three:
        task = await engine.submit(processor="gate")
        for follower in (one, two, three):
            await follower.heard(task.id, "pending")
        assert [follower.resyncs for follower in (one, two, three)] == [1, 1, 1]
        assert asked == [1]


@pytest.fixture
def statements(engine: TaskEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of the feed as they are sent."""
    sent: list[str] = []
    feed = engine._parts.feeding._feed
    for name in ("arrived", "running", "summaries"):
        original = getattr(feed, name)

        def noting(*args: Any, _name: str = name, _original: Any = original, **rest: Any) -> Any:
            sent.append(_name)
            return _original(*args, **rest)

        monkeypatch.setattr(feed, name, noting)
    return sent


async def test_nothing_is_asked_nor_kept_while_nobody_follows(
    engine: TaskEngine, gate: Gate, statements: list[str]
) -> None:
    """Before the first reader and after the last; one that comes later begins anew and misses nothing."""
    news = engine._parts.broadcast.news
    await engine.submit(processor="gate")
    assert (statements, news.wanted, news.rings.is_set()) == ([], False, False)
    for _ in range(2):
        async with following(engine) as follower:
            task = await engine.submit(processor="gate")
            await follower.heard(task.id, "pending")
            assert follower.resyncs == 1
        statements.clear()
        await engine.cancel(task.id)
        assert (statements, news.wanted, news.rings.is_set()) == ([], False, False)
    assert engine._parts.feeding._loop is None


async def test_a_batch_asks_once_however_much_happens(engine: TaskEngine, gate: Gate, statements: list[str]) -> None:
    """Hundreds of changes of one moment: one look for new tasks, one for how all stand, however many they are."""
    async with following(engine) as follower:
        statements.clear()
        ids = await engine.submit_many([NewTask(processor="gate")] * 300)
        for task_id in ids[:50]:
            await engine.cancel(task_id)
        await eventually(lambda: len(follower.told) == 300)
        await follower.heard(ids[49], "cancelled")
        assert statements.count("summaries") < 100  # at most one for the 300 and one for each that is cancelled


async def test_a_task_that_nobody_rang_for_is_told_by_its_lease(
    engine: TaskEngine, another_engine: Any, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker's rings are lost: a look at the leases sees it start, go on and end."""
    monkeypatch.setattr(feeding_module, "LOOK_SECONDS", 0.1)
    task = await engine.submit(processor="gate")
    async with another_engine() as other, following(engine) as follower, other.worker():
        monkeypatch.setattr(other._parts.doorbell, "press", Ring)
        ctx = await gate.next()
        await follower.heard(task.id, "processing")
        await ctx.progress(0.5, stage="half")
        await eventually(lambda: follower.told[task.id][-1].stage == "half")
        gate.let_go()
        await follower.heard(task.id, "completed")
        assert follower.resyncs == 1


async def test_a_deaf_process_is_told_to_load_anew_when_the_counts_change(
    engine: TaskEngine, another_engine: Any, processors: Processors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no ring arrives, as behind a pooler, tasks that come and go between two looks are not passed over."""
    monkeypatch.setattr(feeding_module, "LOOK_SECONDS", 0.1)

    async def quick(ctx: AttemptContext) -> int:
        return ctx.attempt

    processors.register("quick", quick)
    old = await engine.submit(processor="quick")
    async with another_engine() as other, following(engine) as follower:
        engine._parts.doorbell._on_ring = lambda ring: None
        monkeypatch.setattr(engine._parts.doorbell, "heard", False)
        monkeypatch.setattr(engine._parts.feeding._feed, "running", _nothing_runs)
        assert follower.resyncs == 1
        await drain(other)
        assert (await other.get(old.id)).status is TaskStatus.COMPLETED
        await eventually(lambda: follower.resyncs > 1)


async def _nothing_runs(*, limit: int) -> dict[TaskId, str]:
    return {}


async def test_a_result_url_alone_is_told(engine: TaskEngine, another_engine: Any, nobody_looks: None) -> None:
    """It is no event of the task, but lists show it."""
    task = await engine.submit(processor="external")
    async with another_engine() as other, following(engine) as follower:
        for acting, url in ((engine, "/here"), (other, "/there")):
            await acting.report(task.id, result_url=url)
            await eventually(partial(_is_at, follower, task.id, url))


def _is_at(follower: Follower, task_id: TaskId, url: str) -> bool:
    return url in [task.result_url for task in follower.told.get(task_id, ())]


async def test_readers_end_with_the_engine(engine_config: EngineConfig, processors: Processors) -> None:
    """At once, as watchers do, whether they wait, have something to read, or come afterwards."""
    async with TaskEngine.open(engine_config, processors=processors) as opened:
        changes, waiting = opened.changes(), opened.changes()
        assert (await anext(changes)).resync
        assert (await anext(waiting)).resync
        late = asyncio.ensure_future(anext(waiting))
    for reading in (late, anext(changes), anext(opened.changes())):
        with pytest.raises(EngineClosedError):
            async with asyncio.timeout(60):
                await reading


async def test_what_is_remembered_is_bounded(
    engine: TaskEngine, another_engine: Any, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of tasks told long ago the owner is forgotten: their deletion elsewhere is told without it."""
    monkeypatch.setattr(told_module, "MAX_TOLD", 2)
    async with another_engine() as other, following(engine) as follower:
        tasks = [await engine.submit(processor="gate", owner="ann") for _ in range(3)]
        for task in tasks:
            await follower.heard(task.id, "pending")
        await other.delete(tasks[0].id)
        await eventually(lambda: follower.deleted == {tasks[0].id: None})
        await other.delete(tasks[2].id)
        await eventually(lambda: follower.deleted.get(tasks[2].id) == "ann")
