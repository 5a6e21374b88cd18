"""Changes of tasks, one or hundreds in a transaction: cancel, requeue, reprioritize, delete.

Each locks the rows of its tasks first, and only then looks where the tasks are, place by place: one statement
over all places would look at one moment, and lose against a claim that moves a task meanwhile.

Whoever changes many at once never waits for the row or the lease of a task while it holds others: what
somebody else has locked is left out (`waits=False`) and taken up again alone. So it cannot meet the flush
of a worker, which locks in an order of its own, in a deadlock. Claims and promotions wait for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, assert_never
from uuid import UUID

import asyncpg
import attrs
from attrs import Factory, frozen

from novel_tasks_core.clock import Clock
from novel_tasks_core.conversion import clean_text, error_json, new_event
from novel_tasks_core.errors import LeaseLostError
from novel_tasks_core.events import (
    Event,
    StoredEvent,
    TaskCancelled,
    TaskCancelRequested,
    TaskDeleted,
    TaskReprioritized,
    TaskRequeued,
)
from novel_tasks_core.models import (
    EXTERNAL_WORKER,
    Cancelled,
    ErrorInfo,
    SkipReason,
    TaskId,
    TaskStatus,
    WorkerId,
)
from novel_tasks_core.states import may_follow
from novel_tasks_core.storage.endings import Ending, finish_columns, make_ending, numbered, stored_event
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.queue import Head

if TYPE_CHECKING:
    from novel_tasks_core.storage.database import Connection

_LOOKS = 100


@frozen(kw_only=True)
class Change:
    """What a change did: events to tell watchers, tasks that became ready, and the workers that must hear of it."""

    events: tuple[Event, ...] = ()
    heads: tuple[Head, ...] = ()
    workers: frozenset[WorkerId] = frozenset()


@frozen
class Cancel:
    """End waiting tasks as cancelled, ask running ones to stop."""

    reason: str


@frozen
class Requeue:
    """Put finished tasks back into the queue."""


@frozen
class Reprioritize:
    """Give unfinished tasks another priority."""

    priority: int


@frozen
class Delete:
    """Delete tasks with all that is their own."""


Wanted = Cancel | Requeue | Reprioritize | Delete
"""What may be done to tasks: a closed set."""


@frozen(kw_only=True)
class Standing:
    """How a task stands. `status` is as people see it; `worker_id` and `attempt` are of the attempt that runs."""

    id: TaskId
    status: TaskStatus
    processor: str
    owner: str
    key: str | None
    priority: int
    attempt: int
    last_seq: int
    cancel_requested: bool
    finished_at: datetime | None
    worker_id: WorkerId | None = None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Standing:
        """Read a row of a task without its lease."""
        return cls(
            id=TaskId(row["id"]),
            status=TaskStatus(row["status"]),
            processor=row["processor"],
            owner=row["owner"],
            key=row["key"],
            priority=row["priority"],
            attempt=row["attempt"],
            last_seq=row["last_seq"],
            cancel_requested=row["cancel_reason"] is not None,
            finished_at=row["finished_at"],
        )

    def run_by(self, worker_id: WorkerId, attempt: int) -> Standing:
        """Return the task as it stands with a lease."""
        return attrs.evolve(self, status=TaskStatus.PROCESSING, worker_id=worker_id, attempt=attempt)


@frozen(kw_only=True)
class Applied:
    """What was done, and to which tasks it was not: by task, who holds the key that it would need."""

    change: Change = Change()
    key_taken: Mapping[TaskId, TaskId] = Factory(dict)


def refusal(wanted: Wanted, task: Standing) -> SkipReason | None:
    """Say why a task that stands like this is left as it is; None if it is not."""
    match wanted:
        case Cancel():
            if not may_follow(task.status, TaskStatus.CANCELLED):
                return SkipReason.ILLEGAL
            return SkipReason.ALREADY if task.cancel_requested and task.worker_id is not None else None
        case Requeue():
            return None if task.status.is_final else SkipReason.ILLEGAL
        case Reprioritize(priority):
            if task.status.is_final:
                return SkipReason.ILLEGAL
            return SkipReason.ALREADY if task.priority == priority else None
        case Delete():
            return None
    assert_never(wanted)


class Changes:
    """Changes on a connection that is in a transaction; what they return may be told once that has committed."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._sql = load_queries("changes")
        self._finish = load_queries("queue")["finish"]

    async def locked(self, connection: Connection, ids: Sequence[TaskId], *, waits: bool = True) -> list[Standing]:
        """Lock those of the tasks that exist until the end of the transaction, and return how they stand, by id.

        Without `waits`, those that somebody else has locked are left out.
        """
        rows = await connection.fetch(self._sql["lock" if waits else "lock_free"], ids)
        found = {task.id: task for task in map(Standing.of, rows)}
        pending = {task.id for task in found.values() if task.status is TaskStatus.PENDING}
        leases = "hold_leases" if waits else "hold_free_leases"
        for _ in range(_LOOKS):
            for place in ("hold_scheduled", "hold_ready", leases):
                for row in await self._hold(connection, place, pending):
                    pending.discard(row["task_id"])
                    if place == leases:
                        task = found[row["task_id"]]
                        found[task.id] = task.run_by(WorkerId(row["worker_id"]), row["attempt"])
            if not (pending and waits):
                return [task for task in found.values() if task.id not in pending]
            await asyncio.sleep(0)
        raise AssertionError(f"{pending} are in no location")

    async def _hold(self, connection: Connection, place: str, ids: Collection[UUID]) -> list[asyncpg.Record]:
        return await connection.fetch(self._sql[place], list(ids)) if ids else []

    async def existing(self, connection: Connection, ids: Sequence[TaskId]) -> set[TaskId]:
        """Return those of the tasks that exist."""
        return {TaskId(row["id"]) for row in await connection.fetch(self._sql["existing"], ids)}

    async def apply(self, connection: Connection, wanted: Wanted, tasks: Sequence[Standing]) -> Applied:
        """Do what is wanted to tasks that `locked` returned and that nothing refuses."""
        if not tasks:
            return Applied()
        match wanted:
            case Cancel(reason):
                return Applied(change=await self._cancel(connection, tasks, reason))
            case Requeue():
                return await self._requeue(connection, tasks)
            case Reprioritize(priority):
                return Applied(change=await self._reprioritize(connection, tasks, priority))
            case Delete():
                return Applied(change=await self._delete(connection, tasks))
        assert_never(wanted)

    async def _cancel(self, connection: Connection, tasks: Sequence[Standing], reason: str) -> Change:
        waiting = [t for t in tasks if t.worker_id is None]
        outside = [t for t in tasks if t.worker_id == EXTERNAL_WORKER]
        running = [t for t in tasks if t.worker_id is not None and t.worker_id != EXTERNAL_WORKER]
        events: list[Event] = []
        if waiting:
            events += await self._end_waiting(connection, waiting, reason)
        if outside:
            at, outcome = self._clock.now(), Cancelled(reason=reason)
            endings = [make_ending(t.id, outcome, attempt=t.attempt, at=at) for t in outside]
            events += await self.end_external(connection, endings)
        if running:
            events += await self._ask_to_cancel(connection, running, reason)
        return Change(events=tuple(events), workers=frozenset(t.worker_id for t in running if t.worker_id is not None))

    async def _end_waiting(
        self, connection: Connection, tasks: Sequence[Standing], reason: str
    ) -> Iterable[StoredEvent]:
        at = self._clock.now()
        told = {t.id: TaskCancelled(task_id=t.id, seq=0, at=at, attempt=0, reason=clean_text(reason)) for t in tasks}
        error = error_json(ErrorInfo("Cancelled", reason))
        data = new_event(next(iter(told.values()))).data
        return _numbered(told, await connection.fetch(self._sql["end_cancelled"], list(told), at, error, data))

    async def _ask_to_cancel(
        self, connection: Connection, tasks: Sequence[Standing], reason: str
    ) -> Iterable[StoredEvent]:
        at = self._clock.now()
        told = {t.id: TaskCancelRequested(task_id=t.id, seq=0, at=at, attempt=t.attempt) for t in tasks}
        return _numbered(told, await connection.fetch(self._sql["ask_to_cancel"], list(told), clean_text(reason), at))

    async def end_external(self, connection: Connection, endings: Sequence[Ending]) -> list[StoredEvent]:
        """End attempts of outside services. Raises: LeaseLostError for one that is not held any more."""
        rows = await connection.fetch(self._finish, *finish_columns(endings, EXTERNAL_WORKER, EXTERNAL_WORKER))
        seqs = {row["id"]: row["last_seq"] for row in rows}
        for ending in endings:
            if ending.task_id not in seqs:
                raise LeaseLostError(ending.task_id, ending.attempt)
        return [stored_event(ending, seqs[ending.task_id]) for ending in endings]

    async def _requeue(self, connection: Connection, tasks: Sequence[Standing]) -> Applied:
        taken = await self._take_keys(connection, [t.id for t in tasks if t.key is not None])
        at = self._clock.now()
        told = {t.id: TaskRequeued(task_id=t.id, seq=0, at=at) for t in tasks if t.id not in taken}
        rows = await connection.fetch(self._sql["requeue"], list(told), at) if told else []
        heads = first_heads(Head(row["lane"], row["priority"], row["position"]) for row in rows)
        return Applied(change=Change(events=tuple(_numbered(told, rows)), heads=heads), key_taken=taken)

    async def _take_keys(self, connection: Connection, ids: Sequence[TaskId]) -> dict[TaskId, TaskId]:
        """Give tasks their keys back; return those whose key is another one's, and whose."""
        taken: dict[TaskId, TaskId] = {}
        while ids:
            await connection.execute(self._sql["take_keys"], ids)
            holders = await self.key_holders(connection, ids)
            taken |= {task_id: holder for task_id, holder in holders.items() if holder != task_id}
            ids = [task_id for task_id in ids if task_id not in holders]  # let go of between the two statements
        return taken

    async def key_holders(self, connection: Connection, ids: Sequence[TaskId]) -> dict[TaskId, TaskId]:
        """Return who holds the keys of these tasks, of those whose key is held."""
        rows = await connection.fetch(self._sql["key_holders"], ids)
        return {TaskId(row["id"]): TaskId(row["holder"]) for row in rows}

    async def _reprioritize(self, connection: Connection, tasks: Sequence[Standing], priority: int) -> Change:
        at = self._clock.now()
        told = {t.id: TaskReprioritized(task_id=t.id, seq=0, at=at, priority=priority) for t in tasks}
        data = new_event(next(iter(told.values()))).data
        rows = await connection.fetch(self._sql["reprioritize"], list(told), priority, at, data)
        heads = first_heads(Head(row["lane"], priority, row["position"]) for row in rows if row["lane"] is not None)
        return Change(events=tuple(_numbered(told, rows)), heads=heads)

    async def _delete(self, connection: Connection, tasks: Sequence[Standing]) -> Change:
        rows = await connection.fetch(self._sql["delete"], [t.id for t in tasks])
        at, owners = self._clock.now(), {t.id: t.owner for t in tasks}
        return Change(
            events=tuple(TaskDeleted(task_id=TaskId(row["id"]), at=at, owner=owners[row["id"]]) for row in rows),
            workers=frozenset(WorkerId(row["worker_id"]) for row in rows if row["worker_id"] is not None),
        )


def _numbered(told: Mapping[TaskId, StoredEvent], rows: Iterable[asyncpg.Record]) -> Iterable[StoredEvent]:
    return [numbered(told[TaskId(row["id"])], row["last_seq"]) for row in rows]


def first_heads(heads: Iterable[Head]) -> tuple[Head, ...]:
    """Keep the first place of each (lane, priority)."""
    first: dict[tuple[int, int], Head] = {}
    for head in heads:
        place = (head.lane, head.priority)
        if place not in first or head.position < first[place].position:
            first[place] = head
    return tuple(first.values())
