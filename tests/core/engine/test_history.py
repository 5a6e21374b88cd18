"""What the queue did over time: counts, waits and runs, step by step."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import pytest

from novel_tasks_core import (
    AttemptContext,
    InvalidFilterError,
    InvalidInputError,
    NewTask,
    Percentiles,
    Processors,
    QueueHistory,
    RetryPolicy,
    TaskEngine,
    TaskFilter,
    TaskStatus,
)
from novel_tasks_core.testing import drain

from ..support import Db

NOTHING = Percentiles(p50=None, p95=None)


@pytest.fixture(autouse=True)
def act(processors: Processors) -> None:
    """A processor that does what its options say."""

    async def run(ctx: AttemptContext) -> None:
        await asyncio.sleep(ctx.options.get("seconds", 0))
        if ctx.options.get("fail"):
            raise ValueError("as wanted")

    processors.register("act", run, retry=RetryPolicy.never())
    processors.register("other", run, retry=RetryPolicy.never())


def totals(history: QueueHistory) -> tuple[int, int, int, int]:
    """Return how many were submitted, completed, failed and cancelled."""
    names = ("submitted", "completed", "failed", "cancelled")
    return tuple(sum(getattr(p, name) for p in history.points) for name in names)


async def add_minutes(db: Db, *rows: tuple[int, int, list[tuple[int, int]]]) -> datetime:
    """Note, so many minutes ago, so many completed tasks of a lane, of which these waited and ran for milliseconds.

    Returns the moment from which the minutes are counted.
    """
    await db.execute("insert into lanes (processor) values ('act') on conflict do nothing")
    now: datetime = await db.fetchval("select now()")
    for ago, tasks, times in rows:
        data = b"".join(ms.to_bytes(4, "big", signed=True) for pair in times for ms in pair)
        await db.execute(
            "insert into task_flow (at, lane, submitted, completed, failed, cancelled, timed, times)"
            " select date_trunc('minute', $4::timestamptz - $1 * interval '1 minute'), id, 0, $2, 0, 0, $2, $3"
            " from lanes where processor = 'act'",
            ago,
            tasks,
            data,
            now,
        )
    return now


@pytest.mark.parametrize("rolled_up", [False, True])
async def test_every_end_is_counted_once(engine: TaskEngine, rolled_up: bool) -> None:
    """New, completed, failed and cancelled tasks of one processor or of all, before and after they are rolled up."""
    await engine.submit_many([NewTask(processor="act")] * 5 + [NewTask(processor="act", options={"fail": True})] * 2)
    await engine.import_tasks([NewTask(processor="other")] * 3)
    await engine.cancel((await engine.submit(processor="act", run_at=datetime.now(UTC) + timedelta(days=1))).id)
    await drain(engine)
    if rolled_up:
        await engine._parts.housekeeping.roll_up()
    assert totals(await engine.history()) == (11, 8, 2, 1)
    assert totals(await engine.history(processor="act")) == (8, 5, 2, 1)
    assert totals(await engine.history(processor="unheard-of")) == (0, 0, 0, 0)
    now = await engine.history()
    assert totals(now) == totals(QueueHistory(**{**_fields(now), "points": now.points[-2:]}))


def _fields(history: QueueHistory) -> dict[str, Any]:
    return {name: getattr(history, name) for name in ("step_seconds", "since", "until", "is_sample", "wait", "run")}


async def test_what_was_sent_round_again_ends_again(engine: TaskEngine) -> None:
    """It is not submitted again; and what is deleted did happen all the same."""
    await engine.submit(processor="act", options={"fail": True})
    await drain(engine)
    await engine.requeue_all(TaskFilter(status=TaskStatus.FAILED))
    await drain(engine)
    await engine.delete_all(TaskFilter(status=TaskStatus.FAILED))
    await engine._parts.housekeeping.roll_up()
    assert totals(await engine.history()) == (1, 0, 2, 0)


async def test_times_are_measured(engine: TaskEngine, db: Db) -> None:
    """A run from start to end; a wait from when the task was due to its start, unless nobody knows that any more."""
    task = await engine.submit(processor="act", options={"seconds": 0.2})
    await db.execute("update tasks set created_at = created_at - interval '40 seconds'")
    await drain(engine)
    history, done = await engine.history(processor="act"), await engine.get(task.id)
    assert done.started_at is not None
    assert done.finished_at is not None
    ran, waited = done.finished_at - done.started_at, done.started_at - done.created_at
    assert history.run.p50 == pytest.approx(ran.total_seconds(), abs=0.002)
    assert history.wait.p50 == pytest.approx(waited.total_seconds(), abs=0.002)
    assert (ran.total_seconds() >= 0.2, waited.total_seconds() >= 40) == (True, True)
    await engine.submit(processor="other", run_at=datetime.now(UTC) + timedelta(seconds=1))
    await db.execute("update tasks set created_at = created_at - interval '1 hour' where status = 'pending'")
    await drain(engine, until=datetime.now(UTC) + timedelta(minutes=1))
    history = await engine.history(processor="other")
    assert history.wait.p95 is not None
    assert history.wait.p95 < 1800
    await engine.requeue_all(TaskFilter(processor="other"))
    await engine._parts.housekeeping.roll_up()
    await db.execute("delete from task_flow")
    await drain(engine)
    history = await engine.history(processor="other")
    assert history.run.p50 is not None
    assert history.wait == NOTHING


async def test_steps_are_even_and_complete(engine: TaskEngine, db: Db) -> None:
    """Aligned, none left out, at most 121 of them, whatever the window; what happened stands in its own."""
    now = await add_minutes(db, (30, 3, [(1000, 2000)]), (10_000, 7, [(3000, 4000)]), (10_300, 1, [(1, 1)]))
    for minutes, seconds in ((1, 60), (60, 60), (120, 60), (121, 120), (1440, 900), (10_080, 7200)):
        history = await engine.history(minutes=minutes)
        assert history.step_seconds == seconds
        times = [point.at for point in history.points]
        assert (times[0], len(times) <= 121) == (history.since, True)
        assert {(b - a).total_seconds() for a, b in pairwise(times)} <= {seconds}
        assert times[0].timestamp() % seconds == 0
        assert times[-1] <= history.until < times[-1] + timedelta(seconds=seconds)
        assert timedelta() <= history.until - timedelta(minutes=minutes) - history.since < timedelta(seconds=seconds)
        for ago, tasks in ((30, 3), (10_000, 7)):
            then = now - timedelta(minutes=ago)
            found = [
                p for p in history.points if p.completed == tasks and p.at <= then < p.at + timedelta(seconds=seconds)
            ]
            assert len(found) == (minutes > ago)
    assert totals(history) == (0, 10, 0, 0)


async def test_each_step_has_its_own_percentiles_and_all_have_theirs(engine: TaskEngine, db: Db) -> None:
    """Half are no longer than p50 and 95 of 100 no longer than p95; unknown waits are left out; nothing is null."""
    await add_minutes(
        db, (3, 100, [(-1 if n > 50 else n * 1000, n * 10) for n in range(1, 101)]), (9, 1, [(500_000, 7)])
    )
    history = await engine.history()
    [hundred] = [point for point in history.points if point.completed == 100]
    assert (hundred.wait, hundred.run) == (Percentiles(p50=25.0, p95=48.0), Percentiles(p50=0.5, p95=0.95))
    [one] = [point for point in history.points if point.completed == 1]
    assert (one.wait, one.run) == (Percentiles(p50=500.0, p95=500.0), Percentiles(p50=0.007, p95=0.007))
    assert {(point.wait, point.run) for point in history.points if not point.completed} == {(NOTHING, NOTHING)}
    assert (history.wait, history.run) == (Percentiles(p50=26.0, p95=49.0), Percentiles(p50=0.5, p95=0.95))
    assert not history.is_sample


async def test_a_task_of_a_sample_stands_for_others(engine: TaskEngine, db: Db) -> None:
    """A minute of ten thousand tasks, of which ten were kept, weighs as much as they were."""
    await add_minutes(db, (3, 10_000, [(0, 1000)] * 10), (4, 100, [(0, 9000)] * 100))
    history = await engine.history()
    assert history.is_sample
    assert (history.run.p50, history.run.p95) == (1.0, 1.0)


async def test_a_long_window_is_sampled_fairly(engine: TaskEngine, db: Db) -> None:
    """Of each minute another task is looked at, so that early and late ones of every minute have the same chance."""
    await add_minutes(db, *((n, 120, [(n, ms) for ms in range(120)]) for n in range(10, 1210)))
    history = await engine.history(minutes=10_080)
    assert history.is_sample
    assert history.run.p50 == pytest.approx(0.06, abs=0.006)
    assert history.run.p95 == pytest.approx(0.114, abs=0.004)


THINNED = "thinned(coalesce(string_agg(times, ''), ''), $2::int)"


@pytest.mark.parametrize("guarded", [True, False])
async def test_a_minute_keeps_a_fair_sample(engine: TaskEngine, db: Db, guarded: bool) -> None:
    """However often it grows: early and late tasks are kept by their share, and never more than a bounded number."""
    await db.execute("insert into lanes (processor) values ('act')")
    housekeeping = engine._parts.housekeeping
    if not guarded:
        text = housekeeping._sql["roll_up"]
        assert THINNED in text
        unfair = text.replace("<= 8 * $2", "<= 0").replace("* f.timed / (f.timed + excluded.timed)", "* 0.5")
        housekeeping._sql = MappingProxyType({**housekeeping._sql, "roll_up": unfair})
    minute = await db.fetchval("select date_trunc('minute', now()) - interval '2 minutes'")
    for seconds in range(1, 31):
        await db.execute(
            "insert into task_counts (owner, lane, status, tasks, at, times)"
            " select '', id, 'completed', 0, $2::timestamptz,"
            " string_agg(int4send(0) || int4send($1::int * 1000), '') from lanes, generate_series(1, 40) group by id",
            seconds,
            minute,
        )
        await housekeeping.roll_up()
    assert await db.fetchval("select octet_length(times) from task_flow") <= 8 * 125
    history = await engine.history()
    assert history.is_sample
    assert history.run.p50 is not None
    assert (13 <= history.run.p50 <= 18) is guarded
    await db.execute("delete from task_counts")


async def test_old_minutes_are_forgotten(engine: TaskEngine, db: Db) -> None:
    """Those that nobody can ask for any more, and no others."""
    await add_minutes(db, (1, 1, []), (10_081, 1, []), (13_000, 1, []))
    await engine._parts.housekeeping.forget_flow()
    assert await db.fetchval("select count(*) from task_flow") == 2


@pytest.mark.parametrize("minutes", [0, -1, 10_081, 1.5, True, "60"])
async def test_other_windows_are_refused(engine: TaskEngine, minutes: Any) -> None:
    """Only whole numbers of minutes up to seven days are."""
    with pytest.raises(InvalidInputError) as refused:
        await engine.history(minutes=minutes)
    assert refused.value.field == "minutes"


async def test_what_cannot_be_a_processor_is_refused(engine: TaskEngine) -> None:
    """A name with a NUL is none."""
    with pytest.raises(InvalidFilterError):
        await engine.history(processor="a\0b")
