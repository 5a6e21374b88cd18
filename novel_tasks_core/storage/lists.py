"""Lists, counts and statistics of tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.errors import InvalidFilterError
from novel_tasks_core.models import Page, QueueStatus, Statistics, TaskFilter, TaskStatus, TaskSummary
from novel_tasks_core.storage.coalescing import Coalescer
from novel_tasks_core.storage.database import Database, Link
from novel_tasks_core.storage.listing import MAX_SORTED, Criteria, Listing
from novel_tasks_core.storage.looking import LIMIT_SECONDS, Counts, Look, Search, too_slow
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.rows import summary_of

_SORTED: Mapping[str, str] = {"file_name": "by_file_name", "status": "by_status", "priority": "by_priority"}

_MAX_SCHEDULED = 5_000
"""How many scheduled tasks are counted one by one for the status of the queue."""


_MOST_TOGETHER = 50
"""How many readers are answered at a time."""


class _Part(NamedTuple):
    """A part of all tasks, or of an owner's, newest first: up to `limit` before an id, after `offset` others."""

    owner: str | None
    before: UUID
    limit: int
    offset: int


class _Found(NamedTuple):
    items: tuple[TaskSummary, ...]
    total: int


class Lists:
    """Tasks by the many. Every answer is of one moment.

    Statistics and the pages that nearly everybody asks for, the latter over `link`, are shared: callers who
    wait for the same at one moment get one answer.
    """

    def __init__(self, database: Database, *, link: Link) -> None:
        self._database = database
        self._link = link
        self._sql = load_queries("lists")
        self._pages = Coalescer(self._read_pages, name="list", most=_MOST_TOGETHER, single=())
        self._totals = Coalescer(self._read_totals, name="statistics", most=_MOST_TOGETHER, single=())

    def loops(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """Return what has to run for `find` and `statistics`, by name: for ever, cancelled at the end."""
        return {"pages": self._pages.run, "statistics": self._totals.run}

    async def find(self, wanted: TaskFilter, listing: Listing) -> Page[TaskSummary]:
        """Return a page of tasks that match. Raises: InvalidFilterError."""
        criteria = Criteria.of(wanted)
        part = criteria.beyond(listing)
        if criteria.is_plain and listing.is_newest_first:
            return await self._newest(criteria, part.high, listing)
        async with self._look(criteria) as look:
            search = await look.search(criteria)
            if not listing.by_id:
                ids = await self._sorted(look, search, listing)
                return Page(items=await self._summaries(look, ids), next_cursor=None, total=search.most)
            ids = await look.ids(search, part, listing.needed, descending=listing.descending)
            begin = listing.offset or 0
            shown, more = ids[begin : begin + listing.limit], len(ids) == listing.needed
            # What was only estimated is known when the first page is the last.
            ended = not more and listing.cursor is None
            return Page(
                items=await self._summaries(look, shown),
                next_cursor=criteria.cursor(shown[-1], descending=listing.descending) if more else None,
                total=len(ids) if ended else search.most,
                total_is_estimate=search.vague and not ended,
            )

    async def _newest(self, criteria: Criteria, before: UUID, listing: Listing) -> Page[TaskSummary]:
        """Return a page of all tasks, or of all of an owner, that come before the id `before`."""
        part = await self._pages.add(_Part(criteria.owner, before, listing.limit + 1, listing.offset or 0))
        items, more = part.items[: listing.limit], len(part.items) > listing.limit
        cursor = criteria.cursor(items[-1].id, descending=True) if more else None
        return Page(items=items, next_cursor=cursor, total=part.total)

    async def _read_pages(self, parts: Sequence[_Part]) -> list[_Found]:
        found = {part: await self._read_page(part) for part in dict.fromkeys(parts)}
        return [found[part] for part in parts]

    async def _read_page(self, part: _Part) -> _Found:
        args = [part.before, part.limit, part.offset]
        if part.owner is None:
            rows = await self._link.fetch(self._sql["newest_page"], *args)
        else:
            rows = await self._link.fetch(self._sql["newest_owned_page"], *args, part.owner)
        return _Found(tuple(summary_of(row) for row in rows if row["id"] is not None), rows[0]["total"])

    async def count(self, wanted: TaskFilter) -> int:
        """Return how many tasks match: exact by owner, processor and status, else counted up to 10,001."""
        criteria = Criteria.of(wanted)
        async with self._look(criteria) as look:
            return (await look.search(criteria)).most

    async def conditions(self, wanted: TaskFilter) -> list[Any] | None:
        """Return what a filter says to statements that look at every task, None if nothing can match.

        That is: ids from, up to, owner, lane, status, pattern, and the ids that the query matches. Raises:
        InvalidFilterError.
        """
        criteria, lane = Criteria.of(wanted), None
        if criteria.processor is not None:
            lane = await self._database.fetchval(self._sql["lane"], criteria.processor)
            if lane is None:
                return None
        return criteria.args(lane)

    @asynccontextmanager
    async def _look(self, criteria: Criteria) -> AsyncIterator[Look]:
        async with self._database.snapshot(limit_seconds=LIMIT_SECONDS) as connection:
            try:
                yield Look(connection, self._sql)
            except asyncpg.QueryCanceledError as exc:
                raise too_slow(criteria) from exc

    async def _sorted(self, look: Look, search: Search, listing: Listing) -> list[UUID]:
        """Return the ids of a page in an order that no index has."""
        if search.most > MAX_SORTED:
            said = f"more than {MAX_SORTED:,} tasks match, too many to sort by {listing.sort}: narrow the filter"
            raise InvalidFilterError("sort", Complaint(said, FaultCode.TOO_MANY, n=MAX_SORTED))
        query, ids = self._sql[_SORTED[listing.sort]], await look.every_id(search)
        rows = await look.connection.fetch(query, ids, listing.descending, listing.limit, listing.offset or 0)
        return [row["id"] for row in rows]

    async def _summaries(self, look: Look, ids: list[UUID]) -> tuple[TaskSummary, ...]:
        """Return these tasks in this order."""
        rows = {row["id"]: row for row in await look.connection.fetch(self._sql["summaries"], ids)} if ids else {}
        return tuple(summary_of(rows[task_id]) for task_id in ids)

    async def statistics(self, owner: str | None) -> Statistics:
        """Return the counts of an owner's tasks, or of all."""
        counts = await self._totals.add(owner)
        completed = counts.total(status=TaskStatus.COMPLETED)
        return Statistics(
            pending=counts.total(status=TaskStatus.PENDING),
            processing=counts.total(status=TaskStatus.PROCESSING),
            completed=completed,
            failed=counts.total(status=TaskStatus.FAILED),
            cancelled=counts.total(status=TaskStatus.CANCELLED),
            average_seconds=counts.completed_ms / 1000 / completed if completed else None,
        )

    async def _read_totals(self, owners: Sequence[str | None]) -> list[Counts]:
        different = list(dict.fromkeys(owners))
        read = await asyncio.gather(*(self._database.fetch(self._sql["totals"], owner) for owner in different))
        found = dict(zip(different, map(Counts.of, read), strict=True))
        return [found[owner] for owner in owners]

    async def queue_status(self) -> list[QueueStatus]:
        """Return every lane as operators see it."""
        rows = await self._database.fetch(self._sql["queue_status"], _MAX_SCHEDULED)
        return [QueueStatus(**dict(row)) for row in rows]
