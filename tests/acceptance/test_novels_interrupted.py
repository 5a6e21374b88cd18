"""A child that is killed in the middle of a novel, or told to stop: nothing is done twice, nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from attrs import evolve

from novel_tasks_core import EngineConfig, Processors, RetryPolicy, Task, TaskEngine, TaskStatus

CHAPTERS = 300
JOURNALLED = ["clean", "epub", "analyze"]


def novel() -> bytes:
    """Write a novel that takes a second or two: no two of its chapters are the same."""
    names = ("Anna", "Holt", "Mr. Brook", "Mrs. Vane", "Peter")
    words = ("river", "mill", "letter", "winter", "lamp", "garden", "ferry", "stair")
    chapters: list[str] = []
    for number in range(1, CHAPTERS + 1):
        lines = [
            f"“The {words[(number + n) % 8]} is {n} years old,” said {names[(number * n) % 5]}, and looked at the"
            f" {words[n % 8]}. {names[n % 5]} went home along the {words[number % 8]}, thinking of chapter {number}."
            for n in range(120)
        ]
        chapters.append(f"Chapter {number}\n\n" + "\n\n".join(lines))
    return "\n\n".join(chapters).encode()


@pytest.fixture
async def engine(engine_config: EngineConfig) -> AsyncIterator[TaskEngine]:
    """Run an engine whose built-in processors are tried again at once."""
    builtin, processors = Processors.builtin(), Processors()
    for name in builtin.names():
        processors.add(evolve(builtin.get(name), retry=RetryPolicy(max_attempts=3, base_seconds=0, jitter=0)))
    config = evolve(engine_config, lease_ttl_seconds=30.0, heartbeat_seconds=5.0)
    async with TaskEngine.open(config, processors=processors) as opened:
        yield opened


def work_folder(engine: TaskEngine, task: Task) -> Path:
    """Return where the attempts of a task leave what they have finished."""
    return engine.config.files / "work" / task.id.hex


async def finished_sections(engine: TaskEngine, task: Task, wanted: int) -> None:
    """Wait until the running attempt has finished so many sections."""
    async with asyncio.timeout(240):
        while True:
            for path in work_folder(engine, task).glob("*/*.jsonl"):
                if path.read_bytes().count(b"\n") > wanted:
                    return
            await asyncio.sleep(0.002)


def children() -> set[int]:
    """Return the process ids of all children that process novels, also of other tests' engines."""
    running = psutil.Process().children(recursive=True)
    return {process.pid for process in running if "execution.child" in " ".join(process.cmdline())}


async def digests(engine: TaskEngine, task: Task) -> dict[str, str]:
    """Return the digest of every artifact by name."""
    return {artifact.name: artifact.sha256 for artifact in await engine.artifacts(task.id)}


@pytest.mark.parametrize("processor", JOURNALLED)
async def test_a_killed_child_is_followed_by_one_that_goes_on(engine: TaskEngine, processor: str) -> None:
    """The second attempt takes over the finished chapters; its artifacts are those of an undisturbed run."""
    others = children()
    source = await engine.store(novel(), name="The Mill - A. Brook.txt")
    async with engine.worker(concurrency=1):
        undisturbed = await engine.submit(source, processor=processor)
        await engine.result(undisturbed.id)
        task = await engine.submit(source, processor=processor)
        await finished_sections(engine, task, CHAPTERS // 3)
        [child] = children() - others
        os.kill(child, signal.SIGKILL)
        result = await engine.result(task.id)

    assert result == await engine.result(undisturbed.id)
    assert await digests(engine, task) == await digests(engine, undisturbed)
    assert (await engine.get(task.id)).attempt == 2
    said = [entry.message for entry in await engine.logs(task.id)]
    [resumed] = [line for line in said if "earlier attempt" in line]
    assert int("".join(filter(str.isdigit, resumed))[:3]) >= CHAPTERS // 3
    assert not work_folder(engine, task).exists()


@pytest.mark.parametrize("processor", JOURNALLED)
async def test_a_cancelled_novel_stops_between_chapters(engine: TaskEngine, processor: str) -> None:
    """The child lives on for the next task, and nothing is left of what was half done."""
    others = children()
    source = await engine.store(novel(), name="The Mill.txt")
    async with engine.worker(concurrency=1):
        task = await engine.submit(source, processor=processor)
        await finished_sections(engine, task, CHAPTERS // 10)
        working = children() - others
        await engine.cancel(task.id)
        async for _ in engine.watch(task.id):
            continue
        assert (await engine.get(task.id)).status is TaskStatus.CANCELLED
        assert children() - others == working
        assert await engine.artifacts(task.id) == []
        assert not work_folder(engine, task).exists()
