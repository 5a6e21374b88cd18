"""Guards of lists at a million tasks: whatever is rare and whatever is not, a page touches few rows and pages.

They look at what the server says it did, for whole calls of `find`, `count`, `statistics` and `queue_status`: rows that
were read and pages that were touched. Twenty milliseconds are worth more than the bounds here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import evolve

from novel_tasks_core import EngineConfig, InvalidFilterError, TaskFilter, TaskStatus
from novel_tasks_core.storage import looking
from novel_tasks_core.storage.database import _POOL_SETTINGS, Database, Link
from novel_tasks_core.storage.listing import Criteria, Listing
from novel_tasks_core.storage.lists import Lists
from novel_tasks_core.storage.tasks import Tasks

from ..core.support import Db, eventually
from .conftest import World, connected
from .worlds import TASKS, made_at, task

MOST_PAGES = 16_000
MOST_ROWS = 130_000

STATUSES: list[Mapping[str, Any]] = [{"status": status} for status in TaskStatus]
PROCESSORS: list[Mapping[str, Any]] = [{"processor": name} for name in ("main", "second", "rare", "unheard-of")]
OWNERS: list[Mapping[str, Any]] = [{"owner": name} for name in ("", "few", "thousand", "big", "nobody")]
RANGES: list[Mapping[str, Any]] = [
    {"created_after": made_at(500_000), "created_before": made_at(600_000)},
    {"created_after": made_at(500_000), "created_before": made_at(500_100)},
    {"created_before": made_at(500)},
]
QUERIES: list[Mapping[str, Any]] = [
    {"query": text} for text in ("chapter", "chapter-5000", "unique", "no such name", "task-0199c82", "task-0199")
]
KINDS = (STATUSES, PROCESSORS, OWNERS, RANGES, QUERIES)


def filters() -> Iterator[dict[str, Any]]:
    """Return no condition, every one, and every pair of two kinds."""
    yield {}
    for place, kind in enumerate(KINDS):
        for one in kind:
            yield dict(one)
            for other_kind in KINDS[place + 1 :]:
                yield from ({**one, **other} for other in other_kind)


Loops = Mapping[str, Callable[[], Coroutine[Any, Any, None]]]


@asynccontextmanager
async def running(loops: Loops) -> AsyncIterator[None]:
    """Run what has to run for lists and look-ups, for the length of the block."""
    tasks = [asyncio.create_task(loop()) for loop in loops.values()]
    try:
        yield
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.wait(tasks)


class Measured:
    """The lists of a world, over a link and a pool of whose connections only one is used, and what that did."""

    def __init__(self, database: Database, link: Link) -> None:
        self.database = database
        self.link = link
        self.lists = Lists(database, link=link)

    async def _flush(self) -> None:
        """Have both connections tell the server what they did."""
        for connection in (self.link, self.database):
            await connection.fetch("select pg_stat_force_next_flush()")

    async def cost(self) -> tuple[int, int]:
        """Return how many rows were read, and how many pages touched, up to now."""
        await self._flush()
        row = await self.database.fetchrow(
            "select (select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_user_tables)::bigint as rows,"
            " blks_hit + blks_read as pages from pg_stat_database where datname = current_database()"
        )
        assert row is not None
        return row["rows"], row["pages"]

    async def is_before_16(self) -> bool:
        """Say whether this is a PostgreSQL whose index of ranges must leave the status out."""
        return int(await self.database.fetchval("show server_version_num")) < 160_000

    async def touched(self, query: str) -> int:
        """Return a figure of the server's statistics, up to now."""
        await self._flush()
        return int(await self.database.fetchval(query))


ALONE = "select count(*) = 1 from pg_stat_activity where datname = current_database()"


async def measured(world: World) -> AsyncIterator[Measured]:
    """Open the lists of a world, once whoever made it is gone and has told what that cost."""
    async with Database.open(world.url, config=EngineConfig(database_url=world.url)) as database:
        await eventually(lambda: database.fetchval(ALONE))
        made = Measured(database, database.link("lists"))
        try:
            async with running(made.lists.loops()):
                yield made
        finally:
            await made.link.close()


@pytest.fixture
async def waiting(backlog: World) -> AsyncIterator[Measured]:
    """The lists of the backlog."""
    async for lists in measured(backlog):
        yield lists


@pytest.fixture
async def finished(history: World) -> AsyncIterator[Measured]:
    """The lists of the history."""
    async for lists in measured(history):
        yield lists


def wants_ranges_of_status(conditions: dict[str, Any]) -> bool:
    """Say whether only the index of ranges knows where such tasks are, should they be rare; it does from 16 on."""
    status = conditions.get("status")
    return status is TaskStatus.COMPLETED or (status is TaskStatus.PENDING and "query" in conditions)


async def check_every_page(lists: Measured) -> None:
    """Ask for the first page of every filter in both directions, and check rows, pages and totals."""
    old = await lists.is_before_16()
    before = await lists.cost()
    for conditions in filters():
        if old and wants_ranges_of_status(conditions):
            continue
        for descending in (True, False):
            page = await lists.lists.find(TaskFilter(**conditions), Listing(descending=descending))
            after = await lists.cost()
            rows, pages = after[0] - before[0], after[1] - before[1]
            before = after
            assert rows <= MOST_ROWS, (conditions, descending, rows, pages)
            assert pages <= MOST_PAGES, (conditions, descending, rows, pages)
            assert len(page.items) == min(20, page.total), (conditions, descending, page.total)
            assert page.total <= 10_001 or not page.total_is_estimate
            assert (page.next_cursor is not None) == (page.total > 20)


async def test_every_filter_is_quick_over_a_backlog(waiting: Measured) -> None:
    """A million wait, a thousand old ones are completed, five failed; an owner has three, another nearly all."""
    await check_every_page(waiting)


async def test_every_filter_is_quick_over_a_history(finished: Measured) -> None:
    """A million are completed, three run, two wait, five failed."""
    await check_every_page(finished)


MANY: list[dict[str, Any]] = [
    {},
    {"status": TaskStatus.PENDING},
    {"owner": "big"},
    {"processor": "second"},
    {"query": "chapter"},
]
FEW: list[dict[str, Any]] = [
    {"processor": "rare"},
    {"owner": "few"},
    {"query": "unique"},
    {"status": TaskStatus.FAILED},
]


async def test_whole_slices_without_a_match_are_passed_over(waiting: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts as many, and lies behind a million others, is found slice by slice; empty ones cost nothing."""
    if await waiting.is_before_16():
        pytest.skip("needs an index of ranges that knows the status: PostgreSQL 16")
    monkeypatch.setattr(looking, "MAX_SORTED", 100)
    for wanted in (TaskFilter(), TaskFilter(owner="big"), TaskFilter(processor="main")):
        before = await waiting.cost()
        page = await waiting.lists.find(evolve(wanted, status=TaskStatus.COMPLETED), Listing(limit=50))
        after = await waiting.cost()
        assert [item.status for item in page.items] == [TaskStatus.COMPLETED] * 50
        assert page.total > 500
        assert after[1] - before[1] < MOST_PAGES / 2
        assert after[0] - before[0] < MOST_ROWS / 2


async def test_sorts_of_too_many_are_refused_at_once(waiting: Measured) -> None:
    """No list is counted or read for that; few are sorted however far apart they stand."""
    before = await waiting.cost()
    for wanted in MANY:
        with pytest.raises(InvalidFilterError, match="narrow the filter"):
            await waiting.lists.find(TaskFilter(**wanted), Listing(sort="priority"))
    for few in FEW:
        page = await waiting.lists.find(TaskFilter(**few), Listing(sort="priority", descending=False))
        priorities = [item.priority for item in page.items]
        assert len(priorities) == page.total in (2, 3, 5)
        assert priorities == sorted(priorities)
    after = await waiting.cost()
    assert after[0] - before[0] < MOST_ROWS


async def test_cursors_reach_both_ends_of_a_million(waiting: Measured) -> None:
    """From the last pages no further, in both directions, for all and for what waits."""
    for wanted in (TaskFilter(), TaskFilter(status=TaskStatus.PENDING), TaskFilter(owner="big")):
        for descending in (True, False):
            there = (await waiting.lists.find(wanted, Listing(descending=not descending, limit=8))).items
            cursor = Criteria.of(wanted).cursor(there[-1].id, descending=descending)
            before = await waiting.cost()
            page = await waiting.lists.find(wanted, Listing(descending=descending, cursor=cursor))
            after = await waiting.cost()
            assert [item.id for item in page.items] == [item.id for item in there[-2::-1]]
            assert page.next_cursor is None
            assert after[0] - before[0] < MOST_ROWS, (wanted, descending)


async def test_counts_and_the_state_of_the_queue_are_quick(waiting: Measured) -> None:
    """Statistics come from the counters alone, the queue's state from a part of the hundred thousand scheduled."""
    before = await waiting.cost()
    statistics = await waiting.lists.statistics(None)
    after = await waiting.cost()
    assert statistics.total == TASKS
    assert after[0] - before[0] < 1000
    lanes = {lane.processor: lane for lane in await waiting.lists.queue_status()}
    final = await waiting.cost()
    assert final[0] - after[0] < MOST_ROWS
    assert final[1] - after[1] < 4 * MOST_PAGES
    assert (lanes["rare"].ready, lanes["rare"].scheduled) == (2, 0)
    assert sum(lane.ready + lane.scheduled + lane.processing for lane in lanes.values()) == statistics.pending + 50
    assert abs(lanes["main"].scheduled - 66_666) < 20_000
    assert await waiting.lists.count(TaskFilter(query="chapter")) == 10_001


async def test_what_no_index_knows_ends_in_time(waiting: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search inside names looks for as long as it may, and then says what helps."""
    monkeypatch.setattr("novel_tasks_core.storage.lists.LIMIT_SECONDS", 0.05)
    monkeypatch.setattr("novel_tasks_core.storage.looking.LIMIT_SECONDS", 0.05)
    monkeypatch.setattr("novel_tasks_core.storage.looking.COUNT_LIMIT_SECONDS", 0.02)
    with pytest.raises(InvalidFilterError, match="narrow it") as caught:
        await waiting.lists.find(TaskFilter(query="*nique"), Listing())
    assert caught.value.field == "query"
    page = await waiting.lists.find(TaskFilter(query="*hapter"), Listing())
    assert (len(page.items), page.total, page.total_is_estimate) == (20, 10_001, True)


SPOILED: dict[str, tuple[str, dict[str, Any]]] = {
    "rare processor": ("drop index tasks_ranges", {"processor": "rare"}),
    "behind a backlog": ("drop index tasks_ranges", {"status": TaskStatus.COMPLETED}),
    "owner": ("drop index tasks_by_owner", {"owner": "few"}),
    "name": ("drop index tasks_by_name", {"query": "unique"}),
    "failed": ("drop index tasks_unhappy_by_id", {"status": TaskStatus.FAILED}),
    "all": ("alter table tasks drop constraint tasks_pkey", {}),
    "pending": ("alter table task_ready drop constraint task_ready_task_id_key", {"status": TaskStatus.PENDING}),
}


class OneConnection:
    """Stands for the pool and for a link: one connection, inside the transaction that it is in."""

    def __init__(self, db: Db) -> None:
        self._db = db

    @asynccontextmanager
    async def snapshot(self, *, limit_seconds: float) -> AsyncIterator[Db]:
        """Lend it."""
        assert limit_seconds > 0
        yield self._db

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]:
        """Run a statement on it."""
        return await self._db.fetch(query, *args)


@pytest.mark.parametrize("name", SPOILED)
async def test_the_guard_sees_a_missing_index(backlog: World, name: str) -> None:
    """Without the index that a list needs, it reads more rows than any list may."""
    spoiling, conditions = SPOILED[name]
    async for lists in measured(backlog):
        if wants_ranges_of_status(conditions) and await lists.is_before_16():
            pytest.skip("needs an index of ranges that knows the status: PostgreSQL 16")
    read = "select sum(seq_tup_read + idx_tup_fetch)::bigint from pg_stat_xact_user_tables"
    async with connected(backlog.url, _POOL_SETTINGS) as db:
        transaction = db.transaction()
        await transaction.start()
        spoilt = Lists(OneConnection(db), link=OneConnection(db))  # type: ignore[arg-type]
        async with running(spoilt.loops()):
            for statement in ("select 1", spoiling):
                await db.execute(statement)
                before = await db.fetchval(read)
                await spoilt.find(TaskFilter(**conditions), Listing())
                rows = await db.fetchval(read) - before
                assert (rows > MOST_ROWS) is (statement == spoiling), (statement, rows)
        await transaction.rollback()


async def test_lists_never_read_results(finished: Measured, history: World) -> None:
    """What is kept beside the rows, large results and options, is not touched; one whole task does touch it."""
    toast = (
        "select coalesce(toast_blks_hit, 0) + coalesce(toast_blks_read, 0) from pg_statio_user_tables"
        " where relname = 'tasks'"
    )
    large = json.dumps("".join(chr(33 + n * n % 90) for n in range(50_000)))
    async with connected(history.url, {}) as db:
        await db.execute("alter table tasks alter column result set storage external")
        await db.execute("update tasks set result = $1 where id = $2", large, task(TASKS))
    before = await finished.touched(toast)
    page = await finished.lists.find(TaskFilter(), Listing())
    assert page.items[0].id == task(TASKS)
    await finished.lists.find(TaskFilter(owner="", query="chapter"), Listing(sort="created_at", descending=False))
    assert await finished.touched(toast) == before
    tasks = Tasks(finished.database, link=finished.link)
    async with running(tasks.loops()):
        assert (await tasks.get(task(TASKS))).result == json.loads(large)
    assert await finished.touched(toast) > before
