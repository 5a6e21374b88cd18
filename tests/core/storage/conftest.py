"""Fixtures of the storage's tests: a bench on a database that the tests of a module share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.storage.queries import load_queries

from ...conftest import TEMPLATE, on_database
from .bench import Bench, open_bench


@pytest.fixture(scope="module")
def module_url(template: str) -> Iterator[str]:
    """A database for all tests of a module: each begins by emptying it."""
    name = f"test_{uuid4().hex[:12]}"

    async def run(statement: str) -> None:
        admin = await asyncpg.connect(template)
        try:
            await admin.execute(statement)
        finally:
            await admin.close()

    asyncio.run(run(f'create database "{name}" template "{TEMPLATE}"'))
    yield on_database(template, name)
    asyncio.run(run(f'drop database if exists "{name}" with (force)'))


@pytest.fixture
async def bench(module_url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    """An empty bench, whose invariants must hold in the end; a test that breaks them on purpose clears it."""
    config = EngineConfig(database_url=module_url, data_dir=tmp_path / "data", pool_size=4, pool_overflow=4)
    async for opened in open_bench(module_url, config):
        await opened.clear()
        yield opened
        for name in ("location_faults", "count_faults"):
            assert await opened.other.fetch(load_queries("tasks")[name]) == [], name
