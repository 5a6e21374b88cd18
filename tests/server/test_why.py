"""Why a task is where it is, told by the API: for every reason a sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from attrs import evolve

from novel_tasks_core import ErrorInfo, Explanation, Lease, Reason, TaskStatus, WorkerId
from novel_tasks_core.models import new_task_id
from novel_tasks_server.schemas.why import duration, sentence

Client = TestClient[web.Request, web.Application]
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE = Lease(
    worker_id=WorkerId(7), worker_name="north", host="mill", pid=4711, since=NOW - timedelta(seconds=75),
    deadline=NOW + timedelta(minutes=30), heartbeat_seconds=1.25,
)  # fmt: skip
WAITING = Explanation(
    task_id=new_task_id(), status=TaskStatus.PENDING, reason=Reason.QUEUED, processor="split", at=NOW, paused=False,
    workers=1, slots=2, running=2, ahead=3, run_at=None, attempt=0, failures=0, attempts_allowed=3, lease=None,
    error=None, cancel_reason=None, finished_at=None,
)  # fmt: skip
RUNNING = evolve(WAITING, status=TaskStatus.PROCESSING, reason=Reason.RUNNING, attempt=1, ahead=None, lease=LEASE)
BROKEN = ErrorInfo("ValueError", "no good")
RETRYING = evolve(WAITING, reason=Reason.RETRYING, attempt=2, failures=2, error=BROKEN)
FAILED = evolve(WAITING, reason=Reason.FAILED, status=TaskStatus.FAILED, attempt=3, failures=3, error=BROKEN)


async def test_the_api_says_why(client: Client, make_task: Callable[..., Awaitable[dict[str, Any]]]) -> None:
    """The reason is one of a closed set, beside it a sentence and the facts; a task that is not there is 404."""
    made = await make_task()
    response = await client.get(f"/api/v1/tasks/{made['task_id']}/why")
    body = await response.json()
    assert (response.status, body["reason"], body["status"]) == (200, "outside", "pending")
    assert body["explanation"] == "It waits for an outside service to report on it: nobody here runs tasks of external."
    assert (body["workers"], body["ahead"], body["lease"], body["attempts_left"]) == (0, 0, None, 3)
    assert (await client.get(f"/api/v1/tasks/task-{'0' * 32}/why")).status == 404


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (WAITING, "It waits for its turn: 3 tasks are before it, and 2 of 2 slots of one worker are taken."),
        (evolve(WAITING, ahead=10_001, workers=2),
         "It waits for its turn: more than 10,000 tasks are before it, and 2 of 2 slots of 2 workers are taken."),
        (evolve(WAITING, reason=Reason.NEXT, ahead=0, running=1),
         "It is about to start: nothing is before it, and 1 of 2 slots of one worker are taken."),
        (evolve(WAITING, reason=Reason.PAUSED, ahead=0),
         "The processor split is paused; it is first when it is resumed."),
        (evolve(WAITING, reason=Reason.NO_WORKER, ahead=1),
         "No worker that runs split is registered; one task is before it when one starts."),
        (evolve(WAITING, reason=Reason.OUTSIDE),
         "It waits for an outside service to report on it: nobody here runs tasks of split."),
        (evolve(WAITING, reason=Reason.SCHEDULED, run_at=NOW + timedelta(hours=26)),
         "It is scheduled for 2026-03-02 14:00:00 UTC, in 1 d 2 h."),
        (evolve(WAITING, reason=Reason.SCHEDULED, run_at=NOW),
         "It is scheduled for 2026-03-01 12:00:00 UTC, which is now."),
        (evolve(RETRYING, run_at=NOW + timedelta(seconds=30)),
         "Attempt 2 did not finish it; the next is due at 2026-03-01 12:00:30 UTC, in 30 s, with one attempt left:"
         " ValueError: no good"),
        (RUNNING, "Attempt 1 has run for 1 min 15 s on worker 7 (north), process 4711 on mill, last heard 1.2 s ago;"
         " it may run until 2026-03-01 12:30:00 UTC."),
        (evolve(RUNNING, reason=Reason.CANCELLING),
         "Attempt 1 has run for 1 min 15 s on worker 7 (north), process 4711 on mill, and was asked to stop;"
         " the worker was last heard 1.2 s ago."),
        (evolve(RUNNING, reason=Reason.WORKER_SILENT, lease=evolve(LEASE, heartbeat_seconds=20.0, worker_name="")),
         "Attempt 1 has run for 1 min 15 s on worker 7, process 4711 on mill, last heard 20 s ago:"
         " unless it comes back, the task will be put back."),
        (evolve(RUNNING, reason=Reason.WORKER_GONE, lease=evolve(LEASE, heartbeat_seconds=None)),
         "Attempt 1 has run for 1 min 15 s on worker 7, which is not registered any more:"
         " the task will be put back within seconds."),
        (evolve(RUNNING, reason=Reason.REPORTED, lease=evolve(LEASE, worker_id=WorkerId(0))),
         "An outside service has worked on it for 1 min 15 s, and may until 2026-03-01 12:30:00 UTC."),
        (evolve(WAITING, reason=Reason.COMPLETED, status=TaskStatus.COMPLETED, attempt=1, finished_at=NOW),
         "It was completed by attempt 1 at 2026-03-01 12:00:00 UTC."),
        (evolve(WAITING, reason=Reason.CANCELLED, status=TaskStatus.CANCELLED, finished_at=NOW),
         "It was cancelled at 2026-03-01 12:00:00 UTC."),
        (evolve(FAILED, finished_at=NOW),
         "It failed at 2026-03-01 12:00:00 UTC in attempt 3, with no attempt left: ValueError: no good"),
        (evolve(FAILED, finished_at=NOW, attempt=1, failures=1, error=ErrorInfo("DecodingError", "it is no text.")),
         "It failed at 2026-03-01 12:00:00 UTC in attempt 1 and is not tried again, because such a failure is"
         " permanent: DecodingError: it is no text. Process it again with other options, submit a corrected"
         " file, or retry it once the cause is gone."),
    ],
)  # fmt: skip
def test_every_reason_is_a_sentence(found: Explanation, said: str) -> None:
    """People read why, who and when."""
    assert sentence(found) == said


def test_every_reason_is_tried() -> None:
    """The table above leaves no reason out."""
    [mark] = [mark for mark in getattr(test_every_reason_is_a_sentence, "pytestmark", ()) if mark.name == "parametrize"]
    assert {found.reason for found, _ in mark.args[1]} == set(Reason)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0.0 s"), (0.44, "0.4 s"), (59.9, "59 s"), (60, "1 min 0 s"), (7830, "2 h 10 min"), (273_600, "3 d 4 h")],
)
def test_durations_are_for_people(seconds: float, said: str) -> None:
    """Two units at most."""
    assert duration(seconds) == said
