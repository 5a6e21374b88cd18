"""Reads the stored events of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
from attrs import frozen

from novel_tasks_core.conversion import read_event, read_json
from novel_tasks_core.errors import TaskNotFoundError
from novel_tasks_core.events import StoredEvent
from novel_tasks_core.models import LogEntry, LogLevel, TaskId, TaskStatus
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.queries import load_queries


@frozen
class WatchState:
    """Where a task stands, for somebody who is about to follow it."""

    last_seq: int
    status: TaskStatus
    attempt: int
    progress: float
    stage: str


class Events:
    """The history of tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("events")

    async def after(self, task_id: TaskId, seq: int, *, limit: int, logs: bool = True) -> list[StoredEvent]:
        """Return up to `limit` events with a higher seq, in order, `logs` among them; none for an unknown task."""
        statement = self._sql["after" if logs else "after_without_logs"]
        rows = await self._database.fetch(statement, task_id, seq, limit)
        return [
            read_event(
                task_id, row["seq"], row["at"], attempt=row["attempt"], kind=row["kind"], data=read_json(row["data"])
            )
            for row in rows
        ]

    async def logs(self, task_id: TaskId, seq: int, *, levels: Sequence[LogLevel], limit: int) -> list[LogEntry]:
        """Return up to `limit` log entries of these levels with a higher seq, in order."""
        rows = await self._database.fetch(self._sql["logs"], task_id, seq, [level.value for level in levels], limit)
        return [_log_entry(task_id, row) for row in rows]

    async def state(self, task_id: TaskId) -> WatchState:
        """Return where a task stands. Raises: TaskNotFoundError."""
        row = await self._database.fetchrow(self._sql["state"], task_id)
        if row is None:
            raise TaskNotFoundError(task_id)
        return _state(row)

    async def states(self, task_ids: Iterable[TaskId]) -> Mapping[TaskId, WatchState]:
        """Return where tasks stand; those that are gone are missing."""
        rows = await self._database.fetch(self._sql["states"], list(task_ids))
        return {TaskId(row["id"]): _state(row) for row in rows}


def _state(row: asyncpg.Record) -> WatchState:
    status = TaskStatus(row["status"])
    return WatchState(row["last_seq"], status, row["attempt"], float(row["progress"]), row["stage"])


def _log_entry(task_id: TaskId, row: asyncpg.Record) -> LogEntry:
    data = read_json(row["data"])
    return LogEntry(
        task_id=task_id,
        seq=row["seq"],
        at=row["at"],
        attempt=row["attempt"],
        level=LogLevel(data["level"]),
        message=data["message"],
    )
