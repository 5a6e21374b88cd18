"""Waiting for the ends of many tasks: over one socket, and by asking where there is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any
from uuid import uuid4

import aiohttp

from novel_tasks_server.client.models import RemoteTask, TaskUpdate
from novel_tasks_server.client.patience import insist, may_pass
from novel_tasks_server.client.transport import Transport

Tell = Callable[[TaskUpdate], object]

_MAX_SUBSCRIPTIONS = 1000
"""How many tasks one socket may follow; the others are followed when these have finished."""

_SILENCE_SECONDS = 10.0
"""After so long without news the socket is doubted and the tasks are asked for: one may have been deleted."""


class Waiter:
    """Follows tasks until each has finished."""

    def __init__(self, transport: Transport, path_of: Callable[[str], str], tell: Tell | None) -> None:
        self._transport = transport
        self._path_of = path_of
        self._tell = tell or _ignore

    async def wait(self, task_ids: Iterable[str], *, poll_seconds: float) -> dict[str, RemoteTask]:
        """Return the tasks as they ended."""
        waiting = dict.fromkeys(task_ids)
        finished: dict[str, RemoteTask] = {}
        while waiting:
            await self._follow(waiting)
            for task_id in list(waiting):
                task = await self._get(task_id)
                self._tell(TaskUpdate.of(task))
                if task.status.is_final:
                    finished[task.id] = task
                    waiting.pop(task_id)
            if waiting:
                await asyncio.sleep(poll_seconds)
        return finished

    async def _get(self, task_id: str) -> RemoteTask:
        """Return the task; patient with a server that is being restarted."""
        return await insist(
            lambda: self._transport.ask_once("GET", self._path_of(task_id), RemoteTask),
            patience=self._transport.patience(),
            may_repeat=may_pass,
        )

    async def _follow(self, task_ids: Iterable[str]) -> None:
        """Pass on updates over a WebSocket until all have finished, or there is no socket (any more)."""
        waiting = set(islice(task_ids, _MAX_SUBSCRIPTIONS))
        address = f"{self._transport.url}/api/v1/ws/tasks/{uuid4().hex}"
        try:
            async with self._transport.session.ws_connect(address, heartbeat=25) as socket:
                for task_id in waiting.copy():
                    await socket.send_json({"type": "subscribe", "task_id": task_id})
                while waiting and not socket.closed:
                    message = self._read(await socket.receive(timeout=_SILENCE_SECONDS))
                    if message.get("type") == "error":
                        return  # there is no such task, say: the caller learns it by asking for it
                    if message.get("type") != "task_update":
                        continue
                    update = self._transport.structure(message, TaskUpdate)
                    if update.task_id in waiting:
                        self._tell(update)
                        if update.status.is_final:
                            waiting.discard(update.task_id)
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return  # the caller asks over plain HTTP, and learns there what is wrong

    def _read(self, message: aiohttp.WSMessage) -> Mapping[str, Any]:
        if message.type is not aiohttp.WSMsgType.TEXT:
            return {}
        content: Any = self._transport.guarded(json.loads, message.data)
        return content if isinstance(content, Mapping) else {}


def _ignore(update: TaskUpdate) -> None:
    """Take an update that nobody wants."""
