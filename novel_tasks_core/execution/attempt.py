"""Run one attempt of a task and say, as a value, how it ended.

`run_attempt` does the work and the waiting; what follows from a failure is decided in `failures`, which
is pure. The worker keeps the `CancelScope` of the attempt and says through it why the attempt is to
stop: that decides between cancelled, released, and nothing at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, assert_never

from attrs import evolve, frozen

from novel_tasks_core.conversion import result_json
from novel_tasks_core.errors import (
    EngineClosedError,
    FileStoreError,
    InvalidProcessorError,
    LeaseLostError,
    TaskTimeoutError,
)
from novel_tasks_core.execution.children import ChildPool
from novel_tasks_core.execution.context import AttemptFolder, LoopContext
from novel_tasks_core.execution.failures import Failure, decide, failure_of, log_line
from novel_tasks_core.execution.jobs import Job, job_of, structured_options
from novel_tasks_core.execution.messages import Staged
from novel_tasks_core.execution.reports import AttemptReports
from novel_tasks_core.execution.values import storable_json
from novel_tasks_core.models import (
    Cancelled,
    Claim,
    Completed,
    Failed,
    LogLevel,
    NewArtifact,
    Outcome,
    Released,
    Retrying,
    format_task_id,
)
from novel_tasks_core.processors.base import Processor
from novel_tasks_core.storage.files import FileStore, StagedFile

__all__ = ["AttemptReports", "CancelReason", "CancelScope", "Keep", "Returned", "perform", "run_attempt"]

logger = logging.getLogger(__name__)

Keep = Callable[[Sequence[StagedFile]], Awaitable[None]]
"""Takes over the staged artifacts of an attempt that succeeded: all durable when it returns."""


class CancelReason(StrEnum):
    """Why a worker stops an attempt."""

    CANCELLED = "cancelled"
    LEASE_LOST = "lease_lost"
    SHUTDOWN = "shutdown"
    TIMEOUT = "timeout"


class CancelScope:
    """Stops one attempt, and remembers why. The first reason stands."""

    __slots__ = ("_task", "detail", "reason")

    def __init__(self) -> None:
        self.reason: CancelReason | None = None
        self.detail = ""
        self._task: asyncio.Task[Any] | None = None

    def cancel(self, reason: CancelReason, *, detail: str = "") -> None:
        """Cancel the attempt, now or as soon as it begins. `detail` is what the user gave as a reason."""
        if self.reason is not None:
            return
        self.reason, self.detail = reason, detail
        if self._task is not None:
            self._task.cancel()

    def bind(self) -> None:
        """Make the current asyncio task the one to cancel. Raises: CancelledError when that has happened already."""
        if self.reason is not None:
            raise asyncio.CancelledError
        self._task = asyncio.current_task()

    def release(self) -> None:
        """Let go of the asyncio task; the cancellation, if there was one, has been dealt with."""
        task, self._task = self._task, None
        if task is not None and self.reason is not None:
            task.uncancel()


@frozen
class Returned:
    """A processor that succeeded: what it returned as JSON, and the artifacts it staged.

    `text` is the value as JSON text, where it has been written already.
    """

    value: Any
    staged: tuple[Staged, ...] = ()
    text: str | None = None


async def run_attempt(
    claim: Claim,
    *,
    processor: Processor,
    children: ChildPool,
    files: FileStore,
    reports: AttemptReports,
    scope: CancelScope | None = None,
    keep: Keep | None = None,
    keeps_time: bool = True,
) -> Outcome:
    """Run `processor` on a claimed task, within the claim's `timeout_seconds`, and return how it ended.

    Unless it `keeps_time` itself, whoever holds the scope cancels it when the time is over.

    Nothing that a processor does raises here: its errors become Retrying or Failed and a line in the
    task's log. Artifacts are handed to `keep`, by default `files.commit`, once the processor has
    succeeded; otherwise they are removed. Stopped through `scope`, the outcome is Cancelled or Released.

    Raises: LeaseLostError when the attempt is no longer ours, so that its output must be dropped;
    CancelledError when cancelled by anything but `scope`.
    """
    scope = scope or CancelScope()
    folder = AttemptFolder(files)
    make_job = partial(_job_of, claim, processor, files)
    ended: Returned | Failure | Cancelled | Released
    try:
        scope.bind()
        limit = claim.timeout_seconds if keeps_time else None
        ended = await perform(make_job, processor, children, folder, reports, timeout_seconds=limit)
        if isinstance(ended, Returned):
            if ended.staged:
                await (keep or _commit_to(files))([_file_of(one) for one in ended.staged])
            if folder.work:
                await _forget_work(claim, files)
            return Completed(result=ended.value, artifacts=tuple(map(_artifact_of, ended.staged)), text=ended.text)
    except asyncio.CancelledError:
        if scope.reason is None:
            raise
        ended = _stopped(scope, claim)
    except EngineClosedError:
        return Released()
    except LeaseLostError:
        raise
    except Exception as exc:
        ended = failure_of(exc)
    finally:
        scope.release()
        if folder.used:
            await folder.remove()
    if scope.reason is not None:
        ended = _stopped(scope, claim)
    assert not isinstance(ended, Returned)
    outcome = _failed(ended, claim, processor, reports) if isinstance(ended, Failure) else ended
    if isinstance(outcome, Failed | Cancelled):
        await _forget_work(claim, files)
    return outcome


async def _forget_work(claim: Claim, files: FileStore) -> None:
    """Remove what this attempt and those before left for the next: none follows. What stays the sweeper takes."""
    with suppress(EngineClosedError, FileStoreError):
        await files.remove_work(claim.task_id.hex, up_to_attempt=claim.attempt)


def _job_of(claim: Claim, processor: Processor, files: FileStore) -> Job:
    source = None if claim.source is None else files.path_of(claim.source.sha256)
    return job_of(claim, processor, source_path=source, work_folder=files.work_folder / claim.task_id.hex)


async def perform(
    make_job: Callable[[], Job],
    processor: Processor,
    children: ChildPool,
    folder: AttemptFolder,
    reports: AttemptReports,
    *,
    timeout_seconds: float | None,
) -> Returned | Failure:
    """Run a processor, on the loop or in a child, and return what came of it. `timeout_seconds` None is for ever.

    Raises: LeaseLostError, EngineClosedError; CancelledError once the processor has stopped or been killed.
    """
    if timeout_seconds is None:
        return await _perform(make_job, processor, children, folder, reports)
    deadline = asyncio.timeout(timeout_seconds)
    ended: Returned | Failure | None = None
    with suppress(TimeoutError):  # only its own: what the processor raises comes back as a failure
        async with deadline:
            ended = await _perform(make_job, processor, children, folder, reports)
    if ended is None or (isinstance(ended, Failure) and deadline.expired()):
        return failure_of(TaskTimeoutError(timeout_seconds))
    return ended


async def _perform(
    make_job: Callable[[], Job],
    processor: Processor,
    children: ChildPool,
    folder: AttemptFolder,
    reports: AttemptReports,
) -> Returned | Failure:
    try:
        if processor.runs_in_child:
            return await _in_child(make_job(), children, folder, reports)
        return await _on_loop(make_job, processor, children, folder, reports)
    except (LeaseLostError, EngineClosedError):
        raise
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return failure_of(exc)  # nobody cancelled us: the processor awaited something that was
    except SystemExit as exc:
        if processor.runs_in_child:
            raise  # not from there: a signal ends this program
        return failure_of(exc)
    except Exception as exc:
        return failure_of(exc)


async def _in_child(
    job: Job, children: ChildPool, folder: AttemptFolder, reports: AttemptReports
) -> Returned | Failure:
    finished = await children.run(evolve(job, staging=str(folder.path)), reports=reports)
    folder.work |= finished.working
    if not finished.staged and finished.failure is None:
        folder.forget()  # the common case; looking would cost more than a small job
    if finished.failure is not None:
        return finished.failure
    text = None if finished.value is None else result_json(finished.value)
    return Returned(finished.value, tuple(finished.staged.values()), text)


async def _on_loop(
    make_job: Callable[[], Job],
    processor: Processor,
    children: ChildPool,
    folder: AttemptFolder,
    reports: AttemptReports,
) -> Returned:
    if processor.function is None:
        raise InvalidProcessorError("function", f"processor {processor.name!r} has no code here")
    context = LoopContext(make_job, reports=reports, children=children, folder=folder)
    if processor.options_type is None:
        returned = await processor.function(context)
    else:
        returned = await processor.function(context, structured_options(make_job(), processor.options_type))
    value, text = storable_json(returned, name="result")
    return Returned(value, tuple(context.staged.values()), text)


def _file_of(staged: Staged) -> StagedFile:
    return StagedFile(staged.sha256, staged.size, Path(staged.path), staged.flushed)


def _artifact_of(staged: Staged) -> NewArtifact:
    return NewArtifact(name=staged.name, content_type=staged.content_type, size=staged.size, sha256=staged.sha256)


def _commit_to(files: FileStore) -> Keep:
    async def keep(staged: Sequence[StagedFile]) -> None:
        await files.commit(*staged)

    return keep


def _stopped(scope: CancelScope, claim: Claim) -> Cancelled | Released | Failure:
    match scope.reason:
        case CancelReason.CANCELLED:
            return Cancelled(reason=scope.detail or "cancelled")
        case CancelReason.SHUTDOWN:
            return Released()
        case CancelReason.TIMEOUT:
            return failure_of(TaskTimeoutError(claim.timeout_seconds))
        case CancelReason.LEASE_LOST:
            raise LeaseLostError(claim.task_id, claim.attempt)
        case None:
            raise AssertionError("stopped without a reason")
        case _:
            assert_never(scope.reason)


def _failed(failure: Failure, claim: Claim, processor: Processor, reports: AttemptReports) -> Retrying | Failed:
    outcome = decide(failure, claim, processor.retry)
    snoozed = isinstance(outcome, Retrying) and not outcome.counts
    reports.log(LogLevel.INFO if snoozed else LogLevel.ERROR, log_line(failure, outcome, attempt=claim.attempt))
    logger.log(
        logging.INFO if snoozed else logging.WARNING,
        "attempt_failed",
        extra={
            "task_id": format_task_id(claim.task_id),
            "attempt": claim.attempt,
            "processor": processor.name,
            "error_type": failure.type,
            "error_traceback": failure.traceback,
        },
    )
    return outcome
