"""Two at once on one task: sides that work on connections of their own, and ways to let them meet."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from attrs import frozen

from novel_tasks_core.clock import SystemClock
from novel_tasks_core.errors import IllegalTransitionError, LeaseLostError, NovelTasksError, TaskNotFoundError
from novel_tasks_core.models import Claim, TaskId
from novel_tasks_core.storage.database import Database, Link
from novel_tasks_core.storage.faults import driver_errors
from novel_tasks_core.storage.queries import load_queries
from novel_tasks_core.storage.queue import Queue
from novel_tasks_core.storage.transitions import Transitions

from .bench import TABLES, Bench, spoil

LOSERS = (IllegalTransitionError, TaskNotFoundError, LeaseLostError)
"""What a change that came second may be told."""


TRY_SECONDS = 60.0


def tries() -> Iterator[int]:
    """Count tries of something whose moment is of chance, for a minute: a busy machine needs more of them."""
    until = time.monotonic() + TRY_SECONDS
    for number in itertools.count():
        yield number
        if time.monotonic() > until:
            return


class HeldDatabase(Database):
    """A database whose every transaction is a part of the one that a test holds open."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self, *, within_seconds: float | None = None) -> AsyncIterator[Any]:
        """Lend the connection of the test."""
        with driver_errors():
            yield self._connection


class HeldLink(Link):
    """A link over that connection."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._held = connection

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Run one statement inside the test's transaction."""
        with driver_errors():
            return await self._held.fetch(query, *args)


@frozen
class Side:
    """One of two that meet: the same code, on connections of its own."""

    bench: Bench
    queue: Queue
    transitions: Transitions


class Ring:
    """Where two meet: each side on its own connections, `held` inside a transaction that the ring commits."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        link = HeldLink(bench.other)
        held = HeldDatabase(bench.other)
        self.held = Side(bench, Queue(claims=link, flushes=link), Transitions(held, clock=SystemClock()))
        self.left = Side(bench, bench.queue, bench.transitions)
        self._others: list[Side] = []
        self.right = self.another()

    def another(self) -> Side:
        """Return one more side, with the statements that the others have."""
        queue, changes = self.bench.another_queue(), Transitions(self.bench.database, clock=SystemClock())
        queue._sql, changes._changes._sql = self.left.queue._sql, self.left.transitions._changes._sql
        self._others.append(Side(self.bench, queue, changes))
        return self._others[-1]

    def spoil(self, query: str, guard: str, instead: str) -> None:
        """Replace a part of a statement on all sides; it must be there."""
        owners: Iterable[Any] = [
            owner
            for side in (self.held, self.left, *self._others)
            for owner in (side.queue, side.transitions._changes)
            if query in owner._sql
        ]
        for owner in owners:
            spoil(owner, query, guard, instead)

    async def in_lock_step(self, first: Move, second: Move, task: Subject, *, wait: bool) -> tuple[Any, Any]:
        """Let `first` commit only after `second` has begun: once it waits for a lock, or at a moment of chance."""
        transaction = self.bench.other.transaction()
        await transaction.start()
        one = await _told(first(self.held, task))
        late = asyncio.ensure_future(_told(second(self.left, task)))
        if wait:
            await self.bench.waits(late)
        else:
            await asyncio.sleep(random.random() * 0.002)
        await transaction.commit()
        return one, await late

    async def at_once(self, first: Move, second: Move, task: Subject) -> tuple[Any, Any]:
        """Start both at the same moment, in either order."""
        moves = [(first, self.left), (second, self.right)]
        started = [asyncio.ensure_future(_told(move(side, task))) for move, side in moves]
        one, two = await asyncio.gather(*started)
        return one, two


@frozen
class Subject:
    """The task that two meet on, and its attempt if one runs."""

    task_id: TaskId
    claim: Claim | None = None

    @property
    def running(self) -> Claim:
        """The attempt."""
        assert self.claim is not None
        return self.claim


Move = Callable[[Side, Subject], Awaitable[Any]]


async def _told(move: Awaitable[Any]) -> Any:
    """Return what a move brought, errors of ours and broken promises of the code included."""
    try:
        return await move
    except (NovelTasksError, AssertionError) as exc:
        return exc


FAULTS = {
    **{name: load_queries("tasks")[name] for name in ("location_faults", "count_faults")},
    **{
        f"rows of no task in {table}": f"select from {table} where task_id not in (select id from tasks)"
        for table in TABLES
        if table not in ("tasks", "task_counts")
    },
    "gaps": "select from tasks t,"
    " lateral (select count(*) as events, coalesce(max(seq), 0) as last from task_events where task_id = t.id) e"
    " where (e.events, e.last) <> (t.last_seq, t.last_seq)",
    "priorities that differ": "select from task_ready r join tasks t on t.id = task_id where t.priority <> r.priority",
    "checkpoints of what is over": "select from task_checkpoints c join tasks t on t.id = c.task_id"
    " where t.status <> 'pending'",
    "keys of what let them go": "select from task_keys k join tasks t on t.id = k.task_id"
    " where t.key_release is null or t.status <> 'pending' and t.key_release = 'n'"
    " or t.status in ('failed', 'cancelled') and t.key_release = 'f'",
}
_FAULTS = " union all ".join(f"select '{name}' where exists ({query})" for name, query in FAULTS.items())


async def faults(connection: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    """Return the names of the promises that the tables break at this moment; none, ever."""
    return [row[0] for row in await connection.fetch(_FAULTS)]
