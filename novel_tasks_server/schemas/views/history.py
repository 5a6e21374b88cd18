"""What happened to a task, as clients get to see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs
from attrs import frozen

from novel_tasks_core import Attempt, ErrorInfo, LogEntry, LogLevel, OutcomeKind, StoredEvent


def event_view(event: StoredEvent) -> dict[str, Any]:
    """Show a stored event: its kind, seq and time, and the fields of its own."""
    own = {a.name: getattr(event, a.name) for a in attrs.fields(type(event)) if a.name != "task_id"}
    return {"kind": event.kind, **own}


@frozen(kw_only=True, slots=False)
class EventListView:
    """Stored events in the order of their seq. `last_seq` is what to ask after next."""

    events: list[dict[str, Any]]
    last_seq: int

    @classmethod
    def of(cls, events: Sequence[StoredEvent], *, after: int) -> EventListView:
        """Show `events`, which were asked for after a seq."""
        return cls(events=[event_view(event) for event in events], last_seq=events[-1].seq if events else after)


@frozen(kw_only=True, slots=False)
class LogView:
    """A line of a task's log. `attempt` is 0 for what was said outside any attempt."""

    seq: int
    at: datetime
    level: LogLevel
    message: str
    attempt: int

    @classmethod
    def of(cls, entry: LogEntry) -> LogView:
        """Show `entry`."""
        return cls(seq=entry.seq, at=entry.at, level=entry.level, message=entry.message, attempt=entry.attempt)


@frozen(kw_only=True, slots=False)
class LogListView:
    """Lines of a task's log in the order of their seq. `last_seq` is what to ask after next."""

    logs: list[LogView]
    last_seq: int

    @classmethod
    def of(cls, entries: Sequence[LogEntry], *, after: int) -> LogListView:
        """Show `entries`, which were asked for after a seq."""
        return cls(logs=[LogView.of(entry) for entry in entries], last_seq=entries[-1].seq if entries else after)


@frozen(kw_only=True, slots=False)
class AttemptView:
    """A finished run of a task, and how long it took."""

    number: int
    worker_id: int
    started_at: datetime
    finished_at: datetime
    duration_seconds: float
    outcome: OutcomeKind
    error: ErrorInfo | None

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptView:
        """Show `attempt`."""
        return cls(
            number=attempt.number,
            worker_id=attempt.worker_id,
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            duration_seconds=round((attempt.finished_at - attempt.started_at).total_seconds(), 3),
            outcome=attempt.outcome,
            error=attempt.error,
        )


@frozen(kw_only=True, slots=False)
class AttemptListView:
    """The finished attempts of a task, first to last."""

    attempts: list[AttemptView]

    @classmethod
    def of(cls, attempts: Iterable[Attempt]) -> AttemptListView:
        """Show `attempts`."""
        return cls(attempts=[AttemptView.of(attempt) for attempt in attempts])
