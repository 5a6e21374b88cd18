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
from collections.abc import Iterable, Mapping
from functools import partial
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
    """Several observers as one; a hook that raises is logged and the others still hear.

    Hooks that no member has are left as they are: the engine calls some of them for every task.
    """

    def __init__(self, members: Iterable[Observer] = ()) -> None:
        members = tuple(members)
        for name in HOOKS:
            hearing = [member for member in members if _hears(member, name)]
            if hearing:
                setattr(self, name, partial(_tell, hearing, name))


HOOKS = tuple(name for name, value in vars(Observer).items() if callable(value) and not name.startswith("_"))
"""The names of all hooks."""


def _hears(member: Observer, name: str) -> bool:
    kind = type(member)
    return getattr(kind, name) is not getattr(Observer, name) or kind.__getattribute__ is not object.__getattribute__


def _tell(members: Iterable[Observer], hook: str, **told: Any) -> None:
    for member in members:
        try:
            getattr(member, hook)(**told)
        except Exception:
            logger.exception("observer_failed", extra={"observer": type(member).__name__})
