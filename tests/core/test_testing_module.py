"""What the library offers to the tests of its users."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from novel_tasks_core import AttemptContext, Processors, RetryPolicy, TaskStatus
from novel_tasks_core.testing import FakeClock, drain, make_task, throwaway_engine

from .support import AT_ONCE


async def test_a_throwaway_engine_runs_tasks_and_leaves_no_files(database_url: str) -> None:
    """Drain runs everything, retries included, and says how many finished; afterwards the folder is gone."""

    async def once_more(ctx: AttemptContext) -> int:
        if ctx.attempt == 1:
            raise ValueError("once more")
        return ctx.attempt

    processors = Processors.builtin()
    processors.register("once-more", once_more, retry=AT_ONCE)
    async with throwaway_engine(processors=processors, database_url=database_url, slots=2) as engine:
        folder = engine.config.data_dir
        assert (folder.is_dir(), engine.config.slots) == (True, 2)
        tasks = [await engine.submit(processor="once-more") for _ in range(5)]
        assert await drain(engine) == 5
        assert [(await engine.get(task.id)).result for task in tasks] == [2] * 5
        assert await drain(engine) == 0
    assert not folder.exists()


async def test_drain_does_not_wait_for_ever(database_url: str) -> None:
    """A task that does not end is an error in time."""

    async def hang(ctx: AttemptContext) -> None:
        await asyncio.Event().wait()

    processors = Processors.builtin()
    processors.register("hang", hang)
    async with throwaway_engine(processors=processors, database_url=database_url, shutdown_grace_seconds=0) as engine:
        task = await engine.submit(processor="hang")
        with pytest.raises(TimeoutError):
            await drain(engine, timeout_seconds=0.2)
        assert (await engine.get(task.id)).status is TaskStatus.PENDING


async def test_a_turned_clock_brings_scheduled_tasks_and_retries(database_url: str) -> None:
    """Drain runs what is due by the engine's clock and leaves the rest: hours pass without waiting."""

    async def at_second_try(ctx: AttemptContext) -> int:
        if ctx.attempt == 1:
            raise ValueError("once more")
        return ctx.attempt

    processors = Processors()
    patient = RetryPolicy(max_attempts=3, base_seconds=600, jitter=0)
    processors.register("at-second-try", at_second_try, retry=patient)
    clock = FakeClock()
    async with throwaway_engine(processors=processors, database_url=database_url, clock=clock) as engine:
        task = await engine.submit(processor="at-second-try", run_at=clock.now() + timedelta(hours=1))
        assert (await drain(engine), (await engine.get(task.id)).attempt) == (0, 0)
        clock.advance(3600)
        assert (await drain(engine), (await engine.get(task.id)).attempt) == (0, 1)
        clock.advance(599)
        assert await drain(engine) == 0
        clock.advance(1)
        assert await drain(engine) == 1
        assert (await engine.get(task.id)).result == 2


async def test_drain_does_not_wait_for_what_is_scheduled(database_url: str) -> None:
    """Up to a named time it runs at once what is due by then, and nothing later; the engine's clock is the real one."""
    ran: list[str] = []

    async def note(ctx: AttemptContext) -> None:
        ran.append(ctx.options["name"])

    processors = Processors()
    processors.register("note", note)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    async with throwaway_engine(processors=processors, database_url=database_url) as engine:
        for name, days in (("tomorrow", 0), ("next week", 6)):
            await engine.submit(processor="note", options={"name": name}, run_at=tomorrow + timedelta(days=days))
        assert await drain(engine, until=tomorrow) == 1
        assert ran == ["tomorrow"]
        assert (await engine.statistics()).pending == 1


def test_a_clock_stands_until_it_is_turned() -> None:
    """Both clocks go forward together; only the time of day can be set back."""
    clock = FakeClock()
    assert (clock.now(), clock.monotonic()) == (datetime(2030, 1, 1, tzinfo=UTC), 0.0)
    clock.advance(90)
    clock.advance(-30)
    assert (clock.now(), clock.monotonic()) == (datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=1), 90.0)


def test_made_up_tasks_are_whole() -> None:
    """Every field has a value, and each can be set."""
    task = make_task(status=TaskStatus.FAILED, priority=3)
    assert (task.status, task.priority, task.processor) == (TaskStatus.FAILED, 3, "analyze")
    assert make_task().id != make_task().id
