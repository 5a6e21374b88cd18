"""The system at a glance, for admins: whether all is well, what runs, how much room there is, how it is set."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from aiohttp import web
from attrs import evolve

from novel_tasks_core import Condition, DatabaseFacts, NovelTasksError, StorageSizes, TaskEngine
from novel_tasks_server import checks
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.findings import Code, Finding, Verdict, ok, problem, warning
from novel_tasks_server.keys import CONFIG, ENGINE
from novel_tasks_server.openapi import Operation, Tag
from novel_tasks_server.routes.queue import warnings_of
from novel_tasks_server.routes.recent import Recent
from novel_tasks_server.routes.replies import json_response
from novel_tasks_server.routes.settings import shown_settings
from novel_tasks_server.schemas.access import Scope
from novel_tasks_server.schemas.views import CheckStatus, CheckView, StorageView, SystemView

T = TypeVar("T")

_SYSTEM_SECONDS = 5.0
_PATIENCE_SECONDS = 3.0
"""How long the database may take to answer."""
_DISK_SECONDS = 3.0
"""How long the disk may."""

_STATUS = {Verdict.OK: CheckStatus.OK, Verdict.WARNING: CheckStatus.WARNING, Verdict.PROBLEM: CheckStatus.ERROR}
_LIBRARIES = ("aiohttp", "asyncpg", "uvloop")

_Machine = tuple[list[Finding], tuple[int, int] | None]
"""What the checks of this machine found; of the disk of the files, how much it has and how much is free."""


def routes() -> list[Operation]:
    """Return the table of this module's routes."""
    return [
        Operation(
            "GET",
            "/api/v1/system",
            show_system,
            tag=Tag.SERVICE,
            scope=Scope.ADMIN,
            answers={200: SystemView},
            outlives_database=True,
        ),
    ]


async def show_system(request: web.Request) -> web.Response:
    """Answer with whether all is well, which versions run, how much is stored, and how this process is set.

    It is up to five seconds old, and comes within seconds when database or disk do not answer: then without what
    only they know. Secrets are never in it.
    """
    return json_response(await request.app[SYSTEM].get(None))


class System(Recent[None, SystemView]):
    """The system of an application, looked at by whoever asks, at most once in five seconds.

    A disk that does not answer holds one thread, however often anybody asks.
    """

    def __init__(self, app: web.Application) -> None:
        super().__init__(self._look, seconds=_SYSTEM_SECONDS)
        self._app = app
        self._machine: asyncio.Future[_Machine] | None = None
        self._started_at: datetime | None = None

    async def start(self, app: web.Application) -> None:
        """Note when the application was ready."""
        self._started_at = app[ENGINE].clock.now()

    async def _look(self, key: None) -> SystemView:
        engine, config = self._app[ENGINE], self._app[CONFIG]
        (facts, of_database), sizes, (of_machine, room), of_services, of_queues = await asyncio.gather(
            checks.look_at(engine.database_facts, config, within_seconds=_PATIENCE_SECONDS),
            _in_time(engine.storage_sizes),
            self._look_at_machine(engine, config),
            _check_services(engine, config),
            _check_queues(engine),
        )
        of_settings = [*checks.judge_settings(config), checks.judge_processors(engine.processors, config)]
        assert self._started_at is not None
        return SystemView(
            checks=[_view(finding) for finding in (*of_database, *of_services, *of_queues, *of_machine, *of_settings)],
            versions=_versions(facts),
            storage=_storage(sizes, room),
            settings=list(shown_settings(config)),
            started_at=self._started_at,
            host=socket.gethostname(),
            pid=os.getpid(),
        )

    async def _look_at_machine(self, engine: TaskEngine, config: ServerConfig) -> _Machine:
        """Look in a thread; while an earlier look does not come back there is no other."""
        if self._machine is None or self._machine.done():
            self._machine = asyncio.ensure_future(asyncio.to_thread(_check_machine, engine, config))
        done, _ = await asyncio.wait({self._machine}, timeout=_DISK_SECONDS)
        if not done:
            found = f"{engine.config.files}: no answer within {_DISK_SECONDS:g} s"
            mend = "see whether its disk, or the server that it is on, still answers"
            folder, seconds = str(engine.config.files), _DISK_SECONDS
            return [problem("folder", found, mend, Code.FOLDER_SILENT, folder=folder, seconds=seconds)], None
        return self._machine.result()


SYSTEM = web.AppKey("system", System)


def _check_machine(engine: TaskEngine, config: ServerConfig) -> _Machine:
    findings = [*checks.check_folders(config), *checks.check_extras(config)]
    try:
        usage = shutil.disk_usage(checks.existing(engine.config.files))
    except OSError:
        return findings, None  # the check of the folder says why
    return findings, (usage.total, usage.free)


async def _in_time(ask: Callable[[], Awaitable[T]]) -> T | None:
    """Return an answer of the database, None without one in time: its own check says why."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await ask()  # asked here: what is cancelled before it begins has asked nothing
    except (NovelTasksError, TimeoutError):
        return None


async def _check_services(engine: TaskEngine, config: ServerConfig) -> list[Finding]:
    """Look whether the services of this process work."""
    try:
        async with asyncio.timeout(2 * _PATIENCE_SECONDS):
            health = await engine.health(room_bytes=config.little_room_bytes)
    except TimeoutError:
        mend = "see whether the disk of the files still answers"
        found = f"no answer within {2 * _PATIENCE_SECONDS:g} s"
        return [problem("services", found, mend, Code.SERVICES_SILENT, seconds=2 * _PATIENCE_SECONDS)]
    mend = "see the log: what has failed begins again by itself"
    wrong = _together("services", health.wrong, problem, mend)
    return [wrong, _together("conditions", health.noted, warning, "the work goes on, but not as it should")]


async def _check_queues(engine: TaskEngine) -> list[Finding]:
    """Look whether somebody works on what is ready."""
    found = await _in_time(lambda: asyncio.gather(engine.queue_status(), engine.workers()))
    if found is None:
        return []
    mend = "resume it, or start `novel-tasks worker`"
    return [_together("queues", warnings_of(*found, engine), warning, mend)]


def _together(check: str, found: Iterable[Condition], judge: Callable[[str, str, str], Finding], mend: str) -> Finding:
    told = tuple(found)
    if not told:
        return ok(check, "nothing is wrong", Code.NOTHING_WRONG)
    return evolve(judge(check, "; ".join(one.text for one in told), mend), told=told)


def _view(finding: Finding) -> CheckView:
    return CheckView(
        name=finding.check,
        status=_STATUS[finding.verdict],
        detail=finding.found,
        advice=finding.mend,
        conditions=list(finding.told),
    )


def _versions(facts: DatabaseFacts | None) -> dict[str, str | None]:
    return {
        "novel_tasks": version("novel-tasks"),
        "python": platform.python_version(),
        "postgresql": facts.version if facts else None,
        "schema": _schema(facts) if facts else None,
        **dict(_libraries()),
    }


def _libraries() -> Iterator[tuple[str, str]]:
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _schema(facts: DatabaseFacts) -> str:
    """Return the name of the last migration that was applied."""
    applied = [one for one in TaskEngine.migrations() if one not in facts.pending]
    return f"{applied[-1].number:04}_{applied[-1].name}" if applied else "none"


def _storage(sizes: StorageSizes | None, room: tuple[int, int] | None) -> StorageView:
    total, free = room or (None, None)
    return StorageView(
        files_bytes=sizes.files_bytes if sizes else None,
        free_bytes=free,
        total_bytes=total,
        database_bytes=sizes.database_bytes if sizes else None,
        tasks=sizes.tasks if sizes else None,
        tasks_is_estimate=False,
    )
