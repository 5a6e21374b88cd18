"""Changes of all tasks that match: a walk along their ids, and a transaction for every few hundred of them.

The walk looks at each task once, in the order in which they were made, at most a few thousand at a time, and
ends at the newest task of the moment when it began. What it saw is only a hint: every task is looked at
again once its row is locked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import Factory, define, frozen

from novel_tasks_core.models import BulkResult, SkipReason, TaskFilter, TaskId, WorkerId
from novel_tasks_core.storage.changes import Change, Changes, Requeue, Standing, Wanted, refusal
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.tasks import Tasks

if TYPE_CHECKING:
    from novel_tasks_core.storage.database import Connection

BATCH = 500
"""Tasks in one transaction."""

MAX_EVENTS = 50_000
"""Stored events of all tasks in one transaction: a deletion takes them along. A task with more goes alone."""

_WINDOW = 5000
"""Tasks that one statement of the walk looks at."""

_LAST = UUID(int=(1 << 128) - 1)


@frozen(kw_only=True)
class Selection:
    """Which tasks: those of a filter that, if `finished_before` is given, were finished before it."""

    filter: TaskFilter
    finished_before: datetime | None = None

    def holds(self, task: Standing) -> bool:
        """Say whether what may change of a task while nobody has it locked is still as it was selected."""
        if self.filter.status is not None and task.status != self.filter.status:
            return False
        before = self.finished_before
        return before is None or (task.finished_at is not None and task.finished_at < before)


@frozen
class _Window:
    """What one look of the walk saw, and up to which id."""

    last: UUID
    tasks: Sequence[Standing]


@define
class _Tally:
    """What became of the tasks so far."""

    matched: int = 0
    changed: int = 0
    reasons: Counter[SkipReason] = Factory(Counter)

    def result(self, *, dry_run: bool) -> BulkResult:
        return BulkResult(matched=self.matched, changed=self.changed, reasons=dict(self.reasons), dry_run=dry_run)


@frozen
class _Step:
    """What one transaction did. `left` are tasks that were in somebody else's hands."""

    change: Change
    changed: int
    reasons: Counter[SkipReason]
    left: Sequence[TaskId]


class Bulk:
    """Changes all tasks that match. Each transaction is told to `tell` once it has committed."""

    def __init__(self, database: Database, tasks: Tasks, changes: Changes) -> None:
        self._database = database
        self._tasks = tasks
        self._changes = changes
        self._sql = load_queries("changes")

    async def change(
        self, wanted: Wanted, selection: Selection, *, dry_run: bool, tell: Callable[[Change], None]
    ) -> BulkResult:
        """Do what is wanted to all tasks that are selected now; with `dry_run` only count.

        A call that is cancelled, or that fails, has done whole transactions.

        Raises: InvalidFilterError.
        """
        tally, keys = _Tally(), _Keys()
        conditions = await self._tasks.conditions(selection.filter, before=_LAST)
        newest = await self._database.fetchval(self._sql["newest_id"])
        if conditions is None or newest is None:
            return tally.result(dry_run=dry_run)
        high, low, *others = conditions
        end, position = min(high, UUID(int=newest.int + 1)), UUID(int=max(0, low.int - 1))
        while (window := await self._look(position, end, others, selection.finished_before)) is not None:
            position = window.last
            tally.matched += len(window.tasks)
            open_ = self._sort_out(wanted, window.tasks, tally)
            if dry_run:
                await self._suppose(wanted, open_, tally, keys)
                continue
            for ids in _batches(open_):
                await self._settle(wanted, selection, ids, tally, tell)
        return tally.result(dry_run=dry_run)

    async def _look(
        self, position: UUID, end: UUID, conditions: Sequence[object], finished_before: datetime | None
    ) -> _Window | None:
        async with self._transaction() as connection:
            rows = await connection.fetch(self._sql["walk"], position, end, *conditions, finished_before, _WINDOW)
        if not rows:
            return None
        tasks = []
        for row in rows:
            if row["id"] is None:
                break
            task = Standing.of(row)
            worker = row["worker_id"]
            tasks.append(task if worker is None else task.run_by(WorkerId(worker), row["attempt"]))
        return _Window(rows[0]["last"], tasks)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._database.transaction() as connection:
            await connection.execute(self._sql["by_index"])
            yield connection

    def _sort_out(self, wanted: Wanted, tasks: Sequence[Standing], tally: _Tally) -> list[Standing]:
        """Count those that are refused, and return the others."""
        reasons = [refusal(wanted, task) for task in tasks]
        tally.reasons.update(reason for reason in reasons if reason is not None)
        return [task for task, reason in zip(tasks, reasons, strict=True) if reason is None]

    async def _suppose(self, wanted: Wanted, tasks: Sequence[Standing], tally: _Tally, keys: _Keys) -> None:
        """Count what would become of tasks that nothing refuses."""
        taken = 0
        if isinstance(wanted, Requeue) and (keyed := [task for task in tasks if task.key is not None]):
            async with self._transaction() as connection:
                holders = await self._changes.key_holders(connection, [task.id for task in keyed])
            taken = sum(not keys.take(task, holders) for task in keyed)
        if taken:
            tally.reasons[SkipReason.KEY_TAKEN] += taken
        tally.changed += len(tasks) - taken

    async def _settle(
        self,
        wanted: Wanted,
        selection: Selection,
        ids: Sequence[TaskId],
        tally: _Tally,
        tell: Callable[[Change], None],
    ) -> None:
        """Change a batch; what somebody else holds is tried again, and when all that is left is held, one by one."""
        alone = False
        while ids:
            step = await self._step(wanted, selection, ids[:1] if alone else ids, waits=alone or len(ids) == 1)
            tell(step.change)
            tally.changed += step.changed
            tally.reasons.update(step.reasons)
            left = [*step.left, *ids[1:]] if alone else step.left
            alone = len(left) == len(ids)
            ids = left

    async def _step(self, wanted: Wanted, selection: Selection, ids: Sequence[TaskId], *, waits: bool) -> _Step:
        reasons: Counter[SkipReason] = Counter()
        async with self._transaction() as connection:
            tasks = await self._changes.locked(connection, ids, waits=waits)
            left = set(ids).difference(task.id for task in tasks)
            if left:
                present = await self._changes.existing(connection, list(left))
                reasons[SkipReason.GONE] += len(left) - len(present)
                left = present
            fit = []
            for task in tasks:
                reason = refusal(wanted, task) if selection.holds(task) else SkipReason.CHANGED
                if reason is None:
                    fit.append(task)
                else:
                    reasons[reason] += 1
            applied = await self._changes.apply(connection, wanted, fit)
        if applied.key_taken:
            reasons[SkipReason.KEY_TAKEN] += len(applied.key_taken)
        return _Step(applied.change, len(fit) - len(applied.key_taken), +reasons, sorted(left))


def _batches(tasks: Iterable[Standing]) -> Iterator[list[TaskId]]:
    batch: list[TaskId] = []
    events = 0
    for task in tasks:
        if batch and (len(batch) == BATCH or events + task.last_seq > MAX_EVENTS):
            yield batch
            batch, events = [], 0
        batch.append(task.id)
        events += task.last_seq
    if batch:
        yield batch


class _Keys:
    """Keys that a requeue would take: tasks that come later cannot have them. As hashes: millions fit into memory."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def take(self, task: Standing, holders: Mapping[TaskId, TaskId]) -> bool:
        """Say whether a task would get its key."""
        if task.id in holders:
            return holders[task.id] == task.id
        key = hash((task.owner, task.key))
        if key in self._taken:
            return False
        self._taken.add(key)
        return True
