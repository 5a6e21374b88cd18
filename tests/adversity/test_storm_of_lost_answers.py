"""A thousand answers lost after their commit, of submits, claims, events and ends: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import attrs
import pytest
from attrs import Factory, define

from novel_tasks_core import AttemptContext, EngineConfig, Observer, Processors, TaskEngine
from novel_tasks_core.errors import DatabaseUnavailableError, NovelTasksError
from novel_tasks_core.storage.queue import Ended, Queue
from novel_tasks_core.storage.submits import Submitter
from novel_tasks_core.worker import flusher, lost_claims
from novel_tasks_core.worker.lost_claims import LostClaims

from ..core.support import NO_RETRY, Db
from .proxy import Proxy

LONG = os.environ.get("NOVEL_TASKS_LONG") == "1"
DROPS = 20_000 if LONG else 1_000
ENGINES = 6
CLIENTS = 8
LINKS = ("novel-tasks submit", "novel-tasks claim", "novel-tasks flush")


class Losses(Observer):
    """Counts what a worker was told that it had lost."""

    def __init__(self) -> None:
        self.tasks = 0

    def leases_lost(self, *, tasks: int) -> None:
        """Count."""
        self.tasks += tasks


@define
class Storm:
    """What came of it."""

    submitted: int = 0
    wrong: Counter[str] = Factory(Counter)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less between tries than the engine does, so that there are more of them."""
    monkeypatch.setattr(flusher, "_EVENTS_SECONDS", 0.01)
    monkeypatch.setattr(lost_claims, "_LOOK_SECONDS", 0.05)


async def talk(ctx: AttemptContext) -> int:
    """Say something, long enough before the end for it to be stored by itself."""
    await ctx.log("hello")
    await asyncio.sleep(0.05)
    return ctx.attempt


async def storm(
    config: EngineConfig, processors: Processors, proxy: Proxy, db: Db, *, drops: int, patience_seconds: float
) -> Storm:
    """Submit and await results while answers are lost, and count what went wrong."""
    processors.register("talk", talk, retry=NO_RETRY)
    # Answers are lost at once here: a machine that is only slow must not look like it.
    config = attrs.evolve(
        config,
        connect_timeout_seconds=20.0,
        command_timeout_seconds=20.0,
        lease_ttl_seconds=60.0,
        heartbeat_seconds=1.0,
    )
    seen, losses = Storm(), Losses()

    async def client(engine: TaskEngine, number: int) -> None:
        while proxy.lost.total() < drops:
            name, seen.submitted = f"{number}-{seen.submitted}", seen.submitted + 1
            while True:
                try:
                    task = await engine.submit(processor="talk", session_id=name)
                    break
                except DatabaseUnavailableError:
                    continue  # as every client does that is told so
            async with asyncio.timeout(patience_seconds):
                await engine.result(task.id)

    async with AsyncExitStack() as stack:
        engines = []
        for _ in range(ENGINES):
            opened = TaskEngine.open(config, processors=processors, observers=[losses])
            engines.append(await stack.enter_async_context(opened))
            await stack.enter_async_context(engines[-1].worker(concurrency=CLIENTS))
        proxy.lose_some_answers(0.6, *LINKS)
        clients = (client(engine, n) for n, engine in enumerate(engines * CLIENTS))
        told = await asyncio.gather(*clients, return_exceptions=True)
        proxy.lose_some_answers(0)
    for one in told:
        if isinstance(one, TimeoutError | NovelTasksError):
            seen.wrong["lost"] += 1
        elif one is not None:
            raise one
    seen.wrong["told that it was lost"] += losses.tasks
    await _count_in_the_tables(db, seen)
    return seen


async def _count_in_the_tables(db: Db, seen: Storm) -> None:
    seen.wrong["lost"] += seen.submitted - await db.fetchval("select count(distinct session_id) from tasks")
    seen.wrong["submitted twice"] += await db.fetchval("select count(*) - count(distinct session_id) from tasks")
    seen.wrong["not completed"] += await db.fetchval("select count(*) from tasks where status <> 'completed'")
    seen.wrong["failures"] += await db.fetchval("select coalesce(sum(failures), 0) from tasks")
    for kind in ("started", "log", "completed"):
        seen.wrong[f"{kind} not once"] += await db.fetchval(
            "select count(*) from tasks t where status = 'completed'"
            " and (select count(*) from task_events where task_id = t.id and kind = $1) <> 1", kind,
        )  # fmt: skip
    seen.wrong += Counter()  # only what is there


@pytest.mark.timeout(7200 if LONG else 300)
async def test_a_thousand_lost_answers_lose_nothing_and_double_nothing(
    far_config: EngineConfig, processors: Processors, proxy: Proxy, db: Db
) -> None:
    """Every task is stored once, completed once, with each of its events once; no worker believes that it lost one."""
    began = time.monotonic()
    seen = await storm(far_config, processors, proxy, db, drops=DROPS, patience_seconds=60)
    seconds = time.monotonic() - began
    sys.stdout.write(f"\n{seen.submitted} tasks, {dict(proxy.lost)} answers lost in {seconds:.1f} s: {seen.wrong}\n")
    assert seen.wrong == Counter()
    assert proxy.lost.total() >= DROPS
    assert all(proxy.lost[name] > DROPS / 20 for name in LINKS)


async def _nothing_confirmed(queue: Queue, endings: Any, *, finisher: Any) -> Ended:
    return Ended({})


async def _nothing_recorded(queue: Queue, held: Any) -> dict[Any, Any]:
    return {}


async def _nothing_present(submitter: Submitter, ids: Any) -> frozenset[Any]:
    return frozenset()


async def _nothing_given_back(claims: LostClaims, *, now: bool = False) -> None:
    return None


QUESTIONS: dict[str, tuple[type, str, Callable[..., Any], str]] = {
    "who ended it": (Queue, "confirm", _nothing_confirmed, "told that it was lost"),
    "what is recorded": (Queue, "recorded", _nothing_recorded, "log not once"),
    "what was stored": (Submitter, "present", _nothing_present, "submitted twice"),
    "what is leased": (LostClaims, "give_back", _nothing_given_back, "lost"),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_without_the_question_after_a_lost_answer_something_goes_wrong(
    far_config: EngineConfig, processors: Processors, proxy: Proxy, db: Db, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutants: the same storm where one of the four questions is not asked."""
    owner, method, instead, expected = QUESTIONS[name]
    monkeypatch.setattr(owner, method, instead)
    seen = await storm(far_config, processors, proxy, db, drops=60, patience_seconds=5)
    assert seen.wrong[expected] > 0
