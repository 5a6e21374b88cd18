"""A bench for the queue's statements: tasks, workers and their moves, without an engine around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import asyncpg

from novel_tasks_core.clock import SystemClock
from novel_tasks_core.config import EngineConfig
from novel_tasks_core.models import (
    Claim,
    Completed,
    ErrorInfo,
    Outcome,
    OutcomeKind,
    Retrying,
    Source,
    TaskId,
    WorkerId,
)
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.endings import Ending, finish_columns, make_ending, postpone_columns
from novel_tasks_core.storage.queue import Ended, Lane, Queue
from novel_tasks_core.storage.submits import Row, Submitter
from novel_tasks_core.storage.transitions import Transitions

RESCUER = WorkerId(-1)
TABLES = (
    "tasks", "task_ready", "task_schedule", "task_leases", "task_events", "task_attempts", "task_checkpoints",
    "task_keys", "artifacts", "task_counts",
)  # fmt: skip


def row(lane: int, *, source: Source | None = None, **changes: Any) -> Row:
    """Make a new task of the lane."""
    if source is not None:
        changes |= {
            "source_sha256": bytes.fromhex(source.sha256),
            "source_size": source.size,
            "source_name": source.name,
        }
    fields: dict[str, Any] = dict.fromkeys(Row._fields) | {"lane": lane, "owner": "", "priority": 0}
    return Row(**fields | changes)


def spoil(owner: Any, query: str, guard: str, instead: str) -> None:
    """Replace a part of one of the statements of `owner`, which must be there: so a test makes its mutant."""
    text = owner._sql[query]
    assert guard in text, (query, guard)
    owner._sql = MappingProxyType({**owner._sql, query: text.replace(guard, instead)})


class Bench:
    """One lane, a queue whose statements a test may spoil, and a second connection for whoever comes in between."""

    def __init__(self, database: Database, other: asyncpg.Connection[asyncpg.Record]) -> None:
        self.database = database
        self.other = other
        self._links = [database.link(name) for name in ("claim", "flush", "submit")]
        self.queue = Queue(claims=self._links[0], flushes=self._links[1])
        self.submitter = Submitter(database, clock=SystemClock(), plain=self._links[2], keyed=self._links[2])
        self.transitions = Transitions(database, clock=SystemClock())
        self.lane = 0

    async def close(self) -> None:
        """Close the links."""
        for link in self._links:
            await link.close()

    async def clear(self) -> None:
        """Forget all tasks."""
        await self.other.execute(";".join(f"delete from {table}" for table in TABLES))

    def spoil(self, query: str, guard: str, instead: str) -> None:
        """Replace a part of a statement of the queue, which must be there."""
        spoil(self.queue, query, guard, instead)

    async def submit(self, **changes: Any) -> TaskId:
        """Store a task."""
        stored = await self.submitter.store([row(self.lane, **changes)])
        assert stored.ids[0] is not None
        return stored.ids[0]

    def another_queue(self) -> Queue:
        """Return a queue with connections of its own, as another process has."""
        claims, flushes = self.database.link("claim"), self.database.link("flush")
        self._links += [claims, flushes]
        return Queue(claims=claims, flushes=flushes)

    async def claim(self, worker_id: int, *, most: int = 1, queue: Queue | None = None) -> list[Claim]:
        """Claim as a worker does."""
        lane = Lane(self.lane, "bench", 60.0)
        queue = queue or self.queue
        heads = await queue.heads([self.lane])
        claimed = await queue.claim(
            heads, lanes={self.lane: lane}, most={self.lane: most}, worker_id=WorkerId(worker_id)
        )
        return [claim for claim, _ in claimed]

    def ending(self, claim: Claim, outcome: Outcome, *, kind: OutcomeKind | None = None) -> Ending:
        """Make the end of an attempt."""
        return make_ending(claim.task_id, outcome, attempt=claim.attempt, at=datetime.now(UTC), kind=kind)

    async def end(self, claim: Claim, outcome: Outcome, *, holder: int, finisher: int | None = None) -> Ended:
        """End an attempt, as its holder or as somebody who says so for it."""
        kind = OutcomeKind.LOST if finisher == RESCUER else None
        ending = self.ending(claim, outcome, kind=kind)
        return await self.queue.end(
            [ending], holder=WorkerId(holder), finisher=WorkerId(holder if finisher is None else finisher)
        )

    async def complete(self, claim: Claim, *, holder: int, result: str = "") -> bool:
        """Complete an attempt and say whether that was accepted."""
        return claim.task_id in (await self.end(claim, Completed(result=result), holder=holder)).last_seq

    async def rescue(self, claim: Claim, *, holder: int) -> Ended:
        """Put the task of a dead worker back."""
        return await self.end(claim, lost(), holder=holder, finisher=RESCUER)

    @asynccontextmanager
    async def in_between(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """Do something on the second connection that commits only at the end of the block."""
        async with self.other.transaction():
            yield self.other

    async def blocked(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        """Start work that must wait for somebody's lock, and return once the server says that it waits."""
        before = await self._waiting()
        task = asyncio.ensure_future(work)
        async with asyncio.timeout(60):
            while await self._waiting() <= before:
                if task.done():
                    raise AssertionError(f"it did not wait: {task}")
                await asyncio.sleep(0.005)
        return task

    async def waits(self, task: asyncio.Future[Any]) -> bool:
        """Return once work that has begun waits for somebody's lock, sleeps, or is done; say whether it waits."""
        async with asyncio.timeout(60):
            while not task.done():
                if await self._waiting():
                    return True
                await asyncio.sleep(0)
        return False

    async def _waiting(self) -> int:
        return int(
            await self.database.fetchval(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and (wait_event_type = 'Lock' or wait_event = 'PgSleep')"
            )
        )

    async def state(self, task_id: TaskId) -> tuple[str, int, int, str | None]:
        """Return the stored status, the last attempt that ended, the last seq, and the result."""
        found = await self.other.fetchrow("select status, attempt, last_seq, result from tasks where id = $1", task_id)
        assert found is not None
        return found["status"], found["attempt"], found["last_seq"], found["result"]


def lost() -> Retrying:
    """Make the outcome of an attempt whose worker died."""
    return Retrying(delay_seconds=0, error=ErrorInfo("worker_lost", "gone"))


def ending_columns(claim: Claim, outcome: Outcome, *, holder: int, finisher: int) -> tuple[str, list[Any]]:
    """Return the statement and the parameters that end an attempt, for a connection of the test's own."""
    ending: Ending = make_ending(claim.task_id, outcome, attempt=claim.attempt, at=datetime.now(UTC))
    if isinstance(outcome, Completed):
        return "finish", finish_columns([ending], WorkerId(holder), WorkerId(finisher))
    return "postpone", postpone_columns([ending], WorkerId(holder), WorkerId(finisher))


async def open_bench(database_url: str, config: EngineConfig) -> AsyncIterator[Bench]:
    """Open a bench on the test's database."""
    other = await asyncpg.connect(database_url)
    async with Database.open(database_url, config=config) as database:
        bench = Bench(database, other)
        try:
            bench.lane = await bench.queue.make_lane("bench")
            yield bench
        finally:
            await bench.close()
            await other.close(timeout=60)


LATER = timedelta(days=1)
