"""An upload that was answered with 200 is never lost, whatever is killed; one that is answered too early would be.

UPLOAD_KILLS sets how often something is killed; the figures are printed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout
from attrs import define, field

from novel_tasks_core import EngineConfig, TaskEngine, TaskNotFoundError, parse_task_id
from novel_tasks_core.storage.embedded import EmbeddedPostgres

from ..conftest import check_invariants
from . import hasty_server
from .programs import Server, crash, form, restart, start_server, stored_files

KILLS = int(os.environ.get("UPLOAD_KILLS", "10"))
CLIENTS = 6
SERVERS = 2
CRASH_EVERY = 4
"""Of so many kills one is the database's, the others are servers'."""

LARGE = 1_500_000
HASTY = (sys.executable, "-m", hasty_server.__name__, "serve", "--port", "0")
RELUCTANT = {"synchronous_commit": "off"}
"""Settings of a database that says that something is durable before it is."""


@define
class Fire:
    """Servers that are killed, and clients that write down what they were told."""

    folder: Path
    database: EmbeddedPostgres
    command: Sequence[str] = ()
    servers: list[Server] = field(factory=list)
    acknowledged: dict[str, str] = field(factory=dict)
    """Task ids, and the SHA-256 of what was sent."""
    refused: Counter[int] = field(factory=Counter)
    unanswered: int = 0
    strays: int = 0
    """Files without a row: of uploads that were killed between name and row, and never acknowledged."""

    async def start(self) -> None:
        """Start one more server."""
        arguments = (self.folder, self.database.url, "--no-worker")
        self.servers.append(await start_server(*arguments, command=self.command))

    async def upload_on(self, session: ClientSession, dice: random.Random) -> None:
        """Upload one novel after the other to any server, until cancelled."""
        while True:
            data = dice.randbytes(LARGE if dice.random() < 0.02 else dice.randrange(1, 30_000))
            url = dice.choice(self.servers).url
            try:
                async with session.post(f"{url}/api/v1/tasks/upload", data=form(data)) as response:
                    answer = await response.json()
            except (ClientError, ConnectionError, TimeoutError, ValueError):
                self.unanswered += 1
                await asyncio.sleep(0.02)
                continue
            if response.status == 200:
                self.acknowledged[answer["task_id"]] = hashlib.sha256(data).hexdigest()
            else:
                self.refused[response.status] += 1
            await asyncio.sleep(0.02)

    async def burn(self, kills: int, *, crash_every: int, dice: random.Random) -> None:
        """Kill so often, each time after some more uploads were acknowledged."""
        for kill in range(1, kills + 1):
            await self._more(dice.randrange(20, 60))
            await asyncio.sleep(dice.random() * 0.2)
            if kill % crash_every == 0:
                await crash(self.database)
                await restart(self.database)
            else:
                await self.servers.pop(dice.randrange(len(self.servers))).kill()
                await self.start()

    async def _more(self, count: int) -> None:
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(120):
            while len(self.acknowledged) < wanted:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)

    async def lost(self) -> list[str]:
        """Return the acknowledged tasks that are not there, or whose source is not what was sent."""
        config = EngineConfig(database_url=self.database.url, data_dir=self.folder / "novel-tasks-data")
        files = {
            name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in stored_files(self.folder).items()
        }
        assert all(name == content for name, content in files.items()), "a file is not what its name says"
        connection = await asyncpg.connect(self.database.url)
        rows = {row[0] for row in await connection.fetch("select encode(sha256, 'hex') from files")}
        await connection.close()
        self.strays = len(files.keys() - rows)
        lost = []
        async with TaskEngine.open(config) as engine:
            for task_id, sent in self.acknowledged.items():
                try:
                    source = (await engine.get(parse_task_id(task_id))).source
                except TaskNotFoundError:
                    source = None
                if source is None or source.sha256 != sent or sent not in files:
                    lost.append(task_id)
        return lost


async def _burned(fire: Fire, kills: int, *, crash_every: int, seed: int = 1) -> list[str]:
    """Upload under fire, and return what was lost."""
    dice = random.Random(seed)
    try:
        for _ in range(SERVERS):
            await fire.start()
        async with ClientSession(timeout=ClientTimeout(total=60)) as session:
            clients = [
                asyncio.create_task(fire.upload_on(session, random.Random(dice.random()))) for _ in range(CLIENTS)
            ]
            await fire.burn(kills, crash_every=crash_every, dice=dice)
            for client in clients:
                client.cancel()
            await asyncio.wait(clients)
            assert all(client.cancelled() for client in clients), clients
    finally:
        for server in fire.servers:
            await server.kill()
    return await fire.lost()


async def _stop_writing(database: EmbeddedPostgres) -> None:
    """Stop the process that writes commits for which nobody waits, lest it comes between them and the crash."""
    connection = await asyncpg.connect(database.url)
    pid = await connection.fetchval("select pid from pg_stat_activity where backend_type = 'walwriter'")
    await connection.close()
    os.kill(pid, signal.SIGSTOP)


@pytest.mark.slow
@pytest.mark.timeout(300 + 30 * KILLS)
async def test_an_acknowledged_upload_is_never_lost(open_folder: Path) -> None:
    """Servers and the database are killed at random while clients upload: what got 200 is there, byte for byte."""
    async with EmbeddedPostgres(open_folder / "postgres") as database:
        fire = Fire(open_folder, database)
        lost = await _burned(fire, KILLS, crash_every=CRASH_EVERY)
        await check_invariants(database.url)
    print(  # noqa: T201 - figures for whoever looks: `pytest -s`
        f"\n{KILLS} kills, {len(fire.acknowledged)} acknowledged, {fire.unanswered} unanswered, "
        f"refused {dict(fire.refused)}: lost = {len(lost)}; {fire.strays} stray files of others"
    )
    assert lost == []
    assert set(fire.refused) <= {503}


async def test_a_server_that_answers_before_the_file_is_there_would_lose_uploads(open_folder: Path) -> None:
    """The mutant of the last test: with the answer before the file's name, kills of the server lose files."""
    async with EmbeddedPostgres(open_folder / "postgres") as database:
        fire = Fire(open_folder, database, HASTY)
        lost = await _burned(fire, 2, crash_every=100)
    print(f"\n{len(lost)} of {len(fire.acknowledged)} lost")  # noqa: T201 - figures for whoever looks: `pytest -s`
    assert lost


async def test_a_database_that_answers_before_it_has_written_would_lose_uploads(open_folder: Path) -> None:
    """The other mutant: with a commit that waits for nothing, a crash of the database loses tasks."""
    async with EmbeddedPostgres(open_folder / "postgres", settings=RELUCTANT) as database:
        fire = Fire(open_folder, database)
        await _stop_writing(database)
        lost = await _burned(fire, 1, crash_every=1)
    print(f"\n{len(lost)} of {len(fire.acknowledged)} lost")  # noqa: T201 - figures for whoever looks: `pytest -s`
    assert lost
