"""Workers are killed and stopped in the middle of their work: no task is lost, and none is completed twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import asyncpg
import psutil
import pytest

from novel_tasks_core import NewTask, OutcomeKind, TaskEngine, TaskStatus

from ..core.conftest import db
from ..core.support import Db, Gate, ended, eventually
from . import worker_program
from .worker_program import LEASE_SECONDS, OFTEN

__all__ = ["db"]

PROGRAM = Path(worker_program.__file__)
TASKS = 40


class Program:
    """One worker process."""

    def __init__(self, process: asyncio.subprocess.Process, worker_id: int) -> None:
        self.process = process
        self.worker_id = worker_id

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.process.pid, number)

    async def kill(self) -> None:
        """End it without a word."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.communicate()


Start = Callable[..., Awaitable[Program]]


@pytest.fixture
async def start(database_url: str, tmp_path: Path) -> AsyncIterator[Start]:
    """Start worker processes, all of which are gone after the test."""
    started: list[Program] = []

    async def start_one(*arguments: str) -> Program:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(PROGRAM), database_url, str(tmp_path / "data"), *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        started.append(Program(process, int(line)))
        return started[-1]

    yield start_one
    for program in started:
        await program.kill()


@pytest.fixture
async def keeper(database_url: str, tmp_path: Path) -> AsyncIterator[TaskEngine]:
    """An engine of this process that submits, looks, and rescues."""
    config = worker_program.config(database_url, tmp_path / "data")
    async with TaskEngine.open(config, processors=worker_program.processors()) as engine:
        yield engine


async def finished(db: Db) -> int:
    """Return how many tasks are completed."""
    return int(await db.fetchval("select count(*) from tasks where status = 'completed'"))


async def test_every_task_is_completed_once_though_workers_die(keeper: TaskEngine, start: Start, db: Db) -> None:
    """Kills and stops beyond the lease at random moments: nothing lost, nothing doubled, every rescue in time."""
    await keeper.submit_many(NewTask(processor="steps") for _ in range(TASKS))
    programs = list(await asyncio.gather(start(), start()))
    chance = random.Random(7)
    kills = stops = 0
    async with asyncio.timeout(90):
        while await finished(db) < TASKS:
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            place = chance.randrange(len(programs))
            if kills < 4 and (kills <= stops or stops >= 2):
                await programs[place].kill()
                kills += 1
                programs[place] = await start()
            elif stops < 2:
                programs[place].send(signal.SIGSTOP)
                stops += 1
                await _buried(db, programs[place].worker_id)
                programs[place].send(signal.SIGCONT)
    doubled = await db.fetchval(
        "select count(*) from (select from task_attempts where outcome = 'completed'"
        " group by task_id having count(*) <> 1) d"
    )
    lost = await db.fetchval("select count(*) from task_attempts where outcome = 'lost'")
    recovery = await _recovery(db)
    sys.stdout.write(
        f"\n{TASKS} tasks, {kills} kills, {stops} stops, {lost} attempts lost, doubled {doubled},"
        f" recovery at most {recovery.total_seconds():.2f} s\n"
    )
    assert (kills, stops, doubled) == (4, 2, 0)
    assert lost > 0
    gaps = "select count(*) from tasks t where last_seq <> (select count(*) from task_events where task_id = t.id)"
    assert await db.fetchval(gaps) == 0


async def _buried(db: Db, worker_id: int) -> None:
    """Wait until a worker was declared dead."""
    await eventually(lambda: _is_gone(db, worker_id))


async def _is_gone(db: Db, worker_id: int) -> bool:
    return bool(await db.fetchval("select not exists (select 1 from workers where id = $1)", worker_id))


async def _recovery(db: Db) -> timedelta:
    """Return how long a lost attempt was dead at most before it was ended: counted from its last sign of life."""
    found = await db.fetchval(
        "select max(a.finished_at - coalesce((select max(at) from task_events e"
        " where e.task_id = a.task_id and e.attempt = a.attempt and e.at < a.finished_at), a.started_at))"
        " from task_attempts a where outcome = 'lost'"
    )
    assert isinstance(found, timedelta)
    return found


async def _zombies_are_heard(keeper: TaskEngine, start: Start, flag: Path, *arguments: str) -> tuple[int, int]:
    """Stop a worker beyond its lease while another takes over, let it bring its results, and count who was believed.

    Returns how many tasks the zombie ended, and how many were right in the end.
    """
    zombie = await start(*arguments)
    tasks = [await keeper.submit(processor="hold", options={"file": str(flag)}) for _ in range(3)]
    await eventually(lambda: _processing(keeper, 3))
    zombie.send(signal.SIGSTOP)
    gate = Gate()
    keeper.processors._by_name.pop("hold")
    keeper.processors.register("hold", gate.run, retry=OFTEN)
    async with keeper.worker(concurrency=3):
        for _ in tasks:
            assert (await gate.next()).attempt == 2
        flag.touch()
        zombie.send(signal.SIGCONT)
        # It has had its say once it has come back under a new id, or has given up.
        await eventually(lambda: _somebody_new(keeper, zombie.worker_id))
        believed = [task for task in tasks if (await keeper.get(task.id)).status is TaskStatus.COMPLETED]
        gate.let_go()
        finals = [await ended(keeper, task) for task in tasks]
    return len(believed), sum(task.result == {"attempt": 2} for task in finals)


async def _processing(keeper: TaskEngine, count: int) -> bool:
    return (await keeper.statistics()).processing == count


async def _somebody_new(keeper: TaskEngine, old: int) -> bool:
    workers = await keeper.workers()
    return old not in [w.id for w in workers] and any(w.pid != os.getpid() for w in workers)


async def test_a_worker_that_was_stopped_beyond_its_lease_is_not_believed(
    keeper: TaskEngine, start: Start, tmp_path: Path
) -> None:
    """What it brings when it goes on is dropped; it comes back under a new id; the rightful results stay."""
    assert await _zombies_are_heard(keeper, start, tmp_path / "flag") == (0, 3)


async def test_without_the_fence_it_would_be_believed(keeper: TaskEngine, start: Start, tmp_path: Path, db: Db) -> None:
    """The mutant of the last test: with the guard taken out of the statement its late results count."""
    await db.execute("alter table task_attempts drop constraint task_attempts_pkey")
    believed, _right = await _zombies_are_heard(keeper, start, tmp_path / "flag", "unfenced")
    assert believed > 0


async def test_a_killed_worker_is_replaced_within_the_promised_time(keeper: TaskEngine, start: Start, db: Db) -> None:
    """Within the lease and a scan the task waits again; the next attempt goes on from the checkpoint; no child survives."""
    program = await start()
    sleeper, child = await keeper.submit(processor="sleeper"), await keeper.submit(processor="child")
    await eventually(lambda: keeper.logs(sleeper.id))
    pid = int(await eventually(lambda: _stage(keeper, child.id)))
    await program.kill()
    killed = time.monotonic()
    await eventually(lambda: not psutil.pid_exists(pid))
    await eventually(lambda: _attempts(keeper, sleeper.id))
    assert time.monotonic() - killed < LEASE_SECONDS + 0.2 + 2.0
    await keeper.cancel(child.id)
    async with keeper.worker(processors=["sleeper"]):
        done = await ended(keeper, sleeper)
    assert (done.status, done.attempt, done.failures) == (TaskStatus.COMPLETED, 2, 1)
    outcomes = [a.outcome for a in await keeper.attempts(sleeper.id)]
    assert outcomes == [OutcomeKind.LOST, OutcomeKind.COMPLETED]


async def _stage(keeper: TaskEngine, task_id: object) -> str:
    return (await keeper.get(task_id)).stage  # type: ignore[arg-type]


async def _attempts(keeper: TaskEngine, task_id: object) -> list[object]:
    return list(await keeper.attempts(task_id))  # type: ignore[arg-type]
