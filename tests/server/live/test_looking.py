"""What goes on in the background goes on, and is there only while somebody needs it."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from novel_tasks_core import EngineClosedError
from novel_tasks_server.live import looking
from novel_tasks_server.live.looking import Looking


async def test_work_that_fails_is_told_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw is in the log, and what others rely on goes on."""
    monkeypatch.setattr(looking, "_AGAIN_SECONDS", 0.0)
    tries, again = 0, asyncio.Event()

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("nobody foresaw this")
        again.set()
        await asyncio.Event().wait()

    look = Looking("test", work)
    with capture_logs() as lines:
        look.begin()
        look.begin()
        async with asyncio.timeout(60):
            await again.wait()
    assert [(line["event"], line["log_level"], line["name"]) for line in lines] == [("looking_failed", "error", "test")]
    await look.close()
    assert tries == 2


async def test_it_can_end_and_begin_again() -> None:
    """After its end nothing of it is left, and it may begin again."""
    begun: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        begun.put_nowait(task)
        await asyncio.Event().wait()

    look = Looking("test", work)
    for _ in range(2):
        look.begin()
        task = await begun.get()
        await look.close()
        assert task.cancelled()
    await look.close()


async def test_a_closed_engine_ends_it() -> None:
    """Nothing is tried for ever on an engine that is gone, nor is that an error."""

    async def work() -> NoReturn:
        raise EngineClosedError

    look = Looking("test", work)
    with capture_logs() as lines:
        look.begin()
        [task] = [task for task in asyncio.all_tasks() if task.get_name() == "test"]
        async with asyncio.timeout(60):
            await task
    assert lines == []
    await look.close()
