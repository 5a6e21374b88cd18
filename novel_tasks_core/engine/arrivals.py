"""New tasks, found by their ids, which begin with the time; and whether any escaped, told by the counters. Pure.

A task becomes visible when its transaction commits, which may be long after its id was made, and the
clocks of other machines may be wrong. So a look goes a while back and leaves out what it knows; and from time
to time the tasks that were found and deleted are held against how many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from novel_tasks_core.models import TaskId
from novel_tasks_core.storage.listing import FIRST_ID, first_id

BACK = timedelta(seconds=10)
"""How far back a look goes."""

LIMIT = 2_000
"""How many tasks a look sees. With more within `BACK` it goes back as far as these do."""


class Arrivals:
    """Which tasks are known already, from the id on at which looks begin."""

    def __init__(self) -> None:
        self._begun = False
        self._known: set[TaskId] = set()
        self._low = FIRST_ID
        self._tasks: int | None = None
        self._off = False

    def low(self, now: datetime) -> TaskId:
        """Return the id at which the next look begins. It never goes back, even if the clock does."""
        self._low = max(self._low, first_id(now - BACK))
        return TaskId(self._low)

    def add(self, ids: Sequence[TaskId]) -> set[TaskId]:
        """Take in what a look found, newest first, and return what is new; the first look finds nothing new."""
        new = set(ids).difference(self._known) if self._begun else set()
        self._begun = True
        if len(ids) >= LIMIT:
            self._low = max(self._low, ids[-1])
        self._known = {task_id for task_id in self._known if task_id >= self._low}.union(ids)
        if self._tasks is not None:
            self._tasks += len(new)
        return new

    def remove(self, ids: Iterable[TaskId]) -> None:
        """Take in that tasks were deleted, once each. One that came and went between two looks never counted."""
        for task_id in ids:
            if self._tasks is not None and (task_id < self._low or task_id in self._known):
                self._tasks -= 1
            self._known.discard(task_id)

    def forget_count(self) -> None:
        """Count from the next number on: what happened until then is missed anyway."""
        self._tasks, self._off = None, False

    @property
    def uncounted(self) -> bool:
        """Whether there is nothing yet that a number could be compared with."""
        return self._tasks is None

    @property
    def in_doubt(self) -> bool:
        """Whether the last number was not the expected one: the next one decides."""
        return self._off

    def agrees(self, tasks: int) -> bool:
        """Compare with how many tasks there were at the moment of the last look.

        One that differs may be a deletion under way; if the next one does so too, then tasks have come or gone that
        nobody told of. From then on it is counted anew, and looks begin anew with the present time.
        """
        if self._tasks is None:
            self._tasks = tasks
        if tasks == self._tasks:
            self._off = False
            return True
        if not self._off:
            self._off = True
            return True
        self.forget_count()
        self._low = FIRST_ID
        return False
