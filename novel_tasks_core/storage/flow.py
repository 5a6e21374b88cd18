"""What the queue did over time: how many tasks came and ended, how long they waited and ran."""

from __future__ import annotations

from datetime import datetime

import asyncpg
from attrs import frozen

from novel_tasks_core.models import TaskFilter
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.listing import Criteria
from novel_tasks_core.storage.queries import load_queries

MAX_MINUTES = 7 * 24 * 60
"""How far back the history goes."""

_MAX_STEPS = 120
_STEPS_SECONDS = (60, 120, 300, 600, 900, 1800, 3600, 7200)
_TIMES_PER_STEP = 150
"""Of about how many tasks of a step the times are looked at."""


@frozen(kw_only=True)
class Percentiles:
    """Of durations in seconds: half are no longer than `p50`, 95 of 100 no longer than `p95`; None without any."""

    p50: float | None
    p95: float | None


@frozen(kw_only=True)
class HistoryPoint:
    """What happened in the step that begins `at`.

    `submitted` tasks were new; so many completed, failed for good, or were cancelled. A task that is retried by hand
    ends again, but is not submitted again.
    """

    at: datetime
    submitted: int
    completed: int
    failed: int
    cancelled: int
    wait: Percentiles
    run: Percentiles


@frozen(kw_only=True)
class QueueHistory:
    """What the queue did between `since` and `until`, in steps of `step_seconds`; the last step is not over.

    Counts are exact and stay when tasks are deleted. They begin when the schema got to keep them. `wait` and `run` are
    of tasks that completed or failed, in the step in which they did, however long before they began: a run is their
    last attempt from its start to its end; a wait is from when that attempt was due to its start. It was due when the
    task was made or, where it was to run later or a retry had to wait, at that time. Waits of tasks that were
    retried by hand, or handed back when their worker stopped, are left out; so are runs whose worker was lost.
    Where `is_sample` is true there were so many that these are of a sample, evenly spread over each minute.
    """

    step_seconds: int
    since: datetime
    until: datetime
    is_sample: bool
    points: tuple[HistoryPoint, ...]
    wait: Percentiles
    run: Percentiles


class Flow:
    """Reads what maintenance has noted minute by minute, and what it has not noted yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("flow")

    async def history(self, *, minutes: int, processor: str | None) -> QueueHistory:
        """Return what happened in the last `minutes`, or a little more: steps are whole. Raises: InvalidFilterError."""
        lane = Criteria.of(TaskFilter(processor=processor)).processor
        step = next(seconds for seconds in _STEPS_SECONDS if minutes * 60 <= seconds * _MAX_STEPS)
        *steps, whole = await self._database.fetch(self._sql["history"], lane, minutes, step, _TIMES_PER_STEP)
        points = tuple(_point(row) for row in steps)
        return QueueHistory(
            step_seconds=step,
            since=points[0].at,
            until=whole["until"],
            is_sample=whole["is_sample"],
            points=points,
            wait=_percentiles(whole, "wait"),
            run=_percentiles(whole, "run"),
        )


def _point(row: asyncpg.Record) -> HistoryPoint:
    return HistoryPoint(
        at=row["at"],
        submitted=row["submitted"],
        completed=row["completed"],
        failed=row["failed"],
        cancelled=row["cancelled"],
        wait=_percentiles(row, "wait"),
        run=_percentiles(row, "run"),
    )


def _percentiles(row: asyncpg.Record, what: str) -> Percentiles:
    p50, p95 = row[f"{what}_p50"], row[f"{what}_p95"]
    return Percentiles(p50=None if p50 is None else p50 / 1000, p95=None if p95 is None else p95 / 1000)
