"""Whoever follows all tasks outlives the database and the doorbell, and is told to load anew afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from novel_tasks_core import TaskEngine, TaskStatus
from novel_tasks_core.engine import feeding as feeding_module

from ..core.followers import following
from ..core.support import Db, Gate, eventually
from .proxy import Proxy
from .test_doorbell import listeners


@pytest.mark.parametrize("silent", [False, True])
async def test_a_database_that_was_away_is_followed_again(
    far_engine: TaskEngine, another_engine: Any, proxy: Proxy, gate: Gate, silent: bool
) -> None:
    """Refused or swallowed for a while: nobody is told anything, then to load anew, then everything again."""
    async with another_engine(database_url=proxy._url) as other, following(far_engine) as follower:
        proxy.refusing, proxy.black_hole = not silent, silent
        proxy.cut()
        begun = len(follower.batches)
        missed = await other.submit(processor="gate")
        await other.cancel(missed.id)
        await eventually(lambda: far_engine._parts.doorbell.lost)
        assert follower.batches[begun:] == []
        proxy.refusing = proxy.black_hole = False
        await eventually(lambda: any(batch.resync for batch in follower.batches[begun:]))
        await eventually(lambda: far_engine._parts.doorbell.heard)
        task = await other.submit(processor="gate")
        await follower.heard(task.id, "pending")
        await other.delete(task.id)
        await eventually(lambda: task.id in follower.deleted)
        assert follower.error is None


async def test_following_begins_before_the_database_is_there(far_engine: TaskEngine, proxy: Proxy, gate: Gate) -> None:
    """It waits for it, and tells nothing until then."""
    await eventually(lambda: far_engine._parts.doorbell.heard)
    proxy.refusing = True
    proxy.cut()
    changes = far_engine.changes()
    first = asyncio.ensure_future(anext(changes))
    await eventually(lambda: far_engine._parts.doorbell.lost)
    assert not first.done()
    proxy.refusing = False
    assert (await first).resync
    await changes.aclose()


async def test_after_a_lost_doorbell_everything_may_have_been_missed(
    engine: TaskEngine, another_engine: Any, gate: Gate, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection alone breaks: what rang meanwhile is made up for by loading anew."""
    monkeypatch.setattr(feeding_module, "LOOK_SECONDS", 3600)
    task = await engine.submit(processor="gate")
    async with another_engine() as other, following(engine) as follower:
        await eventually(lambda: other._parts.doorbell.heard)
        rung = engine._parts.doorbell._on_ring
        engine._parts.doorbell._on_ring = lambda ring: None
        await other.cancel(task.id)
        engine._parts.doorbell._on_ring = rung
        resyncs = follower.resyncs
        for pid in await listeners(db):
            await db.execute("select pg_terminate_backend($1)", pid)
        await eventually(lambda: follower.resyncs > resyncs)


async def test_a_ring_that_failed_goes_with_the_next(
    far_engine: TaskEngine,
    another_engine: Any,
    proxy: Proxy,
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The connection that rings breaks: others hear of the change once it is back, though nothing else rings."""
    monkeypatch.setattr(feeding_module, "LOOK_SECONDS", 3600)
    task = await far_engine.submit(processor="gate")
    async with another_engine(database_url=proxy._url) as other, following(other) as follower:
        await eventually(lambda: "novel-tasks ring" in proxy.names())
        await asyncio.gather(*(far_engine.get(task.id) for _ in range(4)))  # the pool has connections to go on with
        caplog.clear()
        proxy.refusing = True
        proxy.cut("novel-tasks ring")
        assert (await far_engine.cancel(task.id)).status is TaskStatus.CANCELLED
        await eventually(lambda: "doorbell_not_rung" in caplog.text)
        assert task.id not in follower.told
        proxy.refusing = False
        await follower.heard(task.id, "cancelled")


async def test_a_look_that_failed_may_have_missed_something(
    far_engine: TaskEngine,
    another_engine: Any,
    proxy: Proxy,
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The doorbell goes on, only the look has no connection: what rang for it is not forgotten in silence."""
    monkeypatch.setattr(feeding_module, "LOOK_SECONDS", 3600)
    async with another_engine(database_url=proxy._url) as other, following(far_engine) as follower:
        task = await other.submit(processor="gate")
        await follower.heard(task.id, "pending")
        resyncs = follower.resyncs
        caplog.clear()
        proxy.refusing = True
        proxy.cut("novel-tasks")
        await other.cancel(task.id)
        await eventually(lambda: "changes_not_seen" in caplog.text)
        assert follower.resyncs == resyncs
        proxy.refusing = False
        await eventually(lambda: follower.resyncs > resyncs)
        assert not far_engine._parts.doorbell.lost
