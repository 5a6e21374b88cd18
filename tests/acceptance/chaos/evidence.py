"""What a run left behind, in the database, in the file store and in the journals, as plain values to be judged."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from attrs import field, frozen

from novel_tasks_core.storage.files import LocalFiles
from novel_tasks_core.storage.queries import load_queries

from ...core.support import Db
from .journal import Line, read_journals

_TASKS = """
select t.id, n.processor, t.status, t.attempt, t.result_attempt, t.result, t.last_seq
from tasks t join lanes n on n.id = t.lane"""
_EVENTS = "select task_id, seq, kind, attempt from task_events order by task_id, seq"
_ATTEMPTS = "select task_id, attempt, worker_id, started_at, finished_at, outcome from all_attempts"
_ARTIFACTS = "select task_id, attempt, name, size, sha256 from artifacts"
_LEASES = "select task_id from task_leases"
_KEYS = """
select k.key, k.task_id from task_keys k left join tasks t on t.id = k.task_id
where t.id is null or t.status <> 'pending'"""
_LEFTOVERS = """
select o.place, o.task_id from (
    select 'ready' as place, task_id from task_ready union all select 'schedule', task_id from task_schedule
    union all select 'lease', task_id from task_leases union all select 'event', task_id from task_events
    union all select 'attempt', task_id from task_attempts union all select 'artifact', task_id from artifacts
) o
where not exists (select 1 from tasks t where t.id = o.task_id)
union all
select 'checkpoint', c.task_id from task_checkpoints c
where not exists (select 1 from tasks t where t.id = c.task_id and t.status = 'pending')"""


@frozen(kw_only=True)
class TaskRow:
    """A task as the database has it."""

    processor: str
    status: str
    attempt: int = 0
    result_attempt: int | None = None
    result: Any = None
    last_seq: int = 0


@frozen
class EventRow:
    """An event as the database has it."""

    seq: int
    kind: str
    attempt: int = 0


@frozen(kw_only=True)
class AttemptRow:
    """The record of an attempt; times in seconds of the epoch."""

    task: str
    attempt: int
    outcome: str
    worker: int = 0
    began: float = 0.0
    ended: float = 0.0


@frozen(kw_only=True)
class Evidence:
    """All there is. Tasks are named by their 32 hex digits; `faults` has what plain queries and files showed."""

    tasks: Mapping[str, TaskRow] = field(factory=dict)
    events: Mapping[str, Sequence[EventRow]] = field(factory=dict)
    attempts: Sequence[AttemptRow] = ()
    artifacts: frozenset[tuple[str, int]] = frozenset()
    lines: Sequence[Line] = ()
    faults: Mapping[str, Sequence[str]] = field(factory=dict)

    def said(self, *what: str) -> list[Line]:
        """Return the lines of these kinds in the order of time."""
        return sorted((line for line in self.lines if line.what in what), key=lambda line: line.at)


async def gather(db: Db, folder: Path) -> Evidence:
    """Collect everything from the database and the folder of a run."""
    artifacts = await db.fetch(_ARTIFACTS)
    return Evidence(
        tasks={row["id"].hex: _task(row) for row in await db.fetch(_TASKS)},
        events=_events(await db.fetch(_EVENTS)),
        attempts=[_attempt(row) for row in await db.fetch(_ATTEMPTS)],
        artifacts=frozenset((row["task_id"].hex, row["attempt"]) for row in artifacts),
        lines=list(read_journals(folder / "journals")),
        faults={**await _plain_faults(db), "files": _bad_files(artifacts, folder / "data" / "files")},
    )


def _task(row: asyncpg.Record) -> TaskRow:
    return TaskRow(
        processor=row["processor"],
        status=row["status"],
        attempt=row["attempt"],
        result_attempt=row["result_attempt"],
        result=None if row["result"] is None else json.loads(row["result"]),
        last_seq=row["last_seq"],
    )


def _events(rows: Iterable[asyncpg.Record]) -> dict[str, list[EventRow]]:
    events: dict[str, list[EventRow]] = defaultdict(list)
    for row in rows:
        events[row["task_id"].hex].append(EventRow(row["seq"], row["kind"], row["attempt"]))
    return events


def _attempt(row: asyncpg.Record) -> AttemptRow:
    return AttemptRow(
        task=row["task_id"].hex,
        attempt=row["attempt"],
        outcome=row["outcome"],
        worker=row["worker_id"],
        began=row["started_at"].timestamp(),
        ended=row["finished_at"].timestamp(),
    )


async def _plain_faults(db: Db) -> dict[str, list[str]]:
    """Return what no row may show: by name, one text a row."""
    tasks = load_queries("tasks")
    questions = {
        "misplaced": tasks["location_faults"],
        "miscounted": tasks["count_faults"],
        "leases": _LEASES,
        "keys": _KEYS,
        "leftovers": _LEFTOVERS,
    }
    return {
        name: [" ".join(f"{key}={value}" for key, value in row.items()) for row in await db.fetch(sql)]
        for name, sql in questions.items()
    }


def _bad_files(artifacts: Iterable[asyncpg.Record], root: Path) -> list[str]:
    """Return the artifacts whose file is missing or has other bytes than were promised."""
    files = LocalFiles(root)
    try:
        return [
            f"{row['task_id'].hex} {row['name']}"
            for row in artifacts
            if not _is_whole(files.path_of(row["sha256"].hex()), row["size"], row["sha256"])
        ]
    finally:
        files.close()


def _is_whole(path: Path, size: int, sha256: bytes) -> bool:
    if not path.is_file():
        return False
    data = path.read_bytes()
    return len(data) == size and hashlib.sha256(data).digest() == sha256
