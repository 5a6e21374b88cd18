"""Clocks that jump by an hour, the database's and a worker's: nobody is robbed, and nothing goes wrong for it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import attrs
import pytest
from attrs import frozen

from novel_tasks_core import AttemptContext, EngineConfig, OutcomeKind, Processors, RetryPolicy, TaskEngine, TaskStatus
from novel_tasks_core.maintenance import Maintenance

from ..support import Gate, ended, eventually
from .clocks import TURN, TurnedClock, install_clock

HOUR = 3600.0
TTL = 60.0
"""Longer than a busy machine keeps a worker from its heartbeat: it passes on the rescuer's clock alone."""


@frozen
class Engines:
    """One that works, and one that rescues, with its clock."""

    one: TaskEngine
    two: TaskEngine
    clock: TurnedClock


@pytest.fixture
async def turned_url(database_url: str) -> str:
    """The test's database, with a clock that can be turned."""
    await install_clock(database_url)
    return database_url


@pytest.fixture
async def turner(turned_url: str) -> AsyncIterator[Callable[[float], Any]]:
    """Turn the database's clock by so many seconds."""
    connection = await asyncpg.connect(turned_url)
    yield lambda seconds: connection.execute(TURN, seconds)
    await connection.close(timeout=60)


@asynccontextmanager
async def two_engines(
    config: EngineConfig, url: str, processors: Processors, clock: TurnedClock | None = None
) -> AsyncIterator[Engines]:
    """Open one that works and one that rescues."""
    lively, own = attrs.evolve(config, database_url=url, lease_ttl_seconds=TTL, heartbeat_seconds=0.1), TurnedClock()
    async with (
        TaskEngine.open(lively, processors=processors, clock=clock) as one,
        TaskEngine.open(lively, processors=processors, clock=own) as two,
    ):
        yield Engines(one, two, own)


async def survives(
    engines: Engines, gate: Gate, jump: Callable[[float], Any], *, jumps: Sequence[float] = (HOUR, -HOUR, -HOUR, HOUR)
) -> bool:
    """Run attempts through jumps forth and back, each followed by more than a lease; say whether none was lost."""
    one, two = engines.one, engines.two
    async with one.worker(), two.worker(concurrency=1) as worker:
        tasks = [await one.submit(processor="again") for _ in range(4)]
        for _ in tasks:
            await gate.next()
        names = {w.id for w in await one.workers()}
        alive, left = True, list(jumps)
        while alive and left:
            await jump(left.pop(0))
            await two._parts.maintenance.rescue()  # before the next beat has come, most of the time
            await _pass_a_lease(engines)
            alive = {w.id for w in await one.workers()} == names and worker.id in names
        gate.let_go()
        done = [await ended(one, task) for task in tasks]
    return alive and all((t.status, t.attempt, t.failures) == (TaskStatus.COMPLETED, 1, 0) for t in done)


async def _pass_a_lease(engines: Engines) -> None:
    """Let so much time pass for the rescuer that it would see the same beat for a whole lease, were there no others."""
    maintenance = engines.two._parts.maintenance
    for _ in range(4):
        before = set((await maintenance._parts.workers.beats()).items())
        engines.clock.advance(0.3 * TTL)
        await eventually(lambda old=before: _all_beat(maintenance, old))  # type: ignore[misc]
        await maintenance.rescue()


async def _all_beat(maintenance: Maintenance, before: set[tuple[Any, Any]]) -> bool:
    return before.isdisjoint((await maintenance._parts.workers.beats()).items())


async def test_a_database_clock_that_jumps_robs_nobody(
    engine_config: EngineConfig, turned_url: str, turner: Any, processors: Processors, stubborn_gate: Gate
) -> None:
    """An hour forth, two back and forth again under running attempts: all keep their workers and their numbers."""
    async with two_engines(engine_config, turned_url, processors) as engines:
        assert await survives(engines, stubborn_gate, turner)


async def test_a_rescue_by_the_date_of_the_last_beat_robs_everybody(
    engine_config: EngineConfig, turned_url: str, turner: Any, processors: Processors, stubborn_gate: Gate,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """The mutant: whoever's beat is older than a lease by the database's clock is dead."""

    async def bury(self: Maintenance) -> None:
        await self._parts.workers._database.execute(
            "delete from workers where beat_at < now() - $1 * interval '1 second'", self._parts.config.lease_ttl_seconds
        )

    monkeypatch.setattr(Maintenance, "_bury", bury)
    caplog.set_level(logging.CRITICAL + 1)
    async with two_engines(engine_config, turned_url, processors) as engines:
        assert not await survives(engines, stubborn_gate, turner, jumps=(HOUR, -HOUR) * 20)


async def test_a_clock_of_a_worker_that_jumps_robs_nobody(
    engine_config: EngineConfig, turned_url: str, processors: Processors, stubborn_gate: Gate
) -> None:
    """The same with the clock of the worker's machine: leases know nothing of it."""
    clock = TurnedClock()

    async def jump(seconds: float) -> None:
        clock.jump(seconds)

    async with two_engines(engine_config, turned_url, processors, clock) as engines:
        assert await survives(engines, stubborn_gate, jump)


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
async def test_what_a_worker_with_a_wrong_clock_writes_fits_together(
    engine_config: EngineConfig, turned_url: str, processors: Processors, seconds: float
) -> None:
    """Attempts do not end before they began, and the counters agree, whatever the worker thinks how late it is."""
    clock = TurnedClock()

    async def jumpy(ctx: AttemptContext) -> None:
        clock.jump(seconds)
        if ctx.attempt == 1:
            raise ValueError("as wanted")

    processors.register("jumpy", jumpy, retry=RetryPolicy(max_attempts=3, base_seconds=0, jitter=0))
    async with two_engines(engine_config, turned_url, processors, clock) as engines, engines.one.worker():
        one = engines.one
        done = await ended(one, await one.submit(processor="jumpy"))
        attempts = await one.attempts(done.id)
    assert [a.outcome for a in attempts] == [OutcomeKind.RETRY, OutcomeKind.COMPLETED]
    assert all(a.started_at <= a.finished_at for a in attempts)
    assert done.started_at is not None
    assert done.finished_at is not None
    assert done.started_at <= done.finished_at
