"""One PostgreSQL a run, one template database, a clone of it for each test."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import hypothesis
import pytest

from novel_tasks_core import EngineConfig, Processors, TaskEngine
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.embedded import open_embedded
from novel_tasks_core.storage.migrator import migrate
from novel_tasks_core.storage.queries import load_queries

TEMPLATE = "novel_tasks_template" + os.environ.get("PYTEST_XDIST_WORKER", "")
"""Each process of a parallel run has its own, should they share a server."""

FORGETFUL = {
    "synchronous_commit": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "128MB",  # it may lie in memory
}
"""A test's commits need not survive a power cut; what proves durability starts its own server."""

MEMORY = Path("/dev/shm")
_ROOM = 4 << 30
"""Bytes that must be free for a server in memory: it needs a third of them for the plans of queries."""


TOGETHER = (
    "tests/browser/",
    "tests/core/processors/test_epubcheck.py",
    "tests/plans/",
    "tests/server/cli/",
)
"""What shares something costly (a browser, a virtual machine, a million tasks, a server) stays in one process."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out tests one by one, those of `TOGETHER` in one piece; marks of groups do nothing since pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return next((shared for shared in TOGETHER if nodeid.startswith(shared)), nodeid)

    return Scheduling(config, log)


_SERVERS_OWN = 16384
"""From this number on a type of PostgreSQL is a database's own; those below are the same everywhere."""


def remember_types() -> None:
    """Have the driver ask once what arrays of built-in types are: it would plan that query for each connection anew."""
    driver: Any = asyncpg.Connection
    ask, known = driver._introspect_types, dict[frozenset[int], Any]()

    async def ask_once(self: Any, oids: set[int], timeout: float | None) -> Any:
        wanted = frozenset(oids)
        if wanted in known:
            return known[wanted]
        told = await ask(self, oids, timeout)
        if max(wanted) < _SERVERS_OWN:
            known[wanted] = told
        return told

    driver._introspect_types = ask_once


def pytest_configure() -> None:
    """Let programs that tests start keep their byte code and heed Ctrl-C, and no busy machine fail an example."""
    remember_types()
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("patient")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell does that to what it starts in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)


def on_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def place_for_databases() -> Path | None:
    """Return memory, where databases are made in a tenth of the time; None, the usual place, if there is too little."""
    try:
        return MEMORY if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= _ROOM else None
    except OSError:
        return None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL for this run: the one that NOVEL_TASKS_TEST_DATABASE_URL names, else an embedded one."""
    given = os.environ.get("NOVEL_TASKS_TEST_DATABASE_URL")
    if given:
        yield given
        return
    where = tempfile.TemporaryDirectory(prefix="novel-tasks-tests-", dir=place_for_databases())
    with asyncio.Runner() as runner, where as folder:
        os.chmod(folder, 0o755)
        server = open_embedded(Path(folder) / "postgres", settings=FORGETFUL)
        url = runner.run(server.__aenter__())
        try:
            yield url
        finally:
            runner.run(server.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def template(postgres_url: str) -> str:
    """A server whose template database has the schema."""

    async def prepare() -> None:
        admin = await asyncpg.connect(postgres_url)
        await admin.execute(f'drop database if exists "{TEMPLATE}" with (force)')
        await admin.execute(f'create database "{TEMPLATE}"')
        await admin.close()
        config = EngineConfig(database_url=on_database(postgres_url, TEMPLATE))
        async with Database.open(on_database(postgres_url, TEMPLATE), config=config) as database:
            await migrate(database)

    asyncio.run(prepare())
    return postgres_url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, lest one process of a parallel run is left with it at the end."""
    items.sort(key=lambda item: (not item.nodeid.startswith(TOGETHER), item.get_closest_marker("slow") is None))


def pytest_collection_finish() -> None:
    """Spare the collector the thousands of tests: it would go through all of them again and again."""
    gc.collect()
    gc.freeze()


class Clones:
    """Databases made from the template in a thread: the next while a test runs, and dropped behind its back."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._runner = asyncio.Runner()
        self._thread = ThreadPoolExecutor(1, "clones")
        self._admin = self._thread.submit(self._run_connect)
        self._next = self._thread.submit(self._make)
        self._drops: list[Future[None]] = []

    def __enter__(self) -> Clones:
        """Have the first made already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop the one that nobody took. Raises: what any drop raised."""
        self.drop(self._next.result())
        self._thread.submit(self._close).result()
        self._thread.shutdown()
        for drop in self._drops:
            drop.result()

    async def take(self) -> str:
        """Return the name of a fresh database."""
        taken, self._next = self._next, self._thread.submit(self._make)
        return await asyncio.wrap_future(taken)

    def drop(self, name: str) -> None:
        """Have a database dropped soon."""
        self._drops.append(self._thread.submit(self._execute, f'drop database if exists "{name}" with (force)'))

    def _run_connect(self) -> asyncpg.Connection[asyncpg.Record]:
        return self._runner.run(asyncpg.connect(self._server))

    def _execute(self, statement: str) -> None:
        self._runner.run(self._admin.result().execute(statement))

    def _make(self) -> str:
        name = f"test_{uuid4().hex[:12]}"
        self._execute(f'create database "{name}" template "{TEMPLATE}" strategy file_copy')
        return name

    def _close(self) -> None:
        self._runner.run(self._admin.result().close())
        self._runner.close()


@pytest.fixture(scope="session")
def clones(template: str) -> Iterator[Clones]:
    """What makes a database for each test that wants one."""
    with Clones(template) as made:
        yield made


@pytest.fixture
async def database_url(clones: Clones, template: str) -> AsyncIterator[str]:
    """A database of the test's own, with the schema; afterwards its invariants must hold."""
    name = await clones.take()
    try:
        yield on_database(template, name)
        await check_invariants(on_database(template, name))
    finally:
        clones.drop(name)


@pytest.fixture
async def empty_database(postgres_url: str) -> AsyncIterator[str]:
    """A database without a schema, of the test's own."""
    name = f"empty_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f'create database "{name}"')
    try:
        yield on_database(postgres_url, name)
    finally:
        await admin.execute(f'drop database if exists "{name}" with (force)')
        await admin.close()


async def check_invariants(url: str) -> None:
    """Assert that every task is in exactly one location, and that the counters say what the tables hold."""
    queries = load_queries("tasks")
    connection = await asyncpg.connect(url)
    try:
        for name in ("location_faults", "count_faults"):
            faults = await connection.fetch(queries[name])
            assert not faults, (name, faults)
    finally:
        await connection.close()


@pytest.fixture
def engine_config(database_url: str, tmp_path: Path) -> EngineConfig:
    """Settings for the test's own database and folder: soon asked again, and given up late, as on a busy machine."""
    return EngineConfig(
        database_url=database_url,
        data_dir=tmp_path / "data",
        pool_size=4,
        pool_overflow=4,
        connect_timeout_seconds=60.0,
        command_timeout_seconds=120.0,
        lease_ttl_seconds=60.0,
        heartbeat_seconds=0.3,
        poll_min_seconds=0.01,
        poll_max_seconds=0.2,
        slots=4,
        shutdown_grace_seconds=5.0,
        cancel_grace_seconds=1.0,
    )


@pytest.fixture
def processors() -> Processors:
    """The built-in processors; tests add their own."""
    return Processors.builtin()


@pytest.fixture
async def engine(engine_config: EngineConfig, processors: Processors) -> AsyncIterator[TaskEngine]:
    """An open engine without a worker."""
    async with TaskEngine.open(engine_config, processors=processors) as opened:
        yield opened


@pytest.fixture(autouse=True)
async def no_lost_errors() -> AsyncIterator[None]:
    """Fail a test in which an asyncio task died with nobody looking."""
    lost: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: lost.append(context))
    yield
    assert not lost, lost
