"""What happens to any task, gathered for whoever tells of all of them: bounded, and nothing while nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from attrs import Factory, define

from novel_tasks_core.events import Event, TaskDeleted, TaskProgressed
from novel_tasks_core.models import TaskId

MAX_TASKS = 1_000
"""Of how many tasks there may be news at once; with more, all that is said is that something was missed."""


@define
class News:
    """What happened within a while: tasks that changed, their latest progress in this process, tasks that are gone.

    `arrived` says that there may be new tasks, `missed` that there is news of tasks that are not named.
    """

    tasks: set[TaskId] = Factory(set)
    progress: dict[TaskId, TaskProgressed] = Factory(dict)
    deleted: dict[TaskId, TaskDeleted] = Factory(dict)
    arrived: bool = False
    missed: bool = False

    def give_up(self) -> None:
        """Name nobody any more: there are too many."""
        self.tasks.clear()
        self.progress.clear()
        self.deleted.clear()
        self.missed = True


class Newsdesk:
    """Where the parts of an engine leave news of tasks, while they are `wanted`; `rings` when there are any."""

    def __init__(self) -> None:
        self.wanted = False
        self.rings = asyncio.Event()
        self._news = News()

    def begin(self) -> None:
        """Gather from now on."""
        self.wanted = True
        self.take()

    def end(self) -> None:
        """Gather no more, and forget."""
        self.wanted = False
        self.take()

    def take(self) -> News:
        """Return what came since the last time."""
        self.rings.clear()
        news, self._news = self._news, News()
        return news

    def changed(self, task_ids: Iterable[TaskId] | None) -> None:
        """Note that something happened to these tasks; None is to some that cannot be named."""
        if not self.wanted:
            return
        if task_ids is None:
            self._news.missed = True
        else:
            self._news.tasks.update(task_ids)
            self._keep_bound()
        self._ring()

    def arrived(self) -> None:
        """Note that there may be new tasks."""
        if self.wanted:
            self._news.arrived = True
            self._ring()

    def hear(self, event: Event) -> None:
        """Note an event."""
        if not self.wanted:
            return
        match event:
            case TaskDeleted():
                self._news.deleted[event.task_id] = event
            case TaskProgressed():
                self._news.tasks.add(event.task_id)
                self._news.progress[event.task_id] = event
            case _:
                self._news.tasks.add(event.task_id)
        self._keep_bound()
        self._ring()

    def _keep_bound(self) -> None:
        if max(len(self._news.tasks), len(self._news.deleted)) > MAX_TASKS:
            self._news.give_up()

    def _ring(self) -> None:
        if self._news.tasks or self._news.deleted or self._news.arrived or self._news.missed:
            self.rings.set()
