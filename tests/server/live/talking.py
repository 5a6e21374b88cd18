"""What the tests of live updates say on sockets, and what they wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientWebSocketResponse

from novel_tasks_core import LogLevel, TaskId, TaskLogged, TaskProgressed

Connect = Callable[..., Awaitable[ClientWebSocketResponse]]
Make = Callable[..., Awaitable[dict[str, Any]]]


async def told(socket: ClientWebSocketResponse) -> dict[str, Any]:
    """Wait for the next message."""
    message: dict[str, Any] = await socket.receive_json(timeout=60)
    return message


async def settled(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


V1 = ("novel-tasks.v1",)


async def followed(socket: ClientWebSocketResponse, task_id: str, **wish: Any) -> int:
    """Follow a task by the newer protocol, and return the seq of its snapshot."""
    await socket.send_json({"type": "subscribe", "task_id": task_id, **wish})
    assert (await told(socket))["type"] == "subscribed"
    snapshot = await told(socket)
    assert snapshot["type"] == "snapshot"
    seq: int = snapshot["seq"]
    return seq


async def subscribe(socket: ClientWebSocketResponse, task_id: str) -> dict[str, Any]:
    """Subscribe to a task and return the first message."""
    await socket.send_json({"type": "subscribe", "task_id": task_id})
    return await told(socket)


def stall(socket: ClientWebSocketResponse) -> None:
    """Let a client read nothing any more."""
    assert socket._conn is not None
    assert socket._conn.transport is not None
    socket._conn.transport.pause_reading()


def read_on(socket: ClientWebSocketResponse) -> None:
    """Let a client read again."""
    assert socket._conn is not None
    assert socket._conn.transport is not None
    socket._conn.transport.resume_reading()


def progressed(task_id: TaskId, attempt: int, number: int, *, stage: str = "") -> TaskProgressed:
    """Return progress, as a worker tells it."""
    return TaskProgressed(
        task_id=task_id, after_seq=9, at=datetime.now(UTC), attempt=attempt, fraction=number % 1000 / 1000, stage=stage
    )


def logged(task_id: TaskId, seq: int, message: str) -> TaskLogged:
    """Return a log entry."""
    return TaskLogged(task_id=task_id, seq=seq, at=datetime.now(UTC), attempt=1, level=LogLevel.INFO, message=message)
