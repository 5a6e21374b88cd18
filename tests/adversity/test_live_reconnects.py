"""Sockets over a network that cuts them at random bytes: whoever comes back with its last seqs misses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from attrs import define

from novel_tasks_core import AttemptContext, Processors, TaskEngine, format_task_id
from novel_tasks_server.app import create_app
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.live import protocol_v1
from novel_tasks_server.live.hub import HUB

from ..server.live.wire import wired
from .shears import Shears

TASKS, LINES, CLIENTS = 4, 700, 4
MEAN_BYTES = 8_000


@pytest.fixture
def processors() -> Processors:
    """One that writes many lines."""
    known = Processors()

    @known.register("lines")
    async def lines(ctx: AttemptContext) -> None:
        for number in range(LINES):
            await ctx.log(f"line {number} {'x' * (number % 90)}")
            if number % 7 == 0:
                await asyncio.sleep(0.002)

    return known


@pytest.fixture
async def app(engine: TaskEngine) -> AsyncIterator[tuple[web.Application, int]]:
    """The application and its port."""
    app = create_app(ServerConfig(engine=engine.config, default_processor="lines"), engine=engine)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield app, runner.addresses[0][1]
    await runner.cleanup()


@define
class Tally:
    """What one client, or all, counted."""

    events: int = 0
    gaps: int = 0
    repeats: int = 0
    connections: int = 0

    def add(self, other: Tally) -> None:
        """Add what another counted."""
        self.events += other.events
        self.gaps += other.gaps
        self.repeats += other.repeats
        self.connections += other.connections


class Follower:
    """A client that follows tasks to their ends, however often it has to come back."""

    def __init__(self, task_ids: list[str]) -> None:
        self.tally = Tally()
        self._seqs = dict.fromkeys(task_ids, 0)
        self._open = set(task_ids)

    async def follow(self, port: int) -> None:
        """Connect again and again until all tasks have ended."""
        while self._open:
            self.tally.connections += 1
            try:
                async with wired(port, protocol="novel-tasks.v1") as wire:
                    for task_id in self._open:
                        wire.say(type="resume", task_id=task_id, after_seq=self._seqs[task_id], logs=True)
                    while self._open:
                        self._take(await wire.message())
            except (asyncio.IncompleteReadError, ConnectionError):
                continue

    def _take(self, message: dict[str, object]) -> None:
        task_id, seq = str(message.get("task_id")), message.get("seq")
        if not isinstance(seq, int):
            return
        last, task = self._seqs[task_id], message.get("task")
        self.tally.events += 1
        self.tally.gaps += seq > last + 1
        self.tally.repeats += seq <= last
        self._seqs[task_id] = max(seq, last)
        if message.get("kind") == "completed" or (isinstance(task, dict) and task["status"] == "completed"):
            self._open.discard(task_id)


async def followed_by_all(engine: TaskEngine, app: web.Application, port: int) -> tuple[Tally, int]:
    """Follow tasks that run, by many clients over bad connections; return what they counted, and the cuts."""
    tasks = [await engine.submit(processor="lines") for _ in range(TASKS)]
    followers = [Follower([format_task_id(task.id) for task in tasks]) for _ in range(CLIENTS)]
    async with Shears(port, mean_bytes=MEAN_BYTES, seed=7).running() as shears, engine.worker(concurrency=3):
        async with asyncio.timeout(240), asyncio.TaskGroup() as group:
            for follower in followers:
                group.create_task(follower.follow(shears.port))
        total = Tally()
        for follower in followers:
            total.add(follower.tally)
        return total, shears.cuts


async def test_nothing_is_lost_doubled_or_moved_over_hundreds_of_cuts(
    engine: TaskEngine, app: tuple[web.Application, int]
) -> None:
    """Every client sees every seq of every task once and in order, over connections cut at random bytes."""
    total, cuts = await followed_by_all(engine, *app)
    assert cuts >= 150
    assert (total.gaps, total.repeats) == (0, 0)
    assert total.events == CLIENTS * sum([task.last_seq for task in (await engine.find()).items])
    async with asyncio.timeout(60):
        while app[0][HUB].connections:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def test_the_tally_finds_a_server_that_ignores_the_seq(
    engine: TaskEngine, app: tuple[web.Application, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same run with `after_seq` ignored has gaps: what was missed is not made up for."""
    parse = protocol_v1.parse_command

    def forgetful(text: str) -> protocol_v1.Command:
        command = parse(text)
        if isinstance(command, protocol_v1.Subscribe) and isinstance(command.wish, protocol_v1.TaskWish):
            wish = protocol_v1.TaskWish(command.wish.task_id, None, command.wish.logs)
            return protocol_v1.Subscribe(wish, command.ref)
        return command

    monkeypatch.setattr(protocol_v1, "parse_command", forgetful)
    total, _ = await followed_by_all(engine, *app)
    assert total.gaps
