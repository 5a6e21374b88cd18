"""Keys: at most one live task has one, whoever races for it, and a replacement is one transaction."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from novel_tasks_core import (
    DuplicateTaskError,
    OnDuplicate,
    Processors,
    ReleaseKey,
    Source,
    SourceNotFoundError,
    Task,
    TaskEngine,
    TaskStatus,
)
from novel_tasks_core.models import TaskId
from novel_tasks_core.storage.keys import Keys, Replaced
from novel_tasks_core.storage.submits import Row
from novel_tasks_core.testing import drain

from ..storage.bench import spoil
from ..storage.meetings import tries
from ..support import Db, Gate, ended, eventually

RACERS = 50
MISSING = Source("0" * 64, 1, "n")
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


async def submit_keyed(engine: TaskEngine, on_duplicate: OnDuplicate = OnDuplicate.RETURN, **more: Any) -> Task:
    """Submit under the key of these tests."""
    return await engine.submit(**{"processor": "gate", "key": "k", "on_duplicate": on_duplicate} | more)


async def test_a_key_is_live_once(engine: TaskEngine, gate: Gate) -> None:
    """Each way of meeting a duplicate: return it, refuse, allow both, replace it."""
    first = await submit_keyed(engine)
    again = await submit_keyed(engine, priority=5)
    assert (again.id, again.duplicate, again.priority) == (first.id, True, 0)
    with pytest.raises(DuplicateTaskError) as caught:
        await submit_keyed(engine, OnDuplicate.REJECT)
    assert (caught.value.existing, caught.value.key) == (first.id, "k")
    allowed = await submit_keyed(engine, OnDuplicate.ALLOW)
    assert (allowed.id != first.id, allowed.duplicate) == (True, False)
    replacing = await submit_keyed(engine, OnDuplicate.REPLACE)
    for task in (first, allowed, replacing):
        stored = await engine.get(task.id)
        assert (stored.key, stored.options) == (task.key, task.options)
    assert (first.key, allowed.key, replacing.key) == ("k", None, "k")
    old = await engine.get(first.id)
    assert (old.status, old.error and old.error.message) == (TaskStatus.CANCELLED, "replaced")
    assert (await submit_keyed(engine)).id == replacing.id
    assert (await submit_keyed(engine, owner="bob")).duplicate is False  # keys never cross owners


async def test_a_running_task_can_be_replaced(engine: TaskEngine, gate: Gate) -> None:
    """Its attempt is stopped, its key goes to the new one at once."""
    async with engine.worker():
        first = await submit_keyed(engine)
        await gate.next()
        second = await submit_keyed(engine, OnDuplicate.REPLACE)
        assert (await ended(engine, first)).status is TaskStatus.CANCELLED
        assert (await submit_keyed(engine)).id == second.id
        gate.let_go()
        assert (await ended(engine, second)).status is TaskStatus.COMPLETED


@pytest.mark.parametrize(
    ("release_at", "held_after"),
    [
        (ReleaseKey.FINISH, set()),
        (ReleaseKey.FAILURE, {"completed"}),
        (ReleaseKey.DELETE, {"completed", "failed", "cancelled"}),
    ],
)
async def test_a_key_is_held_as_long_as_wanted(
    engine: TaskEngine, processors: Processors, release_at: ReleaseKey, held_after: set[str]
) -> None:
    """Until any finish, until a failure or cancellation, or until the task is deleted."""

    async def act(ctx: Any) -> None:
        if ctx.options["end"] == "failed":
            raise ValueError("as wanted")

    processors.register("act", act)

    async def submit(end: str) -> Task:
        return await engine.submit(
            processor="act", key=end, release_at=release_at, options={"end": end}, max_attempts=1
        )

    tasks = {end: await submit(end) for end in ("completed", "failed", "cancelled")}
    await engine.cancel(tasks["cancelled"].id)
    await drain(engine)
    assert {(await engine.get(t.id)).status.value for t in tasks.values()} == set(tasks)
    assert {end for end in tasks if (await submit(end)).duplicate} == held_after
    for end, task in tasks.items():
        await engine.delete(task.id)
        assert (await submit(end)).duplicate is (end not in held_after)


async def test_a_race_for_a_key_has_one_winner(engine: TaskEngine, another_engine: Any, gate: Gate) -> None:
    """Fifty at once from two engines make exactly one task; all get it."""
    async with another_engine() as other:
        tasks = await asyncio.gather(*(submit_keyed(one) for one in (engine, other) * 25))
    assert len({task.id for task in tasks}) == await engine.count() == 1
    assert sum(not task.duplicate for task in tasks) == 1


async def test_keys_never_cross_owners(engine: TaskEngine, gate: Gate) -> None:
    """The same key of two owners is two keys, whatever is done with one of them."""
    tasks = {owner: await submit_keyed(engine, owner=owner) for owner in ("", "ann", "bob")}
    assert len({task.id for task in tasks.values()}) == 3
    await submit_keyed(engine, OnDuplicate.REPLACE, owner="ann")
    assert (await engine.get(tasks["ann"].id)).status is TaskStatus.CANCELLED
    for owner in ("", "bob"):
        assert (await submit_keyed(engine, owner=owner)).id == tasks[owner].id


async def test_rivals_in_one_statement_are_served_in_their_order(engine: TaskEngine, gate: Gate) -> None:
    """Of submits that come at once with one key, the first gets it, and each of the others what it asked for."""
    kinds = [OnDuplicate.RETURN, OnDuplicate.ALLOW, OnDuplicate.REJECT, OnDuplicate.RETURN]
    done = await asyncio.gather(
        *(submit_keyed(engine, kind, priority=n) for n, kind in enumerate(kinds)), return_exceptions=True
    )
    first, allowed, rejected, same = done
    assert isinstance(first, Task)
    assert isinstance(same, Task)
    assert isinstance(allowed, Task)
    assert (first.priority, first.duplicate, same.id, same.duplicate) == (0, False, first.id, True)
    assert isinstance(rejected, DuplicateTaskError)
    assert (allowed.id != first.id, allowed.duplicate) == (True, False)


class TwoTransactions(Keys):
    """A mutant: it cancels the holder and frees the key first, and leaves the rest to the next submit."""

    async def replace(self, row: Row, *, connection: Any = None) -> Replaced | None:
        """Cancel, free, and say that the key has changed hands."""
        held = await self.holder(row)
        assert held is not None
        await self._transitions.cancel(held, reason="replaced", if_version=None)
        await self._database.execute("delete from task_keys where task_id = $1", held)
        return None


class Unlocked(Keys):
    """A mutant: it takes the key from whoever holds it by then, not from the task that it cancelled."""

    async def _lock_holder(self, connection: Any, row: Row) -> TaskId:
        held = await self.holder(row, connection=connection)
        assert held is not None
        await asyncio.sleep(0.01)
        return held


def use(engine: TaskEngine, kind: type[Keys]) -> None:
    """Put other code in the place of an engine's keys."""
    keys = engine._parts.submitting._parts.keys
    keys.__class__ = kind
    if kind is Unlocked:
        spoil(keys, "take_key", " where k.task_id = $4", " where $4::uuid is not null")


async def race_to_replace(engines: list[TaskEngine], db: Db) -> None:
    """Fifty replacements of one key at once: one is alive, and it has the key; all others are cancelled."""
    engine = engines[0]
    tasks = await asyncio.gather(*(submit_keyed(engines[n % len(engines)], OnDuplicate.REPLACE) for n in range(RACERS)))
    assert len({task.id for task in tasks}) == RACERS
    assert not any(task.duplicate for task in tasks)
    stood = [await engine.get(task.id) for task in tasks]
    alive = [task.id for task in stood if task.status is TaskStatus.PENDING]
    assert [task.status for task in stood].count(TaskStatus.CANCELLED) == RACERS - 1
    assert [row["task_id"] for row in await db.fetch("select task_id from task_keys")] == alive


async def test_replacements_that_race_leave_one_task_alive(
    engine: TaskEngine, another_engine: Any, gate: Gate, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is replaced is cancelled, even if it was stored a moment ago; nobody has to try again and again."""
    monkeypatch.setattr("novel_tasks_core.engine.submitting._KEY_TRIES", 2)
    async with another_engine() as other:
        await race_to_replace([engine, other], db)


async def test_replacements_that_wait_leave_connections_to_others(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """However many wait for one key, the pool answers; keys that nobody replaces any more are forgotten."""
    first = await submit_keyed(engine)
    transaction = db.transaction()
    await transaction.start()
    await db.execute("select from tasks where id = $1 for no key update", first.id)
    most = engine.config.pool_size + engine.config.pool_overflow
    replacing = [asyncio.ensure_future(submit_keyed(engine, OnDuplicate.REPLACE)) for _ in range(most + 2)]
    await eventually(lambda: db.fetchval(WAITING))
    async with asyncio.timeout(60):
        assert await engine.count() == 1
    assert not any(task.done() for task in replacing)
    await transaction.commit()
    await asyncio.gather(*replacing)
    assert len(engine._parts.submitting._parts.keys._turns) == 0


async def test_a_holder_that_lets_go_while_it_is_looked_at_is_not_replaced(
    engine: TaskEngine, gate: Gate, db: Db
) -> None:
    """Whoever waited for its lock sees that the key has gone meanwhile, and leaves the task alone."""
    first = await submit_keyed(engine)
    transaction = db.transaction()
    await transaction.start()
    await db.execute("select from tasks where id = $1 for no key update", first.id)
    replacing = asyncio.ensure_future(submit_keyed(engine, OnDuplicate.REPLACE))
    await eventually(lambda: db.fetchval(WAITING))
    await db.execute("delete from task_keys")
    await transaction.commit()
    second = await replacing
    states = [(await engine.get(task.id)).status for task in (first, second)]
    assert states == [TaskStatus.PENDING, TaskStatus.PENDING]
    assert (await submit_keyed(engine)).id == second.id


async def test_without_the_lock_on_the_holder_two_tasks_stay_alive(
    engine: TaskEngine, another_engine: Any, gate: Gate, db: Db
) -> None:
    """The mutant cancels one task twice, and takes the key from another that nobody cancels."""
    async with another_engine() as other:
        for one in (engine, other):
            use(one, Unlocked)
        for _ in tries():
            try:
                await race_to_replace([engine, other], db)
            except AssertionError:
                return
    pytest.fail("nothing went wrong")


@pytest.mark.parametrize("kind", [Keys, TwoTransactions])
async def test_a_replacement_that_fails_leaves_everything_as_it_was(
    engine: TaskEngine, gate: Gate, db: Db, kind: type[Keys]
) -> None:
    """The new task cannot be stored: the old one goes on and has its key. In two transactions it would be lost."""
    use(engine, kind)
    first = await submit_keyed(engine)
    with pytest.raises(SourceNotFoundError):
        await submit_keyed(engine, OnDuplicate.REPLACE, source=MISSING)
    left = (await engine.get(first.id)).status, await db.fetchval("select task_id from task_keys")
    assert (left == (TaskStatus.PENDING, first.id)) is (kind is Keys)
    assert await engine.count() == 1


async def test_a_replacement_meets_an_end(engine: TaskEngine, processors: Processors, db: Db) -> None:
    """Tasks finish while they are replaced, again and again: one key, and its holder is the last that was submitted."""

    async def act(ctx: Any) -> None:
        await asyncio.sleep(0)

    processors.register("act", act)
    async with engine.worker():
        for _ in range(30):
            last = await asyncio.gather(
                *(engine.submit(processor="act", key="k", on_duplicate=OnDuplicate.REPLACE) for _ in range(3))
            )
            assert len({task.id for task in last}) == 3
        await eventually(lambda: db.fetchval("select count(*) = 0 from task_keys"))
    statistics = await engine.statistics()
    assert (statistics.completed + statistics.cancelled, statistics.total) == (90, 90)
    assert statistics.completed > 0


@pytest.mark.parametrize("release_at", [ReleaseKey.FAILURE, ReleaseKey.DELETE])
async def test_a_finished_holder_is_replaced_without_being_cancelled(
    engine: TaskEngine, processors: Processors, release_at: ReleaseKey
) -> None:
    """It keeps its result; only its key goes to the new task."""

    async def act(ctx: Any) -> str:
        return "done"

    processors.register("act", act)
    first = await engine.submit(processor="act", key="k", release_at=release_at)
    await drain(engine)
    second = await engine.submit(processor="act", key="k", on_duplicate=OnDuplicate.REPLACE, release_at=release_at)
    assert ((await engine.get(first.id)).status, second.duplicate) == (TaskStatus.COMPLETED, False)
    assert (await engine.submit(processor="act", key="k", release_at=release_at)).id == second.id
    await engine.delete(second.id)
    assert not (await engine.submit(processor="act", key="k")).duplicate


async def test_a_key_that_somebody_has_not_committed_holds_up_only_its_like(
    engine: TaskEngine, gate: Gate, db: Db
) -> None:
    """Submits with a key wait for a transaction that has the same one; those without are not behind them."""
    transaction = db.transaction()
    await transaction.start()
    first = await submit_keyed(engine, connection=db)
    waiting = asyncio.ensure_future(submit_keyed(engine))
    plain = await engine.submit(processor="gate")
    assert not waiting.done()
    await transaction.commit()
    same = await waiting
    assert (same.id, same.duplicate, plain.duplicate) == (first.id, True, False)
