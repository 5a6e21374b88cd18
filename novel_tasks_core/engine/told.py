"""What those who follow all tasks were told last: nobody hears anything twice, and whose a deleted task was. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

import attrs
from attrs import frozen

from novel_tasks_core.events import TaskDeleted, TaskProgressed
from novel_tasks_core.models import TaskId, TaskStatus, TaskSummary

MAX_TOLD = 10_000
"""How many tasks are remembered, those that were told last."""

MAX_RUNNING = 2_000
"""While no more tasks run, what nobody rang for is noticed of running ones."""


@frozen
class _Last:
    """How a task was told last; `said` is None once it was deleted."""

    owner: str | None
    said: tuple[str, float, str] | None


class Told:
    """The last word on tasks, and which of them run."""

    def __init__(self) -> None:
        self._last: OrderedDict[TaskId, _Last] = OrderedDict()
        self._progress: dict[TaskId, TaskProgressed] = {}
        self._running: dict[TaskId, str] | None = None

    def hear(self, progress: Mapping[TaskId, TaskProgressed]) -> None:
        """Take in how far tasks are that run in this process: it is written down only twice a second."""
        self._progress.update(progress)
        if len(self._progress) > MAX_TOLD:
            self._progress = dict(progress)

    def news(self, tasks: Iterable[TaskSummary]) -> tuple[TaskSummary, ...]:
        """Return of these tasks those that differ from what was told, as they stand."""
        return tuple(task for task in map(self._as_heard, tasks) if self._is_news(task))

    def _as_heard(self, task: TaskSummary) -> TaskSummary:
        heard = self._progress.get(task.id)
        if heard is None:
            return task
        if task.status is not TaskStatus.PROCESSING or task.attempt != heard.attempt:
            if task.status is not TaskStatus.PROCESSING or task.attempt > heard.attempt:
                del self._progress[task.id]
            return task
        return attrs.evolve(task, progress=heard.fraction, stage=heard.stage)

    def _is_news(self, task: TaskSummary) -> bool:
        if self._running is not None:
            if task.status is TaskStatus.PROCESSING:
                self._running[task.id] = task.version.partition(".")[2]
            else:
                self._running.pop(task.id, None)
        return self._note(task.id, _Last(task.owner, (task.version, task.progress, task.stage)))

    def gone(self, events: Iterable[TaskDeleted]) -> tuple[TaskDeleted, ...]:
        """Return of these deletions those that were not told yet, with the owner where that is known."""
        told = []
        for event in events:
            last = self._last.get(event.task_id)
            owner = last.owner if event.owner is None and last is not None else event.owner
            self._progress.pop(event.task_id, None)
            if self._running is not None:
                self._running.pop(event.task_id, None)
            if self._note(event.task_id, _Last(owner, None)):
                told.append(attrs.evolve(event, owner=owner))
        return tuple(told)

    def _note(self, task_id: TaskId, last: _Last) -> bool:
        before = self._last.get(task_id)
        self._last[task_id] = last
        self._last.move_to_end(task_id)
        if len(self._last) > MAX_TOLD:
            self._last.popitem(last=False)
        return before is None or before.said != last.said

    def restless(self, running: Mapping[TaskId, str] | None) -> set[TaskId]:
        """Return the tasks of which something happened since they were last told or looked at, as their leases show.

        The first look, and one after a look that saw too many, shows nothing.
        """
        before, self._running = self._running, None if running is None else dict(running)
        if before is None or running is None:
            return set()
        changed = {task_id for task_id, version in running.items() if before.get(task_id) != version}
        return changed.union(before.keys() - running.keys())
