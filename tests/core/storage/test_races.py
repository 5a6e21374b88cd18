"""Two at once on one task: one wins, the other sees it, and the task is always in one place."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import IllegalTransitionError, NovelTasksError, TaskNotFoundError
from novel_tasks_core.models import Claim, Completed, TaskId
from novel_tasks_core.storage.queries import load_queries

from .bench import LATER, Bench, open_bench

ROUNDS = 60


@pytest.fixture
async def bench(database_url: str, engine_config: EngineConfig) -> AsyncIterator[Bench]:
    """An empty bench."""
    async for opened in open_bench(database_url, engine_config):
        yield opened


async def cancel(bench: Bench, task_id: TaskId) -> Any:
    """Cancel as the engine does."""
    return await bench.transitions.cancel(task_id, reason="r", if_version=None)


NAIVE_CANCEL = """
with r as (delete from task_ready where task_id = $1 returning task_id),
     l as (update task_leases set cancel_requested = true where task_id = $1 returning task_id)
select count(*) from (select task_id from r union all select task_id from l) found
"""


async def claim_uncommitted(bench: Bench, task_id: TaskId) -> None:
    """Claim the one ready task on the second connection, inside its open transaction."""
    [head] = await bench.queue.heads([bench.lane])
    rows = await bench.other.fetch(
        load_queries("queue")["claim"], [bench.lane], [head.priority], [head.position], [60.0], 1, 1, [1]
    )
    assert [row["task_id"] for row in rows] == [task_id]


CHANGES: dict[str, Callable[[Bench, TaskId], Awaitable[Any]]] = {
    "cancel": cancel,
    "delete": lambda bench, task_id: bench.transitions.delete(task_id, if_version=None),
    "reprioritize": lambda bench, task_id: bench.transitions.reprioritize(task_id, 7, if_version=None),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_that_meets_a_claim_finds_the_task_where_it_went(bench: Bench, name: str) -> None:
    """The claim holds the ready row; the change waits for it and then looks for the lease."""
    task_id = await bench.submit()
    async with bench.in_between():
        await claim_uncommitted(bench, task_id)
        change = await bench.blocked(CHANGES[name](bench, task_id))
    done = await change
    leases = await bench.other.fetch("select cancel_requested from task_leases")
    match name:
        case "cancel":
            assert (done.workers, [lease[0] for lease in leases]) == ({1}, [True])
        case "delete":
            assert (done.workers, leases) == ({1}, [])
        case _:
            assert (await bench.other.fetchval("select priority from tasks"), len(leases)) == (7, 1)


async def test_a_cancel_in_one_statement_would_be_lost(bench: Bench) -> None:
    """The same meeting with all locations in one statement: it sees one moment only, and finds the task nowhere."""
    task_id = await bench.submit()
    async with bench.in_between():
        await claim_uncommitted(bench, task_id)
        naive = await bench.blocked(bench.database.fetchval(NAIVE_CANCEL, task_id))
    assert await naive == 0
    assert await bench.other.fetchval("select cancel_requested from task_leases") is False


async def test_a_cancel_that_meets_a_promotion_finds_the_task(bench: Bench) -> None:
    """A task that is just being moved from the schedule to the ready table is cancelled there."""
    task_id = await bench.submit()
    await bench.other.execute("update tasks set run_at = now(); delete from task_ready")
    await bench.other.execute("insert into task_schedule (run_at, task_id) select run_at, id from tasks")
    async with bench.in_between() as promoter:
        await promoter.fetch(load_queries("queue")["promote"], 10)
        change = await bench.blocked(cancel(bench, task_id))
    await change
    assert (await bench.state(task_id))[0] == "cancelled"


async def one_of(*works: Awaitable[Any]) -> list[Any]:
    """Run all at once in a random order and return what each brought, our own errors included."""
    order = random.sample(range(len(works)), len(works))
    tasks = {n: asyncio.ensure_future(works[n]) for n in order}
    done = await asyncio.gather(*(tasks[n] for n in range(len(works))), return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException) and not isinstance(one, NovelTasksError):
            raise one
    return done


async def test_cancel_against_claim(bench: Bench) -> None:
    """Many rounds: cancelled and never claimed, or claimed and asked to stop. Nothing in between, both happen."""
    seen = set()
    for round_ in range(ROUNDS):
        task_id = await bench.submit()
        claimed, change = await one_of(bench.claim(1), cancel(bench, task_id))
        if claimed:
            assert change.workers == {1}, round_
            assert await bench.other.fetchval("select cancel_requested from task_leases where task_id = $1", task_id)
            assert await bench.complete(claimed[0], holder=1)
        else:
            assert (await bench.state(task_id))[0] == "cancelled", round_
        seen.add(bool(claimed))
    assert seen == {True, False}


async def test_cancel_against_completion(bench: Bench) -> None:
    """Completed whichever came first; a cancel that came too late is told so."""
    for _ in range(ROUNDS):
        task_id = await bench.submit()
        [claim] = await bench.claim(1)
        done, change = await one_of(bench.complete(claim, holder=1), cancel(bench, task_id))
        assert done is True
        assert not isinstance(change, Exception) or isinstance(change, IllegalTransitionError)
        assert (await bench.state(task_id))[0] == "completed"


async def test_delete_against_everything(bench: Bench) -> None:
    """A claim, an end, a cancel and a change of priority at once with a deletion: afterwards nothing is left."""
    for _ in range(ROUNDS):
        task_id = await bench.submit()
        running: list[Claim] = await bench.claim(1) if random.random() < 0.5 else []
        work = bench.complete(running[0], holder=1) if running else bench.claim(2)
        gone, *_ = await one_of(
            bench.transitions.delete(task_id, if_version=None),
            work,
            cancel(bench, task_id),
            bench.transitions.reprioritize(task_id, 3, if_version=None),
        )
        assert not isinstance(gone, Exception)
    for table in ("tasks", "task_ready", "task_leases", "task_events", "task_attempts"):
        assert await bench.other.fetchval(f"select count(*) from {table}") == 0, table


async def test_requeue_against_delete_and_requeue(bench: Bench) -> None:
    """Of two requeues one wins; a deletion beside them leaves nothing behind."""
    for n in range(ROUNDS):
        task_id = await bench.submit()
        [claim] = await bench.claim(1)
        await bench.end(claim, Completed(), holder=1)
        requeues = [bench.transitions.requeue(task_id, if_version=None) for _ in range(2)]
        deletes = [bench.transitions.delete(task_id, if_version=None)] if n % 2 else []
        first, second, *_ = await one_of(*requeues, *deletes)
        errors = [one for one in (first, second) if isinstance(one, Exception)]
        assert all(isinstance(e, IllegalTransitionError | TaskNotFoundError) for e in errors)
        assert len(errors) == 1 or (deletes and len(errors) == 2)
        for claim in await bench.claim(1):
            await bench.complete(claim, holder=1)


async def test_no_task_is_claimed_twice(bench: Bench) -> None:
    """Five connections claim in batches from one lane; every task that is due goes to exactly one."""
    ids = {await bench.submit() for _ in range(5)}
    ids |= {await bench.submit(priority=n % 3) for n in range(95)}
    await bench.submit(run_at=(await bench.database.fetchval("select now()")) + LATER)
    claimed: list[TaskId] = []

    async def claim_all(worker: int) -> None:
        queue = bench.another_queue()
        while got := await bench.claim(worker, most=7, queue=queue):
            claimed.extend(claim.task_id for claim in got)

    await asyncio.gather(*(claim_all(n) for n in range(1, 6)))
    assert len(claimed) == len(set(claimed)) == 100
    assert set(claimed) == ids
