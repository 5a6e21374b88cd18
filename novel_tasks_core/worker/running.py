"""An attempt that a worker holds the lease of, and what it has said that is not stored yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from attrs import define, field

from novel_tasks_core.conversion import clean_text, result_json
from novel_tasks_core.events import NewEvent
from novel_tasks_core.execution.attempt import CancelScope
from novel_tasks_core.models import Claim, LogLevel, Outcome, TaskId

MAX_MESSAGE_CHARACTERS = 10_000
MAX_STAGE_CHARACTERS = 200
NEVER = float("-inf")
"""Before any moment of the monotonic clock."""


class Hearer(Protocol):
    """Whoever stores and passes on what attempts say."""

    def now(self) -> datetime:
        """Return the time of day."""
        ...

    def spoke(self, running: Running) -> None:
        """Note that an attempt has events to store."""
        ...

    def progressed(self, running: Running) -> None:
        """Note that an attempt has made progress."""
        ...

    async def checkpoint(self, running: Running, value: Any) -> None:
        """Store a checkpoint. Raises: LeaseLostError."""
        ...


@define(eq=False)
class Running:
    """One held lease. It is the `AttemptReports` of its attempt.

    `held` names it: the task and the number of the attempt. `starts` is set while it runs and nobody has been told
    that it started; `last_seq` is the last stored seq of the task, `told_at` when watchers last heard of progress, in
    monotonic seconds. `outcome`, `ended_at` and `seconds` (how long it ran) are set when it has ended.
    `unstored` are events not stored yet, `recorded` how many were; `unsure` that a flush of them was not answered.
    `lost` is set once the lease is known to be gone: nothing more of it is stored, whoever holds the task by then.
    """

    claim: Claim
    hearer: Hearer
    last_seq: int
    held: tuple[TaskId, int]
    scope: CancelScope = field(factory=CancelScope)
    started: bool = False
    starts: bool = False
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    seconds: float = 0.0
    unstored: list[NewEvent] = field(factory=list)
    recorded: int = 0
    unsure: bool = False
    lost: bool = False
    fraction: float = 0.0
    stage: str = ""
    told_at: float = NEVER

    def progress(self, fraction: float, stage: str) -> None:
        """Remember the latest progress; it is passed on as often as watchers and the lease want it."""
        self.fraction, self.stage = fraction, clean_text(stage)[:MAX_STAGE_CHARACTERS]
        self.hearer.progressed(self)

    def log(self, level: LogLevel, message: str) -> None:
        """Queue a log entry; it is stored with the next flush."""
        data = result_json({"level": level.value, "message": message[:MAX_MESSAGE_CHARACTERS]})
        self.unstored.append(NewEvent("log", self.hearer.now(), data))
        self.hearer.spoke(self)

    async def checkpoint(self, value: Any) -> None:
        """Store a checkpoint durably. Raises: LeaseLostError."""
        await self.hearer.checkpoint(self, value)
