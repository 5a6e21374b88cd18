"""What the engine reports about itself: the port that metrics plug into.

An observer implements the hooks it cares about by subclassing `Observer`. Hooks run on the event
loop, must not block, and must not raise: what one raises is logged and dropped.

=====================  =================================================================
hook                   told
=====================  =================================================================
submitted              processor, how many tasks one call stored
claimed                how many tasks one claim took, seconds it took
attempt_started        task, processor, attempt
attempt_finished       task, processor, attempt, outcome (a retry is one), seconds it ran
flushed                how many ends of attempts one flush stored, seconds it took
leases_lost            how many attempts of this process were fenced or vanished
tasks_rescued          how many tasks of dead workers this process put back or ended
tasks_promoted         how many scheduled tasks this process made ready
tasks_pruned           how many finished tasks this process deleted by their age
files_swept            how many files that nobody needed this process removed
progress_dropped       how many progress events a slow watcher missed
slots_changed          slots of a worker in use, slots in all
doorbell_changed       whether rings of other processes are heard (else: only polled for)
database_pressure      every half minute: seconds that the oldest transaction of anybody
                       has kept old rows, dead rows by table
=====================  =================================================================
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from novel_tasks_core.models import OutcomeKind, TaskId

logger = logging.getLogger(__name__)


class Observer:
    """Base of all observers: every hook does nothing."""

    def submitted(self, *, processor: str, tasks: int) -> None:
        """Tasks were stored."""

    def claimed(self, *, tasks: int, seconds: float) -> None:
        """A claim returned `tasks` tasks."""

    def attempt_started(self, *, task_id: TaskId, processor: str, attempt: int) -> None:
        """An attempt began."""

    def attempt_finished(
        self, *, task_id: TaskId, processor: str, attempt: int, outcome: OutcomeKind, seconds: float
    ) -> None:
        """An attempt ended and its outcome is committed."""

    def flushed(self, *, tasks: int, seconds: float) -> None:
        """The ends of `tasks` attempts were committed together."""

    def leases_lost(self, *, tasks: int) -> None:
        """Attempts of ours were fenced: their output was dropped."""

    def tasks_rescued(self, *, tasks: int) -> None:
        """Tasks of a dead worker, or past their deadline, were put back."""

    def tasks_promoted(self, *, tasks: int) -> None:
        """Scheduled tasks became ready."""

    def tasks_pruned(self, *, tasks: int) -> None:
        """Finished tasks were deleted by the retention."""

    def files_swept(self, *, files: int) -> None:
        """Files that no task needs were removed."""

    def progress_dropped(self, *, events: int) -> None:
        """A watcher was too slow for live progress."""

    def slots_changed(self, *, used: int, total: int) -> None:
        """The number of running attempts of a worker changed."""

    def doorbell_changed(self, *, heard: bool) -> None:
        """Rings of other processes are heard from now on, or not."""

    def database_pressure(self, *, oldest_transaction_seconds: float, dead_rows: Mapping[str, int]) -> None:
        """What was found by looking at the database's old transactions and dead rows."""


class Observers(Observer):
    """Several observers as one; a hook that raises is logged and the others still hear."""

    def __init__(self, members: Iterable[Observer] = ()) -> None:
        self._members = tuple(members)

    def submitted(self, *, processor: str, tasks: int) -> None:
        """Tell every member."""
        self._tell(lambda o: o.submitted(processor=processor, tasks=tasks))

    def claimed(self, *, tasks: int, seconds: float) -> None:
        """Tell every member."""
        self._tell(lambda o: o.claimed(tasks=tasks, seconds=seconds))

    def attempt_started(self, *, task_id: TaskId, processor: str, attempt: int) -> None:
        """Tell every member."""
        self._tell(lambda o: o.attempt_started(task_id=task_id, processor=processor, attempt=attempt))

    def attempt_finished(
        self, *, task_id: TaskId, processor: str, attempt: int, outcome: OutcomeKind, seconds: float
    ) -> None:
        """Tell every member."""
        self._tell(
            lambda o: o.attempt_finished(
                task_id=task_id, processor=processor, attempt=attempt, outcome=outcome, seconds=seconds
            )
        )

    def flushed(self, *, tasks: int, seconds: float) -> None:
        """Tell every member."""
        self._tell(lambda o: o.flushed(tasks=tasks, seconds=seconds))

    def leases_lost(self, *, tasks: int) -> None:
        """Tell every member."""
        self._tell(lambda o: o.leases_lost(tasks=tasks))

    def tasks_rescued(self, *, tasks: int) -> None:
        """Tell every member."""
        self._tell(lambda o: o.tasks_rescued(tasks=tasks))

    def tasks_promoted(self, *, tasks: int) -> None:
        """Tell every member."""
        self._tell(lambda o: o.tasks_promoted(tasks=tasks))

    def tasks_pruned(self, *, tasks: int) -> None:
        """Tell every member."""
        self._tell(lambda o: o.tasks_pruned(tasks=tasks))

    def files_swept(self, *, files: int) -> None:
        """Tell every member."""
        self._tell(lambda o: o.files_swept(files=files))

    def progress_dropped(self, *, events: int) -> None:
        """Tell every member."""
        self._tell(lambda o: o.progress_dropped(events=events))

    def slots_changed(self, *, used: int, total: int) -> None:
        """Tell every member."""
        self._tell(lambda o: o.slots_changed(used=used, total=total))

    def doorbell_changed(self, *, heard: bool) -> None:
        """Tell every member."""
        self._tell(lambda o: o.doorbell_changed(heard=heard))

    def database_pressure(self, *, oldest_transaction_seconds: float, dead_rows: Mapping[str, int]) -> None:
        """Tell every member."""
        self._tell(
            lambda o: o.database_pressure(oldest_transaction_seconds=oldest_transaction_seconds, dead_rows=dead_rows)
        )

    def _tell(self, hook: Callable[[Observer], Any]) -> None:
        for member in self._members:
            try:
                hook(member)
            except Exception:
                logger.exception("observer_failed", extra={"observer": type(member).__name__})
