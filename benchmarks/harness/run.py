"""What a benchmark is, and what it is given: a server with stock durability, fresh databases, a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
from attrs import frozen

from benchmarks.harness.results import Result, Table
from novel_tasks_core.storage.embedded import open_embedded

DATABASE_VARIABLE = "NOVEL_TASKS_BENCH_DATABASE_URL"
_DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


class BenchmarkError(Exception):
    """The run cannot go on; says why."""


class BenchmarkSkippedError(Exception):
    """A benchmark cannot run here; says why. Not a failure."""


@frozen(kw_only=True)
class Run:
    """One call of the program. `folder` is empty, on a real disk, and removed at the end."""

    quick: bool
    server_url: str
    folder: Path

    def sized(self, full: int, *, quick: int) -> int:
        """Return how many of something this run does."""
        return quick if self.quick else full

    def new_folder(self) -> Path:
        """Make an empty folder."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """Make an empty database for the length of the block; yields its URL."""
        name = f"bench_{uuid4().hex[:12]}"
        await _command(self.server_url, f'create database "{name}"')
        try:
            yield urlunsplit(urlsplit(self.server_url)._replace(path=f"/{name}"))
        finally:
            await _command(self.server_url, f'drop database "{name}" with (force)')


@frozen
class Benchmark:
    """A benchmark: its name is that of its module, whose docstring explains it."""

    name: str
    measure: Callable[[Run], Awaitable[Sequence[Result | Table]]]


async def _command(url: str, command: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(command)
    finally:
        await connection.close()


async def settle(url: str) -> None:
    """Bring a database into the state in which timed runs begin: vacuumed, analysed, nothing left to write."""
    await _command(url, "vacuum analyze")
    await _command(url, "checkpoint")


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[str]:
    """Run a PostgreSQL of our own below `folder`, or use the one that the environment names; yields its URL.

    Raises: BenchmarkError unless commits are durable there.
    """
    given = os.environ.get(DATABASE_VARIABLE)
    if given:
        await _require_durability(given)
        yield given
        return
    async with open_embedded(folder / "postgres") as url:
        await _require_durability(url)
        yield url


async def _require_durability(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for setting in _DURABILITY:
            if await connection.fetchval("select current_setting($1)", setting) != "on":
                raise BenchmarkError(f"{setting} is off: figures without durability mean nothing")
    finally:
        await connection.close()


async def server_version(url: str) -> str:
    """Return the version of the server, such as 18.1."""
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("show server_version")).split()[0]
    finally:
        await connection.close()
