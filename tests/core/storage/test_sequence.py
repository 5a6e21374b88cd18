"""The order of a task's events: numbered under the lock of its row, without a gap, and told when they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from novel_tasks_core import TaskEngine
from novel_tasks_core.errors import NovelTasksError
from novel_tasks_core.models import TaskId
from novel_tasks_core.storage.endings import stored_events

from ..support import Gate, eventually
from .bench import Bench
from .meetings import Ring, Side, Subject, faults
from .moves import cancel, complete, say

WRITERS = 6
WORDS = 12


async def write_at_once(bench: Bench, ring: Ring) -> list[str]:
    """Let many add to the history of one task at the same time; say what is wrong with it."""
    task_id = await bench.submit(note='{"level":"info","message":"n"}')
    [claimed] = await bench.claim(1)
    task = Subject(task_id, claimed)
    wrong: list[str] = []

    async def write(side: Side, number: int) -> None:
        for word in range(WORDS):
            try:
                if (number + word) % 3 == 0:
                    await side.transitions.reprioritize(task_id, 1 + number * WORDS + word, if_version=None)
                else:
                    await say(side, task)
            except NovelTasksError as exc:
                wrong.append(repr(exc))

    async def read() -> None:
        while not done.is_set():
            wrong.extend(await faults(bench.other))
            await asyncio.sleep(0.001)

    done = asyncio.Event()
    reading = asyncio.create_task(read())
    sides = [ring.left, *(ring.another() for _ in range(WRITERS - 1))]
    await asyncio.gather(*(write(side, number) for number, side in enumerate(sides)), cancel(ring.right, task))
    if not await complete(ring.left, task):
        wrong.append("the end was not accepted")
    done.set()
    await reading
    seqs = [r[0] for r in await bench.other.fetch("select seq from task_events where task_id = $1 order by 1", task_id)]
    if seqs != list(range(1, 1 + WRITERS * WORDS + 3)):
        wrong.append(f"{len(seqs)} of {WRITERS * WORDS + 3} events, up to {seqs[-1]}")
    return wrong + await faults(bench.other)


async def test_many_writers_leave_no_gap_and_no_double(bench: Bench) -> None:
    """Logs, priorities, a cancel and the end of one task at once: every number once, at every moment, all stored."""
    assert await write_at_once(bench, Ring(bench)) == []


STALE = {
    "read before the lock": "coalesce((select last_seq from tasks where id = g.task_id), 0)",
    "the highest plus one": "coalesce((select max(seq) from task_events where task_id = g.task_id), 0)",
}


@pytest.mark.parametrize("name", STALE)
async def test_a_number_that_is_not_taken_under_the_lock_is_taken_twice(bench: Bench, name: str) -> None:
    """The mutants: a seq that comes from a read, not from the row that the statement has locked."""
    ring = Ring(bench)
    ring.spoil("record", "t.last_seq - g.events as base", f"{STALE[name]} as base")
    assert len(await write_at_once(bench, ring)) > 0
    await bench.clear()


# -- told after the commit ------------------------------------------------------------------------------------

Heard = list[str]


@pytest.fixture
async def talker(engine: TaskEngine, gate: Gate) -> Any:
    """A running attempt, its task, and a watcher that has heard that it started."""
    heard: Heard = []

    async def listen(task_id: TaskId) -> None:
        async for event in engine.watch(task_id):
            heard.append(event.kind)

    async with engine.worker():
        task = await engine.submit(processor="gate")
        ctx = await gate.next()
        listening = asyncio.create_task(listen(task.id))
        await eventually(lambda: heard == ["started"])
        yield ctx, task.id, heard
        gate.let_go()
        await listening


async def heard_before_the_commit(
    db: asyncpg.Connection[asyncpg.Record], act: Callable[[], Awaitable[Any]], task_id: TaskId, heard: Heard
) -> Heard:
    """Hold the task's row, so that what is done to it cannot commit, and return what watchers hear meanwhile."""
    waiting = "select exists (select from pg_stat_activity where datname = current_database() and wait_event = $1)"

    async def waits() -> bool:
        await asyncio.sleep(0)
        return bool(await db.fetchval(waiting, "transactionid"))

    async with db.transaction():
        await db.execute("select from tasks where id = $1 for update", task_id)
        work = asyncio.ensure_future(act())
        await eventually(waits)
        early = heard[1:]
    await work
    await eventually(lambda: len(heard) > 1)
    return early


@pytest.mark.parametrize("what", ["log", "reprioritize"])
async def test_watchers_hear_nothing_that_is_not_stored(
    engine: TaskEngine, talker: Any, db: asyncpg.Connection[asyncpg.Record], what: str
) -> None:
    """While a commit waits they hear nothing of it; after it they hear it once."""
    ctx, task_id, heard = talker
    act = {"log": lambda: ctx.log("x"), "reprioritize": lambda: engine.reprioritize(task_id, 3)}[what]
    assert await heard_before_the_commit(db, act, task_id, heard) == []
    assert heard[1:] == [{"log": "log", "reprioritize": "reprioritized"}[what]]


async def test_a_flush_that_told_before_it_stored_would_be_heard(
    engine: TaskEngine, talker: Any, db: asyncpg.Connection[asyncpg.Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: what an attempt says is published when it is sent, not when it is committed."""
    ctx, task_id, heard = talker
    queue = engine._parts.queue
    record = queue.record

    async def told_too_soon(recordings: Any, **more: Any) -> Any:
        for one in recordings:
            engine._parts.broadcast.publish(stored_events(one, 1 + len(one.events), more["worker_id"]))
        await asyncio.sleep(0)
        return await record(recordings, **more)

    monkeypatch.setattr(queue, "record", told_too_soon)
    assert await heard_before_the_commit(db, lambda: ctx.log("x"), task_id, heard) == ["log"]
