"""Everything that may happen to tasks, at once: at every moment each task is in one place, with all its rows."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from typing import Any

import asyncpg
import pytest
from attrs import define, field

from novel_tasks_core.models import Claim, TaskId
from novel_tasks_core.storage.queries import load_queries

from .bench import Bench
from .meetings import LOSERS, Move, Ring, Side, Subject, faults, tries
from .moves import (
    cancel,
    checkpoint,
    complete,
    delete,
    give_back,
    give_up,
    promote,
    reprioritize,
    requeue,
    rescue,
    retry,
    say,
)
from .mutants import UNLOCKED, Sabotage, look_without_holding

LONG = os.environ.get("NOVEL_TASKS_LONG") == "1"
STEPS = 1500 if LONG else 90
ACTORS = 6
SWEPT_SOON = "checkpoints of what is over"
"""A checkpoint that commits while the end of its attempt waits for it: the sweeper takes it, nobody goes on from it."""
PEOPLE: list[Move] = [cancel, requeue, reprioritize, delete]
WORKERS: list[Move] = [complete, complete, retry, give_back, rescue, give_up, say, say, checkpoint]


@define
class Crowd:
    """Actors that pick tasks and attempts at random, and what went wrong."""

    ring: Ring
    tasks: list[TaskId] = field(factory=list)
    attempts: list[Claim] = field(factory=list)
    did: Counter[str] = field(factory=Counter)
    wrong: list[str] = field(factory=list)

    async def act(self, side: Side, chance: random.Random) -> None:
        """Take random steps, of people and of worker 1 and its rescuer, with numbers old and new."""
        bench = self.ring.bench
        for _ in range(STEPS):
            kind = chance.random()
            if kind < 0.15 or not self.tasks:
                run_at = None if chance.random() < 0.7 else await _soon(bench)
                self.tasks.append(await bench.submit(priority=chance.randrange(3), run_at=run_at))
            elif kind < 0.4:
                await self.claim(side)
            elif kind < 0.5:
                await self.move(promote, side, Subject(self.tasks[0]))
            elif kind < 0.75 or not self.attempts:
                # The latest of all, so that the actors meet.
                await self.move(chance.choice(PEOPLE), side, Subject(chance.choice(self.tasks[-4:])))
            else:
                claim = chance.choice(self.attempts[-6:])
                await self.move(chance.choice(WORKERS), side, Subject(claim.task_id, claim))

    async def claim(self, side: Side) -> None:
        """Claim tasks; without a guard one that is held may turn up, and the table refuses it."""
        try:
            self.attempts += await self.ring.bench.claim(1, most=2, queue=side.queue)
        except Exception as exc:
            self.wrong.append(f"claim: {exc!r}")

    async def move(self, move: Move, side: Side, task: Subject) -> None:
        """Do one thing; whoever came second is told so, anything else is wrong."""
        self.did[getattr(move, "__name__", "?")] += 1
        try:
            await move(side, task)
        except LOSERS:
            pass
        except (Exception, AssertionError) as exc:
            self.wrong.append(f"{move}: {exc!r}")

    async def look(self, eyes: asyncpg.Connection[asyncpg.Record], done: asyncio.Event) -> int:
        """Look at all tables at one moment, again and again."""
        looks = 0
        while not done.is_set() and not self.wrong:
            self.wrong += [fault for fault in await faults(eyes) if fault != SWEPT_SOON]
            looks += 1
            await asyncio.sleep(0.002)
        return looks


async def _soon(bench: Bench) -> Any:
    return await bench.database.fetchval("select now() + interval '20 ms'")


async def violations(bench: Bench, ring: Ring, seed: int) -> tuple[list[str], Crowd]:
    """Let the crowd loose and say what went wrong at any moment, and who did what."""
    crowd, done = Crowd(ring), asyncio.Event()
    looking = asyncio.create_task(crowd.look(bench.other, done))
    sides = [ring.left, ring.right] + [ring.another() for _ in range(ACTORS - 2)]
    await asyncio.gather(*(crowd.act(side, random.Random(seed * 100 + n)) for n, side in enumerate(sides)))
    done.set()
    assert await looking > 5
    await bench.other.execute(load_queries("housekeeping")["stray_checkpoints"])
    return crowd.wrong + await faults(bench.other), crowd


@pytest.mark.parametrize("seed", range(2))
async def test_at_every_moment_every_task_is_in_one_place(bench: Bench, seed: int) -> None:
    """Six actors do everything to the same few tasks; no look at any moment finds a promise broken."""
    wrong, crowd = await violations(bench, Ring(bench), seed)
    assert wrong == []
    assert set(crowd.did) >= {move.__name__ for move in (*PEOPLE, *WORKERS, promote)}


MUTANTS: dict[str, Sabotage] = {
    "holding what is changed": look_without_holding,
    "the lock of the row": UNLOCKED,
}


@pytest.mark.parametrize("name", MUTANTS)
async def test_without_a_guard_a_moment_shows_it(bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutants: with any of these guards taken out the same crowd breaks a promise, and the look sees it."""
    ring = Ring(bench)
    await MUTANTS[name](ring, monkeypatch)
    for seed in tries():
        wrong, _ = await violations(bench, ring, seed=seed)
        await bench.clear()
        if wrong:
            return
    pytest.fail("nothing went wrong")
