"""The conductor: starts the database and the fleet, carries the plan out, lets everything run out, and judges."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import frozen

from novel_tasks_core import EngineConfig
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.migrator import migrate

from .evidence import gather
from .faults import AWAY, Injector, Server
from .fleet import Fleet, running_fleet
from .mutants import LAST_GUARD
from .plan import make_plan
from .scoreboard import Scoreboard, make_scoreboard

_LOOK_SECONDS = 0.2
_UNFINISHED = "select count(*) from tasks where status = 'pending'"


@frozen(kw_only=True)
class Run:
    """What to do: faults for `seconds`, at most `tasks` tasks and `rate` a second, without the guard `mutant` names.

    What is unfinished `run_out_seconds` after the last fault is judged as it stands.
    """

    seconds: float = 45.0
    seed: int = 1
    tasks: int = 1_000_000
    rate: float = 1_000_000.0
    mutant: str = ""
    run_out_seconds: float = 90.0


async def run_chaos(run: Run, folder: Path | None = None) -> Scoreboard:
    """Do a run in `folder`, or in one that is gone afterwards, and return what it came to."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="novel-tasks-chaos-") as made:
            return await run_chaos(run, Path(made))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)  # where tests run as root the database belongs to another user
    async with _running_server(folder) as server:
        await _prepare(server.url, run)
        mutants = [run.mutant] if run.mutant else []
        running = running_fleet(server.url, folder, seed=run.seed, tasks=run.tasks, rate=run.rate, mutants=mutants)
        async with running as fleet:
            injector = Injector(fleet, server)
            await injector.carry_out(make_plan(run.seed, run.seconds))
            await _run_out(fleet, server, run.run_out_seconds)
        async with server.connected() as db:
            evidence = await gather(db, folder)
    return make_scoreboard(evidence, injector, seed=run.seed, seconds=run.seconds, mutant=run.mutant)


@asynccontextmanager
async def _running_server(folder: Path) -> AsyncIterator[Server]:
    server = Server(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


async def _prepare(url: str, run: Run) -> None:
    async with Database.open(url, config=EngineConfig(database_url=url)) as database:
        await migrate(database)
        if run.mutant == "unfenced":
            await database.execute(LAST_GUARD)


async def _run_out(fleet: Fleet, server: Server, seconds: float) -> None:
    """Let the client end, then the workers once nothing is left to do, or it took too long."""
    ending = asyncio.create_task(fleet.end([fleet.client]))
    until = time.monotonic() + seconds
    while time.monotonic() < until and (not ending.done() or await _unfinished(server)):  # noqa: ASYNC110 - others end it
        await asyncio.sleep(_LOOK_SECONDS)
    await ending
    await fleet.end(fleet.workers)


async def _unfinished(server: Server) -> bool:
    try:
        async with server.connected() as db:
            return bool(await db.fetchval(_UNFINISHED))
    except AWAY:
        return True
