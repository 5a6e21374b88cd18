"""The table of states, compared with the drawing of it."""

from __future__ import annotations

import itertools

import pytest

from novel_tasks_core.errors import IllegalTransitionError
from novel_tasks_core.models import TaskStatus, new_task_id
from novel_tasks_core.states import may_follow, require_transition

P, R, C, F, X = (
    TaskStatus.PENDING,
    TaskStatus.PROCESSING,
    TaskStatus.COMPLETED,
    TaskStatus.FAILED,
    TaskStatus.CANCELLED,
)
LEGAL = {(P, R), (P, X), (R, C), (R, F), (R, X), (R, P), (C, P), (F, P), (X, P)}


@pytest.mark.parametrize(("current", "wanted"), list(itertools.product(TaskStatus, repeat=2)))
def test_exactly_the_drawn_steps_are_legal(current: TaskStatus, wanted: TaskStatus) -> None:
    """All 25 pairs: nine are legal, the others raise with the state and the action."""
    legal = (current, wanted) in LEGAL
    assert may_follow(current, wanted) is legal
    task_id = new_task_id()
    if legal:
        require_transition(task_id, current, wanted, action="do it")
        return
    with pytest.raises(IllegalTransitionError) as caught:
        require_transition(task_id, current, wanted, action="do it")
    assert (caught.value.task_id, caught.value.status, caught.value.action) == (task_id, current.value, "do it")
