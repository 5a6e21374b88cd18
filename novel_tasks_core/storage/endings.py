"""Attempts that ended, and events of those that run, as the parameters of the statements that store them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never

import attrs
from attrs import frozen

from novel_tasks_core.conversion import clean_text, error_json, new_event, read_event, read_json, result_json
from novel_tasks_core.events import (
    NewEvent,
    StoredEvent,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskReleased,
    TaskRetryScheduled,
)
from novel_tasks_core.models import (
    Cancelled,
    Completed,
    ErrorInfo,
    Failed,
    Outcome,
    OutcomeKind,
    Released,
    Retrying,
    TaskId,
    WorkerId,
)


@frozen
class Ending:
    """An attempt that ended, on its way into the database: `events` are those not stored yet, in order."""

    task_id: TaskId
    attempt: int
    outcome: Outcome
    finished_at: datetime
    events: tuple[NewEvent, ...]
    kind: OutcomeKind


@frozen
class Recording:
    """Events of a running attempt, to be stored."""

    task_id: TaskId
    attempt: int
    events: tuple[NewEvent, ...]


def make_ending(
    task_id: TaskId,
    outcome: Outcome,
    *,
    attempt: int,
    at: datetime,
    before: Sequence[NewEvent] = (),
    kind: OutcomeKind | None = None,
) -> Ending:
    """Put an outcome together with the event that tells of it; `before` are events that were not stored yet.

    `kind` says what the attempt's record shows, if not what the outcome says by itself.
    """
    if isinstance(outcome, Completed):  # by far the most, and nothing to say beyond the attempt
        told, natural = NewEvent(TaskCompleted.kind, at), OutcomeKind.COMPLETED
    else:
        event, natural = _told(task_id, outcome, attempt, at)
        told = new_event(event)
    return Ending(task_id, attempt, outcome, at, (*before, told), kind or natural)


def _told(
    task_id: TaskId, outcome: Failed | Cancelled | Retrying | Released, attempt: int, at: datetime
) -> tuple[StoredEvent, OutcomeKind]:
    match outcome:
        case Failed(error=error):
            return TaskFailed(task_id=task_id, seq=0, at=at, attempt=attempt, error=error), OutcomeKind.FAILED
        case Cancelled(reason=reason):
            event: StoredEvent = TaskCancelled(task_id=task_id, seq=0, at=at, attempt=attempt, reason=reason)
            return event, OutcomeKind.CANCELLED
        case Retrying(delay_seconds=delay, error=error):
            run_at = at + timedelta(seconds=delay)
            event = TaskRetryScheduled(task_id=task_id, seq=0, at=at, attempt=attempt, run_at=run_at, error=error)
            return event, OutcomeKind.RETRY
        case Released(reason=reason):
            event = TaskReleased(task_id=task_id, seq=0, at=at, attempt=attempt, reason=reason)
            return event, OutcomeKind.RELEASED
    assert_never(outcome)


def stored_events(ending: Ending | Recording, last_seq: int) -> list[StoredEvent]:
    """Return the events of a flush as they stand in the database, whose last seq is now `last_seq`."""
    first = last_seq - len(ending.events) + 1
    return [
        read_event(ending.task_id, seq, event.at, attempt=ending.attempt, kind=event.kind, data=read_json(event.data))
        for seq, event in enumerate(ending.events, start=first)
    ]


def stored_event(ending: Ending, last_seq: int) -> StoredEvent:
    """Return the event that tells of the end."""
    return stored_events(ending, last_seq)[-1]


def numbered(event: StoredEvent, seq: int) -> StoredEvent:
    """Give an event the seq that the database gave it."""
    return attrs.evolve(event, seq=seq)


def finish_columns(endings: Sequence[Ending], holder: WorkerId, finisher: WorkerId) -> list[Any]:
    """Return the parameters of the statement `finish`."""
    status: list[str] = []
    results: list[str | None] = []
    errors: list[str | None] = []
    artifacts: list[tuple[TaskId, str, str, int, bytes]] = []
    for ending in endings:
        match ending.outcome:
            case Completed(result=result, artifacts=stored):
                status.append("completed")
                results.append(None if result is None else result_json(result))
                errors.append(None)
                artifacts += [
                    (ending.task_id, clean_text(a.name), a.content_type, a.size, bytes.fromhex(a.sha256))
                    for a in stored
                ]
            case Failed(error=error):
                status.append("failed")
                results.append(None)
                errors.append(error_json(error))
            case Cancelled(reason=reason):
                status.append("cancelled")
                results.append(None)
                errors.append(error_json(ErrorInfo("Cancelled", reason)))
            case _:
                raise AssertionError(ending.outcome)
    return [
        holder,
        [e.task_id for e in endings],
        [e.attempt for e in endings],
        status,
        results,
        errors,
        [e.finished_at for e in endings],
        [len(e.events) for e in endings],
        [e.kind.value for e in endings],
        finisher,
        *event_columns(endings),
        *_columns(artifacts, 5),
    ]


def postpone_columns(endings: Sequence[Ending], holder: WorkerId, finisher: WorkerId) -> list[Any]:
    """Return the parameters of the statement `postpone`."""
    failed: list[int] = []
    run_at: list[datetime | None] = []
    errors: list[str | None] = []
    for ending in endings:
        match ending.outcome:
            case Retrying(delay_seconds=delay, error=error, counts=counts):
                failed.append(int(counts))
                run_at.append(ending.finished_at + timedelta(seconds=delay) if delay > 0 else None)
                errors.append(error_json(error))
            case Released():
                failed.append(0)
                run_at.append(None)
                errors.append(None)
            case _:
                raise AssertionError(ending.outcome)
    return [
        holder,
        [e.task_id for e in endings],
        [e.attempt for e in endings],
        [e.kind.value for e in endings],
        failed,
        run_at,
        errors,
        [e.finished_at for e in endings],
        [len(e.events) for e in endings],
        finisher,
        *event_columns(endings),
    ]


def event_columns(owners: Sequence[Ending | Recording]) -> list[list[Any]]:
    """Return task ids, places (1, 2, ... within each task), times, kinds and data of all events."""
    rows = [
        (owner.task_id, place, event.at, event.kind, event.data)
        for owner in owners
        for place, event in enumerate(owner.events, start=1)
    ]
    return _columns(rows, 5)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
