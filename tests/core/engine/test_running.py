"""Running: what attempts end with, and everything that they may do on the way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import psutil
import pytest

from novel_tasks_core import (
    AttemptContext,
    EngineConfig,
    NewTask,
    Observer,
    OutcomeKind,
    Processors,
    Retry,
    RetryPolicy,
    Snooze,
    TaskEngine,
    TaskFailedError,
    TaskStatus,
)
from novel_tasks_core.testing import drain

from ..support import AT_ONCE, NO_RETRY, Db, Gate, ended, eventually, watching


async def test_a_task_on_the_loop_and_one_in_a_child_run_alike(
    engine: TaskEngine, processors: Processors, child_processors: ModuleType
) -> None:
    """Both read their source, report, store an artifact and a result; the checkpoint is gone afterwards."""

    async def use_everything(ctx: AttemptContext) -> dict[str, Any]:
        await ctx.progress(1, total=2, stage="half")
        await ctx.log("reading")
        text = (await ctx.read_source()).decode()
        await ctx.save_artifact("copy.txt", text.encode())
        await ctx.checkpoint({"read": len(text)})
        return {
            "text": text,
            "resume_from": ctx.resume_from,
            "options": dict(ctx.options),
            "extra": dict(ctx.extra_data),
        }

    processors.register("loop", use_everything)
    processors.register("child", child_processors.use_everything)
    source = await engine.store("渡口".encode(), name="n.txt")
    async with engine.worker():
        for name in ("loop", "child"):
            task = await engine.submit(source, processor=name, options={"a": 1}, extra_data={"b": 2})
            assert await engine.result(task.id) == {
                "text": "渡口",
                "resume_from": None,
                "options": {"a": 1},
                "extra": {"b": 2},
            }
            done = await engine.get(task.id)
            assert (done.status, done.progress, done.attempt, done.result_attempt) == ("completed", 1.0, 1, 1)
            assert done.started_at is not None
            assert done.finished_at is not None
            assert done.created_at <= done.finished_at
            assert [log.message for log in await engine.logs(task.id)] == ["reading"]
            assert (await engine.open_artifact(task.id, "copy.txt")).path.read_bytes() == "渡口".encode()


async def test_nothing_is_kept_of_what_is_over(engine: TaskEngine, processors: Processors, db: Db) -> None:
    """After a completion there is no lease, no checkpoint, no key, no ready row, and no row that repeats the task."""

    async def check(ctx: AttemptContext) -> None:
        await ctx.checkpoint(1)

    processors.register("check", check)
    await engine.submit(processor="check", key="k")
    await drain(engine)
    tables = ("task_leases", "task_checkpoints", "task_keys", "task_ready", "task_schedule", "task_attempts")
    assert [await db.fetchval(f"select count(*) from {table}") for table in tables] == [0, 0, 0, 0, 0, 0]


async def test_completed_attempts_are_remembered_when_the_task_runs_again(
    engine: TaskEngine, processors: Processors, db: Db
) -> None:
    """The first is told by the task, and has a row of its own once another follows; none is told twice."""

    async def count(ctx: AttemptContext) -> int:
        return ctx.attempt

    processors.register("count", count)
    task = await engine.submit(processor="count")
    await drain(engine)
    [first] = await engine.attempts(task.id)
    await engine.requeue(task.id)
    assert await engine.attempts(task.id) == [first]
    await drain(engine)
    again, second = await engine.attempts(task.id)
    assert (again, second.number, second.outcome) == (first, 2, OutcomeKind.COMPLETED)
    assert second.started_at > first.finished_at
    assert second.worker_id != first.worker_id
    await db.execute("insert into task_attempts select * from all_attempts where attempt = 2")  # as older programs did
    assert await engine.attempts(task.id) == [first, second]


class Outcomes(Observer):
    """Remembers how attempts ended."""

    def __init__(self) -> None:
        self.seen: list[OutcomeKind] = []

    def attempt_finished(self, *, outcome: OutcomeKind, **told: Any) -> None:
        """Remember."""
        self.seen.append(outcome)


async def test_failures_are_retried_until_none_is_left(engine_config: EngineConfig, processors: Processors) -> None:
    """Each is an attempt with its error; the last one fails the task; observers hear of all."""

    async def fail(ctx: AttemptContext) -> None:
        raise ValueError(f"no good {ctx.attempt}")

    processors.register("fail", fail, retry=AT_ONCE)
    observer = Outcomes()
    async with TaskEngine.open(engine_config, processors=processors, observers=[observer]) as engine:
        task = await engine.submit(processor="fail")
        await drain(engine)
        failed = await engine.get(task.id)
        assert (failed.status, failed.attempt, failed.failures) == (TaskStatus.FAILED, 3, 3)
        assert failed.error is not None
        assert (failed.error.type, failed.error.message) == ("ValueError", "no good 3")
        outcomes = [OutcomeKind.RETRY, OutcomeKind.RETRY, OutcomeKind.FAILED]
        assert [a.outcome for a in await engine.attempts(task.id)] == observer.seen == outcomes
        with pytest.raises(TaskFailedError, match="no good 3") as caught:
            await engine.result(task.id)
        assert caught.value.status == "failed"


async def test_a_retry_waits_its_time(engine: TaskEngine, processors: Processors, db: Db) -> None:
    """Between the attempts the task is pending with a time in the future, and says when."""

    async def once(ctx: AttemptContext) -> int:
        if ctx.attempt == 1:
            raise OSError("try again")
        return ctx.attempt

    processors.register("once", once, retry=RetryPolicy(base_seconds=600, jitter=0))
    async with engine.worker():
        task = await engine.submit(processor="once")
        waiting = await eventually(lambda: _after_first(engine, task.id))
        assert (waiting.status, waiting.failures) == (TaskStatus.PENDING, 1)
        [first] = await engine.attempts(task.id)
        assert timedelta(seconds=600) <= waiting.run_at - first.finished_at < timedelta(seconds=601)
        due = datetime.now(UTC) + timedelta(seconds=0.4)
        await db.execute("update task_schedule set run_at = $1", due)
        assert await engine.result(task.id) == 2
    _, second = await engine.attempts(task.id)
    assert second.started_at >= due


async def _after_first(engine: TaskEngine, task_id: Any) -> Any:
    task = await engine.get(task_id)
    return task if task.run_at is not None else None


async def test_asking_for_a_retry_or_a_snooze_uses_up_no_failure(engine: TaskEngine, processors: Processors) -> None:
    """A processor with one attempt may come again as often as it asks."""

    async def patient(ctx: AttemptContext) -> int:
        if ctx.attempt == 1:
            raise Retry(after=0, reason="too early")
        if ctx.attempt == 2:
            raise Snooze(for_=0.01)
        return ctx.attempt

    processors.register("patient", patient, retry=NO_RETRY)
    task = await engine.submit(processor="patient")
    await drain(engine)
    done = await engine.get(task.id)
    assert (done.status, done.result, done.failures) == (TaskStatus.COMPLETED, 3, 0)


async def test_an_error_that_cannot_help_is_not_retried(engine: TaskEngine, processors: Processors) -> None:
    """By its kind (bad input), by the policy for its class, or by the task's own limit."""

    async def fail(ctx: AttemptContext) -> None:
        if ctx.options["how"] == "input":
            await ctx.read_novel(encoding="no-such-codec")
        raise KeyError(ctx.options["how"])

    policy = RetryPolicy(
        max_attempts=5, base_seconds=0, by_error={"KeyError": RetryPolicy(max_attempts=2, base_seconds=0)}
    )
    processors.register("fail", fail, retry=policy)
    tasks = {
        "input": await engine.submit(await engine.store(b"x", name="x"), processor="fail", options={"how": "input"}),
        "policy": await engine.submit(processor="fail", options={"how": "policy"}),
    }
    await drain(engine)
    attempts = {how: (await engine.get(task.id)).attempt for how, task in tasks.items()}
    assert attempts == {"input": 1, "policy": 2}


async def test_work_that_takes_too_long_is_stopped(
    engine: TaskEngine, processors: Processors, gate: Gate, child_processors: ModuleType
) -> None:
    """On the loop it is cancelled; in a child it is killed, whether it listens or not. Both fail as timed out."""
    processors.register("pid", child_processors.tell_pid)
    processors.register("sleep", child_processors.sleep_for_ever, retry=NO_RETRY, timeout_seconds=0.5)
    async with engine.worker():
        slow = await engine.submit(processor="gate", timeout_seconds=0.2)
        pid = int(await engine.result((await engine.submit(processor="pid")).id))
        sleeping = await engine.submit(processor="sleep")  # the child that there is has its turn
        for task in (slow, sleeping):
            failed = await ended(engine, task)
            assert failed.error is not None
            assert (failed.status, failed.error.type) == (TaskStatus.FAILED, "TaskTimeoutError")
        assert gate.stopped == [slow.id]
        assert not psutil.pid_exists(pid)


async def _with_stage(engine: TaskEngine, task_id: Any) -> Any:
    task = await engine.get(task_id)
    return task if task.stage else None


async def test_a_running_task_can_be_cancelled(
    engine: TaskEngine, processors: Processors, gate: Gate, child_processors: ModuleType
) -> None:
    """The loop's is cancelled, the child's is killed; both end as cancelled with the reason that was given."""
    processors.register("sleep", child_processors.sleep_for_ever)
    async with engine.worker():
        tasks = [await engine.submit(processor="gate"), await engine.submit(processor="sleep")]
        await gate.next()
        pid = int((await eventually(lambda: _with_stage(engine, tasks[1].id))).stage)
        for task in tasks:
            asked = await engine.cancel(task.id, reason="not wanted")
            assert asked.cancel_requested or asked.status is TaskStatus.CANCELLED
            stopped = await ended(engine, task)
            assert stopped.error is not None
            assert (stopped.status, stopped.error.message) == (TaskStatus.CANCELLED, "not wanted")
            kinds = [event.kind for event in await engine.events(task.id)]
            assert sorted(kinds) == ["cancel_requested", "cancelled", "started"]
            [attempt] = await engine.attempts(task.id)
            assert attempt.outcome is OutcomeKind.CANCELLED
        assert gate.stopped == [tasks[0].id]
        assert not psutil.pid_exists(pid)


async def test_a_crash_fails_only_its_own_attempt(
    engine: TaskEngine, processors: Processors, child_processors: ModuleType
) -> None:
    """A child that dies without a word leaves the worker and its neighbours alone."""
    processors.register("die", child_processors.die, retry=NO_RETRY)
    processors.register("pid", child_processors.tell_pid)
    async with engine.worker(concurrency=2):
        dying = await engine.submit(processor="die")
        living = [await engine.submit(processor="pid") for _ in range(4)]
        assert all([await engine.result(task.id) for task in living])
        failed = await ended(engine, dying)
        assert failed.error is not None
        assert failed.error.type == "ChildCrashedError"


async def test_higher_priorities_run_first(engine: TaskEngine, processors: Processors) -> None:
    """With one slot the order of a lane is by priority, then by submit."""
    order: list[int] = []

    async def note(ctx: AttemptContext) -> None:
        order.append(ctx.extra_data["n"])

    processors.register("note", note)
    await engine.submit_many(NewTask(processor="note", priority=n % 3, extra_data={"n": n}) for n in range(12))
    await drain(engine, concurrency=1)
    assert order == sorted(range(12), key=lambda n: (-(n % 3), n))


async def test_a_scheduled_task_runs_when_it_is_due(engine: TaskEngine, processors: Processors) -> None:
    """Not before, and soon after."""

    async def quick(ctx: AttemptContext) -> None:
        pass

    processors.register("quick", quick)
    due = datetime.now(UTC) + timedelta(seconds=0.4)
    async with engine.worker():
        task = await engine.submit(processor="quick", run_at=due)
        done = await ended(engine, task)
    assert done.started_at is not None
    assert done.started_at >= due


async def test_a_checkpoint_carries_over_to_the_next_attempt(engine: TaskEngine, processors: Processors) -> None:
    """The latest one; and none is left for the attempts of a later requeue."""
    seen: list[Any] = []

    async def step(ctx: AttemptContext) -> None:
        seen.append(ctx.resume_from)
        await ctx.checkpoint({"done": ctx.attempt, "odd": "a\x00b"})
        if ctx.attempt < 3:
            raise ValueError("again")

    processors.register("step", step, retry=AT_ONCE)
    task = await engine.submit(processor="step")
    await drain(engine)
    await engine.requeue(task.id)
    await drain(engine)
    assert seen == [None, {"done": 1, "odd": "a\ufffdb"}, {"done": 2, "odd": "a\ufffdb"}, None]


async def test_progress_is_told_seldom_but_the_last_word_arrives(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """Thousands of reports become a few events and lease writes, and a watcher hears the last one before silence."""
    async with engine.worker():
        task = await engine.submit(processor="gate")
        async with watching(engine, task.id) as watcher:
            ctx = await gate.next()
            await watcher.subscribed.wait()
            for n in range(1, 5001):
                await ctx.progress(n, total=10_000, stage=f"page {n}")
            told = await eventually(lambda: [e for e in watcher.events if getattr(e, "stage", "") == "page 5000"])
            assert (told[0].fraction, told[0].after_seq, told[0].attempt) == (0.5, 1, 1)
            assert len([e for e in watcher.events if e.kind == "progress"]) <= 10
            assert await db.fetchval("select tick from task_leases") <= 10
            shown = await engine.get(task.id)
            assert (shown.progress, shown.stage) == (0.5, "page 5000")
            gate.let_go()
            await watcher.finished()


async def test_a_result_that_the_database_refuses_fails_only_its_own_task(
    engine: TaskEngine, processors: Processors, db: Db
) -> None:
    """In a batch of ten one poisoned end becomes a failure that says so; a watcher hears what was stored."""
    await db.execute("alter table tasks add constraint no_poison check (result::text not like '%poison%')")
    start = asyncio.Event()

    async def give(ctx: AttemptContext) -> str:
        await start.wait()
        return str(ctx.extra_data["give"])

    processors.register("give", give, retry=NO_RETRY)
    async with engine.worker(concurrency=10) as worker:
        tasks = [
            await engine.submit(processor="give", extra_data={"give": "poison" if n == 6 else "bread"})
            for n in range(10)
        ]
        async with watching(engine, tasks[6].id) as watcher:
            await eventually(lambda: worker.running == 10)
            start.set()
            events = await watcher.finished()
        finals = [await ended(engine, task) for task in tasks]
    assert [n for n, task in enumerate(finals) if task.status is not TaskStatus.COMPLETED] == [6]
    assert finals[6].error is not None
    assert (finals[6].status, finals[6].error.type) == (TaskStatus.FAILED, "InvalidInputError")
    assert events == await engine.events(tasks[6].id)


async def test_every_free_slot_is_filled_however_tasks_arrive(engine: TaskEngine, processors: Processors) -> None:
    """Ten tasks that come one by one, while others are being claimed and started, run on ten slots at once."""
    for turn in range(20):
        gate = Gate()
        processors.register(f"gate-{turn}", gate.run)
        async with engine.worker(concurrency=10, processors=[f"gate-{turn}"]):
            for _ in range(10):
                await engine.submit(processor=f"gate-{turn}")
            await eventually(lambda gate=gate: len(gate.running) == 10)  # type: ignore[misc]
            gate.let_go()


async def test_results_may_be_odd_texts(engine: TaskEngine, processors: Processors) -> None:
    """NUL and lone surrogates in results, logs, stages and errors are replaced, and nothing is lost for them."""

    async def odd(ctx: AttemptContext) -> Any:
        await ctx.log("log \x00\ud800")
        await ctx.progress(0.5, stage="stage \x00")
        if ctx.options:
            raise ValueError("error \x00\udfff")
        return {"ke\x00y": "\ud800"}

    processors.register("odd", odd, retry=NO_RETRY)
    good, bad = await engine.submit(processor="odd"), await engine.submit(processor="odd", options={"fail": 1})
    await drain(engine)
    assert (await engine.get(good.id)).result == {"ke\ufffdy": "\ufffd"}
    failed = await engine.get(bad.id)
    assert failed.error is not None
    assert failed.error.message == "error \ufffd\ufffd"
    assert (await engine.logs(good.id))[0].message == "log \ufffd\ufffd"


async def test_a_worker_runs_only_what_it_was_told(engine: TaskEngine, processors: Processors, gate: Gate) -> None:
    """Of two workers each takes its own processors; no worker takes tasks of the outside."""
    ran: list[str] = []

    async def note(ctx: AttemptContext) -> None:
        ran.append("note")

    processors.register("note", note)
    async with engine.worker(processors=["gate"]):
        theirs = await engine.submit(processor="note")
        outside = await engine.submit(processor="external")
        await engine.submit(processor="gate")
        await gate.next()
        assert ran == []
        async with engine.worker(processors=["note"]):
            await engine.result(theirs.id)
        assert (await engine.get(outside.id)).status is TaskStatus.PENDING
        gate.let_go()


async def test_slots_are_never_exceeded(engine: TaskEngine, processors: Processors) -> None:
    """However many tasks wait, and however quick they are, at most `concurrency` run at once."""
    running, most = 0, 0

    async def count(ctx: AttemptContext) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    processors.register("count", count)
    await engine.submit_many(NewTask(processor="count") for _ in range(300))
    assert await drain(engine, concurrency=3) == 300
    assert most == 3


async def test_a_source_that_is_gone_fails_the_task_with_a_name(
    engine_config: EngineConfig, processors: Processors, tmp_path: Path
) -> None:
    """A file that somebody removed from the store is an error of the attempt, not of the worker."""

    async def read(ctx: AttemptContext) -> int:
        return len(await ctx.read_source())

    processors.register("read", read, retry=NO_RETRY)
    config = attrs.evolve(engine_config, files_dir=tmp_path / "elsewhere")
    async with TaskEngine.open(config, processors=processors) as engine:
        task = await engine.submit(await engine.store(b"abc", name="n"), processor="read")
        (await engine.open_source(task.id))[1].unlink()
        await drain(engine)
        failed = await engine.get(task.id)
        assert failed.error is not None
        assert failed.error.type == "SourceNotFoundError"
