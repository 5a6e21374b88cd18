"""Changes of all tasks that match: a walk along them, and a transaction for every few hundred.

Every task that the walk saw is looked at again once its row is locked; what cannot be changed is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import Factory, define

from novel_tasks_core.models import BulkResult, SkipReason, TaskId
from novel_tasks_core.storage.changes import Change, Changes, Requeue, Standing, Wanted, refusal
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.lists import Lists
from novel_tasks_core.storage.walking import Selection, Walk, by_index

BATCH = 500
"""Tasks in one transaction."""

MAX_EVENTS = 50_000
"""Stored events of all tasks in one transaction: a deletion takes them along. A task with more goes alone."""


class Bulk:
    """Changes all tasks that match."""

    def __init__(self, database: Database, lists: Lists, changes: Changes) -> None:
        self._database = database
        self._lists = lists
        self._changes = changes

    async def change(
        self, wanted: Wanted, selection: Selection, *, dry_run: bool, tell: Callable[[Change], None]
    ) -> BulkResult:
        """Do what is wanted to all tasks that are selected now; with `dry_run` only count.

        `tell` gets what each transaction did, once it has committed. A call that is cancelled, or that fails,
        has done whole transactions.

        Raises: InvalidFilterError.
        """
        run = _Run(self._database, self._changes, wanted, selection, tell)
        walk = await Walk.begin(self._database, self._lists, selection)
        while (tasks := await walk.look()) is not None:
            run.matched += len(tasks)
            fit = run.sort_out(tasks)
            if dry_run:
                await run.suppose(fit)
                continue
            for ids in _batches(fit):
                await run.settle(ids)
        return BulkResult(matched=run.matched, changed=run.changed, reasons=dict(+run.reasons), dry_run=dry_run)


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


@define
class _Run:
    """One call: what it is for, and what became of the tasks so far."""

    database: Database
    changes: Changes
    wanted: Wanted
    selection: Selection
    tell: Callable[[Change], None]
    matched: int = 0
    changed: int = 0
    reasons: Counter[SkipReason] = Factory(Counter)
    keys: _Keys = Factory(_Keys)

    def sort_out(self, tasks: Iterable[Standing]) -> list[Standing]:
        """Count those that are refused, and return the others."""
        fit = []
        for task in tasks:
            reason = refusal(self.wanted, task) if self.selection.holds(task) else SkipReason.CHANGED
            if reason is None:
                fit.append(task)
            else:
                self.reasons[reason] += 1
        return fit

    async def suppose(self, tasks: Sequence[Standing]) -> None:
        """Count what would become of tasks that nothing refuses."""
        taken = 0
        if isinstance(self.wanted, Requeue) and (keyed := [task for task in tasks if task.key is not None]):
            async with by_index(self.database) as connection:
                holders = await self.changes.key_holders(connection, [task.id for task in keyed])
            taken = sum(not self.keys.take(task, holders) for task in keyed)
        self.reasons[SkipReason.KEY_TAKEN] += taken
        self.changed += len(tasks) - taken

    async def settle(self, ids: Sequence[TaskId]) -> None:
        """Change a batch; what somebody else holds is tried again, and when all that is left is held, one by one."""
        alone = False
        while ids:
            now, rest = (ids[:1], ids[1:]) if alone else (ids, [])
            left = [*await self._step(now, waits=len(now) == 1), *rest]
            alone = len(left) == len(ids)
            ids = left

    async def _step(self, ids: Sequence[TaskId], *, waits: bool) -> Sequence[TaskId]:
        """Change tasks in one transaction, and return those that were in somebody else's hands."""
        async with by_index(self.database) as connection:
            tasks = await self.changes.locked(connection, ids, waits=waits)
            left = set(ids).difference(task.id for task in tasks)
            present = await self.changes.existing(connection, list(left)) if left else left
            fit = self.sort_out(tasks)
            applied = await self.changes.apply(connection, self.wanted, fit)
        self.reasons[SkipReason.GONE] += len(left) - len(present)
        self.reasons[SkipReason.KEY_TAKEN] += len(applied.key_taken)
        self.changed += len(fit) - len(applied.key_taken)
        self.tell(applied.change)
        return sorted(present)


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
