"""Database rows to values: written out by hand, because they are read by the hundred thousand."""

from __future__ import annotations

from typing import Any

import asyncpg

from novel_tasks_core.conversion import read_error, read_json
from novel_tasks_core.models import (
    Artifact,
    Attempt,
    OutcomeKind,
    Source,
    Task,
    TaskId,
    TaskStatus,
    TaskSummary,
    WorkerId,
)


def source_of(row: asyncpg.Record) -> Source | None:
    """Read the source columns; None for a task without one."""
    sha256 = row["source_sha256"]
    return None if sha256 is None else Source(sha256.hex(), row["source_size"], row["source_name"])


def summary_of(row: asyncpg.Record) -> TaskSummary:
    """Read a row of `task_current` as lists show it."""
    return TaskSummary(**_shared(row))


def task_of(row: asyncpg.Record) -> Task:
    """Read a row of `task_current` whole."""
    return Task(
        **_shared(row),
        options=read_json(row["options"], {}),
        key=row["key"],
        result=read_json(row["result"]),
        result_attempt=row["result_attempt"],
    )


def _shared(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": TaskId(row["id"]),
        "processor": row["processor"],
        "status": TaskStatus(row["status"]),
        "priority": row["priority"],
        "owner": row["owner"],
        "source": source_of(row),
        "session_id": row["session_id"],
        "extra_data": read_json(row["extra_data"], {}),
        "max_attempts": row["max_attempts"],
        "timeout_seconds": row["timeout_seconds"],
        "run_at": row["run_at"],
        "attempt": row["attempt"],
        "failures": row["failures"],
        "progress": float(row["progress"]),
        "stage": row["stage"],
        "cancel_requested": row["cancel_requested"],
        "error": read_error(row["error"]),
        "result_url": row["result_url"],
        "created_at": row["created_at"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "last_seq": row["last_seq"],
        "version": row["version"],
    }


def attempt_of(row: asyncpg.Record) -> Attempt:
    """Read a row of `task_attempts`."""
    return Attempt(
        task_id=TaskId(row["task_id"]),
        number=row["attempt"],
        worker_id=WorkerId(row["worker_id"]),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        outcome=OutcomeKind(row["outcome"]),
        error=read_error(row["error"]),
    )


def artifact_of(row: asyncpg.Record) -> Artifact:
    """Read a row of `artifacts`."""
    return Artifact(
        task_id=TaskId(row["task_id"]),
        attempt=row["attempt"],
        name=row["name"],
        content_type=row["content_type"],
        size=row["size"],
        sha256=row["sha256"].hex(),
    )
