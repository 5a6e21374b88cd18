"""How late the event loop is: whatever blocks it delays every request, socket and lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from novel_tasks_server.keys import METRICS
from novel_tasks_server.metrics import Metrics

INTERVAL_SECONDS = 0.25
"""How often it is measured."""


async def measure_lag(metrics: Metrics) -> None:
    """Observe for ever how much later than asked for a sleep ends."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_SECONDS
        await asyncio.sleep(INTERVAL_SECONDS)
        metrics.loop_lag.observe(max(0.0, loop.time() - due))


async def lag_context(app: web.Application) -> AsyncIterator[None]:
    """Measure while the application runs."""
    measuring = asyncio.create_task(measure_lag(app[METRICS]), name="loop-lag")
    yield
    measuring.cancel()
    with suppress(asyncio.CancelledError):
        await measuring
