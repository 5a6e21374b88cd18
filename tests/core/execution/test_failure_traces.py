"""What the log of the service is told of a failed attempt: places, never what the error said."""

from __future__ import annotations

import logging

import pytest

from novel_tasks_core import AttemptContext, Processors, TaskEngine, TaskFailedError
from novel_tasks_core.execution.failures import failure_of

QUOTED = "It was a dark and stormy night"


def read(novel: str) -> None:
    """Fail as a processor may: with the text in both errors."""
    try:
        int(novel)
    except ValueError as exc:
        raise LookupError(f"no chapter in {novel!r}") from exc


def test_a_trace_tells_places_and_kinds() -> None:
    """Of the error and of the one that led to it, in this order; the message, which may quote a novel, is not there."""
    with pytest.raises(LookupError) as caught:
        read(QUOTED)
    failure = failure_of(caught.value)
    assert QUOTED in failure.message
    assert QUOTED not in failure.traceback
    assert failure.traceback.index("ValueError") < failure.traceback.rindex("LookupError")
    assert "in read" in failure.traceback


def test_errors_that_lead_to_each_other_are_told_once() -> None:
    """A circle of causes ends."""
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert failure_of(first).traceback.split("\n\nthen\n\n") == ["ValueError", "ValueError"]


async def test_no_novel_in_the_log_of_a_failed_attempt(
    engine: TaskEngine, processors: Processors, caplog: pytest.LogCaptureFixture
) -> None:
    """The owner of the task is told all; the operator which task, which error, and where."""

    @processors.register("quoting")
    async def quoting(ctx: AttemptContext) -> None:
        read(QUOTED)

    caplog.set_level(logging.DEBUG)
    task = await engine.submit(processor="quoting", max_attempts=1)
    async with engine.worker():
        with pytest.raises(TaskFailedError, match=QUOTED):
            await engine.result(task.id)
    [record] = [r for r in caplog.records if r.getMessage() == "attempt_failed"]
    assert record.__dict__["error_type"] == "LookupError"
    assert "in read" in record.__dict__["error_traceback"]
    ours = [r for r in caplog.records if r.name.startswith("novel_tasks")]
    assert not [r for r in ours if QUOTED in str(r.__dict__)]
