"""Events as values: every kind survives storage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from novel_tasks_core.conversion import new_event, read_event, read_json
from novel_tasks_core.events import (
    STORED_EVENTS,
    StoredEvent,
    TaskCancelled,
    TaskCancelRequested,
    TaskCompleted,
    TaskDeleted,
    TaskFailed,
    TaskLogged,
    TaskProgressed,
    TaskReleased,
    TaskReprioritized,
    TaskRequeued,
    TaskRetryScheduled,
    TaskStarted,
    is_final,
    own_fields,
)
from novel_tasks_core.models import ErrorInfo, LogLevel, WorkerId, new_task_id

ID = new_task_id()
AT = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
ERROR = ErrorInfo("ValueError", "no good: 渡")
SAMPLES: list[StoredEvent] = [
    TaskLogged(task_id=ID, seq=1, at=AT, attempt=0, level=LogLevel.WARNING, message="watch out"),
    TaskStarted(task_id=ID, seq=2, at=AT, attempt=3, worker_id=WorkerId(7)),
    TaskCompleted(task_id=ID, seq=3, at=AT, attempt=3),
    TaskFailed(task_id=ID, seq=4, at=AT, attempt=3, error=ERROR),
    TaskCancelled(task_id=ID, seq=5, at=AT, attempt=0, reason="not wanted"),
    TaskRetryScheduled(task_id=ID, seq=6, at=AT, attempt=3, run_at=AT + timedelta(seconds=1.5), error=ERROR),
    TaskReleased(task_id=ID, seq=7, at=AT, attempt=3, reason="shutdown"),
    TaskCancelRequested(task_id=ID, seq=8, at=AT, attempt=3),
    TaskRequeued(task_id=ID, seq=9, at=AT),
    TaskReprioritized(task_id=ID, seq=10, at=AT, priority=-5),
]


def test_every_stored_kind_has_a_sample_and_a_kind_of_its_own() -> None:
    """This list and the table of kinds cover each other."""
    assert {type(event) for event in SAMPLES} == set(STORED_EVENTS.values())
    assert len({event.kind for event in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.kind)
def test_an_event_survives_storage(event: StoredEvent) -> None:
    """What is written of it and its columns make the same value again."""
    written = new_event(event)
    read = read_event(
        ID,
        event.seq,
        written.at,
        attempt=getattr(event, "attempt", 0),
        kind=written.kind,
        data=read_json(written.data),
    )
    assert read == event


def test_only_four_events_end_a_watch() -> None:
    """A completion, a failure, a cancellation and a deletion; a retry or a release do not."""
    deleted = TaskDeleted(task_id=ID, at=AT)
    progress = TaskProgressed(task_id=ID, after_seq=1, at=AT, attempt=1, fraction=0.5, stage="")
    final = {event.kind for event in (*SAMPLES, deleted, progress) if is_final(event)}
    assert final == {"completed", "failed", "cancelled", "deleted"}


def test_an_event_knows_its_own_fields() -> None:
    """All but those that every event has."""
    assert own_fields(SAMPLES[1]) == {"attempt": 3, "worker_id": 7}
    assert own_fields(SAMPLES[8]) == {}
