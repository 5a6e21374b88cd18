"""Figures for Prometheus, each server with a registry of its own. Their names are a promise: docs/metrics.md.

`Metrics` is the engine's `Observer`, and holds the metrics with which the HTTP paths are decorated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from novel_tasks_core import Observer, OutcomeKind, PoolStatus, QueueStatus, TaskId

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The media type of what `Metrics.render` returns."""

_TASK_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_HTTP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics(Observer):
    """The figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._make_task_metrics()
        self._make_queue_metrics()
        self._make_http_metrics()
        self._make_socket_metrics()
        self._make_operation_metrics()
        self._make_process_metrics()

    def _make_task_metrics(self) -> None:
        by = ("processor", "outcome")
        self._tasks = Counter("tasks", "Attempts that ended, by processor and outcome.", by, registry=self.registry)
        self._durations = Histogram(
            "task_duration_seconds", "How long attempts ran.", by, buckets=_TASK_SECONDS, registry=self.registry
        )
        self._retries = Counter(
            "task_retries", "Attempts that failed and are followed by another.", ("processor",), registry=self.registry
        )
        self._submitted = Counter("tasks_submitted", "Tasks stored.", ("processor",), registry=self.registry)
        self._rescued = Counter("tasks_rescued", "Tasks of dead workers put back.", registry=self.registry)
        self._leases_lost = Counter("leases_lost", "Attempts whose late output was dropped.", registry=self.registry)

    def _make_queue_metrics(self) -> None:
        by = ("processor", "state")
        self._depth = Gauge("queue_depth", "Tasks in a lane, by state.", by, registry=self.registry)
        self._oldest = Gauge(
            "queue_oldest_seconds", "Age of the oldest ready task.", ("processor",), registry=self.registry
        )
        self._claims = Histogram(
            "claim_seconds", "How long a claim took.", buckets=_HTTP_SECONDS, registry=self.registry
        )
        self._claimed = Counter("tasks_claimed", "Tasks that this process took.", registry=self.registry)
        self._slots = Gauge("worker_slots", "Slots of this process's worker.", ("state",), registry=self.registry)

    def _make_http_metrics(self) -> None:
        self._requests = Histogram(
            "http_request_duration_seconds",
            "How long requests took until their answer began.",
            ("method", "route", "status"),
            buckets=_HTTP_SECONDS,
            registry=self.registry,
        )
        self.uploads_in_progress = Gauge("uploads_in_progress", "Uploads being received.", registry=self.registry)
        self.upload_seconds = Histogram("upload_duration_seconds", "How long uploads took.", registry=self.registry)
        self.upload_failures = Counter("upload_failures", "Uploads that were refused or broke.", registry=self.registry)
        self.upload_bytes = Counter("upload_bytes", "Bytes of novels received and stored.", registry=self.registry)

    def _make_socket_metrics(self) -> None:
        self.sockets = Gauge("websockets", "Open WebSockets.", registry=self.registry)
        messages = Counter("websocket_messages", "WebSocket messages.", ("direction",), registry=self.registry)
        self.messages_in, self.messages_out = messages.labels("in"), messages.labels("out")
        self.streams = Gauge("event_streams", "Open streams of server-sent events.", registry=self.registry)
        self.dropped = Counter(
            "websocket_dropped", "Progress messages that slow clients missed.", registry=self.registry
        )
        self._progress_dropped = Counter("watch_dropped", "Progress that slow watchers missed.", registry=self.registry)

    def observe_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is the path's template, so that ids make no series of their own."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).observe(seconds)

    def _make_operation_metrics(self) -> None:
        self._flushes = Histogram(
            "flush_seconds", "How long it took to store ends.", buckets=_HTTP_SECONDS, registry=self.registry
        )
        self._promoted = Counter("tasks_promoted", "Scheduled tasks that became ready.", registry=self.registry)
        self._pruned = Counter("tasks_pruned", "Tasks deleted by the retention.", registry=self.registry)
        self._swept = Counter("files_swept", "Files removed that no task needs.", registry=self.registry)
        self._doorbell = Gauge("doorbell_heard", "1 while other processes are heard.", registry=self.registry)
        self._oldest_transaction = Gauge(
            "database_oldest_transaction_seconds", "How long anybody has kept old rows.", registry=self.registry
        )
        self._dead = Gauge("database_dead_rows", "Dead rows of busy tables.", ("table",), registry=self.registry)

    def _make_process_metrics(self) -> None:
        self.loop_lag = Histogram(
            "event_loop_lag_seconds",
            "How much later than due the event loop came to things.",
            buckets=_LAG_SECONDS,
            registry=self.registry,
        )
        self._pool = Gauge(
            "database_pool_connections", "Open connections of the pool.", ("state",), registry=self.registry
        )
        self._pool_limit = Gauge(
            "database_pool_limit", "How many connections the pool may open.", registry=self.registry
        )
        self._pool_waiting = Gauge(
            "database_pool_waiting", "Callers that wait for a connection of the pool.", registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def show_pool(self, pool: PoolStatus) -> None:
        """Set the gauges of the pool."""
        self._pool.labels("used").set(pool.in_use)
        self._pool.labels("idle").set(pool.idle)
        self._pool_limit.set(pool.limit)
        self._pool_waiting.set(pool.waiting)

    def forget_queue(self) -> None:
        """Show no figures of the queue: none are better than old ones."""
        self._depth.clear()
        self._oldest.clear()

    def show_queue(self, lanes: Iterable[QueueStatus]) -> None:
        """Set the gauges of the queue to what the database says now."""
        for lane in lanes:
            self._depth.labels(lane.processor, "ready").set(lane.ready)
            self._depth.labels(lane.processor, "scheduled").set(lane.scheduled)
            self._depth.labels(lane.processor, "processing").set(lane.processing)
            self._oldest.labels(lane.processor).set(lane.oldest_seconds or 0.0)
            for outcome in OutcomeKind:
                self._tasks.labels(lane.processor, outcome.value)  # from 0 on: a rate does not see how a series begins

    def render(self) -> bytes:
        """Return every figure in the text format of Prometheus."""
        return generate_latest(self.registry)

    def submitted(self, *, processor: str, tasks: int) -> None:
        """Count stored tasks."""
        self._submitted.labels(processor).inc(tasks)

    def claimed(self, *, tasks: int, seconds: float) -> None:
        """Count a claim and what it took."""
        self._claims.observe(seconds)
        self._claimed.inc(tasks)

    def attempt_finished(
        self, *, task_id: TaskId, processor: str, attempt: int, outcome: OutcomeKind, seconds: float
    ) -> None:
        """Count an attempt's end under its outcome."""
        self._tasks.labels(processor, outcome.value).inc()
        self._durations.labels(processor, outcome.value).observe(seconds)
        if outcome is OutcomeKind.RETRY:
            self._retries.labels(processor).inc()

    def flushed(self, *, tasks: int, seconds: float) -> None:
        """Count a flush and what it took."""
        self._flushes.observe(seconds)

    def leases_lost(self, *, tasks: int) -> None:
        """Count fenced attempts."""
        self._leases_lost.inc(tasks)

    def tasks_rescued(self, *, tasks: int) -> None:
        """Count rescued tasks."""
        self._rescued.inc(tasks)

    def tasks_promoted(self, *, tasks: int) -> None:
        """Count tasks that became ready at their time."""
        self._promoted.inc(tasks)

    def tasks_pruned(self, *, tasks: int) -> None:
        """Count tasks that the retention deleted."""
        self._pruned.inc(tasks)

    def files_swept(self, *, files: int) -> None:
        """Count removed files."""
        self._swept.inc(files)

    def progress_dropped(self, *, events: int) -> None:
        """Count progress that a watcher of this process missed."""
        self._progress_dropped.inc(events)

    def slots_changed(self, *, used: int, total: int) -> None:
        """Show the worker's slots."""
        self._slots.labels("used").set(used)
        self._slots.labels("all").set(total)

    def doorbell_changed(self, *, heard: bool) -> None:
        """Show whether other processes are heard."""
        self._doorbell.set(heard)

    def database_pressure(self, *, oldest_transaction_seconds: float, dead_rows: Mapping[str, int]) -> None:
        """Show what weighs on the database."""
        self._oldest_transaction.set(oldest_transaction_seconds)
        for table, rows in dead_rows.items():
            self._dead.labels(table).set(rows)
