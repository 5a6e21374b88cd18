"""The real engine as the model-based test drives it: workers that claim once, and attempts on strings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from attrs import define, field

from novel_tasks_core import AttemptContext, EngineConfig, Event, Processors, RetryPolicy, TaskEngine, TaskId
from novel_tasks_core.models import Claim, Completed
from novel_tasks_core.retries import Backoff
from novel_tasks_core.storage.endings import make_ending
from novel_tasks_core.worker import Worker, flusher

from .bench import TABLES
from .clocks import TURN, TurnedClock
from .meetings import faults
from .model import POLICY_ATTEMPTS, RETRY_STEPS, STEP_SECONDS

LANES = ("a", "b")
POLICY = RetryPolicy(
    max_attempts=POLICY_ATTEMPTS, backoff=Backoff.FIXED, base_seconds=(RETRY_STEPS - 0.5) * STEP_SECONDS, jitter=0
)

Order = Callable[[AttemptContext], Awaitable[Any]]
T = TypeVar("T")


class Strings:
    """One running attempt, which does what it is told and then waits for more."""

    def __init__(self, ctx: AttemptContext) -> None:
        self.ctx = ctx
        self._orders: asyncio.Queue[tuple[Order, asyncio.Future[None]]] = asyncio.Queue()

    async def run(self) -> Any:
        """Carry orders out until one returns a value that is not None, or raises."""
        while True:
            order, done = await self._orders.get()
            try:
                value = await order(self.ctx)
            finally:
                if not done.done():
                    done.set_result(None)
            if value is not None:
                return value

    async def pull(self, order: Order) -> None:
        """Have an order carried out."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._orders.put_nowait((order, done))
        await done


@define(eq=False)
class Hand:
    """A worker that has claimed what it will ever claim, and runs it."""

    worker: Worker
    opened: AbstractAsyncContextManager[Worker]
    draining: asyncio.Task[None]
    id: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.id = self.worker.id


@define(eq=False)
class World:
    """An engine without its own maintenance, on a database whose clock can be turned."""

    engine: TaskEngine
    eyes: asyncpg.Connection[asyncpg.Record]
    clock: TurnedClock
    runner: asyncio.Runner
    running: dict[tuple[TaskId, int], Strings]
    begun: asyncio.Event
    patience_seconds: float = 60.0
    hands: list[Hand] = field(factory=list)
    ghosts: list[tuple[Claim, int]] = field(factory=list)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the world."""
        return self.runner.run(work)

    # -- workers ----------------------------------------------------------------------------------------------

    async def work(self, lane: str, slots: int, expected: int) -> tuple[int, list[tuple[TaskId, int]]]:
        """Start a worker that claims once; return its id and what it got, in the order in which it began."""
        before = set(self.running)
        opened = self.engine.worker(concurrency=slots, processors=[lane])
        worker = await opened.__aenter__()
        try:
            async with asyncio.timeout(self.patience_seconds):
                while len(self.running) - len(before) < expected:
                    self.begun.clear()
                    await self.begun.wait()
        except TimeoutError:
            pass
        if not expected:
            await worker._try_claim(worker._most())  # there is nothing for it, and it has looked
        draining = asyncio.create_task(worker.drain(grace_seconds=3600))
        await asyncio.sleep(0)
        self.hands.append(Hand(worker, opened, draining))
        got = [held for held in self.running if held not in before]
        self.ghosts += [(r.claim, worker.id) for r in worker._flusher.held.values()]
        return worker.id, got

    async def leave(self, hand: Hand) -> None:
        """Let a worker shut down: what it still runs it gives back."""
        self.hands.remove(hand)
        await hand.worker.close(grace_seconds=0)
        await hand.draining
        await hand.opened.__aexit__(None, None, None)

    async def die(self, hand: Hand) -> None:
        """Let a worker die: nothing of what it does is heard any more, and it is taken off the register."""
        worker = hand.worker
        assert worker._heartbeat is not None
        await worker._heartbeat.stop()
        await worker._services.stop()
        for slot in list(worker._slots._tasks):
            slot.cancel()
        if worker._slots._tasks:
            await asyncio.wait(worker._slots._tasks)
        for running in list(worker._flusher.held.values()):
            worker._flusher._let_go(running)
        await self.leave(hand)

    async def late_end(self, claim: Claim, worker: int) -> bool:
        """Bring the end of an attempt as a worker would that was out of reach; say whether it was believed."""
        ending = make_ending(claim.task_id, Completed(result="late"), attempt=claim.attempt, at=self.clock.now())
        holder: Any = worker
        ended = await self.engine._parts.queue.end([ending], holder=holder, finisher=holder)
        return claim.task_id in ended.last_seq

    # -- looking ----------------------------------------------------------------------------------------------

    async def state(self) -> dict[TaskId, tuple[Any, ...]]:
        """Return all tasks as the tables have them."""
        rows = await self.eyes.fetch(
            "select c.id, c.status, c.attempt, c.failures, c.priority, c.cancel_requested, c.progress, c.result,"
            " l.worker_id, s.task_id is not null as scheduled, k.value as checkpoint,"
            " (select array_agg(e.kind || ' ' || e.attempt order by e.seq) from task_events e where e.task_id = c.id)"
            " as events from task_current c left join task_leases l on l.task_id = c.id"
            " left join task_schedule s on s.task_id = c.id left join task_checkpoints k on k.task_id = c.id"
        )
        return {
            row["id"]: (
                "scheduled" if row["scheduled"] else "ready" if row["status"] == "pending" else row["status"],
                row["attempt"], row["failures"], row["priority"], row["cancel_requested"], row["progress"],
                row["result"], row["worker_id"], row["checkpoint"], row["events"] or [],
            )
            for row in rows
        }  # fmt: skip

    async def keys(self) -> dict[tuple[str, str], TaskId]:
        """Return who holds which key."""
        rows = await self.eyes.fetch("select owner, key, task_id from task_keys")
        return {(row["owner"], row["key"]): row["task_id"] for row in rows}

    async def faults(self) -> list[str]:
        """Return what is broken, whatever the model says."""
        return await faults(self.eyes)

    async def order(self, ids: list[TaskId]) -> list[TaskId]:
        """Return ready tasks in the order in which they stand."""
        rows = await self.eyes.fetch("select task_id from task_ready where task_id = any($1) order by position", ids)
        return [row["task_id"] for row in rows]

    # -- time -------------------------------------------------------------------------------------------------

    async def pass_time(self, seconds: float) -> None:
        """Let time pass for the database and the engine."""
        self.clock.advance(seconds)
        await self.eyes.execute(TURN, seconds)

    async def clear(self) -> None:
        """End all workers and forget everything."""
        for hand in list(self.hands):
            await self.leave(hand)
        self.ghosts.clear()
        for lane in LANES:
            await self.engine.resume(lane)
        await self.eyes.execute(";".join(f"delete from {table}" for table in (*TABLES, "workers")))


@asynccontextmanager
async def open_world(url: str, folder: Path, runner: asyncio.Runner) -> AsyncIterator[World]:
    """Open the engine, and silence what would change tasks by itself."""
    clock, processors = TurnedClock(), Processors()
    running: dict[tuple[TaskId, int], Strings] = {}
    begun = asyncio.Event()

    async def puppet(ctx: AttemptContext) -> Any:
        held = (ctx.task_id, ctx.attempt)
        running[held] = Strings(ctx)
        begun.set()
        try:
            return await running[held].run()
        finally:
            del running[held]

    for lane in LANES:
        processors.register(lane, puppet, retry=POLICY)
    config = EngineConfig(
        database_url=url, data_dir=folder, pool_size=4, pool_overflow=4, lease_ttl_seconds=3600.0,
        heartbeat_seconds=600.0, poll_min_seconds=0.005, poll_max_seconds=0.05, cancel_grace_seconds=5.0,
        retention_days=1.0,
    )  # fmt: skip
    eyes = await asyncpg.connect(url)
    try:
        async with TaskEngine.open(config, processors=processors, clock=clock) as engine:
            for service in engine._parts.services._tasks:
                if service.get_name() == "maintenance":
                    service.cancel()
            yield World(engine, eyes, clock, runner, running, begun)
    finally:
        await eyes.close(timeout=60)


class Follower:
    """Watches a task from a seq on, in the background."""

    def __init__(self, engine: TaskEngine, task_id: TaskId, after: int) -> None:
        self.task_id = task_id
        self.after = after
        self.kinds: list[str] = []
        self.seqs: list[int] = []
        self.task = asyncio.create_task(self._follow(engine))

    async def _follow(self, engine: TaskEngine) -> None:
        event: Event
        async for event in engine.watch(self.task_id, after=self.after):
            self.kinds.append(event.kind)
            if hasattr(event, "seq"):
                self.seqs.append(event.seq)

    async def stop(self) -> None:
        """Stop watching."""
        self.task.cancel()
        await asyncio.wait([self.task])


def quick_flushes(patch: Any) -> None:
    """Store what attempts say at once: the model knows no delay."""
    for name in ("_EVENTS_SECONDS", "_LEASE_PROGRESS_SECONDS", "_WATCHER_PROGRESS_SECONDS"):
        patch.setattr(flusher, name, 0.0)
