"""Reads tasks: one, lists, counts."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from attrs import frozen

from novel_tasks_core.conversion import is_storable
from novel_tasks_core.errors import ArtifactNotFoundError, InvalidFilterError, TaskNotFoundError
from novel_tasks_core.models import (
    Artifact,
    Attempt,
    Page,
    QueueStatus,
    Statistics,
    Task,
    TaskFilter,
    TaskId,
    TaskStatus,
    TaskSummary,
)
from novel_tasks_core.storage.database import Database, in_own_transaction
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.rows import artifact_of, attempt_of, summary_of, task_of

MAX_LIMIT = 1000
MAX_OFFSET = 10_000
MAX_SORTED = 10_000
SORTS = ("created_at", "file_name", "status", "priority")

_NEWEST = {
    TaskStatus.PENDING: "newest_pending",
    TaskStatus.PROCESSING: "newest_processing",
    TaskStatus.FAILED: "newest_ended",
    TaskStatus.CANCELLED: "newest_ended",
}
_CURSOR = re.compile(r"after-([0-9a-f]{32})", re.ASCII)
_LAST = UUID(int=(1 << 128) - 1)
_LIKE = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


@frozen(kw_only=True)
class Listing:
    """How to list: checked at construction."""

    sort: str = "created_at"
    descending: bool = True
    limit: int = 20
    cursor: str | None = None
    offset: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.sort not in SORTS:
            raise InvalidFilterError("sort", f"must be one of {', '.join(SORTS)}, not {self.sort!r}")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidFilterError("limit", f"must be between 1 and {MAX_LIMIT}, not {self.limit}")
        if self.offset is not None and not 0 <= self.offset <= MAX_OFFSET:
            raise InvalidFilterError("offset", f"must be between 0 and {MAX_OFFSET:,}; go on from a cursor instead")
        if self.cursor is not None and self.offset is not None:
            raise InvalidFilterError("cursor", "cannot be used together with an offset")
        if self.cursor is not None and not self.by_id:
            raise InvalidFilterError("cursor", "works only with the newest tasks first; use an offset")

    @property
    def by_id(self) -> bool:
        """Whether this is the order of the ids: newest first."""
        return self.sort == "created_at" and self.descending

    @property
    def oldest_first(self) -> bool:
        """Whether this is the order of the ids backwards."""
        return self.sort == "created_at" and not self.descending

    def before(self) -> UUID:
        """Return the id below which the page begins. Raises: InvalidFilterError for a made-up cursor."""
        if self.cursor is None:
            return _LAST
        match = _CURSOR.fullmatch(self.cursor)
        if match is None:
            raise InvalidFilterError("cursor", "is not one that this service gave out")
        return UUID(hex=match[1])


class Tasks:
    """Tasks as readers see them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("tasks")
        self._queue_sql = load_queries("queue")

    async def get(self, task_id: TaskId, *, connection: Any = None) -> Task:
        """Return a task whole, as the caller's `connection` sees it if one is given. Raises: TaskNotFoundError."""
        rows = await self._fetch(connection, self._sql["get"], task_id)
        if not rows:
            raise TaskNotFoundError(task_id)
        return task_of(rows[0])

    async def _fetch(self, connection: Any, query: str, *args: Any) -> list[asyncpg.Record]:
        if connection is None:
            return await self._database.fetch(query, *args)
        return await in_own_transaction(connection, query, args)

    async def find(self, wanted: TaskFilter, listing: Listing) -> Page[TaskSummary]:
        """Return a page of tasks that match. Raises: InvalidFilterError."""
        conditions = await self.conditions(wanted, before=listing.before())
        if conditions is None:
            return Page(items=(), next_cursor=None, total=0)
        total, estimated = await self._count(wanted, conditions)
        if listing.oldest_first and (wanted.status is None or wanted.status.is_final):
            rows = await self._database.fetch(self._sql["oldest"], *conditions, listing.limit, listing.offset or 0)
        elif listing.by_id:
            query = self._sql[_NEWEST.get(wanted.status, "newest") if wanted.status else "newest"]
            # One row beyond the page tells whether there is another page.
            rows = await self._database.fetch(query, *conditions, listing.limit + 1, listing.offset or 0)
        else:
            rows = await self._sorted(conditions, listing)
        items = tuple(map(summary_of, rows[: listing.limit]))
        more = listing.by_id and len(rows) > listing.limit
        return Page(
            items=items,
            next_cursor=f"after-{items[-1].id.hex}" if more else None,
            total=total,
            total_is_estimate=estimated,
        )

    async def count(self, wanted: TaskFilter) -> int:
        """Return how many tasks match: exact by owner, processor and status, else at most 10,001."""
        conditions = await self.conditions(wanted, before=_LAST)
        return 0 if conditions is None else (await self._count(wanted, conditions))[0]

    async def _sorted(self, conditions: list[Any], listing: Listing) -> list[Any]:
        ids = [row["id"] for row in await self._database.fetch(self._sql["matching_ids"], *conditions, MAX_SORTED + 1)]
        if len(ids) > MAX_SORTED:
            raise InvalidFilterError(
                "sort", f"more than {MAX_SORTED:,} tasks match, too many to sort by {listing.sort}: narrow the filter"
            )
        return await self._database.fetch(
            self._sql["sorted"], ids, listing.sort, listing.descending, listing.limit, listing.offset or 0
        )

    async def conditions(self, wanted: TaskFilter, *, before: UUID) -> list[Any] | None:
        """Return the parameters that all list queries share, None if nothing can match.

        They are the id below which to look, the lowest id, owner, lane, status, and the pattern of the search.
        """
        for field, text in (("owner", wanted.owner), ("query", wanted.query)):
            if text is not None and not is_storable(text):
                raise InvalidFilterError(field, "must not contain NUL characters or lone surrogates")
        lane = None
        if wanted.processor is not None:
            lane = await self._lane(wanted.processor)
            if lane is None:
                return None
        high = before if wanted.created_before is None else min(before, _first_id(wanted.created_before))
        low = UUID(int=0) if wanted.created_after is None else _first_id(wanted.created_after)
        status = None if wanted.status is None else wanted.status.value
        return [high, low, wanted.owner, lane, status, _pattern(wanted.query)]

    async def _lane(self, processor: str) -> int | None:
        for row in await self._database.fetch(self._queue_sql["lanes"]):
            if row["processor"] == processor:
                return int(row["id"])
        return None

    async def _count(self, wanted: TaskFilter, conditions: list[Any]) -> tuple[int, bool]:
        """Return how many match, and whether that is a lower bound."""
        if wanted.query is None and wanted.created_after is None and wanted.created_before is None:
            statistics = await self._totals(conditions[2], conditions[3])
            if wanted.status is None:
                return statistics.total, False
            return int(getattr(statistics, wanted.status.value)), False
        high = _LAST if wanted.created_before is None else _first_id(wanted.created_before)  # whatever the cursor
        rows = await self._database.fetch(self._sql["matching_ids"], high, *conditions[1:], MAX_SORTED + 1)
        return len(rows), len(rows) > MAX_SORTED

    async def statistics(self, owner: str | None) -> Statistics:
        """Return the counts of an owner's tasks, or of all."""
        return await self._totals(owner, None)

    async def _totals(self, owner: str | None, lane: int | None) -> Statistics:
        async with self._database.connection() as connection:
            rows = await connection.fetch(self._sql["totals"], owner, lane)
            running = int(await connection.fetchval(self._sql["running_total"], owner, lane))
        counts = {row["status"]: row["tasks"] for row in rows}
        milliseconds = next((row["duration_ms"] for row in rows if row["status"] == "completed"), 0)
        completed = counts.get("completed", 0)
        return Statistics(
            # The two statements see two moments: a task that started between them must not make this negative.
            pending=max(0, counts.get("pending", 0) - running),
            processing=running,
            completed=completed,
            failed=counts.get("failed", 0),
            cancelled=counts.get("cancelled", 0),
            average_seconds=milliseconds / 1000 / completed if completed else None,
        )

    async def queue_status(self) -> list[QueueStatus]:
        """Return every lane as operators see it."""
        rows = await self._database.fetch(self._sql["queue_status"])
        return [
            QueueStatus(
                processor=row["processor"],
                paused=row["paused"],
                ready=max(0, row["waiting"] - row["scheduled"] - row["processing"]),
                scheduled=row["scheduled"],
                processing=row["processing"],
                oldest_seconds=row["oldest_seconds"],
            )
            for row in rows
        ]

    async def attempts(self, task_id: TaskId) -> list[Attempt]:
        """Return the finished attempts of a task, first to last."""
        return [attempt_of(row) for row in await self._database.fetch(self._sql["attempts"], task_id)]

    async def artifacts(self, task_id: TaskId) -> list[Artifact]:
        """Return the artifacts of the result that is shown, by name."""
        return [artifact_of(row) for row in await self._database.fetch(self._sql["artifacts"], task_id)]

    async def artifact(self, task_id: TaskId, name: str) -> Artifact:
        """Return one artifact of the result that is shown. Raises: ArtifactNotFoundError."""
        for artifact in await self.artifacts(task_id):
            if artifact.name == name:
                return artifact
        raise ArtifactNotFoundError(task_id, name)


def _first_id(at: datetime) -> UUID:
    """Return the lowest id that a task made at this time can have."""
    if at.tzinfo is None:
        raise InvalidFilterError("created", "must have a time zone")
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


def _pattern(query: str | None) -> str | None:
    """Return the LIKE pattern of a search: the start of an id or of a file name."""
    if query is None or not query.strip():
        return None
    text = query.strip().lower()
    if re.fullmatch(r"task-[0-9a-f]{1,32}", text):
        digits = text.removeprefix("task-")
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return "-".join(part for part in parts if part) + "%"
    return text.translate(_LIKE) + "%"
