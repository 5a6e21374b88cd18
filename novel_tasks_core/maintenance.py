"""The jobs that keep the tables right: promote what is due, rescue what was lost, prune, sweep, roll up.

No process leads. Jobs that one process is enough for are taken by a row of `maintenance`; promoting and
rescuing are done by all, since every step is safe beside itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from novel_tasks_core.broadcast import Broadcast
from novel_tasks_core.clock import Clock
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import DatabaseUnavailableError, TaskTimeoutError, UnknownProcessorError
from novel_tasks_core.models import (
    FINAL_STATUSES,
    ErrorInfo,
    Failed,
    OutcomeKind,
    Retrying,
    TaskFilter,
    TaskId,
    TaskStatus,
    WorkerId,
)
from novel_tasks_core.observers import Observer
from novel_tasks_core.processors.registry import Processors
from novel_tasks_core.retries import RetryPolicy
from novel_tasks_core.storage.bulk import Bulk
from novel_tasks_core.storage.changes import Change, Delete
from novel_tasks_core.storage.endings import Ending, make_ending, stored_events
from novel_tasks_core.storage.housekeeping import Housekeeping
from novel_tasks_core.storage.migrator import SchemaWatch
from novel_tasks_core.storage.operating import CapacityWatch
from novel_tasks_core.storage.pressure import PressureWatch
from novel_tasks_core.storage.queue import PROMOTE_BATCH, Head, Queue
from novel_tasks_core.storage.registered import RegisteredFiles
from novel_tasks_core.storage.walking import Selection
from novel_tasks_core.storage.workers import Orphan, Workers

logger = logging.getLogger(__name__)

RESCUER = WorkerId(-1)
"""Who ends the attempts of dead workers, in the records."""

_RESCUE_BATCH = 500
_PROMOTE_SECONDS = 0.5
_ROLL_UP_SECONDS = 2.0
_RANGES_SECONDS = 10.0
_FLOW_SECONDS = 600.0
_PRUNE_SECONDS = 600.0
_STRAYS_SECONDS = 60.0
_SWEEP_SECONDS = 600.0
_PRESSURE_SECONDS = 30.0
_UNUSED_FILE_SECONDS = 3600.0
_TEMPORARY_SECONDS = 86400.0


@frozen(kw_only=True)
class MaintenanceParts:
    """What maintenance works with; all of it is the engine's. `announce` tells workers and watchers everywhere."""

    config: EngineConfig
    clock: Clock
    processors: Processors
    queue: Queue
    workers: Workers
    housekeeping: Housekeeping
    pressure: PressureWatch
    capacity: CapacityWatch
    schema: SchemaWatch
    bulk: Bulk
    files: RegisteredFiles
    broadcast: Broadcast
    observer: Observer
    announce: Callable[[Iterable[Head], Iterable[TaskId]], None]


class Maintenance:
    """The jobs, each with its own rhythm."""

    def __init__(self, parts: MaintenanceParts) -> None:
        self._parts = parts
        self._seen: dict[WorkerId, tuple[datetime, float]] = {}

    async def run(self) -> None:
        """Do all jobs for ever; a database that is away is waited for."""
        jobs: tuple[tuple[float, Callable[[], Awaitable[object]]], ...] = (
            (_PROMOTE_SECONDS, self.promote),
            (self._parts.config.heartbeat_seconds, self.rescue),
            (self._parts.config.heartbeat_seconds, self._parts.schema.look),
            (_ROLL_UP_SECONDS, self._once("roll_up", _ROLL_UP_SECONDS, self._parts.housekeeping.roll_up)),
            (_FLOW_SECONDS, self._once("flow", _FLOW_SECONDS, self._parts.housekeeping.forget_flow)),
            (_RANGES_SECONDS, self._once("ranges", _RANGES_SECONDS, self._parts.housekeeping.note_ranges)),
            (_PRUNE_SECONDS, self._once("prune", _PRUNE_SECONDS, self.prune)),
            (_STRAYS_SECONDS, self._once("strays", _STRAYS_SECONDS, self._parts.housekeeping.remove_stray_checkpoints)),
            (_SWEEP_SECONDS, self._once("sweep", _SWEEP_SECONDS, self.sweep)),
            (_PRESSURE_SECONDS, self._parts.pressure.look),
            (_PRESSURE_SECONDS, self._parts.capacity.look),
        )
        async with asyncio.TaskGroup() as group:
            for every, job in jobs:
                group.create_task(self._repeat(every, job))

    async def _repeat(self, every: float, job: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await job()
            except DatabaseUnavailableError as exc:
                logger.warning("maintenance_waits", extra={"reason": exc.reason})
            await asyncio.sleep(every)

    def _once(self, name: str, every: float, job: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        """Let one process of all do a job in each period."""

        async def run() -> None:
            if await self._parts.housekeeping.take(name, every_seconds=every):
                await job()

        return run

    async def promote(self) -> int:
        """Make due tasks ready; returns in how many places tasks became ready."""
        places = 0
        while True:
            heads, tasks = await self._parts.queue.promote()
            self._parts.announce(heads, ())
            places += len(heads)
            if tasks:
                self._parts.observer.tasks_promoted(tasks=tasks)
            if len(heads) == 0 or places >= PROMOTE_BATCH:
                return places

    async def rescue(self) -> int:
        """Put back the tasks of workers that stopped beating, and end overdue ones of outside services.

        A worker is dead when the same heartbeat was seen for a whole lease on our own monotonic clock, so
        that a database clock that jumps kills nobody. Returns how many tasks were put back or ended.
        """
        await self._bury()
        rescued = 0
        while orphans := await self._parts.workers.orphans(limit=_RESCUE_BATCH):
            done = await self._end_all(orphans, self._worker_lost)
            rescued += done
            if done == 0:
                break
        if overdue := await self._parts.workers.overdue(limit=_RESCUE_BATCH):
            rescued += await self._end_all(overdue, self._overdue)
        if rescued:
            logger.warning("tasks_rescued", extra={"tasks": rescued})
            self._parts.observer.tasks_rescued(tasks=rescued)
        return rescued

    async def _bury(self) -> None:
        monotonic = self._parts.clock.monotonic()
        beats = await self._parts.workers.beats()
        self._seen = {
            worker: self._seen[worker] if self._seen.get(worker, (None,))[0] == beat else (beat, monotonic)
            for worker, beat in beats.items()
        }
        for worker, (beat, since) in self._seen.items():
            expired = monotonic - since >= self._parts.config.lease_ttl_seconds
            if expired and await self._parts.workers.bury(worker, beat_at=beat):
                logger.warning("worker_buried", extra={"worker_id": worker})

    async def _end_all(self, orphans: Sequence[Orphan], ending: Callable[[Orphan], Ending]) -> int:
        ended = 0
        for holder in {orphan.worker_id for orphan in orphans}:
            endings = [ending(orphan) for orphan in orphans if orphan.worker_id == holder]
            stored = await self._parts.queue.end(endings, holder=holder, finisher=RESCUER)
            self._parts.announce(stored.heads, stored.last_seq)
            for one in (stored.instead.get(e.task_id, e) for e in endings):
                if one.task_id in stored.last_seq and self._parts.broadcast.watched(one.task_id):
                    self._parts.broadcast.publish(stored_events(one, stored.last_seq[one.task_id], holder))
            ended += len(stored.last_seq)
        return ended

    def _worker_lost(self, orphan: Orphan) -> Ending:
        """Decide what becomes of a dead worker's task: it runs again at once, unless it has failed too often."""
        lost = {"worker": orphan.worker_id, "attempt": orphan.attempt}
        told = f"worker {orphan.worker_id} stopped without finishing attempt {orphan.attempt}"
        error = ErrorInfo("worker_lost", told, details=lost)
        outcome = Retrying(delay_seconds=0, error=error) if self._may_retry(orphan, error) else Failed(error=error)
        return self._ending(orphan, outcome, OutcomeKind.LOST)

    def _may_retry(self, orphan: Orphan, error: ErrorInfo) -> bool:
        """Ask the policy; one that fails itself must not keep the tasks of dead workers where they are."""
        policy, failures = self._policy(orphan.processor), orphan.failures + 1
        try:
            return policy.delay(failures, error_type=error.type, max_attempts=orphan.max_attempts) is not None
        except Exception as exc:
            logger.warning("retry_policy_failed", extra={"task_id": orphan.task_id, "reason": repr(exc)})
            return False

    def _overdue(self, orphan: Orphan) -> Ending:
        seconds = (self._parts.clock.now() - orphan.started_at).total_seconds()
        told = f"the outside service did not finish within {seconds:.0f} s"
        error = ErrorInfo(TaskTimeoutError.__name__, told, details={"seconds": round(seconds)})
        return self._ending(orphan, Failed(error=error), OutcomeKind.FAILED)

    def _ending(self, orphan: Orphan, outcome: Failed | Retrying, kind: OutcomeKind) -> Ending:
        at = max(self._parts.clock.now(), orphan.started_at)
        return make_ending(orphan.task_id, outcome, attempt=orphan.attempt, at=at, kind=kind)

    def _policy(self, processor: str) -> RetryPolicy:
        try:
            return self._parts.processors.get(processor).retry
        except UnknownProcessorError:
            return RetryPolicy()  # another program's processor: it knows better once it has the task

    async def prune(
        self,
        *,
        older_than_days: float | None = None,
        statuses: Collection[TaskStatus] = FINAL_STATUSES,
        dry_run: bool = False,
    ) -> int:
        """Delete tasks that finished longer ago than the retention of their status, or than `older_than_days`.

        Only those of the given final statuses. Returns how many went, or with `dry_run` would.
        """
        pruned = 0
        for status in FINAL_STATUSES:
            days = self._parts.config.retention_of(status) if older_than_days is None else older_than_days
            if days is None or status not in statuses:
                continue
            before = self._parts.clock.now() - timedelta(days=days)
            # Nothing is finished before it was made, and ids are in the order of making: no younger one is looked at.
            expired = Selection(filter=TaskFilter(status=status, created_before=before), finished_before=before)
            done = await self._parts.bulk.change(Delete(), expired, dry_run=dry_run, tell=self._tell)
            pruned += done.changed
        if pruned and not dry_run:
            self._parts.observer.tasks_pruned(tasks=pruned)
        return pruned

    def _tell(self, change: Change) -> None:
        self._parts.broadcast.publish(change.events)

    async def sweep(self) -> int:
        """Remove files that no task needs, and what dead processes left half written. Returns how many files went."""
        swept = await self._parts.files.sweep(unused_seconds=_UNUSED_FILE_SECONDS)
        swept += await self._parts.files.sweep_temporary(older_than_seconds=_TEMPORARY_SECONDS)
        if swept:
            self._parts.observer.files_swept(files=swept)
        return swept
