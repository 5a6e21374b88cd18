"""At most one live task per owner and key, however many submit it at once and in whatever mode."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from novel_tasks_core import DuplicateTaskError, OnDuplicate, ReleaseKey, Task, TaskEngine
from novel_tasks_core.models import TaskId
from novel_tasks_core.testing import drain

from ..support import Db, Gate, eventually

SUBMITS = 50


@pytest.fixture
async def two(engine: TaskEngine, another_engine: Any, gate: Gate) -> AsyncIterator[list[TaskEngine]]:
    """Two engines on one database, as two processes have."""
    async with another_engine() as other:
        yield [engine, other]


async def submit_at_once(two: list[TaskEngine], modes: list[OnDuplicate], **more: Any) -> list[Any]:
    """Submit the same key fifty times at once; return tasks and refusals."""
    chosen = [
        two[n % 2].submit(processor="gate", key="k", on_duplicate=random.choice(modes), **more) for n in range(SUBMITS)
    ]
    return await asyncio.gather(*chosen, return_exceptions=True)


async def live_holders(db: Db) -> list[TaskId]:
    """Return the tasks that still have to run and hold the key."""
    rows = await db.fetch(
        "select k.task_id from task_keys k join tasks t on t.id = k.task_id where k.key = 'k' and t.status = 'pending'"
    )
    return [row["task_id"] for row in rows]


MODES = {mode.value: [mode] for mode in OnDuplicate} | {"all modes": list(OnDuplicate)}


@pytest.mark.parametrize("name", MODES)
async def test_fifty_submits_at_once_leave_one_holder(two: list[TaskEngine], db: Db, name: str) -> None:
    """Whatever the mode: one live task holds the key, and everybody was told the truth about theirs."""
    told = await submit_at_once(two, MODES[name])
    tasks = [one for one in told if isinstance(one, Task)]
    refused = [one for one in told if isinstance(one, DuplicateTaskError)]
    assert len(tasks) + len(refused) == SUBMITS, told
    [holder] = await live_holders(db)
    stored = {row["id"]: row["status"] for row in await db.fetch("select id, status from tasks")}
    assert {task.id for task in tasks if not task.duplicate} == set(stored)
    assert {error.existing for error in refused} <= set(stored)
    match name:
        case "return":
            assert (len(stored), sum(not task.duplicate for task in tasks)) == (1, 1)
        case "reject":
            assert (len(stored), len(refused)) == (1, SUBMITS - 1)
        case "replace":
            assert {i for i, status in stored.items() if status == "pending"} == {holder}
        case "allow":
            assert (len(stored), len(refused)) == (SUBMITS, 0)


async def test_keys_never_cross_owners(two: list[TaskEngine], db: Db) -> None:
    """Fifty owners with the same key at once: each has a task of its own."""
    told = await asyncio.gather(
        *(
            two[n % 2].submit(processor="gate", key="k", owner=f"o{n}", on_duplicate=OnDuplicate.REJECT)
            for n in range(SUBMITS)
        )
    )
    assert len({task.id for task in told}) == len(await live_holders(db)) == SUBMITS


CHECK_THEN_INSERT = """
alter table task_keys drop constraint task_keys_pkey;
create function look_first() returns trigger language plpgsql as $$ begin
    if exists (select from task_keys where (owner, key) = (new.owner, new.key)) then return null; end if;
    return new;
end $$;
create trigger look_first before insert on task_keys for each row execute function look_first();
"""


WAITS_HERE = """
select exists (
    select from pg_locks w join pg_locks l using (pid)
    where not w.granted and l.database = (select oid from pg_database where datname = current_database())
)
"""
"""Whether somebody waits for a lock in this database: on a server that several runs share others wait too."""


async def holders_after_a_late_commit(engine: TaskEngine, db: Db) -> list[TaskId]:
    """Submit a key while somebody else has stored it and not committed yet; return who holds it in the end."""
    transaction = db.transaction()
    await transaction.start()
    await engine.submit(processor="gate", key="k", connection=db)
    second = asyncio.create_task(engine.submit(processor="gate", key="k"))
    await eventually(lambda: _done_or(second, db))
    await transaction.commit()
    await second
    return await live_holders(db)


async def _done_or(second: asyncio.Task[Task], db: Db) -> bool:
    return second.done() or bool(await db.fetchval(WAITS_HERE))


async def test_a_key_that_is_not_committed_yet_is_waited_for(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """Whoever comes second sees the first one's task, and no other is made."""
    assert len(await holders_after_a_late_commit(engine, db)) == 1
    assert await engine.count() == 1


async def test_a_check_before_the_insert_lets_two_through(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """The mutant: a key is looked for and then taken, without a constraint that says that it is taken once."""
    await db.execute(CHECK_THEN_INSERT)
    assert len(await holders_after_a_late_commit(engine, db)) > 1
    await db.execute("delete from task_keys")


@pytest.mark.parametrize("release_at", ReleaseKey)
async def test_a_key_that_is_let_go_at_the_end_is_taken_once(
    two: list[TaskEngine], gate: Gate, db: Db, release_at: ReleaseKey
) -> None:
    """Submits race with the end of the holder: the key goes to nobody or to exactly one of them."""
    gate.let_go()
    for _ in range(3):
        await two[0].submit(processor="gate", key="k", release_at=release_at)
        running = asyncio.create_task(drain(two[0]))
        told = await submit_at_once(two, [OnDuplicate.RETURN], release_at=release_at)
        await running
        assert all(isinstance(one, Task) for one in told), told
        assert len(await live_holders(db)) <= 1
        await drain(two[1])
    completed = await db.fetchval("select count(*) from tasks where status = 'completed'")
    assert completed == 1 if release_at is not ReleaseKey.FINISH else completed >= 3
    assert await db.fetchval("select count(*) from task_keys") == (release_at is not ReleaseKey.FINISH)


async def _finished_with_key(engine: TaskEngine, key: str) -> Task:
    task = await engine.submit(processor="gate", key=key)
    return await engine.cancel(task.id)


@pytest.mark.parametrize("replaced", [False, True], ids=["alone", "after it replaced another"])
async def test_a_requeued_task_takes_its_key_back(engine: TaskEngine, gate: Gate, replaced: bool) -> None:
    """Live again, it holds its key again: a submit of that key finds it, however it had come by the key."""
    if replaced:
        await engine.submit(processor="gate", key="k")
    task = await engine.submit(processor="gate", key="k", on_duplicate=OnDuplicate.REPLACE)
    await engine.cancel(task.id)
    await engine.requeue(task.id)
    again = await engine.submit(processor="gate", key="k")
    assert (again.id, again.duplicate) == (task.id, True)


async def test_requeues_and_submits_at_once_leave_one_holder(two: list[TaskEngine], db: Db) -> None:
    """Ten finished tasks of one key are requeued while it is submitted: one of all wins."""
    old = [await _finished_with_key(two[0], "k") for _ in range(10)]
    told = await asyncio.gather(
        *(two[n % 2].requeue(task.id) for n, task in enumerate(old)),
        *(two[n % 2].submit(processor="gate", key="k", on_duplicate=OnDuplicate.REJECT) for n in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Task) for one in told) == 1
    assert len(await live_holders(db)) == 1
    assert await db.fetchval("select count(*) from tasks where status = 'pending'") == 1
