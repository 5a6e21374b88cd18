"""The doorbell is only a doorbell: when it is lost things are later, never wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from novel_tasks_core import AttemptContext, Processors, TaskEngine
from novel_tasks_core.models import WorkerId, new_task_id
from novel_tasks_core.storage import doorbell as doorbell_module
from novel_tasks_core.storage.doorbell import CHANNEL, Ring
from novel_tasks_core.storage.queue import Head

from ..core.support import Db, Gate, eventually, watching
from .proxy import Proxy

LISTEN = "novel-tasks listen"


async def listeners(db: Db) -> list[int]:
    """Return the backends that listen."""
    rows = await db.fetch(
        "select pid from pg_stat_activity where datname = current_database() and application_name = $1", LISTEN
    )
    return [row["pid"] for row in rows]


async def test_a_killed_listener_listens_again(engine: TaskEngine, another_engine: Any, gate: Gate, db: Db) -> None:
    """Its backend is killed: the engine connects anew, looks at everything once, and hears again."""
    task = await engine.submit(processor="gate")
    [old] = await eventually(lambda: listeners(db))
    async with another_engine() as other:
        async with watching(engine, task.id) as watcher:
            await db.execute("select pg_terminate_backend($1)", old)
            async with other.worker():
                await gate.next()
                gate.let_go()
                assert [e.kind for e in await watcher.finished()] == ["started", "completed"]
        await eventually(lambda: _others_listen(db, old))


async def _others_listen(db: Db, old: int) -> bool:
    now = await listeners(db)
    return len(now) == 2 and old not in now


async def test_a_listener_that_fell_silent_is_replaced(
    far_engine: TaskEngine, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half-open connection says nothing for ever: only asking finds out."""
    monkeypatch.setattr(doorbell_module, "_CHECK_SECONDS", 0.2)
    await eventually(lambda: LISTEN in proxy.names())
    proxy.cut(LISTEN)
    await eventually(lambda: LISTEN in proxy.names())
    lines = [line for line in proxy._lines if line.name == LISTEN]
    for line in lines:
        line.deaf = True  # nothing comes through any more, and nobody says so
    await eventually(lambda: any(n.name == LISTEN and not n.deaf for n in proxy._lines))


async def test_tasks_are_found_without_a_doorbell(
    engine: TaskEngine, another_engine: Any, processors: Processors
) -> None:
    """A worker that hears nothing polls, and finds tasks of every priority."""

    async def quick(ctx: AttemptContext) -> int:
        return ctx.attempt

    processors.register("quick", quick)
    async with another_engine() as other:
        other._parts.doorbell._on_ring = lambda ring: None
        async with other.worker():
            for priority in (0, 7):
                assert await engine.result((await engine.submit(processor="quick", priority=priority)).id) == 1


async def test_nonsense_on_the_channel_does_no_harm(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """Anybody may notify: what makes no sense is taken as a reason to look at everything."""
    async with engine.worker():
        for payload in ("", "[]", "{", '{"r":[[1]]}', '{"t":["zz"]}', '{"w":["x"]}', '{"r":[["a","b","c"]]}'):
            await db.execute("select pg_notify($1, $2)", CHANNEL, payload)
        await db.execute("select pg_notify($1, $2)", CHANNEL, '{"t":"*","l":true}')
        task = await engine.submit(processor="gate")
        await gate.next()
        gate.let_go()
        assert await engine.result(task.id) == {"attempt": 1}
    assert (await engine.health()).problems == ()


def test_a_ring_says_what_was_added() -> None:
    """Of many positions the lowest, of many tasks each once; what is empty is not sent."""
    ring = Ring()
    assert not ring
    tasks = {new_task_id() for _ in range(3)}
    ring.add_heads([Head(1, 0, 9), Head(1, 0, 4), Head(2, -5, 7)])
    ring.add_tasks(tasks)
    ring.workers.add(WorkerId(3))
    ring.lanes = True
    heard = Ring.decode(ring.encode())
    assert (heard.heads, heard.tasks, heard.workers, heard.lanes) == ({(1, 0): 4, (2, -5): 7}, tasks, {3}, True)
    assert Ring().encode() == "{}"


def test_a_ring_fits_into_a_notification() -> None:
    """However much there is to say: PostgreSQL allows 7,999 bytes."""
    ring = Ring()
    ring.add_heads(Head(lane, priority, 1 << 60) for lane in range(10**6, 10**6 + 50) for priority in (-32768, 32767))
    ring.add_tasks(new_task_id() for _ in range(120))
    ring.workers.update(WorkerId(n) for n in range(1 << 40, (1 << 40) + 500))
    assert len(ring.encode()) < 8000
    ring.add_tasks(new_task_id() for _ in range(5))
    assert Ring.decode(ring.encode()).tasks is None


async def test_rings_are_gathered(engine: TaskEngine, gate: Gate, db: Db, database_url: str) -> None:
    """A hundred submits do not make a hundred notifications."""
    heard: list[object] = []
    await db.add_listener(CHANNEL, lambda *args: heard.append(args[-1]))
    try:
        for _ in range(100):
            await engine.submit(processor="gate")
        await eventually(lambda: heard)
        await asyncio.sleep(0)
        assert len(heard) < 60
    finally:
        await db.remove_listener(CHANNEL, lambda *args: None)
        await db.reset()
