"""Finished tasks that people send round again: what starts anew, what stays, and the key that comes back."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from novel_tasks_core import (
    AttemptContext,
    DuplicateTaskError,
    IllegalTransitionError,
    OnDuplicate,
    Processors,
    ReleaseKey,
    SkipReason,
    Task,
    TaskEngine,
    TaskFilter,
    TaskStatus,
)
from novel_tasks_core.storage import bulk, walking
from novel_tasks_core.testing import drain

from ..support import AT_ONCE, Db, Gate, ended, eventually

CANCELLED = TaskFilter(status=TaskStatus.CANCELLED)


async def quick(ctx: AttemptContext) -> int:
    """Store an artifact and return the number of the attempt, or fail as wanted."""
    if ctx.options.get("fail"):
        raise ValueError("as wanted")
    await ctx.save_artifact(f"{ctx.attempt}.txt", b"x")
    return ctx.attempt


@pytest.fixture(autouse=True)
def quick_processor(processors: Processors) -> None:
    """The processor `quick`."""
    processors.register("quick", quick)


async def test_requeue_sends_finished_tasks_round_again(engine: TaskEngine) -> None:
    """Completed, failed and cancelled ones; the old result stays until the next; attempts go on counting."""
    done = await engine.submit(processor="quick")
    failed = await engine.submit(processor="quick", options={"fail": 1}, max_attempts=1)
    cancelled = await engine.submit(processor="quick")
    await engine.cancel(cancelled.id)
    await drain(engine)
    for task in (done, failed, cancelled):
        again = await engine.requeue(task.id)
        assert (again.status, again.failures) == (TaskStatus.PENDING, 0)
        with pytest.raises(IllegalTransitionError, match="requeue it before it is finished"):
            await engine.requeue(task.id)
    assert (await engine.get(done.id)).result == 1
    await drain(engine)
    after = await engine.get(done.id)
    assert (after.status, after.result, after.attempt, after.result_attempt) == ("completed", 2, 2, 2)
    assert (await engine.get(failed.id)).attempt == 2
    assert (await engine.get(cancelled.id)).status is TaskStatus.COMPLETED


async def test_a_running_task_cannot_be_requeued(engine: TaskEngine, gate: Gate) -> None:
    """The error names the state that people see."""
    task = await engine.submit(processor="gate")
    async with engine.worker():
        await gate.next()
        with pytest.raises(IllegalTransitionError) as caught:
            await engine.requeue(task.id)
        assert caught.value.status == "processing"
        gate.let_go()


async def test_what_was_shown_stays_until_the_next_end(engine: TaskEngine) -> None:
    """Result, artifacts and error of before are there while the task waits; its run_at and its failures are not."""
    done = await engine.submit(processor="quick")
    failed = await engine.submit(processor="quick", options={"fail": 1}, max_attempts=1)
    later = await engine.submit(processor="quick", run_at=datetime.now(UTC) + timedelta(seconds=0.5))
    await drain(engine)
    before = {task.id: await engine.get(task.id) for task in (done, failed, later)}
    assert (before[failed.id].failures, before[later.id].run_at is None) == (1, False)
    for task_id, was in before.items():
        again = await engine.requeue(task_id)
        assert (again.status, again.failures, again.run_at, again.cancel_requested) == ("pending", 0, None, False)
        for name in ("result", "result_attempt", "error", "attempt", "started_at", "finished_at"):
            assert getattr(again, name) == getattr(was, name), name
        assert again.last_seq == was.last_seq + 1
    assert [a.name for a in await engine.artifacts(done.id)] == ["1.txt"]
    await drain(engine)
    assert [a.name for a in await engine.artifacts(done.id)] == ["2.txt"]
    assert [a.number for a in await engine.attempts(failed.id)] == [1, 2]
    kinds = [e.kind for e in await engine.events(done.id)]
    assert kinds == ["started", "completed", "requeued", "started", "completed"]


async def test_a_task_that_was_cancelled_while_it_ran_may_run_and_retry_again(
    engine: TaskEngine, processors: Processors, gate: Gate
) -> None:
    """Nothing remembers the cancel: an attempt that fails after the requeue is tried again, not ended as cancelled."""
    tries: list[int] = []

    async def shaky(ctx: AttemptContext) -> int:
        tries.append(ctx.attempt)
        if len(tries) == 1:
            await asyncio.Event().wait()
        if len(tries) == 2:
            raise ValueError("try again")
        return ctx.attempt

    processors.register("shaky", shaky, retry=AT_ONCE)
    async with engine.worker():
        task = await engine.submit(processor="shaky")
        await eventually(lambda: tries)
        await engine.cancel(task.id)
        assert (await ended(engine, task)).status is TaskStatus.CANCELLED
        await engine.requeue(task.id)
        assert await engine.result(task.id) == 3


async def test_a_checkpoint_does_not_outlive_a_cancel(engine: TaskEngine, processors: Processors, db: Db) -> None:
    """A task that waits for its retry is cancelled and sent round again: it begins from the start."""
    seen: list[Any] = []

    async def stepping(ctx: AttemptContext) -> None:
        seen.append(ctx.resume_from)
        await ctx.checkpoint("half")
        if len(seen) == 1:
            raise ValueError("later")

    processors.register("stepping", stepping)
    task = await engine.submit(processor="stepping")
    async with engine.worker():
        await eventually(lambda: db.fetchval("select count(*) from task_schedule"))
        assert await db.fetchval("select count(*) from task_checkpoints") == 1
        await engine.cancel(task.id)
        assert await db.fetchval("select count(*) from task_checkpoints") == 0
        await engine.requeue(task.id)
        await ended(engine, task)
    assert seen == [None, None]


async def test_the_average_follows_requeues_and_deletions(engine: TaskEngine, db: Db) -> None:
    """What is sent round again or deleted no longer counts in the mean duration."""
    one, two = [await engine.submit(processor="quick") for _ in range(2)]
    await drain(engine)
    for task, seconds in ((one, 2), (two, 4)):
        await db.execute(
            "update tasks set started_at = finished_at - $2::float * interval '1 s' where id = $1", task.id, seconds
        )
    await db.execute(
        "delete from task_counts;"
        " insert into task_counts select '', lane, status, count(*), 6000 from tasks group by lane, status"
    )
    assert (await engine.statistics()).average_seconds == 3.0
    await engine.requeue(one.id)
    assert (await engine.statistics()).average_seconds == 4.0
    await engine.delete(two.id)
    statistics = await engine.statistics()
    assert (statistics.average_seconds, statistics.completed, statistics.pending) == (None, 0, 1)


async def cancelled_with(engine: TaskEngine, key: str, **options: Any) -> Task:
    """Make a cancelled task that has let go of its key."""
    task = await engine.submit(processor="quick", key=key, **options)
    return await engine.cancel(task.id)


async def test_a_requeue_takes_the_key_back(engine: TaskEngine) -> None:
    """While it lives again a submit with the key finds it; at its end the key is free again."""
    task = await cancelled_with(engine, "k")
    assert task.key == "k"
    again = await engine.requeue(task.id)
    assert again.key == "k"
    found = await engine.submit(processor="quick", key="k")
    assert (found.id, found.duplicate) == (task.id, True)
    await drain(engine)
    assert not (await engine.submit(processor="quick", key="k")).duplicate


async def test_a_requeue_gives_way_to_whoever_has_the_key(engine: TaskEngine) -> None:
    """The error names key and holder, nothing has changed; once the key is free the requeue works."""
    old = await cancelled_with(engine, "k")
    others = await cancelled_with(engine, "k", owner="somebody else")
    new = await engine.submit(processor="quick", key="k")
    with pytest.raises(DuplicateTaskError) as caught:
        await engine.requeue(old.id)
    assert (caught.value.key, caught.value.existing) == ("k", new.id)
    assert await engine.get(old.id) == old
    assert (await engine.requeue(others.id)).status is TaskStatus.PENDING
    await engine.delete(new.id)
    assert (await engine.requeue(old.id)).status is TaskStatus.PENDING


async def test_keys_that_were_never_let_go_or_never_had_are_no_hindrance(engine: TaskEngine, db: Db) -> None:
    """A key kept until the deletion, a duplicate that was allowed, and a task from before keys were remembered."""
    kept = await cancelled_with(engine, "kept", release_at=ReleaseKey.DELETE)
    holder = await engine.submit(processor="quick", key="k")
    allowed = await engine.submit(processor="quick", key="k", on_duplicate=OnDuplicate.ALLOW)
    await engine.cancel(allowed.id)
    ancient = await cancelled_with(engine, "old")
    await db.execute("update tasks set key = null where id = $1", ancient.id)
    assert (await engine.requeue_all(CANCELLED, dry_run=True)).changed == 3
    assert (await engine.requeue_all(CANCELLED)).changed == 3
    rows = await db.fetch("select key, task_id from task_keys order by key")
    assert [tuple(row) for row in rows] == [("k", holder.id), ("kept", kept.id)]


@pytest.mark.parametrize("batch", [1, 500])
async def test_of_many_with_one_key_the_oldest_gets_it(
    engine: TaskEngine, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Together or one by one: the others, and those whose key a live task holds, are counted, as before."""
    monkeypatch.setattr(bulk, "BATCH", batch)
    monkeypatch.setattr(walking, "WINDOW", batch)
    same = [await cancelled_with(engine, "same") for _ in range(3)]
    taken = [await cancelled_with(engine, "taken") for _ in range(2)]
    await engine.submit(processor="quick", key="taken")
    free = await cancelled_with(engine, "free")
    counted = await engine.requeue_all(CANCELLED, dry_run=True)
    done = await engine.requeue_all(CANCELLED)
    for result in (counted, done):
        assert (result.matched, result.changed, result.reasons) == (6, 2, {SkipReason.KEY_TAKEN: 4})
    for task in (*same[1:], *taken):
        assert (await engine.get(task.id)).status is TaskStatus.CANCELLED
    for task in (same[0], free):
        assert (await engine.get(task.id)).status is TaskStatus.PENDING


async def test_of_a_requeue_and_a_submit_one_gets_the_key(engine: TaskEngine, db: Db) -> None:
    """At once, many rounds, one by one and of all: never two live tasks with the key, never none."""
    for n in range(40):
        key = f"k{n}"
        old = await cancelled_with(engine, key)
        requeue: Any = engine.requeue(old.id) if n % 2 else engine.requeue_all(CANCELLED)
        works = [requeue, engine.submit(processor="quick", key=key)]
        order = random.sample([0, 1], 2)
        done = await asyncio.gather(*(works[i] for i in order), return_exceptions=True)
        submitted: Any = done[order.index(1)]
        assert isinstance(submitted, Task)
        live = await db.fetch("select id from tasks where key = $1 and status = 'pending'", key)
        assert [row["id"] for row in live] == [await db.fetchval("select task_id from task_keys where key = $1", key)]
        assert live[0]["id"] == submitted.id
        await engine.delete_all(TaskFilter())
