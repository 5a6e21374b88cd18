"""Sockets and streams outlast many a token: whoever holds one is asked again while they stay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog
from aiohttp import web

from novel_tasks_core import NovelTasksError
from novel_tasks_server.access.gate import GATE
from novel_tasks_server.live.hub import HUB
from novel_tasks_server.live.stream import STREAMS

INTERVAL_SECONDS = 5.0
"""How often it is asked whether they would be let in again."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def part_with_the_gone(app: web.Application) -> None:
    """Close the sockets and streams of those whom the gate would not let in again; all stay if it cannot tell."""
    places = (app[HUB], app[STREAMS])
    visitors = set().union(*(place.visitors() for place in places))
    if not visitors:
        return
    try:
        gone = await app[GATE].gone(visitors)
    except NovelTasksError as exc:
        _log.warning("visitors_not_checked", error=type(exc).__name__)
        return
    if gone:
        _log.info("visitors_gone", who=sorted(one.name for one in gone))
        for place in places:
            place.part_with(gone)


async def visitors_context(app: web.Application) -> AsyncIterator[None]:
    """Ask them while the application runs."""
    asking = asyncio.create_task(_ask_for_ever(app), name="visitors")
    yield
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking


async def _ask_for_ever(app: web.Application) -> None:
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        try:
            await part_with_the_gone(app)
        except Exception:
            _log.exception("visitors_not_checked")
