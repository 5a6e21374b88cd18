"""Fixtures of the core's tests: a look at the database past the engine, further engines, processors to stop at."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import attrs
import pytest

from novel_tasks_core import EngineConfig, Processors, TaskEngine
from novel_tasks_core.storage.database import Database

from .support import AT_ONCE, NO_RETRY, Gate

FOLDER = Path(__file__).parent


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection of the test's own to its database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close(timeout=60)


@pytest.fixture
async def database(database_url: str, engine_config: EngineConfig) -> AsyncIterator[Database]:
    """The pool over the test's database, without an engine."""
    async with Database.open(database_url, config=engine_config) as opened:
        yield opened


@pytest.fixture
def child_processors() -> Iterator[ModuleType]:
    """The module of `def` processors, importable by children through this process's `sys.path`."""
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("engine_specimens")
    sys.path.remove(str(FOLDER))


@pytest.fixture
def gate(processors: Processors) -> Gate:
    """The processor `gate`, which a test holds and lets go; it has one attempt."""
    made = Gate()
    processors.register("gate", made.run, retry=NO_RETRY)
    return made


@pytest.fixture
def stubborn_gate(processors: Processors) -> Gate:
    """The same under the name `again`, with three attempts at once."""
    made = Gate()
    processors.register("again", made.run, retry=AT_ONCE)
    return made


OpenEngine = Callable[..., AbstractAsyncContextManager[TaskEngine]]


@pytest.fixture
def another_engine(engine_config: EngineConfig, processors: Processors) -> OpenEngine:
    """Open further engines on the same database, with some settings changed."""

    def open_engine(**changes: Any) -> AbstractAsyncContextManager[TaskEngine]:
        return TaskEngine.open(attrs.evolve(engine_config, **changes), processors=processors)

    return open_engine


@pytest.fixture(autouse=True)
async def no_leftovers() -> AsyncIterator[None]:
    """Fail a test after which asyncio tasks are left over."""
    before = asyncio.all_tasks()
    yield
    left = [task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()]
    assert not left, left
