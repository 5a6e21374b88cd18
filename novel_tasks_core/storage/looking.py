"""How tasks that match are looked for, so that it stays quick whatever is rare and whatever is not.

The counters say how many tasks match an owner, a processor and a status. They are first walked in the
order of the ids, along the index that promises most, for a bounded number of steps. What is too
rare for that, or lies too far behind, is looked up by whatever way suits few, slice by slice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
from attrs import Factory, evolve, frozen

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.errors import InvalidFilterError
from novel_tasks_core.models import TaskStatus
from novel_tasks_core.storage.listing import MAX_SORTED, Criteria

if TYPE_CHECKING:
    from novel_tasks_core.storage.database import Connection

LIMIT_SECONDS = 2.0
"""How long a list may look for its tasks."""

COUNT_LIMIT_SECONDS = 0.5
"""How long it may count what the counters do not know; beyond, the total is an estimate."""

_SHORT_WALK = 2_000
_LONG_WALK = 50_000
_JOINED_WALK = 5_000
"""How far to walk at most where each step has to look up the task too."""

_ENDLESS = 1 << 40
_SLICES = 16

_Walk = tuple[str, str]
"""The statements for newest and oldest first."""

_ALL: _Walk = ("newest", "oldest")
_OWNED: _Walk = ("newest_owned", "oldest_owned")
_ENDED: _Walk = ("newest_ended", "oldest_ended")
_IN_PLACE: Mapping[TaskStatus | None, _Walk] = {
    TaskStatus.PENDING: ("newest_pending", "oldest_pending"),
    TaskStatus.PROCESSING: ("newest_processing", "oldest_processing"),
    TaskStatus.FAILED: _ENDED,
    TaskStatus.CANCELLED: _ENDED,
}


@frozen
class Counts:
    """Tasks by lane and status; those that run count as processing, not as pending."""

    tasks: Mapping[tuple[int, TaskStatus], int]
    completed_ms: int = 0

    @classmethod
    def of(cls, rows: Sequence[asyncpg.Record]) -> Counts:
        """Read the rows of `totals`."""
        tasks: dict[tuple[int, TaskStatus], int] = {}
        for row in rows:
            status = TaskStatus(row["status"])
            tasks[row["lane"], status] = tasks.get((row["lane"], status), 0) + row["tasks"]
            if status is TaskStatus.PROCESSING:
                waiting = (row["lane"], TaskStatus.PENDING)
                tasks[waiting] = tasks.get(waiting, 0) - row["tasks"]
        return cls(tasks, sum(row["duration_ms"] for row in rows if row["status"] == TaskStatus.COMPLETED))

    def total(self, *, lane: int | None = None, status: TaskStatus | None = None) -> int:
        """Return how many tasks there are of a lane and a status; None means of any."""
        return sum(n for (a, b), n in self.tasks.items() if lane in (None, a) and status in (None, b))


@frozen(kw_only=True)
class Search:
    """What is looked for, and what is known of it: `most` tasks match or, if that is `vague`, about so many.

    `counts` are those of the owner, if there is one. `ids` are all that match, newest first, if they are known.
    """

    criteria: Criteria
    lane: int | None
    counts: Counts
    most: int
    vague: bool = False
    ids: tuple[UUID, ...] | None = None

    def args(self, part: Criteria, limit: int) -> list[Any]:
        """Return the parameters of a statement that looks for ids in a part of what is looked for."""
        return [*part.args(self.lane), limit]

    def way(self) -> tuple[_Walk, int]:
        """Return the walk that promises most, and how many tasks stand along it."""
        status, owner = self.criteria.status, self.criteria.owner
        of_owner = self.counts.total()
        if status in _IN_PLACE and (not owner or self.most * 10 < of_owner):
            return _IN_PLACE[status], _ENDLESS if owner is not None else self.counts.total(status=status)
        if owner:
            return _OWNED, of_owner
        return _ALL, _ENDLESS if owner is not None else of_owner

    def steps(self, needed: int, standing: int) -> int:
        """Return how far to walk for so many: far only if that promises to be enough."""
        if self.criteria.status is TaskStatus.PROCESSING:
            return _ENDLESS  # there are never more than workers have slots
        joined = self.criteria.status is TaskStatus.PENDING and self.criteria.owner is not None
        expected = 2 * needed * standing // self.most
        promising = not self.vague and expected <= (_JOINED_WALK if joined else _LONG_WALK) + 2 * needed
        return max(expected, _SHORT_WALK) if promising else _SHORT_WALK + needed


@frozen
class Look:
    """A look at one moment: a connection inside a transaction whose statements end in time."""

    connection: Connection
    sql: Mapping[str, str]
    began: float = Factory(time.monotonic)

    async def search(self, criteria: Criteria) -> Search:
        """Find out how many tasks match: exactly, or up to one more than can be sorted."""
        counts = Counts.of(await self.connection.fetch(self.sql["totals"], criteria.owner))
        search = Search(criteria=criteria, lane=None, counts=counts, most=0)
        if criteria.processor is not None:
            lane = await self.connection.fetchval(self.sql["lane"], criteria.processor)
            if lane is None:
                return search
            search = evolve(search, lane=lane)
        search = evolve(search, most=counts.total(lane=search.lane, status=criteria.status))
        if criteria.counted or search.most == 0:
            return search
        if criteria.status is TaskStatus.PROCESSING:
            running = await self.ids(search, criteria, search.most, descending=True)
            return evolve(search, ids=tuple(running), most=len(running))
        if criteria.pattern is not None and not criteria.inside:
            return await self._named(search)
        return await self._counted(search)

    async def _named(self, search: Search) -> Search:
        """Look up the tasks whose name or id begins so, unless these are too many."""
        # The planner would rather collect all names that begin so and sort them, be it a million.
        await self.connection.fetchrow(self.sql["insist_on_order"], "off")
        row = await self.connection.fetchrow(self.sql["named"], *search.args(search.criteria, MAX_SORTED + 1))
        await self.connection.fetchrow(self.sql["insist_on_order"], "on")
        if row is not None and row["named"] <= MAX_SORTED:
            ids = tuple(sorted(row["ids"] or (), reverse=True))
            return evolve(search, ids=ids, most=len(ids))
        if row is not None and not row["by_name"]:
            # The query can only mean ids, which are a range like a time.
            return await self._counted(evolve(search, criteria=search.criteria.by_id()))
        if search.most > MAX_SORTED and search.criteria.full_time:
            return evolve(search, most=MAX_SORTED + 1, vague=True)
        return await self._counted(search)

    async def _counted(self, search: Search) -> Search:
        """Count what the counters do not know, for a short time."""
        try:
            async with self.connection.transaction():
                await self._limit(COUNT_LIMIT_SECONDS)
                args = search.args(search.criteria, MAX_SORTED + 1)
                counted = int(await self.connection.fetchval(self.sql["matching"], *args))
                await self._limit(LIMIT_SECONDS)
        except asyncpg.QueryCanceledError:
            counted = MAX_SORTED + 1
        return evolve(search, most=min(search.most, counted), vague=counted > MAX_SORTED)

    async def _limit(self, seconds: float) -> None:
        await self.connection.fetchval(self.sql["limit_statements"], f"{seconds * 1000:.0f}")

    async def ids(self, search: Search, part: Criteria, needed: int, *, descending: bool) -> list[UUID]:
        """Return up to `needed` ids of tasks that match, in order; fewer only if there are no more.

        Raises: InvalidFilterError when that takes too long.
        """
        part = search.criteria.within(part)
        if search.ids is not None:
            found = [i for i in search.ids if part.low <= i < part.high]
            return (found if descending else found[::-1])[:needed]
        if not search.vague:
            needed = min(needed, search.most)
        if needed == 0:
            return []
        (newest, oldest), standing = search.way()
        steps = search.steps(needed, standing)
        query = self.sql[newest if descending else oldest]
        rows = await self.connection.fetch(query, *search.args(part, needed), steps)
        if len(rows) == needed or steps >= standing:
            return [row["id"] for row in rows]
        return await self._rare(search, part, needed, descending=descending)

    async def _rare(self, search: Search, part: Criteria, needed: int, *, descending: bool) -> list[UUID]:
        """Look for what a walk does not find: all at once if it is known to be little, else slice by slice."""
        query = self.sql["pending_matching" if part.status is TaskStatus.PENDING else "all_matching"]
        inner = await self._cuts() if search.vague or search.most > MAX_SORTED else []
        bounds = [part.low, *(cut for cut in inner if part.low < cut < part.high), part.high]
        slices = list(pairwise(bounds))
        if inner and part.status is not TaskStatus.PENDING:
            # What is not rare by itself may still be missing from whole slices: the index of ranges knows at once.
            await self.connection.fetchrow(self.sql["insist_on_ranges"], "off")
        found: list[UUID] = []
        for low, high in reversed(slices) if descending else slices:
            if time.monotonic() - self.began > LIMIT_SECONDS:
                raise too_slow(part)
            args = search.args(evolve(part, low=low, high=high), needed - len(found))
            found += [row["id"] for row in await self.connection.fetch(query, *args, descending)]
            if len(found) == needed:
                break
        await self.connection.fetchrow(self.sql["insist_on_ranges"], "on")
        return found

    async def _cuts(self) -> list[UUID]:
        """Return ids that cut all tasks into slices of about the same number."""
        bounds = await self.connection.fetchval(self.sql["cuts"]) or []
        return list(bounds[:: max(1, len(bounds) // _SLICES)])

    async def every_id(self, search: Search) -> list[UUID]:
        """Return the ids of all tasks that match, in no order, of a search that found few enough to sort."""
        if search.ids is not None or search.criteria.status is TaskStatus.PROCESSING:
            return await self.ids(search, search.criteria, MAX_SORTED, descending=True)
        return await self._rare(search, search.criteria, MAX_SORTED + 1, descending=True)


def too_slow(criteria: Criteria) -> InvalidFilterError:
    """Say that a list took too long."""
    field = "filter" if criteria.pattern is None else "query"
    said = f"takes longer than {LIMIT_SECONDS:g} s to look for: narrow it"
    return InvalidFilterError(field, Complaint(said, FaultCode.SLOW, seconds=LIMIT_SECONDS))
