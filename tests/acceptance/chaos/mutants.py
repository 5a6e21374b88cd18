"""The engine with one of its guards taken out: the run must then show what the guard is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from novel_tasks_core.models import WorkerId
from novel_tasks_core.storage.endings import Ending
from novel_tasks_core.storage.queue import Ended, Queue

LAST_GUARD = "alter table task_attempts drop constraint task_attempts_pkey"
"""Behind the fence stands one more: an attempt is recorded once. It must not hide that the fence is missing."""


def take_the_fence_out() -> None:
    """Let attempts end without asking whether their worker still holds them; only the task is looked at."""
    made = Queue.__init__

    def make(self: Queue, **links: Any) -> None:
        made(self, **links)
        self._sql = MappingProxyType({**self._sql, **unfenced(self._sql)})

    Queue.__init__ = make  # type: ignore[method-assign]


def unfenced(sql: Mapping[str, str]) -> dict[str, str]:
    """Return `finish` with no condition but the task's id, the lease being optional."""
    finish = sql["finish"]
    for pattern, instead in (
        (r"(ended as \(\s*update tasks t\b.*?\bwhere t\.id = d\.task_id)\b.*?(\s+returning)", r"\1\2"),
        (r"cross join lateral (\(\s*select [^()]*task_leases[^()]*\) l)\b", r"left join lateral \1 on true"),
        (r"started_at = l\.started_at", "started_at = coalesce(l.started_at, d.finished_at)"),
    ):
        finish, found = re.subn(pattern, instead, finish, count=1, flags=re.DOTALL)
        assert found, f"`finish` has changed: the mutant does not find {pattern!r}"
    return {"finish": finish}


def forget_to_confirm() -> None:
    """Let workers that got no answer send their ends again without asking what became of the first try."""

    async def confirm(self: Queue, endings: Sequence[Ending], *, finisher: WorkerId) -> Ended:
        return Ended({})

    Queue.confirm = confirm  # type: ignore[method-assign]


MUTANTS: Mapping[str, Callable[[], None]] = {"unfenced": take_the_fence_out, "unconfirmed": forget_to_confirm}
