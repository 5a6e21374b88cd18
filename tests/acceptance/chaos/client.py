"""The client process of a chaos run: it submits, meddles and watches, and writes down what was acknowledged.

`python -m tests.acceptance.chaos.client DATABASE_URL DATA_DIR SEED TASKS RATE`; stops submitting by SIGTERM, and ends
once its watchers have seen the end of what they watch.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import random
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from novel_tasks_core import (
    DatabaseUnavailableError,
    DuplicateTaskError,
    IllegalTransitionError,
    NewTask,
    NovelTasksError,
    OnDuplicate,
    StoredEvent,
    TaskEngine,
    TaskId,
    TaskNotFoundError,
)

from .journal import journal
from .work import config, processors
from .worker import Faults, keep_stdout, say_ready, stop_request

BACKLOG = 150
"""How many tasks may wait before the client pauses: rescued ones must not stand in a long queue."""

_KINDS = {"noop": 6, "nap": 8, "steps": 5, "artifacts": 3, "flaky": 3, "doomed": 1, "child": 3}
_KEYS = 25
_RECENT = 300
_PAUSE_SECONDS = 0.05
_WATCHERS = 8
_PATIENCE_SECONDS = 20.0
_ANSWERS = (IllegalTransitionError, TaskNotFoundError, DuplicateTaskError)
"""What a client that meddles at random is rightly told."""


class Client:
    """Callers that work side by side on one engine until `stopping`."""

    def __init__(self, engine: TaskEngine, dice: random.Random, *, most: int, rate: float) -> None:
        self._engine = engine
        self._dice = dice
        self._most = most
        self._rate = rate
        self._submitted = 0
        self._began = time.monotonic()
        self._recent: deque[TaskId] = deque(maxlen=_RECENT)
        self._backlog = 0
        self._stopping = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Do everything at once until told to stop."""
        async with asyncio.TaskGroup() as group:
            for action in (self._look, self._submit, self._submit, self._submit_keyed, self._submit_many):
                group.create_task(self._repeat(action))
            for action in (self._meddle, self._meddle, *[self._watch] * _WATCHERS):
                group.create_task(self._repeat(action))
            await stop.wait()
            self._stopping.set()

    async def _repeat(self, action: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            await self._try(action)
            await asyncio.sleep(self._dice.uniform(0, 2) * _PAUSE_SECONDS)

    async def _try(self, action: Callable[[], Awaitable[None]]) -> None:
        try:
            await action()
        except _ANSWERS as exc:
            journal().write("answer", type(exc).__name__)
        except DatabaseUnavailableError as exc:
            journal().write("unavailable", type(exc).__name__)
        except NovelTasksError as exc:
            journal().write("wrong", f"{action.__name__}: {exc!r}")

    # -- submitting -------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        statistics = await self._engine.statistics()
        self._backlog = statistics.pending

    def _new(self) -> NewTask:
        [kind] = self._dice.choices(list(_KINDS), weights=list(_KINDS.values()))
        later = datetime.now(UTC) + timedelta(seconds=self._dice.uniform(0.05, 0.5))
        return NewTask(
            processor=kind,
            options={"seconds": self._dice.uniform(0.02, 0.3)} if kind == "nap" else {},
            run_at=later if self._dice.random() < 0.1 else None,
            owner=self._dice.choice(("", "ann", "bob")),
            note="submitted" if self._dice.random() < 0.2 else None,
        )

    def _acknowledged(self, *ids: TaskId) -> None:
        for task_id in ids:
            journal().write("submitted", task_id.hex)
        self._recent += ids
        self._submitted += len(ids)
        self._backlog += len(ids)

    @property
    def _has_enough(self) -> bool:
        due = min(self._most, self._rate * (time.monotonic() - self._began))
        return self._backlog >= BACKLOG or self._submitted >= due

    async def _submit(self) -> None:
        if not self._has_enough:
            new = [self._new() for _ in range(self._dice.randrange(1, 8))]
            await asyncio.gather(*(self._try(lambda one=one: self._submit_one(one)) for one in new))  # type: ignore[misc]

    async def _submit_one(self, new: NewTask) -> None:
        task = await self._engine.submit(
            processor=new.processor, options=new.options, run_at=new.run_at, owner=new.owner, note=new.note
        )
        self._acknowledged(task.id)

    async def _submit_many(self) -> None:
        if not self._has_enough:
            new = [self._new() for _ in range(self._dice.randrange(1, 40))]
            self._acknowledged(*await self._engine.submit_many(new))

    async def _submit_keyed(self) -> None:
        if self._has_enough:
            return
        key = f"key-{self._dice.randrange(_KEYS)}"
        choice = self._dice.choice(list(OnDuplicate))
        task = await self._engine.submit(processor="nap", key=key, on_duplicate=choice, extra_data={"key": key})
        if not task.duplicate:
            self._acknowledged(task.id)

    # -- meddling ---------------------------------------------------------------------------------------------

    async def _meddle(self) -> None:
        if not self._recent:
            return
        task_id = self._dice.choice(self._recent)
        match self._dice.random():
            case low if low < 0.3:
                await self._engine.cancel(task_id, reason="chaos")
                journal().write("cancelled", task_id.hex)
            case low if low < 0.6:
                journal().write("requeuing", task_id.hex)  # whether it happens or not: rounds are counted by this
                await self._engine.requeue(task_id)
            case low if low < 0.85:
                await self._engine.reprioritize(task_id, self._dice.randrange(1, 4))
            case _:
                journal().write("deleting", task_id.hex)
                await self._engine.delete(task_id)
                journal().write("deleted", task_id.hex)

    # -- watching ---------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        if self._recent:
            await Watch(self._engine, self._recent[-1]).follow()


class Watch:
    """Follows one task to its end, coming back with the last seq whenever the database was away."""

    def __init__(self, engine: TaskEngine, task_id: TaskId) -> None:
        self._engine = engine
        self._task_id = task_id
        self._seq = 0

    async def follow(self) -> None:
        """Follow, and write down numbers that are missing or repeated, and an end that was not told."""
        while True:
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._listen()
                journal().write("watched", self._task_id.hex, self._seq)
                return
            except TimeoutError:
                if await self._is_over():
                    journal().write("stuck", self._task_id.hex, self._seq)
                    return
            except DatabaseUnavailableError as exc:
                journal().write("unavailable", type(exc).__name__)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen(self) -> None:
        async for event in self._engine.watch(self._task_id, after=self._seq):
            if isinstance(event, StoredEvent):
                if event.seq != self._seq + 1:
                    journal().write("gap", self._task_id.hex, self._seq, event.seq)
                self._seq = event.seq

    async def _is_over(self) -> bool:
        """Say whether nothing more can come, though the watch goes on."""
        task = await self._engine.get(self._task_id)
        return task.status.is_final and task.last_seq == self._seq


async def serve(database_url: str, data_dir: Path, *, seed: str, most: int, rate: float) -> None:
    """Run the client, waiting for the database at the start."""
    stop = stop_request()
    while not stop.is_set():
        try:
            async with TaskEngine.open(
                config(database_url, data_dir), processors=processors(), migrate=False
            ) as engine:
                say_ready()
                await Client(engine, random.Random(seed), most=most, rate=rate).run(stop)
                return
        except DatabaseUnavailableError:
            await asyncio.sleep(_PAUSE_SECONDS)


def main(database_url: str, data_dir: str, seed: str, most: str, rate: str) -> None:
    """Set the journal up and serve."""
    faulthandler.enable()
    keep_stdout()
    logging.getLogger().addHandler(Faults(level=logging.ERROR))
    asyncio.run(serve(database_url, Path(data_dir), seed=seed, most=int(most), rate=float(rate)))


if __name__ == "__main__":
    main(*sys.argv[1:])
