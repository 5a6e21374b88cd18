"""One attempt, whole: whatever a processor does becomes an outcome, and nothing is left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import frozen

from novel_tasks_core.errors import InvalidInputError, LeaseLostError, SourceNotFoundError
from novel_tasks_core.execution.attempt import CancelReason, CancelScope, run_attempt
from novel_tasks_core.execution.children import ChildPool
from novel_tasks_core.models import (
    Cancelled,
    Claim,
    Completed,
    ErrorInfo,
    Failed,
    LogLevel,
    Outcome,
    Released,
    Retrying,
    Source,
    new_task_id,
)
from novel_tasks_core.processors.base import AttemptContext, Processor
from novel_tasks_core.retries import RetryPolicy, Snooze
from novel_tasks_core.storage.files import LocalFiles, StagedFile

from .conftest import Recorded

POLICY = RetryPolicy(base_seconds=2, jitter=0)
Attempt = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def attempt(
    children: ChildPool, files: LocalFiles, reports: Recorded, make_claim: Callable[..., Claim], specimens: ModuleType
) -> Attempt:
    """Run an attempt of a function, or of a specimen by its name; what is not named here goes to the claim."""

    async def run(function: Any, *, scope: CancelScope | None = None, keep: Any = None, **claim: Any) -> Outcome:
        if isinstance(function, str):
            function = getattr(specimens, function)
        wanted = (o for o in function.__annotations__.items() if o[0] == "options")
        processor = Processor(
            name="specimen",
            function=function,
            retry=POLICY,
            options_type=next((specimens.ShoutOptions if t == "ShoutOptions" else OnLoop for _, t in wanted), None),
        )
        return await run_attempt(
            make_claim(**claim),
            processor=processor,
            children=children,
            files=files,
            reports=reports,
            scope=scope,
            keep=keep,
        )

    return run


@frozen
class OnLoop:
    """Options of a processor on the loop."""

    times: int = 1


def left_in(files: LocalFiles) -> list[Path]:
    """List what is still staged."""
    return list(files.staging_folder.rglob("*")) if files.staging_folder.exists() else []


async def all_of_it(ctx: AttemptContext) -> Any:
    """Use every method of the context on the loop."""
    await ctx.log("began\x00", level=LogLevel.DEBUG)
    await ctx.progress(3, total=4, stage="most")
    await ctx.checkpoint({"chapter": 3})
    await ctx.save_artifact("a.txt", b"old")
    saved = await ctx.save_artifact("a.txt", await ctx.read_source())
    return {"size": saved.size, "from": ctx.resume_from, "name": ctx.file_name, "extra": ctx.extra_data["k"]}


async def test_an_async_processor_completes(
    attempt: Attempt, files: LocalFiles, reports: Recorded, store_source: Callable[..., Awaitable[Source]]
) -> None:
    """Its return value is the result, its artifacts are stored, its reports are heard."""
    source = await store_source(b"Once upon")
    outcome = await attempt(all_of_it, source=source, resume_from={"chapter": 2}, extra_data={"k": 1})
    assert isinstance(outcome, Completed)
    assert outcome.result == {"size": 9, "from": {"chapter": 2}, "name": "novel.txt", "extra": 1}
    (artifact,) = outcome.artifacts
    assert (artifact.name, artifact.content_type) == ("a.txt", "text/plain; charset=utf-8")
    assert files.path_of(artifact.sha256).read_bytes() == b"Once upon"
    assert reports.progressed == [(0.75, "most")]
    assert reports.logged == [(LogLevel.DEBUG, "began�")]
    assert reports.checkpoints == [{"chapter": 3}]
    assert left_in(files) == []


async def test_a_def_processor_completes_in_a_child(
    attempt: Attempt, files: LocalFiles, store_source: Callable[..., Awaitable[Source]]
) -> None:
    """The child sees the same context as the claim gave, and artifacts are stored from there."""
    source = await store_source(b"novel text")
    outcome = await attempt("echo", source=source, attempt=4, options={"a": [1]}, extra_data={"k": None})
    assert isinstance(outcome, Completed)
    seen = outcome.result
    assert (seen["attempt"], seen["options"], seen["extra_data"]) == (4, {"a": [1]}, {"k": None})
    assert (seen["file_name"], seen["source"]) == ("novel.txt", "novel text")
    assert seen["source_path"] == str(files.path_of(source.sha256))
    stored = await attempt("report_all")
    assert isinstance(stored, Completed)
    assert [files.path_of(one.sha256).read_bytes() for one in stored.artifacts] == [b"second", b"from a file"]
    assert left_in(files) == []


async def test_options_arrive_as_the_processors_own_class(
    attempt: Attempt, store_source: Callable[..., Awaitable[Source]]
) -> None:
    """On the loop and in a child, JSON options become an instance of the class that the processor named."""

    async def on_loop(ctx: AttemptContext, options: OnLoop) -> int:
        return options.times

    source = await store_source(b"Hey")
    assert await attempt(on_loop, options={"times": 5}) == Completed(result=5)
    shouted = await attempt("shout", source=source, options={"case": "lower", "times": 2})
    assert shouted == Completed(result="heyhey")
    misfit = await attempt("shout", source=source, options={"times": "many"})
    assert isinstance(misfit, Failed)
    assert misfit.error.type == "InvalidOptionsError"


@pytest.mark.parametrize("what", ["value", "empty", "unprintable", "cancelled", "exit"])
async def test_errors_in_a_child_are_retried(attempt: Attempt, reports: Recorded, what: str) -> None:
    """An ordinary error, even an odd one, schedules another attempt and is told in the task's log."""
    outcome = await attempt("fail", options={"what": what}, failures=1)
    assert isinstance(outcome, Retrying)
    assert (outcome.delay_seconds, outcome.counts) == (4, True)
    ((level, message),) = reports.logged
    assert level is LogLevel.ERROR
    assert message.startswith(f"Attempt 1 failed: {outcome.error.type}: {outcome.error.message}")


@pytest.mark.parametrize(("what", "kind"), [("decoding", "DecodingError"), ("options", "InvalidOptionsError")])
async def test_hopeless_errors_fail_at_once(attempt: Attempt, what: str, kind: str) -> None:
    """What another attempt cannot mend ends the task at the first."""
    outcome = await attempt("fail", options={"what": what})
    assert isinstance(outcome, Failed)
    assert outcome.error.type == kind


@pytest.mark.parametrize(("what", "delay"), [("retry", 12.5), ("snooze", 60)])
async def test_instructions_use_up_no_attempt(attempt: Attempt, reports: Recorded, what: str, delay: float) -> None:
    """Retry and Snooze raised in a child arrive as such."""
    outcome = await attempt("fail", options={"what": what}, failures=2)
    assert isinstance(outcome, Retrying)
    assert (outcome.delay_seconds, outcome.counts) == (delay, False)
    assert reports.logged[0][0] is LogLevel.INFO


async def test_the_last_failure_fails(attempt: Attempt) -> None:
    """With two failures of three allowed behind it, a third ends the task."""
    outcome = await attempt("fail", options={"what": "value"}, failures=2)
    assert outcome == Failed(error=ErrorInfo("ValueError", "no good"))


async def test_a_crash_is_an_ordinary_failure(attempt: Attempt, files: LocalFiles) -> None:
    """A processor whose process dies is tried again, and its folder is gone."""
    outcome = await attempt("crash", options={"how": "exit"})
    assert isinstance(outcome, Retrying)
    assert outcome.error.type == "ChildCrashedError"
    assert left_in(files) == []


@pytest.mark.parametrize(("what", "words"), [("nan", "NaN"), ("set", "JSON"), ("huge", "artifact")])
async def test_a_result_that_is_no_json_fails(attempt: Attempt, what: str, words: str) -> None:
    """The error says what is wrong with the returned value, and no retry is wasted."""
    outcome = await attempt("give", options={"what": what})
    assert isinstance(outcome, Failed)
    assert words in outcome.error.message


async def test_results_are_made_storable(attempt: Attempt) -> None:
    """NUL and lone surrogates are replaced; megabytes of text pass."""
    assert await attempt("give", options={"what": "nul"}) == Completed(result={"ti�tle": ["a�b", "�"]})
    assert await attempt("give", options={"what": "large"}) == Completed(result="é" * (3 << 20))


async def test_an_async_processor_times_out(attempt: Attempt, reports: Recorded) -> None:
    """On the loop the time limit is asyncio's, whatever the processor makes of being cancelled."""

    async def sleep(ctx: AttemptContext) -> None:
        await asyncio.Event().wait()

    async def transform(ctx: AttemptContext) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise KeyError from None

    for function in (sleep, transform):
        outcome = await attempt(function, timeout_seconds=0.02)
        assert isinstance(outcome, Retrying)
        assert outcome.error == ErrorInfo("TaskTimeoutError", "did not finish within 0.02 s", details={"seconds": 0.02})


async def test_its_own_timeout_error_is_not_ours(attempt: Attempt) -> None:
    """A TimeoutError that the processor raises is told as its own."""

    async def own(ctx: AttemptContext) -> None:
        raise TimeoutError("the other server")

    outcome = await attempt(own)
    assert isinstance(outcome, Retrying)
    assert outcome.error == ErrorInfo("TimeoutError", "the other server")


async def test_a_stubborn_child_times_out_hard(attempt: Attempt, children: ChildPool) -> None:
    """A processor that listens to nothing is killed after its time and the grace."""
    started = time.monotonic()
    outcome = await attempt("stubborn", timeout_seconds=1.0)
    assert isinstance(outcome, Retrying)
    assert outcome.error.type == "TaskTimeoutError"
    assert time.monotonic() - started < 60
    assert children.pids == ()


async def endless(ctx: AttemptContext) -> None:
    """Report and never return."""
    await ctx.save_artifact("half.txt", b"half")
    await ctx.progress(0.5)
    await asyncio.Event().wait()


@pytest.mark.parametrize("function", [endless, "obedient", "stubborn"])
@pytest.mark.parametrize("reason", list(CancelReason))
async def test_the_reason_decides_the_outcome(
    attempt: Attempt, reports: Recorded, files: LocalFiles, function: Any, reason: CancelReason
) -> None:
    """Stopped by a user, a shutdown, the clock or a lost lease, an attempt ends accordingly and leaves nothing."""
    scope, begun = CancelScope(), asyncio.Event()
    reports.on_progress = lambda _fraction, _stage: begun.set()
    work = asyncio.ensure_future(attempt(function, scope=scope))
    await begun.wait()
    scope.cancel(reason, detail="not wanted")
    scope.cancel(CancelReason.SHUTDOWN)
    match reason:
        case CancelReason.CANCELLED:
            assert await work == Cancelled(reason="not wanted")
        case CancelReason.SHUTDOWN:
            assert await work == Released()
        case CancelReason.TIMEOUT:
            outcome = await work
            assert isinstance(outcome, Retrying)
            assert outcome.error.type == "TaskTimeoutError"
            assert "did not finish" in reports.logged.pop()[1]
        case CancelReason.LEASE_LOST:
            with pytest.raises(LeaseLostError):
                await work
    assert left_in(files) == []
    assert reports.logged == []


async def test_cancelled_before_it_began(attempt: Attempt) -> None:
    """A reason given before the first step keeps the processor from running at all."""
    scope = CancelScope()
    scope.cancel(CancelReason.CANCELLED)

    async def never(ctx: AttemptContext) -> None:
        raise AssertionError

    assert await attempt(never, scope=scope) == Cancelled()


async def test_failing_in_its_own_cleaning_up_is_still_cancelled(attempt: Attempt, reports: Recorded) -> None:
    """A cancelled processor that raises something else while it stops was cancelled all the same."""
    scope = CancelScope()

    async def clumsy(ctx: AttemptContext) -> None:
        scope.cancel(CancelReason.CANCELLED)
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError("oh")

    assert await attempt(clumsy, scope=scope) == Cancelled()


async def test_a_plain_cancellation_goes_on(attempt: Attempt, reports: Recorded) -> None:
    """An asyncio task cancelled by nobody that we know stays cancelled."""
    begun = asyncio.Event()
    reports.on_progress = lambda _fraction, _stage: begun.set()
    work = asyncio.ensure_future(attempt(endless))
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_awaiting_something_cancelled_is_a_failure(attempt: Attempt) -> None:
    """A CancelledError out of the processor's own doing is an error like others."""

    async def awaits_cancelled(ctx: AttemptContext) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    outcome = await attempt(awaits_cancelled)
    assert isinstance(outcome, Retrying)
    assert outcome.error.type == "CancelledError"


async def test_sys_exit_on_the_loop_is_a_failure(attempt: Attempt) -> None:
    """A processor that exits does not take the worker along."""

    async def leave(ctx: AttemptContext) -> None:
        raise SystemExit(2)

    outcome = await attempt(leave)
    assert isinstance(outcome, Retrying)
    assert outcome.error.type == "SystemExit"


async def test_a_lost_lease_at_a_checkpoint_ends_the_attempt(attempt: Attempt, reports: Recorded) -> None:
    """When a checkpoint finds the lease gone, the attempt raises so and says nothing more."""
    reports.refuse_checkpoint = LeaseLostError(new_task_id(), 1)
    for function in (all_of_it, "report_all"):
        with pytest.raises(LeaseLostError):
            await attempt(function)


async def test_artifacts_of_a_failed_attempt_are_not_kept(attempt: Attempt, files: LocalFiles) -> None:
    """What was staged before a failure is removed; `keep` is asked only after success."""
    kept: list[StagedFile] = []

    async def keep(staged: list[StagedFile]) -> None:
        kept.extend(staged)

    async def half(ctx: AttemptContext) -> None:
        await ctx.save_artifact("half.txt", b"half")
        raise ValueError

    await attempt(half, keep=keep)
    assert kept == []
    assert left_in(files) == []
    await attempt("report_all", keep=keep)
    assert [one.size for one in kept] == [6, 11]
    assert left_in(files) == []


async def test_a_bad_artifact_name_is_refused(attempt: Attempt) -> None:
    """A path cannot be smuggled in as a name."""

    async def smuggle(ctx: AttemptContext) -> None:
        with pytest.raises(InvalidInputError):
            await ctx.save_artifact("../../etc/passwd", b"")

    assert await attempt(smuggle) == Completed()


async def test_a_lost_source_is_told(attempt: Attempt) -> None:
    """A source whose file is gone is named by its SHA-256."""

    async def read(ctx: AttemptContext) -> None:
        await ctx.read_source()

    gone = Source("ab" * 32, 3, "gone.txt")
    for function in (read, "echo"):
        outcome = await attempt(function, source=gone)
        assert isinstance(outcome, Retrying)
        assert outcome.error == ErrorInfo(SourceNotFoundError.__name__, f"no stored file has the SHA-256 {'ab' * 32}")


async def test_a_novel_is_read_in_a_child(
    attempt: Attempt, files: LocalFiles, store_source: Callable[..., Awaitable[Source]]
) -> None:
    """`read_novel` on the loop gives the same novel, split elsewhere; a wrong encoding is an error in words."""
    source = await store_source(b"Chapter 1\n\nOnce upon a time.\n\nChapter 2\n\nThe end.\n")

    async def read(ctx: AttemptContext) -> str:
        novel = await ctx.read_novel()
        return "".join(chapter.text for chapter in novel.chapters)

    async def misread(ctx: AttemptContext) -> None:
        await ctx.read_novel(encoding="utf-32")

    outcome = await attempt(read, source=source)
    assert outcome == Completed(result="Chapter 1\n\nOnce upon a time.\n\nChapter 2\n\nThe end.\n")
    refused = await attempt(misread, source=source)
    assert isinstance(refused, Failed)
    assert refused.error.type == "DecodingError"
    assert left_in(files) == []


async def test_a_processor_without_code_fails(
    children: ChildPool, files: LocalFiles, reports: Recorded, make_claim: Callable[..., Claim]
) -> None:
    """Work of outside services that reaches a worker by mistake fails in words."""
    outside = Processor(name="external", function=None)
    outcome = await run_attempt(make_claim(), processor=outside, children=children, files=files, reports=reports)
    assert isinstance(outcome, Failed)
    assert outcome.error.type == "InvalidProcessorError"


async def test_a_snoozing_async_processor_sleeps(attempt: Attempt) -> None:
    """Snooze works on the loop as in a child."""

    async def snooze(ctx: AttemptContext) -> None:
        raise Snooze(for_=5)

    outcome = await attempt(snooze)
    assert isinstance(outcome, Retrying)
    assert (outcome.delay_seconds, outcome.counts) == (5, False)


async def leave_on_the_loop(ctx: AttemptContext) -> int:
    """Leave a file for the next attempt, and let there be one."""
    (ctx.work_folder / str(ctx.attempt)).touch()
    if ctx.attempt == 1:
        raise Snooze(for_=1)
    return len(list(ctx.work_folder.iterdir()))


@pytest.mark.parametrize("last", ["return", "fail"])
async def test_what_an_attempt_leaves_is_there_for_the_next_until_the_task_ends(
    attempt: Attempt, files: LocalFiles, last: str
) -> None:
    """A killed child's work is found by the attempts that follow, and removed after the last, whatever its outcome."""
    same = {"task_id": new_task_id(), "options": {"ends": ["kill", "kill", last]}}
    for number in (1, 2):
        assert isinstance(await attempt("leave", attempt=number, **same), Retrying)
        assert [path.name for path in files.work_folder.glob("*/*")] == [str(number)]

    outcome = await attempt("leave", attempt=3, **same)

    if isinstance(outcome, Completed):
        assert outcome.result == [1, 2, 3]
    else:
        assert isinstance(outcome, Failed)
    assert list(files.work_folder.iterdir()) == []


async def test_an_async_processor_finds_its_work_too(attempt: Attempt, files: LocalFiles) -> None:
    """On the loop the work folder is the same thing."""
    task_id = new_task_id()
    await attempt(leave_on_the_loop, task_id=task_id)

    outcome = await attempt(leave_on_the_loop, task_id=task_id, attempt=2)

    assert isinstance(outcome, Completed)
    assert outcome.result == 2
    assert list(files.work_folder.iterdir()) == []
