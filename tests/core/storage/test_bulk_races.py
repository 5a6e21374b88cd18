"""Changes of many tasks against workers, flushes and each other: every task ends in one place, changed or counted."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from novel_tasks_core.clock import SystemClock
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import DatabaseUnavailableError
from novel_tasks_core.models import (
    BulkResult,
    Claim,
    Completed,
    ErrorInfo,
    Failed,
    Outcome,
    SkipReason,
    TaskFilter,
    TaskId,
    TaskStatus,
    WorkerId,
)
from novel_tasks_core.storage import bulk as bulk_module
from novel_tasks_core.storage.bulk import Bulk
from novel_tasks_core.storage.changes import Cancel, Change, Changes, Delete, Reprioritize, Requeue, Standing, Wanted
from novel_tasks_core.storage.lists import Lists
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.walking import Selection

from ...conftest import check_invariants
from .bench import LATER, Bench, open_bench

ROUNDS = 25
ALL = Selection(filter=TaskFilter())
FAILED = TaskFilter(status=TaskStatus.FAILED)


@pytest.fixture
async def bench(database_url: str, engine_config: EngineConfig) -> AsyncIterator[Bench]:
    """An empty bench."""
    async for opened in open_bench(database_url, engine_config):
        yield opened


async def change_all(
    bench: Bench, wanted: Wanted, selection: Selection = ALL, *, changes: type[Changes] = Changes, told: Any = None
) -> BulkResult:
    """Change as the engine does, or as a spoilt version of it would."""
    lists = Lists(bench.database, link=bench.database.link("lists"))
    bulk = Bulk(bench.database, lists, changes(clock=SystemClock()))
    heard: list[Change] = [] if told is None else told
    return await bulk.change(wanted, selection, dry_run=False, tell=heard.append)


async def some_failed(bench: Bench, count: int) -> list[TaskId]:
    """Make failed tasks."""
    ids = [await bench.submit() for _ in range(count)]
    for claim in await bench.claim(1, most=count):
        await bench.end(claim, Failed(error=ErrorInfo("E", "x")), holder=1)
    return ids


class AllPlacesAtOnce(Changes):
    """Looks at all places by one statement, and takes what is in none of them for finished."""

    async def locked(self, connection: Any, ids: Sequence[TaskId], *, waits: bool = True) -> list[Standing]:
        """Find tasks as they stand at one moment."""
        tasks = [Standing.of(row) for row in await connection.fetch(self._sql["lock"], ids)]
        rows = await connection.fetch(
            "with s as (select task_id from task_schedule where task_id = any($1) for update),"
            " r as (select task_id from task_ready where task_id = any($1) for update),"
            " l as (select task_id, worker_id, attempt from task_leases where task_id = any($1) for update)"
            " select task_id, null::bigint as worker_id, null::int as attempt from s union all"
            " select task_id, null, null from r union all select * from l",
            ids,
        )
        leases = {row["task_id"]: row for row in rows}
        found = []
        for task in tasks:
            if task.id not in leases:
                found.append(attrs.evolve(task, status=TaskStatus.CANCELLED))
            elif (worker := leases[task.id]["worker_id"]) is not None:
                found.append(task.run_by(WorkerId(worker), leases[task.id]["attempt"]))
            else:
                found.append(task)
        return found


@pytest.mark.parametrize(("changes", "lost"), [(Changes, 0), (AllPlacesAtOnce, 10)])
async def test_a_cancel_of_all_that_meets_claims_finds_where_they_went(
    bench: Bench, changes: type[Changes], lost: int
) -> None:
    """Ten of twenty tasks are being claimed: all are cancelled or asked to stop; by one look ten would be lost."""
    for _ in range(20):
        await bench.submit()
    [head] = await bench.queue.heads([bench.lane])
    async with bench.in_between() as claimer:
        await claimer.fetch(load_queries("queue")["claim"], [bench.lane], [0], [head.position], [60.0], 10, 1, [10])
        cancelling = await bench.blocked(change_all(bench, Cancel("r"), changes=changes))
    result = await cancelling
    assert (result.matched, result.changed) == (20, 20 - lost)
    untouched = await bench.other.fetchval(
        "select count(*) from tasks t where status = 'pending'"
        " and not exists (select from task_leases l where l.task_id = t.id and l.cancel_requested)"
    )
    assert untouched == lost


class WaitsForAll(Changes):
    """Waits for every lock, whatever it holds."""

    async def locked(self, connection: Any, ids: Sequence[TaskId], *, waits: bool = True) -> list[Standing]:
        """Lock tasks, and wait for those of others."""
        return await super().locked(connection, ids, waits=True)


@pytest.mark.parametrize("table", ["tasks", "task_leases"])
@pytest.mark.parametrize(("changes", "safe"), [(Changes, True), (WaitsForAll, False)])
async def test_a_change_of_all_holds_nothing_while_it_waits(
    bench: Bench, table: str, changes: type[Changes], safe: bool
) -> None:
    """A flush that locks the newest task first and the oldest last meets no deadlock; by waiting it would."""
    oldest, newest = await bench.submit(), await bench.submit()
    await bench.claim(1, most=2)
    column = "id" if table == "tasks" else "task_id"
    lock = f"select from {table} where {column} = $1 for update"
    deadlocks = 0
    async with bench.in_between() as flush:
        await flush.execute(lock, newest)
        cancelling = await bench.blocked(change_all(bench, Cancel("r"), changes=changes))
        # Whichever of the two the server chooses as the victim: with the guard it has none to choose.
        await flush.execute("set local deadlock_timeout = '10s'")
        await flush.execute(lock, oldest)
    try:
        assert (await cancelling).changed == 2
    except DatabaseUnavailableError as exc:
        deadlocks += "deadlock" in exc.reason
    assert deadlocks == (0 if safe else 1)


class LooksOnce(Selection):
    """Believes what the walk saw."""

    def holds(self, task: Standing) -> bool:
        """Say yes."""
        return True


@pytest.mark.parametrize("kind", [Selection, LooksOnce])
@pytest.mark.parametrize("again", ["requeued", "failed again"])
async def test_what_was_requeued_meanwhile_is_not_pruned(bench: Bench, kind: type[Selection], again: str) -> None:
    """A requeue has the row, and the task may even have failed anew by then: it stays; by one look it would go."""
    _, second = await some_failed(bench, 2)
    long_ago, now = datetime.now(UTC) - timedelta(days=9), datetime.now(UTC)
    await bench.other.execute("update tasks set finished_at = $1", long_ago)
    expired = kind(filter=FAILED, finished_before=now - timedelta(days=1))
    async with bench.in_between() as person:
        changes = Changes(clock=SystemClock())
        await changes.apply(person, Requeue(), await changes.locked(person, [second]))
        if again == "failed again":
            await person.execute("delete from task_ready")
            await person.execute("update tasks set status = 'failed', finished_at = $2 where id = $1", second, now)
            await person.execute(
                "insert into task_counts"
                " select '', $1::int, status, n from (values ('pending', -1), ('failed', 1)) as c(status, n)",
                bench.lane,
            )
        pruning = await bench.blocked(change_all(bench, Delete(), expired))
    result = await pruning
    left = [row["id"] for row in await bench.other.fetch("select id from tasks")]
    if kind is Selection:
        assert (result.changed, result.reasons) == (1, {SkipReason.CHANGED: 1})
        assert left == [second]
    else:
        assert left == []


async def test_what_is_made_later_is_left_out_and_what_is_gone_is_counted(bench: Bench) -> None:
    """The walk ends at the newest task of its beginning; one that somebody else deletes meanwhile is not changed."""
    for _ in range(4):
        last = await bench.submit()
    async with bench.in_between() as person:
        changes = Changes(clock=SystemClock())
        await changes.apply(person, Delete(), await changes.locked(person, [last]))
        deleting = await bench.blocked(change_all(bench, Delete()))
        later = await bench.submit()
    result = await deleting
    assert (result.matched, result.changed, result.reasons) == (4, 3, {SkipReason.GONE: 1})
    assert [row["id"] for row in await bench.other.fetch("select id from tasks")] == [later]


async def test_a_cancelled_call_has_done_whole_batches(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    """Of four batches three are done when the call is cut off in the last, of which nothing is."""
    monkeypatch.setattr(bulk_module, "BATCH", 5)
    ids = [await bench.submit() for _ in range(20)]
    told: list[Change] = []
    async with bench.in_between() as other:
        await other.execute("select from tasks where id = any($1) for update", ids[15:])
        cancelling = await bench.blocked(change_all(bench, Cancel("r"), told=told))
        cancelling.cancel()
        await asyncio.wait([cancelling])
    assert cancelling.cancelled()
    done = await bench.other.fetch("select id from tasks where status = 'cancelled' order by id")
    assert [row["id"] for row in done] == ids[:15]
    assert [event.task_id for change in told for event in change.events] == ids[:15]
    await check_invariants(database_url)


async def test_long_histories_make_small_batches(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tasks at once as have few events together; one that has too many goes alone."""
    monkeypatch.setattr(bulk_module, "MAX_EVENTS", 10)
    note = '{"level":"info","message":"x"}'
    ids = [await bench.submit(note=note) for _ in range(5)]
    for n, events in enumerate((4, 5, 2, 30, 1)):
        await bench.other.execute("update tasks set last_seq = $2 where id = $1", ids[n], events)
    told: list[Change] = []
    await change_all(bench, Delete(), told=told)
    assert [len(change.events) for change in told] == [2, 1, 1, 1]


class Busy:
    """Workers that claim, report progress and finish in any order, until they are told to stop."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.stop = False
        self.ended = 0

    async def work(self, worker: int) -> None:
        """Run attempts of a few tasks at once until nothing waits and the end was called."""
        queue = self._bench.another_queue()
        while True:
            last = self.stop  # before the look: what is put back after it would be missed
            claims = await self._bench.claim(worker, most=random.randint(1, 9), queue=queue)
            if not claims and last:
                return
            random.shuffle(claims)
            if claims:
                await queue.progress([(c.task_id, c.attempt, 0.5, "x") for c in claims], worker_id=WorkerId(worker))
            await self._end(worker, claims, queue)

    async def _end(self, worker: int, claims: list[Claim], queue: Any) -> None:
        failed = Failed(error=ErrorInfo("E", "x"))
        random.shuffle(claims)
        outcomes: list[Outcome] = [Completed(), failed]
        endings = [self._bench.ending(claim, random.choice(outcomes)) for claim in claims]
        if endings:
            done = await queue.end(endings, holder=WorkerId(worker), finisher=WorkerId(worker))
            self.ended += len(done.last_seq)
        await asyncio.sleep(0)


async def no_gaps(bench: Bench) -> None:
    """Assert that the events of every task are numbered 1, 2, 3, ... up to its last seq."""
    faults = await bench.other.fetch(
        "select t.id, t.last_seq, e.many, e.high from tasks t"
        " left join (select task_id, count(*) as many, max(seq) as high from task_events group by 1) e"
        " on e.task_id = t.id"
        " where (t.last_seq, t.last_seq) is distinct from (coalesce(e.many, 0), coalesce(e.high, 0))"
    )
    assert not faults
    assert not await bench.other.fetch("select task_id from task_events except select id from tasks")


WANTED: list[Wanted] = [Cancel("r"), Delete(), Reprioritize(7), Requeue()]


@pytest.mark.parametrize("wanted", WANTED, ids=lambda w: type(w).__name__)
async def test_a_change_of_all_against_workers(bench: Bench, database_url: str, wanted: Wanted) -> None:
    """Many rounds beside two workers: none lost, one place each, counters right, no gap in any history."""
    for _ in range(ROUNDS):
        for _ in range(40):
            await bench.submit()
        busy = Busy(bench)
        workers = [asyncio.create_task(busy.work(n)) for n in (1, 2)]
        await asyncio.sleep(random.random() * 0.03)
        result = await change_all(bench, wanted)
        other = await change_all(bench, random.choice([Reprioritize(3), wanted])) if random.random() < 0.5 else None
        busy.stop = True
        await asyncio.gather(*workers)
        assert result.matched == 40
        assert result.changed + result.skipped == result.matched
        rows = await bench.other.fetch("select status, priority from tasks")
        assert len(rows) == (0 if isinstance(wanted, Delete) else 40)
        assert all(row["status"] != "pending" for row in rows)
        if isinstance(wanted, Cancel) and other is None:
            events = await bench.other.fetchval(
                "select count(distinct task_id) from task_events where kind in ('cancelled', 'cancel_requested')"
            )
            assert events == result.changed
        await check_invariants(database_url)
        await no_gaps(bench)
        assert not await bench.other.fetch("select from task_ready union all select from task_leases")
        await bench.clear()


async def test_changes_of_all_against_each_other(bench: Bench, database_url: str) -> None:
    """Cancels, requeues, priorities and deletions of the same tasks at once: no deadlock, and all goes at last."""
    for _ in range(ROUNDS // 3):
        for n in range(60):
            await bench.submit(run_at=datetime.now(UTC) + LATER if n % 3 else None)
        order: list[Wanted] = [Cancel("r"), Requeue(), Reprioritize(5), Cancel("s"), Reprioritize(-1)]
        random.shuffle(order)
        results = await asyncio.gather(*(change_all(bench, wanted) for wanted in order))
        assert all(r.matched == 60 == r.changed + r.skipped for r in results)
        await check_invariants(database_url)
        await no_gaps(bench)
        gone = await asyncio.gather(*(change_all(bench, Delete()) for _ in range(2)))
        assert sum(r.changed for r in gone) == 60
        assert await bench.other.fetchval("select count(*) from tasks") == 0
        await bench.clear()
