"""What the service is and can do, as clients get to see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import frozen

from novel_tasks_core import (
    Backoff,
    Condition,
    Health,
    HistoryPoint,
    Percentiles,
    Processor,
    QueueHistory,
    QueueStatus,
    RetryPolicy,
    WorkerInfo,
)


@frozen(slots=False)
class MessageView:
    """An answer that is only a sentence."""

    message: str


@frozen(kw_only=True, slots=False)
class HealthView:
    """Whether the service can do its work.

    `conditions` are the problems and then the notes once more, each with a code that does not change and its values.
    """

    status: str
    database: str
    storage: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, health: Health) -> HealthView:
        """Show `health`."""
        return cls(
            status="healthy" if health.healthy else "unhealthy",
            database="connected" if health.database else "unavailable",
            storage="available" if health.storage else "unavailable",
            problems=health.problems,
            notes=health.notes,
            conditions=(*health.wrong, *health.noted),
        )


class Place(StrEnum):
    """Where the code of a processor runs: on a worker's event loop, in a child process, or with an outside service."""

    WORKER = "worker"
    CHILD = "child"
    OUTSIDE = "outside"


@frozen(kw_only=True, slots=False)
class RetryView:
    """How often a task may fail, and how long it waits between; durations in seconds, `jitter` is 0..1.

    `by_error` names errors with a policy of their own, None elsewhere. `is_custom` says that the waits come from
    code rather than from `backoff`.
    """

    max_attempts: int
    backoff: Backoff
    base_seconds: float
    max_seconds: float
    jitter: float
    is_custom: bool
    by_error: Mapping[str, RetryView]

    @classmethod
    def of(cls, policy: RetryPolicy) -> RetryView:
        """Show `policy`."""
        return cls(
            max_attempts=policy.max_attempts,
            backoff=policy.backoff,
            base_seconds=policy.base_seconds,
            max_seconds=policy.max_seconds,
            jitter=policy.jitter,
            is_custom=policy.custom is not None,
            by_error={name: cls.of(inner) for name, inner in policy.by_error.items()},
        )


@frozen(kw_only=True, slots=False)
class ProcessorView:
    """A kind of work that can be asked for; `options_schema` is the JSON schema (2020-12) of its options."""

    name: str
    version: str
    description: str
    runs_in: Place
    timeout_seconds: float
    retry: RetryView
    options_schema: Mapping[str, Any]

    @classmethod
    def of(cls, processor: Processor, *, schema: Mapping[str, Any], timeout_seconds: float) -> ProcessorView:
        """Show `processor`; `timeout_seconds` is of those that state none."""
        outside = processor.function is None
        return cls(
            name=processor.name,
            version=processor.version,
            description=processor.description,
            runs_in=Place.OUTSIDE if outside else Place.CHILD if processor.runs_in_child else Place.WORKER,
            timeout_seconds=timeout_seconds if processor.timeout_seconds is None else processor.timeout_seconds,
            retry=RetryView.of(processor.retry),
            options_schema=schema,
        )


@frozen(kw_only=True, slots=False)
class ProcessorListView:
    """The processors that this server knows."""

    processors: list[ProcessorView]


@frozen(kw_only=True, slots=False)
class LimitsView:
    """How much one request may ask for; sizes in bytes, rates as in the settings, null without one."""

    max_file_size: int
    max_field_size: int
    max_json_size: int
    max_page_size: int
    rate_limit: str | None
    upload_rate_limit: str | None


@frozen(kw_only=True, slots=False)
class MetaView:
    """What a client must know before it asks for anything.

    `version` is the deployment's own, `software_version` that of this program. `authentication` says whether the
    asker needs a token, `jwt` whether a JWT will do. `owner` and `scopes` are what the asker is known by, null where
    that is nobody. `allowed_extensions` are those of uploads, with their dots. `subprotocols` are those that the
    WebSocket speaks beside the plain one.
    """

    title: str
    version: str
    software_version: str
    authentication: bool
    jwt: bool
    owner: str | None
    scopes: tuple[str, ...] | None
    subprotocols: tuple[str, ...]
    default_processor: str
    processors: tuple[str, ...]
    allowed_extensions: tuple[str, ...]
    limits: LimitsView


@frozen(kw_only=True, slots=False)
class LaneView:
    """The queue of one processor. `oldest_seconds` is the age of the oldest task that is ready."""

    processor: str
    paused: bool
    ready: int
    scheduled: int
    processing: int
    oldest_seconds: float | None

    @classmethod
    def of(cls, lane: QueueStatus) -> LaneView:
        """Show `lane`."""
        return cls(
            processor=lane.processor,
            paused=lane.paused,
            ready=lane.ready,
            scheduled=lane.scheduled,
            processing=lane.processing,
            oldest_seconds=lane.oldest_seconds,
        )


@frozen(kw_only=True, slots=False)
class WorkerView:
    """A worker of any process: how many slots it has, how many run. Where it runs only admins are told.

    `silent` is one that has missed so many heartbeats that it counts for nothing. `processors` names what it takes
    tasks of; null while nobody can see that.
    """

    id: int
    name: str
    version: str
    state: str
    slots: int
    running: int
    beat_seconds: float
    silent: bool
    processors: tuple[str, ...] | None
    host: str | None
    pid: int | None

    @classmethod
    def of(cls, worker: WorkerInfo, *, tells_place: bool, silent: bool) -> WorkerView:
        """Show `worker`."""
        return cls(
            id=worker.id,
            name=worker.name,
            version=worker.version,
            state=worker.state,
            slots=worker.slots,
            running=worker.running,
            beat_seconds=worker.beat_seconds,
            silent=silent,
            processors=worker.processors,
            host=worker.host if tells_place else None,
            pid=worker.pid if tells_place else None,
        )


@frozen(kw_only=True, slots=False)
class QueueView:
    """The queues of all processors, the workers of all processes, and what is wrong with them, in words."""

    queues: list[LaneView]
    workers: list[WorkerView]
    warnings: list[str]


@frozen(kw_only=True, slots=False)
class PercentilesView:
    """Of durations in seconds: half are no longer than `p50`, 95 of 100 no longer than `p95`; null without any."""

    p50: float | None
    p95: float | None

    @classmethod
    def of(cls, found: Percentiles) -> PercentilesView:
        """Show `found`."""
        return cls(p50=found.p50, p95=found.p95)


@frozen(kw_only=True, slots=False)
class HistoryPointView:
    """What happened in the step that begins `at`; how long tasks that ended in it had waited and run, in seconds."""

    at: datetime
    submitted: int
    completed: int
    failed: int
    cancelled: int
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None

    @classmethod
    def of(cls, point: HistoryPoint) -> HistoryPointView:
        """Show `point`."""
        return cls(
            at=point.at,
            submitted=point.submitted,
            completed=point.completed,
            failed=point.failed,
            cancelled=point.cancelled,
            wait_p50=point.wait.p50,
            wait_p95=point.wait.p95,
            run_p50=point.run.p50,
            run_p95=point.run.p95,
        )


@frozen(kw_only=True, slots=False)
class HistoryView:
    """What the queue did from `since` to `until`, step by step; the last step is not over.

    Counts are exact, and stay when tasks are deleted. `wait` is from when tasks that completed or failed were due to
    the start of their last attempt, `run` from there to its end. `is_sample` says that these times are those of a
    sample.
    """

    step_seconds: int
    since: datetime
    until: datetime
    is_sample: bool
    points: list[HistoryPointView]
    wait: PercentilesView
    run: PercentilesView

    @classmethod
    def of(cls, history: QueueHistory) -> HistoryView:
        """Show `history`."""
        return cls(
            step_seconds=history.step_seconds,
            since=history.since,
            until=history.until,
            is_sample=history.is_sample,
            points=[HistoryPointView.of(point) for point in history.points],
            wait=PercentilesView.of(history.wait),
            run=PercentilesView.of(history.run),
        )
