"""Which states a task may go through. Pure: the storage asks here before it changes anything.

::

    pending    -> processing              claim
    pending    -> cancelled               cancel
    processing -> completed | failed | cancelled
    processing -> pending                 retry, rescue, release
    completed | failed | cancelled -> pending   requeue
"""

from __future__ import annotations

from novel_tasks_core.errors import IllegalTransitionError
from novel_tasks_core.models import TaskId, TaskStatus

_LEGAL: dict[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.PENDING: frozenset({TaskStatus.PROCESSING, TaskStatus.CANCELLED}),
    TaskStatus.PROCESSING: frozenset(
        {TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.PENDING}
    ),
    TaskStatus.COMPLETED: frozenset({TaskStatus.PENDING}),
    TaskStatus.FAILED: frozenset({TaskStatus.PENDING}),
    TaskStatus.CANCELLED: frozenset({TaskStatus.PENDING}),
}


def may_follow(current: TaskStatus, wanted: TaskStatus) -> bool:
    """Say whether a task in state `current` may go to `wanted`."""
    return wanted in _LEGAL[current]


def require_transition(task_id: TaskId, current: TaskStatus, wanted: TaskStatus, *, action: str) -> None:
    """Raise IllegalTransitionError, naming `action`, unless the table allows this step."""
    if not may_follow(current, wanted):
        raise IllegalTransitionError(task_id, current.value, action)
