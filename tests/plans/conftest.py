"""The worlds that plans are read in, each made once a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias
from uuid import uuid4

import asyncpg
import pytest
from attrs import frozen

from novel_tasks_core.storage.database import _ENGINE_SETTINGS

from ..conftest import TEMPLATE, on_database
from ..core.support import Db
from . import worlds
from .hot_statements import engine_statements
from .plan_reading import Explained, Statement

Plans: TypeAlias = Mapping[str, Mapping[str, Explained]]
"""What statements did, by when and by name."""


@frozen
class World:
    """A database, and what the engine's statements did while it grew."""

    url: str
    plans: Plans


@asynccontextmanager
async def connected(url: str, settings: Mapping[str, str]) -> AsyncIterator[Db]:
    """Connect with the settings of the engine's links or of the pool."""
    db = await asyncpg.connect(url, server_settings=dict(settings))
    try:
        yield db
    finally:
        await db.close(timeout=5)


async def explain_all(db: Db, statements: Mapping[str, Statement]) -> dict[str, Explained]:
    """Explain prepared statements."""
    return {name: await statement.explain(db) for name, statement in statements.items()}


async def watch_it_grow(url: str, *, tasks: int, analyze_first: bool) -> Plans:
    """Fill a database, and explain the engine's statements meanwhile by the plans of a connection as old as itself."""
    plans: dict[str, Mapping[str, Explained]] = {}
    async with connected(url, {}) as db, connected(url, _ENGINE_SETTINGS) as link:
        await worlds.prepare(db)
        await worlds.add_drained(db)
        if analyze_first:
            await db.execute("analyze")
        statements = engine_statements()
        for statement in statements.values():
            await statement.prepare(link)
        plans["empty"] = await explain_all(link, statements)
        await worlds.add_waiting(db, worlds.DRAINED + 1, worlds.DRAINED + 1000)
        plans["a thousand"] = await explain_all(link, statements)
        await worlds.add_waiting(db, worlds.DRAINED + 1001, tasks)
        plans["after a burst"] = await explain_all(link, statements)
        await worlds.complete(db)
        plans["known to the statistics"] = await explain_all(link, statements)
        async with link.transaction():
            await link.execute("truncate task_ready, task_schedule, task_leases")
            plans["emptied"] = await explain_all(link, statements)
            await link.execute(
                "insert into task_ready (lane, priority, task_id) select lane, priority, id from tasks limit 1000"
            )
            plans["emptied and filled"] = await explain_all(link, statements)
            await link.execute("rollback; begin")
    return plans


async def make_history(url: str) -> Plans:
    """Fill a database with tasks that are over."""
    async with connected(url, {}) as db:
        await worlds.prepare(db)
        await worlds.add_finished(db, 1, worlds.TASKS)
        await worlds.complete(db)
    return {}


def in_own_database(server: str, name: str, make: Callable[[str], Awaitable[Plans]]) -> Iterator[World]:
    """Make a world in a new database, which is dropped afterwards."""
    name = f"{name}_{uuid4().hex[:12]}"
    url = on_database(server, name)

    async def build() -> Plans:
        async with connected(server, {}) as admin:
            await admin.execute(f'create database "{name}" template "{TEMPLATE}"')
        return await make(url)

    async def drop() -> None:
        async with connected(server, {}) as admin:
            await admin.execute(f'drop database "{name}" with (force)')

    try:
        yield World(url, asyncio.run(build()))
    finally:
        asyncio.run(drop())


@pytest.fixture(scope="session")
def backlog(template: str) -> Iterator[World]:
    """A million tasks that wait."""

    async def make(url: str) -> Plans:
        return await watch_it_grow(url, tasks=worlds.TASKS, analyze_first=True)

    yield from in_own_database(template, "backlog", make)


@pytest.fixture(scope="session")
def history(template: str) -> Iterator[World]:
    """A million tasks that are over."""
    yield from in_own_database(template, "history", make_history)
