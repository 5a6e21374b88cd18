"""Submitting many tasks by one call: in order, checked first, with keys as if they came one by one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novel_tasks_core import (
    DuplicateTaskError,
    EngineConfig,
    InvalidInputError,
    NewTask,
    Observer,
    OnDuplicate,
    Processors,
    Source,
    SourceNotFoundError,
    TaskEngine,
    TaskId,
    TaskStatus,
)

from ..support import Db, Gate

MISSING = Source("0" * 64, 1, "n")
RETURN, REPLACE, REJECT, ALLOW = OnDuplicate.RETURN, OnDuplicate.REPLACE, OnDuplicate.REJECT, OnDuplicate.ALLOW


def keyed(on_duplicate: OnDuplicate = RETURN, *, key: str | None = "k", owner: str = "") -> NewTask:
    """Make a task with a key."""
    return NewTask(processor="gate", key=key, on_duplicate=on_duplicate, owner=owner)


async def test_many_are_stored_in_order(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """More than one statement's worth: ids come back in order and grow, and so do the places in the queue."""
    ids = await engine.submit_many(NewTask(processor="gate", note=str(n)) for n in range(2500))
    assert ids == sorted(ids)
    assert len(ids) == await engine.count() == 2500
    assert await db.fetchval("select count(*) from task_events") == 2500
    assert [row["task_id"] for row in await db.fetch("select task_id from task_ready order by position")] == ids
    assert [(await engine.logs(ids[n]))[0].message for n in (0, 999, 1000, 2499)] == ["0", "999", "1000", "2499"]
    assert await engine.submit_many([]) == []


@pytest.mark.parametrize("field", ["owner", "priority", "session_id", "max_attempts", "timeout_seconds"])
async def test_columns_that_differ_are_not_mixed_up(engine: TaskEngine, gate: Gate, field: str) -> None:
    """Values that some rows have and others leave out, first or last, come to their own rows."""
    values: tuple[Any, ...] = {"owner": ("a", "b", "c"), "session_id": ("a", "b", "c")}.get(field, (1, 2, 3))
    wanted = [NewTask(processor="gate"), *(NewTask(processor="gate", **{field: v}) for v in values)]
    for tasks in (wanted, wanted[::-1], wanted[1:2] * 3):
        ids = await engine.submit_many(tasks)
        assert [getattr(await engine.get(id), field) for id in ids] == [getattr(task, field) for task in tasks]


async def test_everything_is_checked_before_the_first_is_stored(engine: TaskEngine, gate: Gate) -> None:
    """The error names the task and its field; not even tasks of an earlier statement are stored."""
    good = [NewTask(processor="gate")] * 1500
    for wrong, field in (
        (NewTask(processor="gate", priority=40_000), "tasks.1500.priority"),
        (NewTask(processor="nonsense"), "tasks.1500.processor"),
        (NewTask(processor="gate", options={"a": "\x00"}), "tasks.1500.options.a"),
        ("no task at all", "tasks.1500"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            await engine.submit_many([*good, wrong])  # type: ignore[list-item]
        assert caught.value.field == field
    assert await engine.count() == 0


async def test_a_missing_source_is_told_by_its_hash(engine: TaskEngine, gate: Gate) -> None:
    """Of several rows that one statement stores, the first whose file is not there."""
    stored = await engine.store(b"text", name="n")
    with pytest.raises(SourceNotFoundError) as caught:
        await engine.submit_many(NewTask(processor="gate", source=one) for one in (stored, MISSING, stored))
    assert caught.value.sha256 == MISSING.sha256
    assert await engine.count() == 0


async def test_each_way_to_meet_a_duplicate_works_in_bulk(engine: TaskEngine, gate: Gate) -> None:
    """The id of the holder, a task without the key, or one in its place."""
    first = await engine.submit(processor="gate", key="k")
    same, allowed, other = await engine.submit_many([keyed(), keyed(ALLOW), keyed(key="other")])
    assert same == first.id
    assert len({same, allowed, other}) == 3
    [instead] = await engine.submit_many([keyed(REPLACE)])
    assert (await engine.get(first.id)).status is TaskStatus.CANCELLED
    assert (await engine.submit_many([keyed(), keyed(key="other")])) == [instead, other]
    assert (await engine.submit_many([keyed(owner="ann")])) != [instead]


async def test_a_rejected_duplicate_leaves_nothing_of_the_call(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """Whether the key was taken before or by the same call, and however many were stored before it."""
    first = await engine.submit(processor="gate", key="k")
    many = [NewTask(processor="gate", priority=n % 3) for n in range(1200)]
    twice = [keyed(key="new"), keyed(REJECT, key="new")]
    for tasks in (
        [*many, keyed(REJECT)],
        [*many, *twice],
        [keyed(REPLACE), keyed(REJECT)],
    ):
        with pytest.raises(DuplicateTaskError):
            await engine.submit_many(tasks)
        assert [row["task_id"] for row in await db.fetch("select task_id from task_keys")] == [first.id]
        assert (await engine.get(first.id)).status is TaskStatus.PENDING
        assert await engine.count() == 1


async def outcome(engine: TaskEngine, tasks: list[NewTask], *, together: bool) -> tuple[list[int], list[str], Any]:
    """Submit in one call or one by one; return which ids are equal, the states, and whose the key is."""
    if together:
        ids: list[TaskId] = await engine.submit_many(tasks)
    else:
        ids = [
            (
                await engine.submit(
                    processor=task.processor, key=task.key, owner=task.owner, on_duplicate=task.on_duplicate
                )
            ).id
            for task in tasks
        ]
    states = [(await engine.get(task_id)).status.value for task_id in ids]
    holder = await engine.submit(processor="gate", key="k", owner=tasks[0].owner)
    return [ids.index(task_id) for task_id in ids], states, ids.index(holder.id) if holder.id in ids else None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([RETURN, REPLACE, ALLOW]), min_size=2, max_size=6), st.booleans())
async def test_equal_keys_in_one_call_are_as_one_submit_after_the_other(
    engine: TaskEngine, gate: Gate, kinds: list[OnDuplicate], held: bool
) -> None:
    """Whatever each of them wants, and whether the key was free: the same tasks live, and the same one has the key."""
    found = []
    for together in (True, False):
        owner = f"{together}-{await engine.count()}"
        if held:
            await engine.submit(processor="gate", key="k", owner=owner)
        found.append(await outcome(engine, [keyed(kind, owner=owner) for kind in kinds], together=together))
    assert found[0] == found[1]


async def test_bulk_calls_that_race_for_keys_make_one_task_for_each(engine: TaskEngine, gate: Gate, db: Db) -> None:
    """Ten calls with the same fifty keys: fifty tasks, and every call has the ids of all."""
    calls = await asyncio.gather(*(engine.submit_many(keyed(key=str(n)) for n in range(50)) for _ in range(10)))
    assert len({tuple(ids) for ids in calls}) == 1
    assert await engine.count() == await db.fetchval("select count(*) from task_keys") == 50


async def test_observers_hear_what_was_stored(engine_config: EngineConfig, processors: Processors, gate: Gate) -> None:
    """By processor, without duplicates."""
    heard: list[tuple[str, int]] = []

    class Listening(Observer):
        def submitted(self, *, processor: str, tasks: int) -> None:
            heard.append((processor, tasks))

    async with TaskEngine.open(engine_config, processors=processors, observers=[Listening()]) as engine:
        await engine.submit_many([keyed(), keyed(), NewTask(processor="gate"), NewTask(processor="analyze")])
        await engine.submit_many([keyed()])
        await engine.submit(processor="gate", key="k")
        await engine.import_tasks([NewTask(processor="gate")] * 3)
    assert sorted(heard) == [("analyze", 1), ("gate", 2), ("gate", 3)]
