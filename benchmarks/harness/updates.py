"""What servers of sockets are told to spread, and how they are told: nothing here but the standard library.

A server of the benchmarks listens on a second port. Each byte that comes there is a percentage, and has the
server send one update with it to everybody.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

FIRST_PERCENT = 10
PERCENTAGES = 80
"""How many different percentages there are, all of two digits, so that all updates are equally long."""

_TASK = "task-0123456789abcdef0123456789abcdef"


def percent(number: int) -> int:
    """Return the percentage of the update with this number; no two that follow each other are equal."""
    return FIRST_PERCENT + number % PERCENTAGES


def update(percentage: int) -> str:
    """Return an update as the service sends them to the clients that it has always had."""
    told = {
        "type": "task_update",
        "task_id": _TASK,
        "status": "processing",
        "progress": percentage,
        "result_url": None,
        "error_message": None,
    }
    return json.dumps(told, separators=(",", ":"))


def mark(percentage: int) -> bytes:
    """Return what only an update with this percentage has in it."""
    return b'"progress":%d' % percentage


async def controlled(port: int, publish: Callable[[int], Awaitable[None]]) -> asyncio.Server:
    """Listen on the second port, and call `publish` with each percentage that comes there."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while told := await reader.read(1):
                await publish(told[0])
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    return await asyncio.start_server(hear, "127.0.0.1", port)
