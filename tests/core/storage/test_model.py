"""Random histories against a model: after every step the real tables say what a few lines of Python say."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import define

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import IllegalTransitionError, NovelTasksError
from novel_tasks_core.models import Claim, Completed, ErrorInfo, Failed, Outcome, Released, Retrying, TaskId
from novel_tasks_core.storage.queries import load_queries

from .bench import Bench, open_bench

STEPS = 150
FAULT = ErrorInfo("E", "x")


@define
class Known:
    """What the model knows of a task: where it is, how often it ran and failed, who holds it."""

    status: str = "ready"
    attempt: int = 0
    failures: int = 0
    priority: int = 0
    cancelled: bool = False
    holder: int | None = None
    claim: Claim | None = None


class Model:
    """Does random things to a bench, and predicts what comes of them."""

    def __init__(self, bench: Bench, chance: random.Random) -> None:
        self.bench = bench
        self.chance = chance
        self.tasks: dict[TaskId, Known] = {}

    def pick(self, *statuses: str) -> tuple[TaskId, Known] | None:
        """Choose a task in one of these places."""
        found = [(task_id, task) for task_id, task in self.tasks.items() if task.status in statuses]
        return self.chance.choice(found) if found else None

    async def submit(self) -> None:
        """A new task of a random priority."""
        priority = self.chance.randrange(3)
        task_id = await self.bench.submit(priority=priority)
        self.tasks[task_id] = Known(priority=priority)

    async def claim(self) -> None:
        """The next tasks go, by priority, to a worker: a lease with the next number each."""
        ready = [task.priority for task in self.tasks.values() if task.status == "ready"]
        worker, most = self.chance.randrange(1, 4), self.chance.randrange(1, 4)
        claims = await self.bench.claim(worker, most=most)
        got = [self.tasks[claim.task_id].priority for claim in claims]
        assert got == sorted(ready, reverse=True)[:most]
        for claim in claims:
            task = self.tasks[claim.task_id]
            assert (task.status, claim.attempt, claim.failures) == ("ready", task.attempt + 1, task.failures)
            task.status, task.holder, task.claim = "leased", worker, claim

    async def end(self) -> None:
        """The holder, or now and then somebody else, ends an attempt in a random way."""
        if (found := self.pick("leased")) is None:
            return
        task_id, task = found
        assert task.claim is not None
        assert task.holder is not None
        stranger = self.chance.random() < 0.2
        outcomes: list[Outcome] = [
            Completed(),
            Failed(error=FAULT),
            Retrying(delay_seconds=0, error=FAULT),
            Retrying(delay_seconds=60, error=FAULT, counts=False),
            Released(),
        ]
        outcome = self.chance.choice(outcomes)
        ended = await self.bench.end(task.claim, outcome, holder=task.holder + stranger * 10)
        assert (task_id in ended.last_seq) is not stranger
        if not stranger:
            self.ended(task, outcome)

    def ended(self, task: Known, outcome: Outcome) -> None:
        """Predict what an accepted end makes of a task."""
        assert task.claim is not None
        task.attempt, task.holder, task.claim = task.claim.attempt, None, None
        again = isinstance(outcome, Retrying | Released)
        if again and task.cancelled:
            task.status = "cancelled"
            return
        match outcome:
            case Completed():
                task.status = "completed"
            case Failed():
                task.status, task.failures = "failed", task.failures + 1
            case Retrying(delay_seconds=delay, counts=counts):
                task.status = "scheduled" if delay else "ready"
                task.failures += counts
            case _:
                task.status = "ready"

    async def rescue(self) -> None:
        """A holder is declared dead: its task waits again, with a failure more."""
        if (found := self.pick("leased")) is not None:
            _task_id, task = found
            assert task.claim is not None
            assert task.holder is not None
            await self.bench.rescue(task.claim, holder=task.holder)
            self.ended(task, Retrying(delay_seconds=0, error=FAULT))

    async def cancel(self) -> None:
        """At once while it waits, as a wish while it runs, and not when it is over."""
        if (found := self.pick("ready", "scheduled", "leased", "completed", "failed", "cancelled")) is None:
            return
        task_id, task = found
        over = task.status in ("completed", "failed", "cancelled")
        assert await self.refused(self.bench.transitions.cancel(task_id, reason="r", if_version=None)) is over
        if task.status == "leased":
            task.cancelled = True
        elif not over:
            task.status = "cancelled"

    async def requeue(self) -> None:
        """Only what is over goes round again, with its failures forgotten."""
        if (found := self.pick("ready", "leased", "completed", "failed", "cancelled")) is None:
            return
        task_id, task = found
        over = task.status in ("completed", "failed", "cancelled")
        assert await self.refused(self.bench.transitions.requeue(task_id, if_version=None)) is not over
        if over:
            task.status, task.failures, task.cancelled = "ready", 0, False

    async def reprioritize(self) -> None:
        """Anything that is not over."""
        if (found := self.pick("ready", "scheduled", "leased", "failed")) is not None:
            task_id, task = found
            priority = self.chance.randrange(3)
            change = self.bench.transitions.reprioritize(task_id, priority, if_version=None)
            assert await self.refused(change) is (task.status == "failed")
            if task.status != "failed":
                task.priority = priority

    async def delete(self) -> None:
        """Anything, anywhere."""
        if self.tasks and self.chance.random() < 0.4:
            task_id = self.chance.choice(list(self.tasks))
            await self.bench.transitions.delete(task_id, if_version=None)
            del self.tasks[task_id]

    async def promote(self) -> None:
        """What is scheduled becomes ready when it is due, and only then."""
        if self.chance.random() < 0.5:
            await self.bench.other.execute("update task_schedule set run_at = now() - interval '1 second'")
            for task in self.tasks.values():
                task.status = "ready" if task.status == "scheduled" else task.status
        await self.bench.queue.promote()

    async def refused(self, change: Any) -> bool:
        """Say whether a change is not allowed now."""
        try:
            await change
        except IllegalTransitionError:
            return True
        return False

    async def check(self) -> None:
        """Compare all tasks, and ask for the invariants."""
        rows = await self.bench.other.fetch(
            "select t.id, t.failures, t.priority, t.status, t.attempt, l.worker_id as holder,"
            " r.task_id is not null as ready, r.priority as ready_priority,"
            " (select count(*) from task_events e where e.task_id = t.id) = t.last_seq as whole"
            " from tasks t left join task_ready r on r.task_id = t.id left join task_leases l on l.task_id = t.id"
        )
        real = {}
        for row in rows:
            assert row["whole"]
            assert row["ready_priority"] in (None, row["priority"])
            place = "ready" if row["ready"] else "leased" if row["holder"] else "scheduled"
            status = row["status"] if row["status"] != "pending" else place
            real[row["id"]] = (status, row["attempt"], row["failures"], row["priority"], row["holder"])
        assert real == {i: (t.status, t.attempt, t.failures, t.priority, t.holder) for i, t in self.tasks.items()}
        for name in ("location_faults", "count_faults"):
            assert await self.bench.other.fetch(load_queries("tasks")[name]) == []


@pytest.fixture
async def bench(database_url: str, engine_config: EngineConfig) -> AsyncIterator[Bench]:
    """An empty bench."""
    async for opened in open_bench(database_url, engine_config):
        yield opened


@pytest.mark.parametrize("seed", range(3))
async def test_the_tables_do_what_the_model_says(bench: Bench, seed: int) -> None:
    """A hundred and fifty random steps: places, numbers, failures, holders, events and counters agree after each."""
    model = Model(bench, random.Random(seed))
    steps = [model.submit, model.submit, model.claim, model.claim, model.end, model.end, model.end, model.rescue,
             model.cancel, model.requeue, model.reprioritize, model.delete, model.promote]  # fmt: skip
    for number in range(STEPS):
        step = model.chance.choice(steps)
        try:
            await step()
            await model.check()
        except (AssertionError, NovelTasksError) as exc:
            raise AssertionError(f"seed {seed}, step {number}: {step.__name__}") from exc
    assert len({task.status for task in model.tasks.values()}) >= 3
