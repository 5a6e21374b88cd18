"""What outside services report of tasks of processor `external`."""

from __future__ import annotations

import pytest

from novel_tasks_core import IllegalTransitionError, InvalidInputError, TaskEngine, TaskStatus

from ..support import Gate, ended


async def test_an_outside_service_reports_its_work(engine: TaskEngine) -> None:
    """Progress starts the task, an end finishes it; the version, the events and the URL follow."""
    task = await engine.submit(processor="external")
    running = await engine.report(task.id, progress=0.25)
    assert (running.status, running.progress, running.attempt) == (TaskStatus.PROCESSING, 0.25, 1)
    assert (await engine.report(task.id, status=TaskStatus.PROCESSING)).status is TaskStatus.PROCESSING
    done = await engine.report(task.id, status=TaskStatus.COMPLETED, result_url="https://example.org/r")
    assert (done.status, done.result_url, done.progress) == (TaskStatus.COMPLETED, "https://example.org/r", 1.0)
    assert [e.kind for e in await engine.events(task.id)] == ["started", "completed"]
    with pytest.raises(IllegalTransitionError):
        await engine.report(task.id, progress=0.5)
    failing = await engine.submit(processor="external")
    failed = await engine.report(failing.id, status=TaskStatus.FAILED, error_message="no ink")
    assert failed.error is not None
    assert (failed.status, failed.error.type, failed.error.message) == ("failed", "ExternalError", "no ink")
    stopping = await engine.submit(processor="external")
    await engine.report(stopping.id, progress=0)
    assert (await engine.cancel(stopping.id)).status is TaskStatus.CANCELLED


async def test_a_report_that_makes_no_sense_changes_nothing(engine: TaskEngine, gate: Gate) -> None:
    """Progress out of range, putting back, another processor's task: the task stays as it was."""
    task = await engine.submit(processor="external")
    for progress in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInputError, match="progress"):
            await engine.report(task.id, progress=progress)
    with pytest.raises(IllegalTransitionError):
        await engine.report(task.id, status=TaskStatus.PENDING)
    assert await engine.get(task.id) == task
    own = await engine.submit(processor="gate")
    with pytest.raises(IllegalTransitionError, match="belongs to 'gate'"):
        await engine.report(own.id, progress=0.5)


async def test_an_outside_service_that_falls_silent_fails_its_task(engine: TaskEngine) -> None:
    """Its lease never beats: it ends by the task's own deadline."""
    task = await engine.submit(processor="external", timeout_seconds=0.2)
    await engine.report(task.id, progress=0.5)
    failed = await ended(engine, task)
    assert failed.error is not None
    assert (failed.status, failed.error.type) == (TaskStatus.FAILED, "TaskTimeoutError")
    with pytest.raises(IllegalTransitionError):
        await engine.report(task.id, status=TaskStatus.COMPLETED)
