"""Background services: leaving their group ends them all, and takes no longer than it may."""

from __future__ import annotations

import asyncio
import logging

import pytest

from novel_tasks_core.execution import services as services_module
from novel_tasks_core.execution.services import Services


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancel again soon."""
    monkeypatch.setattr(services_module, "_AGAIN_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
async def test_a_loop_that_lost_its_cancellation_is_cancelled_again() -> None:
    """One that swallows the first and goes on ends by the next."""
    services, lost = Services(), asyncio.Event()

    async def forgetful() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost.set()
        await asyncio.Event().wait()

    task = services.start("forgetful", forgetful)
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await services.stop()
    assert lost.is_set()
    assert task.cancelled()


async def test_a_loop_that_fails_while_it_is_stopped_does_not_start_again(caplog: pytest.LogCaptureFixture) -> None:
    """An error in the place of its cancellation is its end, and the group's too."""
    services, starts = Services(), 0

    async def failing() -> None:
        nonlocal starts
        starts += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("instead") from None

    services.start("failing", failing)
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await services.stop()
    assert starts == 1
    assert [record.message for record in caplog.records] == ["service_failed"]


@pytest.mark.usefixtures("impatient")
async def test_a_loop_that_hears_nothing_is_not_waited_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named as critical, and leaving goes on without it."""
    monkeypatch.setattr(services_module, "_STOP_SECONDS", 0.3)
    services, let_go = Services(), asyncio.Event()

    async def deaf() -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    task = services.start("deaf", deaf)
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await services.stop()
    assert not task.done()
    assert [(r.levelno, r.message, getattr(r, "service", "")) for r in caplog.records] == [
        (logging.CRITICAL, "service_does_not_stop", "deaf")
    ]
    let_go.set()
    await task


async def test_nothing_starts_in_a_group_that_was_left() -> None:
    """A worker that is declared dead while it closes does not register anew."""
    services, ran = Services(), asyncio.Event()

    async def late() -> None:
        ran.set()

    await services.stop()
    await services.start("late", late)
    assert not ran.is_set()
