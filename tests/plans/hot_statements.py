"""The statements that run all the time, with parameters for the worlds: the engine's own, and those of the pool."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from novel_tasks_core.events import NewEvent
from novel_tasks_core.models import Completed, ErrorInfo, Failed, Retrying, WorkerId
from novel_tasks_core.storage.endings import Recording, event_columns, finish_columns, make_ending, postpone_columns
from novel_tasks_core.storage.listing import LAST_ID
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.submits import new_ids, submit_columns

from ..core.storage.bench import row
from .plan_reading import Statement
from .worlds import BATCH, FINAL, LEASED, READY, task

AT = datetime(2026, 1, 1, tzinfo=UTC)
WORKER = WorkerId(1)
ERROR = ErrorInfo("E", "x")
HELD = [task(n) for n in range(LEASED, LEASED + BATCH)]
ONES = [1] * BATCH


def _statements(file: str, args: dict[str, Sequence[Any]]) -> dict[str, Statement]:
    return {name: Statement(name, load_queries(file)[name], values) for name, values in args.items()}


def engine_statements() -> dict[str, Statement]:
    """Return the statements of the engine's own links, for a batch of fifty or less."""
    done = [
        make_ending(
            task_id, Completed(result={"a": 1}) if n % 2 else Failed(error=ERROR), attempt=1, at=AT, started_at=AT
        )
        for n, task_id in enumerate(HELD)
    ]
    again = [make_ending(task_id, Retrying(delay_seconds=5, error=ERROR), attempt=1, at=AT) for task_id in HELD]
    said = [Recording(task_id, 1, (NewEvent("log", AT, "{}"), NewEvent("log", AT, "{}"))) for task_id in HELD]
    new = [row(1 + n % 2) for n in range(BATCH)]
    queue: dict[str, Sequence[Any]] = {
        "lanes": [],
        "make_lane": ["main"],
        "pause_lane": ["main", True],
        "ready_heads": [[1, 2, 3]],
        "claim": [[1, 2, 1], [2, 2, 0], [0, 0, 0], [60.0, 60.0, 60.0], BATCH, 1, [BATCH, BATCH, BATCH]],
        "leases": [WORKER],
        "finish": finish_columns(done, WORKER, WORKER),
        "postpone": postpone_columns(again, WORKER, WORKER),
        "asked_to_cancel": [WORKER, HELD, ONES],
        "record": [WORKER, HELD, ONES, [2] * BATCH, *event_columns(said)],
        "recorded": [HELD, ONES],
        "progress": [WORKER, HELD, ONES, [0.5] * BATCH, ["x"] * BATCH],
        "checkpoint": [HELD[0], WORKER, 1, "{}"],
        "finished_by": [WORKER, HELD, ONES],
        "promote": [BATCH],
    }
    submits: dict[str, Sequence[Any]] = {"submit": [new_ids(BATCH), *map(list, submit_columns(new)), AT, False]}
    workers: dict[str, Sequence[Any]] = {"beat": [WORKER, "running"], "flags": [WORKER, HELD, ONES]}
    tasks: dict[str, Sequence[Any]] = {"get": [HELD]}
    lists: dict[str, Sequence[Any]] = {
        "newest_page": [LAST_ID, BATCH, BATCH],
        "newest_owned_page": [LAST_ID, BATCH, 0, "few"],
    }
    return (
        _statements("queue", queue)
        | _statements("workers", workers)
        | _statements("submits", submits)
        | _statements("tasks", tasks)
        | _statements("lists", lists)
    )


SILENT = {"progress", "asked_to_cancel", "finished_by", "flags", "recorded"}
"""Those that give no rows in the worlds, or never do."""


def reads() -> dict[str, Statement]:
    """Return what is read of single tasks, and what maintenance and heartbeats look for, over the pool."""
    one = task(READY)
    return (
        _statements("tasks", {"attempts": [task(FINAL)], "artifacts": [one]})
        | _statements(
            "events", {"after": [one, 0, BATCH], "logs": [one, 0, ["info"], BATCH], "state": [one], "states": [HELD]}
        )
        | _statements("feed", {"arrived": [one, BATCH, True], "running": [BATCH]})
        | _statements("lists", {"summaries": [HELD]})
        | _statements("submits", {"key_holder": ["big", "k"], "present": [HELD]})
        | _statements(
            "workers",
            {
                "register": ["w", "h", 1, "1", 8],
                "retire": [WORKER],
                "beats": [],
                "bury": [WORKER, AT],
                "orphans": [BATCH],
                "overdue": [BATCH],
                "list_workers": [],
            },
        )
    )
