"""A worker is killed or stopped at a chosen moment of its work; what comes of many at random is shown by `chaos`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from novel_tasks_core import Attempt, OutcomeKind, Task, TaskEngine, TaskId, TaskStatus

from ..core.conftest import db
from ..core.support import Db, Gate, ended, eventually
from . import worker_program
from .programs import slowness
from .worker_program import LEASE_SECONDS, OFTEN

__all__ = ["db"]

ROOT = Path(__file__).resolve().parents[2]


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
            *(sys.executable, "-m", worker_program.__name__, database_url, str(tmp_path / "data"), *arguments),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
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


async def _right_after_a_zombie(keeper: TaskEngine, start: Start, flag: Path, *arguments: str) -> int:
    """Stop a worker beyond its lease while another takes over, then let it bring its results.

    Returns how many of three tasks have the rightful result in the end.
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
        await eventually(lambda: _has_had_its_say(keeper, zombie.worker_id, tasks))
        gate.let_go()
        results = [(await ended(keeper, task)).result for task in tasks]
    return results.count({"attempt": 2})


async def _has_had_its_say(keeper: TaskEngine, old: int, tasks: list[Task]) -> bool:
    """Say whether the zombie has come back under a new id, or was believed."""
    workers = await keeper.workers()
    back = old not in [w.id for w in workers] and any(w.pid != os.getpid() for w in workers)
    return back or any([(await keeper.get(task.id)).status.is_final for task in tasks])


async def _processing(keeper: TaskEngine, count: int) -> bool:
    return (await keeper.statistics()).processing == count


async def test_a_worker_that_was_stopped_beyond_its_lease_is_not_believed(
    keeper: TaskEngine, start: Start, tmp_path: Path
) -> None:
    """What it brings when it goes on is dropped; it comes back under a new id; the rightful results stay."""
    assert await _right_after_a_zombie(keeper, start, tmp_path / "flag") == 3


async def test_without_the_fence_it_would_be_believed(keeper: TaskEngine, start: Start, tmp_path: Path, db: Db) -> None:
    """The mutant of the last test: with the guard taken out of the statement its late results count."""
    await db.execute("alter table task_attempts drop constraint task_attempts_pkey")
    assert await _right_after_a_zombie(keeper, start, tmp_path / "flag", "unfenced") < 3


async def test_a_worker_with_a_busy_loop_is_not_robbed(keeper: TaskEngine, start: Start) -> None:
    """A processor that blocks its event loop for three leases keeps its task: the heartbeat does not need the loop."""
    await start()
    task = await keeper.submit(processor="block")
    done = await ended(keeper, task)
    assert (done.result, done.attempt, done.failures) == (1, 1, 0)


async def test_a_killed_worker_is_replaced_within_the_promised_time(keeper: TaskEngine, start: Start, db: Db) -> None:
    """Within a lease and a scan its task waits again, and goes on from its checkpoint; no child survives."""
    program = await start()
    sleeper, child = await keeper.submit(processor="sleeper"), await keeper.submit(processor="child")
    await eventually(lambda: keeper.logs(sleeper.id))
    pid = int(await eventually(lambda: _stage(keeper, child.id)))
    slow = slowness()
    await program.kill()
    killed = time.monotonic()
    await eventually(lambda: not psutil.pid_exists(pid))
    await eventually(lambda: _attempts(keeper, sleeper.id))
    assert time.monotonic() - killed < LEASE_SECONDS + 0.2 + 2.0 * max(slow, slowness())
    await keeper.cancel(child.id)
    async with keeper.worker(processors=["sleeper"]):
        done = await ended(keeper, sleeper)
    assert (done.status, done.attempt, done.failures) == (TaskStatus.COMPLETED, 2, 1)
    outcomes = [a.outcome for a in await keeper.attempts(sleeper.id)]
    assert outcomes == [OutcomeKind.LOST, OutcomeKind.COMPLETED]


async def _stage(keeper: TaskEngine, task_id: TaskId) -> str:
    return (await keeper.get(task_id)).stage


async def _attempts(keeper: TaskEngine, task_id: TaskId) -> list[Attempt]:
    return await keeper.attempts(task_id)
