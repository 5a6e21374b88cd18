"""Following one task over connections that break: without a gap, without a repeat, to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import aiohttp

from novel_tasks_core import (
    Event,
    TaskCancelled,
    TaskCompleted,
    TaskDeleted,
    TaskFailed,
    TaskId,
    TaskProgressed,
    TaskStatus,
)
from novel_tasks_server.client.errors import ServerRefusedError, ServerUnreachableError
from novel_tasks_server.client.events import MessageParser, read_event
from novel_tasks_server.client.models import RemoteTask
from novel_tasks_server.client.patience import may_pass
from novel_tasks_server.client.transport import Transport

_ACCEPT = "text/event-stream, application/json;q=0.5"
_PAGE = 1000
_NOTHING_MORE = 204
"""What the server answers instead of a stream in which nothing would come any more."""


class Watcher:
    """What one watcher of a task has seen.

    It asks for a stream of events after the last one that it has; a server or proxy that gives a page instead
    is asked again every `poll_seconds`. Whether the task has ended is for the task to say: an event that
    finishes it may be followed by others when it was retried.
    """

    def __init__(self, transport: Transport, path: str, task_id: TaskId, *, after: int, poll_seconds: float) -> None:
        self._transport = transport
        self._path = path
        self._task_id = task_id
        self._seq = after
        self._poll_seconds = poll_seconds
        self._patience = transport.patience()
        self._progress: tuple[int, float, str | None] | None = None
        self._at_once = False
        self._known = False

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the events to the last one of the task."""
        while True:
            try:
                async with aclosing(self._connection()) as events:
                    async for event in events:
                        yield event
                        if isinstance(event, TaskDeleted):
                            return
                task = await self._transport.ask_once("GET", self._path, RemoteTask)
            except (ServerRefusedError, ServerUnreachableError) as exc:
                if isinstance(exc, ServerRefusedError) and exc.status == 404 and self._known:
                    yield TaskDeleted(task_id=self._task_id, at=datetime.now(UTC))
                    return
                if not may_pass(exc):
                    raise
                await self._patience.pause(exc)
                continue
            self._heard()
            if task.last_seq <= self._seq:
                if task.status.is_final:
                    return
                for progress in self._changed(task):
                    yield progress
            if not self._at_once:
                await asyncio.sleep(self._poll_seconds)

    def _heard(self) -> None:
        self._known = True
        self._patience.succeeded()

    async def _connection(self) -> AsyncGenerator[Event, None]:
        """Yield what one connection brings, up to an event that may be the last."""
        self._at_once = False
        headers = {"Accept": _ACCEPT, "Last-Event-ID": str(self._seq)}
        query = {"after": str(self._seq)}
        async with self._transport.answer("GET", f"{self._path}/events", headers=headers, params=query) as response:
            self._heard()
            if response.status == _NOTHING_MORE:
                return
            if response.content_type == "text/event-stream":
                async with aclosing(self._streamed(response)) as events:
                    async for event in events:
                        yield event
            else:
                page = self._transport.structure(await self._transport.read_json(response), dict[str, Any])
                found = self._transport.structure(page.get("events"), list[dict[str, Any]])
                for content in found:
                    for event in self._new(content):
                        yield event
                self._at_once = len(found) >= _PAGE

    async def _streamed(self, response: aiohttp.ClientResponse) -> AsyncGenerator[Event, None]:
        parser = MessageParser()
        async for data, _ in response.content.iter_chunks():
            self._patience.succeeded()
            for message in parser.feed(data):
                for event in self._new(self._transport.guarded(message.content)):
                    yield event
                    if isinstance(event, TaskCompleted | TaskFailed | TaskCancelled | TaskDeleted):
                        self._at_once = True  # if it is not over, there is more to hear
                        return

    def _new(self, content: dict[str, Any]) -> Iterator[Event]:
        """Yield the event unless it is old, or of a kind that is not known here."""
        event = self._transport.guarded(read_event, self._task_id, content)
        if isinstance(event, TaskProgressed):
            self._progress = (event.attempt, event.fraction, event.stage)
            yield event
            return
        seq = content.get("seq", self._seq + 1)
        if seq > self._seq:
            self._seq = seq
            if event is not None:
                yield event

    def _changed(self, task: RemoteTask) -> Iterator[TaskProgressed]:
        """Yield how far the task is, if that is news."""
        state = (task.attempt, task.progress / 100, task.stage)
        if task.status is TaskStatus.PROCESSING and state != self._progress:
            self._progress = state
            yield TaskProgressed(
                task_id=self._task_id,
                after_seq=self._seq,
                at=datetime.now(UTC),
                attempt=task.attempt,
                fraction=task.progress / 100,
                stage=task.stage or "",
            )
