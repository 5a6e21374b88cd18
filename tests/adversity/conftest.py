"""Fixtures of the tests against a bad network: a proxy before the database, an engine behind it with short patience."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs
import pytest

from novel_tasks_core import EngineConfig, Processors, TaskEngine

from ..core.conftest import another_engine, db, gate, no_leftovers, stubborn_gate
from .proxy import Proxy

__all__ = ["another_engine", "db", "gate", "no_leftovers", "stubborn_gate"]

PATIENCE_SECONDS = 2.0
"""Time enough for what a busy machine does, and soon over where nothing is answered."""


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[Proxy]:
    """A proxy before the test's database."""
    async with Proxy(database_url).running() as running:
        yield running


@pytest.fixture
def far_config(engine_config: EngineConfig, proxy: Proxy) -> EngineConfig:
    """Settings of an engine that reaches its database by way of the proxy, and soon loses patience."""
    return attrs.evolve(
        engine_config,
        database_url=proxy.url,
        connect_timeout_seconds=PATIENCE_SECONDS,
        command_timeout_seconds=PATIENCE_SECONDS,
        lease_ttl_seconds=60.0,
        heartbeat_seconds=0.2,
    )


@pytest.fixture
async def far_engine(far_config: EngineConfig, processors: Processors) -> AsyncIterator[TaskEngine]:
    """An engine behind the proxy."""
    async with TaskEngine.open(far_config, processors=processors) as opened:
        yield opened
