"""What people do to all tasks that match: what is counted, what is told, what is left as it was, what is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from novel_tasks_core import (
    AttemptContext,
    BulkResult,
    InvalidFilterError,
    InvalidInputError,
    NewTask,
    Processors,
    SkipReason,
    Task,
    TaskCancelRequested,
    TaskDeleted,
    TaskEngine,
    TaskFilter,
    TaskStatus,
)
from novel_tasks_core.testing import drain

from ..support import NO_RETRY, Db, Gate, ended, eventually, watching

FAR = datetime(2999, 1, 1, tzinfo=UTC)
FAILED = TaskFilter(status=TaskStatus.FAILED)


async def quick(ctx: AttemptContext) -> int:
    """Return the number of the attempt, or fail as wanted the first time."""
    if ctx.options.get("fail") and ctx.attempt == 1:
        raise ValueError("as wanted")
    return ctx.attempt


@pytest.fixture(autouse=True)
def quick_processor(processors: Processors) -> None:
    """The processor `quick`, with one attempt."""
    processors.register("quick", quick, retry=NO_RETRY)


async def one_of_each(engine: TaskEngine, gate: Gate, *, worker: Any) -> dict[str, Task]:
    """Make a task in each state. The running one stands at the gate."""
    made = {name: await engine.submit(processor="quick", options={"fail": name == "failed"}, owner=name)
            for name in ("completed", "failed")}  # fmt: skip
    async with worker:
        for task in made.values():
            await ended(engine, task)
    made["cancelled"] = await engine.submit(processor="quick", owner="cancelled")
    await engine.cancel(made["cancelled"].id)
    made["scheduled"] = await engine.submit(processor="quick", owner="scheduled", run_at=FAR)
    made["processing"] = await engine.submit(processor="gate", owner="processing")
    return made


async def both(change: Any, *args: Any, **options: Any) -> BulkResult:
    """Count first, then do it: what was counted must be what was done."""
    counted: BulkResult = await change(*args, dry_run=True, **options)
    done: BulkResult = await change(*args, **options)
    assert counted.dry_run
    assert not done.dry_run
    assert (counted.matched, counted.changed, counted.reasons) == (done.matched, done.changed, done.reasons)
    return done


async def test_each_change_counts_what_it_must_leave_alone(engine: TaskEngine, gate: Gate) -> None:
    """With a task in every state: each change takes those that it may, counts the others, as counted before."""
    made = await one_of_each(engine, gate, worker=engine.worker())
    async with engine.worker(processors=["gate"]):
        await gate.next()
        made["ready"] = await engine.submit(processor="quick", owner="ready")

        async def statuses() -> dict[str, TaskStatus]:
            return {name: (await engine.get(task.id)).status for name, task in made.items()}

        before = await statuses()
        done = await both(engine.reprioritize_all, TaskFilter(), 5)
        assert (done.matched, done.changed, done.skipped, done.reasons) == (6, 3, 3, {SkipReason.ILLEGAL: 3})
        assert [(await engine.get(made[name].id)).priority for name in ("ready", "scheduled", "processing")] == [5] * 3
        again = await both(engine.reprioritize_all, TaskFilter(), 5)
        assert (again.changed, again.reasons) == (0, {SkipReason.ILLEGAL: 3, SkipReason.ALREADY: 3})
        assert await statuses() == before
        requeued = await both(engine.requeue_all, TaskFilter())
        assert (requeued.changed, requeued.reasons) == (3, {SkipReason.ILLEGAL: 3})
        cancelled = await both(engine.cancel_all, TaskFilter(), reason="enough")
        assert (cancelled.changed, cancelled.reasons) == (6, {})
        await ended(engine, made["processing"])
        assert set((await statuses()).values()) == {TaskStatus.CANCELLED}
        assert {(await engine.get(t.id)).error.message for t in made.values()} == {"enough"}  # type: ignore[union-attr]
    assert (await both(engine.cancel_all, TaskFilter())).reasons == {SkipReason.ILLEGAL: 6}
    deleted = await both(engine.delete_all, TaskFilter())
    assert (deleted.matched, deleted.changed) == (6, 6)
    assert await both(engine.delete_all, TaskFilter()) == BulkResult(matched=0, changed=0)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (TaskFilter(owner="failed"), {"failed"}),
        (TaskFilter(owner=""), set()),
        (TaskFilter(processor="gate"), {"processing"}),
        (TaskFilter(processor="unknown"), set()),
        (TaskFilter(status=TaskStatus.PENDING), {"scheduled", "ready"}),
        (TaskFilter(status=TaskStatus.PROCESSING), {"processing"}),
        (TaskFilter(status=TaskStatus.COMPLETED), {"completed"}),
        (TaskFilter(status=TaskStatus.CANCELLED, owner="cancelled"), {"cancelled"}),
        (TaskFilter(status=TaskStatus.FAILED, owner="cancelled"), set()),
        (TaskFilter(created_after=datetime.now(UTC) + timedelta(days=1)), set()),
        (TaskFilter(created_before=datetime.now(UTC) - timedelta(days=1)), set()),
    ],
)
async def test_only_what_matches_is_deleted(
    engine: TaskEngine, gate: Gate, wanted: TaskFilter, names: set[str]
) -> None:
    """By owner, processor, status and time, alone and together."""
    made = await one_of_each(engine, gate, worker=engine.worker())
    async with engine.worker(processors=["gate"]):
        await gate.next()
        made["ready"] = await engine.submit(processor="quick", owner="ready")
        done = await both(engine.delete_all, wanted)
        left = {task.owner for task in (await engine.find()).items}
        gate.let_go()
    assert (done.matched, done.changed) == (len(names), len(names))
    assert left == set(made) - names


async def test_a_name_or_an_id_can_be_the_filter(engine: TaskEngine) -> None:
    """As in lists: the start of the name of the source, or an id."""
    sources = [await engine.store(b"x", name=name) for name in ("Anna.txt", "anna 2.txt", "Bel-Ami.txt")]
    tasks = [await engine.submit(source, processor="quick") for source in sources]
    assert (await engine.delete_all(TaskFilter(query="anna"), dry_run=True)).changed == 2
    assert (await engine.delete_all(TaskFilter(query=f"task-{tasks[2].id.hex}"))).changed == 1
    assert (await engine.delete_all(TaskFilter(query="Anna 2"))).changed == 1
    assert [task.source.name for task in (await engine.find()).items if task.source] == ["Anna.txt"]


async def test_more_than_one_window_and_batch(engine: TaskEngine, db: Db) -> None:
    """Several looks of the walk, each of several transactions: every task once, in the order of their making."""
    ids = await engine.submit_many(NewTask(processor="quick", owner=str(n % 2)) for n in range(5_600))
    assert (await engine.reprioritize_all(TaskFilter(owner="1"), 4)).changed == 2_800
    done = await both(engine.cancel_all, TaskFilter(status=TaskStatus.PENDING))
    assert (done.matched, done.changed) == (5_600, 5_600)
    assert await db.fetchval("select count(*) from task_events where kind = 'cancelled'") == 5_600
    assert (await engine.requeue_all(TaskFilter(status=TaskStatus.CANCELLED))).changed == 5_600
    order = [row[0] for row in await db.fetch("select task_id from task_ready order by position")]
    assert order == ids
    assert (await engine.delete_all(TaskFilter())).changed == 5_600
    assert await db.fetchval("select count(*) from task_events") == 0


async def test_priorities_change_in_the_old_order(engine: TaskEngine, db: Db) -> None:
    """Those that were to run first stay first among those that get the same priority."""
    ids = await engine.submit_many(NewTask(processor="quick", priority=n % 3) for n in range(30))
    expected = [row[0] for row in await db.fetch("select task_id from task_ready order by priority desc, position")]
    assert sorted(expected) == ids
    await engine.reprioritize_all(TaskFilter(), 9)
    assert [row[0] for row in await db.fetch("select task_id from task_ready order by position")] == expected


async def test_workers_and_watchers_hear_of_it(engine: TaskEngine, another_engine: Any, gate: Gate) -> None:
    """Attempts stop though no heartbeat is due; watchers here and elsewhere see each event, and the deletion."""
    slow = {"heartbeat_seconds": 300, "lease_ttl_seconds": 900, "poll_min_seconds": 60, "poll_max_seconds": 300}
    async with another_engine(**slow) as other, other.worker():
        await eventually(lambda: other._parts.doorbell.heard)
        tasks = [await engine.submit(processor="gate") for _ in range(3)]
        for _ in tasks:
            await gate.next()
        async with watching(engine, tasks[0].id) as near, watching(other, tasks[0].id) as far:
            await near.subscribed.wait()
            await far.subscribed.wait()
            async with asyncio.timeout(60):
                assert (await engine.cancel_all(TaskFilter(processor="gate"))).changed == 3
                assert (await engine.cancel_all(TaskFilter(processor="gate"))).changed == 0
                for heard in (await near.finished(), await far.finished()):
                    assert [type(e) for e in heard].count(TaskCancelRequested) == 1
                    assert heard[-1].kind == "cancelled"
        running = await engine.submit(processor="gate")
        await gate.next()
        async with watching(engine, running.id) as near, watching(other, running.id) as far:
            await near.subscribed.wait()
            await far.subscribed.wait()
            async with asyncio.timeout(60):
                assert (await engine.delete_all(TaskFilter(status=TaskStatus.PROCESSING))).changed == 1
                for heard in (await near.finished(), await far.finished()):
                    assert type(heard[-1]) is TaskDeleted
                await eventually(lambda: running.id in gate.stopped)
        requeued = await engine.requeue_all(TaskFilter(status=TaskStatus.CANCELLED))
        assert requeued.changed == 3
        async with asyncio.timeout(60):
            for _ in tasks:  # the doorbell: no poll is due
                await gate.next()
        gate.let_go()
    assert (await engine.statistics()).completed == 3


async def test_tasks_of_outside_services_end_at_once(engine: TaskEngine) -> None:
    """Nobody runs them here who could be asked to stop."""
    tasks = [await engine.submit(processor="external") for _ in range(3)]
    for task in tasks[:2]:
        await engine.report(task.id, progress=0.5)
    done = await both(engine.cancel_all, TaskFilter(), reason="r")
    assert done.changed == 3
    for task, kinds in zip(tasks, (["started", "cancelled"], ["started", "cancelled"], ["cancelled"]), strict=True):
        assert (await engine.get(task.id)).status is TaskStatus.CANCELLED
        assert [e.kind for e in await engine.events(task.id)] == kinds


async def test_failed_tasks_run_again_and_complete(engine: TaskEngine) -> None:
    """Sent round again at once, with no failures counted, and counted right afterwards."""
    await engine.submit_many(NewTask(processor="quick", options={"fail": n % 2}) for n in range(40))
    await drain(engine)
    assert (await engine.statistics()).failed == 20
    done = await both(engine.requeue_all, FAILED)
    assert (done.matched, done.changed) == (20, 20)
    waiting = (await engine.find(TaskFilter(status=TaskStatus.PENDING), limit=50)).items
    assert {(task.failures, task.attempt, task.run_at) for task in waiting} == {(0, 1, None)}
    await drain(engine)
    statistics = await engine.statistics()
    assert (statistics.completed, statistics.failed) == (40, 0)


@pytest.mark.parametrize("wrong", [None, {}, {"status": "failed"}, "failed", TaskFilter])
async def test_all_tasks_must_be_meant(engine: TaskEngine, wrong: Any) -> None:
    """Without a filter, or with something else in its place, nothing is done."""
    task = await engine.submit(processor="quick")
    changes: list[Any] = [engine.cancel_all, engine.requeue_all, engine.delete_all]
    for change in (*changes, lambda f: engine.reprioritize_all(f, 1)):
        with pytest.raises(InvalidFilterError) as caught:
            await change(wrong)
        assert caught.value.field == "filter"
    assert await engine.get(task.id) == task


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (TaskFilter(owner="a\x00"), "owner"),
        (TaskFilter(query="\ud800"), "query"),
        (TaskFilter(created_after=datetime(2026, 1, 1)), "created_after"),  # noqa: DTZ001 - that is what is wrong with it
    ],
)
async def test_a_filter_that_cannot_be_is_refused(engine: TaskEngine, wanted: TaskFilter, field: str) -> None:
    """As by lists, before anything is changed."""
    with pytest.raises(InvalidFilterError) as caught:
        await engine.delete_all(wanted)
    assert caught.value.field == field


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, None, 7])
async def test_a_reason_is_a_short_text(engine: TaskEngine, reason: Any) -> None:
    """Empty, huge or not a text: refused, for one and for all."""
    task = await engine.submit(processor="quick")
    for change in (engine.cancel(task.id, reason=reason), engine.cancel_all(TaskFilter(), reason=reason)):
        with pytest.raises(InvalidInputError, match="reason"):
            await change
    assert await engine.get(task.id) == task
    await engine.cancel(task.id, reason="x" * 1000)


@pytest.mark.parametrize("priority", [-32769, 32768, True, 1.0, "1", None])
async def test_a_priority_is_a_small_whole_number(engine: TaskEngine, priority: Any) -> None:
    """Anything else is refused, for one and for all."""
    task = await engine.submit(processor="quick")
    for change in (engine.reprioritize(task.id, priority), engine.reprioritize_all(TaskFilter(), priority)):
        with pytest.raises(InvalidInputError, match="priority"):
            await change
    assert await engine.get(task.id) == task
