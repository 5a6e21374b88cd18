"""Attempts that ended, and events of those that run, as the parameters of the statements that store them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, assert_never

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
    TaskStarted,
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


class Ending(NamedTuple):
    """An attempt that ended, on its way into the database. A tuple, because they come by the ten thousand.

    `before` are events that were not stored yet, in order; `started_at` is set when its start was not told either.
    """

    task_id: TaskId
    attempt: int
    outcome: Outcome
    finished_at: datetime
    before: Sequence[NewEvent]
    started_at: datetime | None
    kind: OutcomeKind

    @property
    def events(self) -> tuple[NewEvent, ...]:
        """Everything from `before` on, to the event that tells of the end."""
        return (*self.before, _last_event(self))

    def all_events(self, holder: WorkerId) -> tuple[NewEvent, ...]:
        """Everything that is told with the end, its start by `holder` included."""
        if self.started_at is None:
            return self.events
        return (start_event(self.started_at, holder), *self.events)


@frozen
class Recording:
    """Events of a running attempt, to be stored."""

    task_id: TaskId
    attempt: int
    events: tuple[NewEvent, ...]


def start_event(at: datetime, worker_id: WorkerId) -> NewEvent:
    """Make the event that tells of the start of an attempt."""
    return NewEvent(TaskStarted.kind, at, _start_data(worker_id))


def _start_data(worker_id: WorkerId) -> str:
    return f'{{"worker_id":{worker_id}}}'


def make_ending(
    task_id: TaskId,
    outcome: Outcome,
    *,
    attempt: int,
    at: datetime,
    before: Sequence[NewEvent] = (),
    kind: OutcomeKind | None = None,
    started_at: datetime | None = None,
) -> Ending:
    """Put an outcome together with what else is to be told; the fields are those of `Ending`.

    `kind` says what the attempt's record shows, if not what the outcome says by itself.
    """
    return Ending(task_id, attempt, outcome, at, before, started_at, kind or KINDS[type(outcome)])


KINDS: Mapping[type[Outcome], OutcomeKind] = {
    Completed: OutcomeKind.COMPLETED,
    Failed: OutcomeKind.FAILED,
    Cancelled: OutcomeKind.CANCELLED,
    Retrying: OutcomeKind.RETRY,
    Released: OutcomeKind.RELEASED,
}
"""What an outcome says by itself."""


def _last_event(ending: Ending) -> NewEvent:
    if isinstance(ending.outcome, Completed):  # nothing to say beyond the attempt
        return NewEvent(TaskCompleted.kind, ending.finished_at)
    return new_event(_told(ending.task_id, ending.outcome, ending.attempt, ending.finished_at))


def _told(
    task_id: TaskId, outcome: Failed | Cancelled | Retrying | Released, attempt: int, at: datetime
) -> StoredEvent:
    match outcome:
        case Failed(error=error):
            return TaskFailed(task_id=task_id, seq=0, at=at, attempt=attempt, error=error)
        case Cancelled(reason=reason):
            return TaskCancelled(task_id=task_id, seq=0, at=at, attempt=attempt, reason=reason)
        case Retrying(delay_seconds=delay, error=error):
            run_at = at + timedelta(seconds=delay)
            return TaskRetryScheduled(task_id=task_id, seq=0, at=at, attempt=attempt, run_at=run_at, error=error)
        case Released(reason=reason):
            return TaskReleased(task_id=task_id, seq=0, at=at, attempt=attempt, reason=reason)
    assert_never(outcome)


def stored_events(ending: Ending | Recording, last_seq: int, holder: WorkerId) -> list[StoredEvent]:
    """Return the events of a flush as they stand in the database, whose last seq is now `last_seq`."""
    events = ending.all_events(holder) if isinstance(ending, Ending) else ending.events
    first = last_seq - len(events) + 1
    return [
        read_event(ending.task_id, seq, event.at, attempt=ending.attempt, kind=event.kind, data=read_json(event.data))
        for seq, event in enumerate(events, start=first)
    ]


def stored_event(ending: Ending, last_seq: int) -> StoredEvent:
    """Return the event that tells of the end."""
    event = _last_event(ending)
    return read_event(
        ending.task_id, last_seq, event.at, attempt=ending.attempt, kind=event.kind, data=read_json(event.data)
    )


def numbered(event: StoredEvent, seq: int) -> StoredEvent:
    """Give an event the seq that the database gave it."""
    return attrs.evolve(event, seq=seq)


def finish_columns(endings: Sequence[Ending], holder: WorkerId, finisher: WorkerId) -> list[Any]:
    """Return the parameters of the statement `finish`."""
    results: list[str | None] = []
    told: list[int] = []
    others: list[tuple[int, str, str, str | None, str]] = []
    said: list[tuple[int, int, datetime, str, str | None]] = []
    artifacts: list[tuple[int, str, str, int, bytes]] = []
    for place, (_, _, outcome, _, before, started_at, _) in enumerate(endings, start=1):
        if isinstance(outcome, Completed):
            text, result = outcome.text, outcome.result
            results.append(text or (None if result is None else result_json(result)))
            if outcome.artifacts:
                artifacts += [
                    (place, clean_text(a.name), a.content_type, a.size, bytes.fromhex(a.sha256))
                    for a in outcome.artifacts
                ]
        else:
            results.append(None)
            others.append((place, *_other_end(endings[place - 1])))
        if started_at is None:
            told.append(place)
        if before:
            said += [(place, nth, event.at, event.kind, event.data) for nth, event in enumerate(before, start=1)]
    return [
        holder,
        [e[0] for e in endings],
        [e[1] for e in endings],
        results,
        [e[3] for e in endings],
        told,
        *_columns(others, 5),
        *_columns(said, 5),
        finisher,
        _start_data(holder),
        *_columns(artifacts, 5),
    ]


def _other_end(ending: Ending) -> tuple[str, str, str | None, str]:
    """Return status, error, what the last event says, and outcome of an attempt that was not completed."""
    match ending.outcome:
        case Failed(error=error):
            status = "failed"
        case Cancelled(reason=reason):
            status, error = "cancelled", ErrorInfo("Cancelled", reason)
        case _:
            raise AssertionError(ending.outcome)
    return status, error_json(error) or "", _last_event(ending).data, ending.kind.value


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
    events = [ending.all_events(holder) for ending in endings]
    return [
        holder,
        [e.task_id for e in endings],
        [e.attempt for e in endings],
        [e.kind.value for e in endings],
        failed,
        run_at,
        errors,
        [e.finished_at for e in endings],
        [len(one) for one in events],
        finisher,
        *_event_columns([(e.task_id, told) for e, told in zip(endings, events, strict=True)]),
    ]


def event_columns(recordings: Sequence[Recording]) -> list[list[Any]]:
    """Return task ids, places (1, 2, ... within each task), times, kinds and data of all events."""
    return _event_columns([(one.task_id, one.events) for one in recordings])


def _event_columns(owners: Iterable[tuple[TaskId, Sequence[NewEvent]]]) -> list[list[Any]]:
    rows = [
        (task_id, nth, event.at, event.kind, event.data)
        for task_id, events in owners
        for nth, event in enumerate(events, start=1)
    ]
    return _columns(rows, 5)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
