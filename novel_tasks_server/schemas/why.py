"""Why a task is where it is, as the API shows it: the facts, and one sentence made of them for people."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from attrs import frozen

from novel_tasks_core import ErrorInfo, Explanation, Lease, Reason, TaskStatus, format_task_id


@frozen(kw_only=True, slots=False)
class LeaseView:
    """Who runs a task, since when, until when at most; `heartbeat_seconds` is the age of the last sign of life."""

    worker_id: int
    worker_name: str
    host: str
    pid: int | None
    since: datetime
    deadline: datetime
    heartbeat_seconds: float | None


@frozen(kw_only=True, slots=False)
class WhyView:
    """Why a task is where it is.

    `reason` is one of a closed set, `explanation` says it in a sentence. `ahead` counts the tasks of the same
    processor that come before it, 10,001 for more than 10,000. `workers` have `slots` in all, of which
    `running` are taken.
    """

    task_id: str
    status: TaskStatus
    reason: Reason
    explanation: str
    processor: str
    at: datetime
    paused: bool
    workers: int
    slots: int
    running: int
    ahead: int | None
    run_at: datetime | None
    attempt: int
    failures: int
    attempts_left: int
    lease: LeaseView | None
    error: ErrorInfo | None
    finished_at: datetime | None

    @classmethod
    def of(cls, found: Explanation) -> WhyView:
        """Show `found`."""
        return cls(
            task_id=format_task_id(found.task_id),
            status=found.status,
            reason=found.reason,
            explanation=sentence(found),
            processor=found.processor,
            at=found.at,
            paused=found.paused,
            workers=found.workers,
            slots=found.slots,
            running=found.running,
            ahead=found.ahead,
            run_at=found.run_at,
            attempt=found.attempt,
            failures=found.failures,
            attempts_left=found.attempts_left,
            lease=_lease_view(found.lease),
            error=found.error,
            finished_at=found.finished_at,
        )


def _lease_view(lease: Lease | None) -> LeaseView | None:
    if lease is None:
        return None
    return LeaseView(
        worker_id=lease.worker_id,
        worker_name=lease.worker_name,
        host=lease.host,
        pid=lease.pid,
        since=lease.since,
        deadline=lease.deadline,
        heartbeat_seconds=lease.heartbeat_seconds,
    )


def sentence(found: Explanation) -> str:
    """Say in words why the task is where it is."""
    match found.reason:
        case Reason.COMPLETED | Reason.FAILED | Reason.CANCELLED:
            return _ended(found)
        case Reason.CANCELLING | Reason.REPORTED | Reason.WORKER_GONE | Reason.WORKER_SILENT | Reason.RUNNING:
            return _running(found)
        case Reason.RETRYING | Reason.SCHEDULED:
            return _scheduled(found)
        case Reason.OUTSIDE:
            return f"It waits for an outside service to report on it: nobody here runs tasks of {found.processor}."
        case Reason.PAUSED:
            return f"The processor {found.processor} is paused; {_behind(found)} when it is resumed."
        case Reason.NO_WORKER:
            return f"No worker that runs {found.processor} is registered; {_behind(found)} when one starts."
        case Reason.QUEUED:
            return f"It waits for its turn: {_behind(found)}, and {found.running} of {_slots(found)} are taken."
        case Reason.NEXT:
            return f"It is about to start: nothing is before it, and {found.running} of {_slots(found)} are taken."
        case _:
            assert_never(found.reason)


def _ended(found: Explanation) -> str:
    when = f" at {_time(found.finished_at)}" if found.finished_at else ""
    match found.reason:
        case Reason.COMPLETED:
            return f"It was completed by attempt {found.attempt}{when}."
        case Reason.CANCELLED:
            return f"It was cancelled{when}{f': {_why(found)}' if _why(found) else '.'}"
        case _ if found.permanent:
            return (
                f"It failed{when} in attempt {found.attempt} and is not tried again, because such a failure is"
                f" permanent: {_why(found).rstrip('.')}. Process it again with other options, submit a"
                " corrected file, or retry it once the cause is gone."
            )
        case _:
            return f"It failed{when} in attempt {found.attempt}, with {_left(found)}: {_why(found)}"


def _running(found: Explanation) -> str:
    lease = found.lease
    assert lease is not None
    ran = duration((found.at - lease.since).total_seconds())
    if found.reason is Reason.REPORTED:
        return f"An outside service has worked on it for {ran}, and may until {_time(lease.deadline)}."
    who = f"worker {lease.worker_id}"
    if lease.heartbeat_seconds is not None:
        name = f" ({lease.worker_name})" if lease.worker_name else ""
        who = f"{who}{name}, process {lease.pid} on {lease.host}"
    run = f"Attempt {found.attempt} has run for {ran} on {who}"
    heard = "never" if lease.heartbeat_seconds is None else f"{duration(lease.heartbeat_seconds)} ago"
    match found.reason:
        case Reason.CANCELLING:
            return f"{run}, and was asked to stop; the worker was last heard {heard}."
        case Reason.WORKER_GONE:
            return f"{run}, which is not registered any more: the task will be put back within seconds."
        case Reason.WORKER_SILENT:
            return f"{run}, last heard {heard}: unless it comes back, the task will be put back."
        case _:
            return f"{run}, last heard {heard}; it may run until {_time(lease.deadline)}."


def _scheduled(found: Explanation) -> str:
    assert found.run_at is not None
    wait = (found.run_at - found.at).total_seconds()
    when = f"{_time(found.run_at)}, in {duration(wait)}" if wait > 0 else f"{_time(found.run_at)}, which is now"
    if found.reason is Reason.SCHEDULED:
        return f"It is scheduled for {when}."
    why = _why(found)
    return f"Attempt {found.attempt} did not finish it; the next is due at {when}, with {_left(found)}" + (
        f": {why}" if why else "."
    )


def _behind(found: Explanation) -> str:
    match found.ahead or 0:
        case 0:
            return "it is first"
        case 1:
            return "one task is before it"
        case ahead if ahead > 10_000:
            return "more than 10,000 tasks are before it"
        case ahead:
            return f"{ahead:,} tasks are before it"


def _slots(found: Explanation) -> str:
    workers = "one worker" if found.workers == 1 else f"{found.workers} workers"
    return f"{found.slots} slots of {workers}"


def _left(found: Explanation) -> str:
    match found.attempts_left:
        case 0:
            return "no attempt left"
        case 1:
            return "one attempt left"
        case left:
            return f"{left} attempts left"


def _why(found: Explanation) -> str:
    if found.error is None:
        return ""
    return f"{found.error.type}: {found.error.message}"


def _time(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""


def duration(seconds: float) -> str:
    """Write a duration for people: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    whole = int(seconds)
    for size, unit, part, small in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part} {small}"
    return f"{whole} s"
