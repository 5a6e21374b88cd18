"""Lists, counts and statistics of tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from novel_tasks_core.errors import InvalidFilterError
from novel_tasks_core.models import Page, QueueStatus, Statistics, TaskFilter, TaskStatus, TaskSummary
from novel_tasks_core.storage.database import Database, Link
from novel_tasks_core.storage.listing import MAX_SORTED, Criteria, Listing
from novel_tasks_core.storage.looking import LIMIT_SECONDS, Counts, Look, Search, too_slow
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.rows import summary_of

_SORTED: Mapping[str, str] = {"file_name": "by_file_name", "status": "by_status", "priority": "by_priority"}

_MAX_SCHEDULED = 5_000
"""How many scheduled tasks are counted one by one for the status of the queue."""


class Lists:
    """Tasks by the many. Every answer is of one moment.

    Over the link `pages`, if there is one, go the pages that nearly everybody asks for: one statement each.
    """

    def __init__(self, database: Database, *, pages: Link | None = None) -> None:
        self._database = database
        self._pages = pages
        self._sql = load_queries("lists")

    async def find(self, wanted: TaskFilter, listing: Listing) -> Page[TaskSummary]:
        """Return a page of tasks that match. Raises: InvalidFilterError."""
        criteria = Criteria.of(wanted)
        part = criteria.beyond(listing)
        if self._pages is not None and criteria.is_plain and listing.is_near:
            return await self._page(self._pages, criteria, part.high, listing)
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

    async def _page(
        self, pages: Link, criteria: Criteria, before: UUID, listing: Listing
    ) -> Page[TaskSummary]:
        """Return a page of all tasks, or of all of an owner, that are older than those from the id `before` on."""
        args: list[Any] = [before, listing.limit + 1, listing.offset or 0]
        if criteria.owner is None:
            rows = await pages.fetch(self._sql["newest_page"], *args)
        else:
            rows = await pages.fetch(self._sql["newest_owned_page"], *args, criteria.owner)
        items = tuple(summary_of(row) for row in rows[: listing.limit] if row["id"] is not None)
        more = len(rows) > listing.limit
        return Page(
            items=items,
            next_cursor=criteria.cursor(items[-1].id, descending=True) if more else None,
            total=rows[0]["total"],
        )

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
            raise InvalidFilterError(
                "sort", f"more than {MAX_SORTED:,} tasks match, too many to sort by {listing.sort}: narrow the filter"
            )
        query, ids = self._sql[_SORTED[listing.sort]], await look.every_id(search)
        rows = await look.connection.fetch(query, ids, listing.descending, listing.limit, listing.offset or 0)
        return [row["id"] for row in rows]

    async def _summaries(self, look: Look, ids: list[UUID]) -> tuple[TaskSummary, ...]:
        """Return these tasks in this order."""
        rows = {row["id"]: row for row in await look.connection.fetch(self._sql["summaries"], ids)} if ids else {}
        return tuple(summary_of(rows[task_id]) for task_id in ids)

    async def statistics(self, owner: str | None) -> Statistics:
        """Return the counts of an owner's tasks, or of all."""
        counts = Counts.of(await self._database.fetch(self._sql["totals"], owner))
        completed = counts.total(status=TaskStatus.COMPLETED)
        return Statistics(
            pending=counts.total(status=TaskStatus.PENDING),
            processing=counts.total(status=TaskStatus.PROCESSING),
            completed=completed,
            failed=counts.total(status=TaskStatus.FAILED),
            cancelled=counts.total(status=TaskStatus.CANCELLED),
            average_seconds=counts.completed_ms / 1000 / completed if completed else None,
        )

    async def queue_status(self) -> list[QueueStatus]:
        """Return every lane as operators see it."""
        rows = await self._database.fetch(self._sql["queue_status"], _MAX_SCHEDULED)
        return [QueueStatus(**dict(row)) for row in rows]
