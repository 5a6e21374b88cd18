"""Server-sent events (WHATWG HTML, 9.2): the same news as on sockets, for those who only listen.

A stream writes at the pace of its reader; a reader too slow for it is cut off, and comes back with the id of the
last event that it got.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import structlog
from aiohttp import web

from novel_tasks_core import (
    EngineClosedError,
    Event,
    StorageError,
    TaskDeleted,
    TaskEngine,
    TaskId,
    TaskNotFoundError,
    TaskProgressed,
    format_task_id,
)
from novel_tasks_server.live.doorkeeper import Doorkeeper
from novel_tasks_server.live.frames import CloseCode
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.access import Principal
from novel_tasks_server.schemas.views import encode, event_view

MEDIA_TYPE = "text/event-stream"

HEARTBEAT_SECONDS = 15.0
"""How often a silent stream says that it is there."""

LOOK_SECONDS = 1.0
"""How often those whose client has left are looked for: nothing else tells of it until something is written."""

SEND_TIMEOUT_SECONDS = 10.0
"""How long one event may take to leave; a client that reads slower is cut off."""

_RETRY = b"retry: 2000\n\n"
_COMMENT = b": still here\n\n"
_HEADERS = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Source = AsyncGenerator[bytes, None]


def written(kind: str, data: Any, *, seq: int | None = None) -> bytes:
    """Return an event; only one with a `seq` is what a client comes back with."""
    named = b"" if seq is None else b"id: %d\n" % seq
    return b"%sevent: %s\ndata: %s\n\n" % (named, kind.encode(), encode(data))


def task_event(event: Event) -> bytes:
    """Return what happened to a task; progress and the end of everything have no id."""
    match event:
        case TaskProgressed():
            told = {
                "kind": event.kind,
                "after_seq": event.after_seq,
                "at": event.at,
                "attempt": event.attempt,
                "fraction": event.fraction,
                "stage": event.stage,
            }
            return written(event.kind, told)
        case TaskDeleted():
            told = {"kind": event.kind, "task_id": format_task_id(event.task_id), "at": event.at}
            return written(event.kind, told)
        case _:
            return written(event.kind, event_view(event), seq=event.seq)


async def task_events(engine: TaskEngine, task_id: TaskId, *, after: int) -> Source:
    """Yield the events of a task after a seq, stored ones and then live, up to the one that finishes it."""
    try:
        async with aclosing(engine.watch(task_id, after=after)) as events:
            async for event in events:
                yield task_event(event)
    except TaskNotFoundError:
        yield task_event(TaskDeleted(task_id=task_id, at=engine.clock.now()))


class _Stream:
    """One open stream, as the doorkeeper knows it."""

    def __init__(self, request: web.Request, principal: Principal) -> None:
        self.principal = principal
        self.ending = asyncio.Event()
        self._request = request

    @property
    def is_gone(self) -> bool:
        """Whether its client has left."""
        return self._request.transport is None or self._request.transport.is_closing()

    def close(self, code: int = CloseCode.RESTART, reason: str = "") -> None:
        """Let it end after what it is writing."""
        self.ending.set()


class Streams:
    """The open streams of this process."""

    def __init__(self, metrics: Metrics, doorkeeper: Doorkeeper) -> None:
        self._metrics = metrics
        self._doorkeeper = doorkeeper
        self._streams: set[_Stream] = set()
        self._looking: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._streams)

    def close(self) -> None:
        """Let all end after what they are writing; their clients come back elsewhere."""
        self._closed = True
        for stream in self._streams:
            stream.close()

    async def serve(
        self, request: web.Request, source: Source, *, principal: Principal, token: str | None
    ) -> web.StreamResponse:
        """Write what the source yields until it ends, the client leaves or is too slow, or the server stops.

        It ends, too, when the token by which the client came in is good no longer.

        Raises: RequestRefusedError (503) when the server stops, (429) when there are too many with this token.
        """
        self._require_room(token)
        response = web.StreamResponse(headers=_HEADERS)
        response.force_close()
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        stream = _Stream(request, principal)
        self._streams.add(stream)
        if self._looking is None:
            self._look_later()
        self._doorkeeper.admit(stream, token)
        self._metrics.streams.inc()
        try:
            async with aclosing(source), aclosing(self._paced(source, stream)) as chunks:
                async for chunk in chunks:
                    async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                        await response.write(chunk)
        except TimeoutError:
            _log.info("stream_too_slow", path=request.path)
            if request.transport is not None:
                request.transport.abort()
        except (ConnectionError, StorageError, EngineClosedError) as exc:
            _log.debug("stream_ended", path=request.path, reason=type(exc).__name__)
        finally:
            self._streams.discard(stream)
            self._doorkeeper.leave(stream, token)
            self._metrics.streams.dec()
        return response

    def _look_later(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """End the streams that nobody reads any longer; look again while there are others."""
        self._looking = None
        for stream in self._streams:
            if stream.is_gone:
                stream.close()
        if self._streams:
            self._look_later()

    def _require_room(self, token: str | None) -> None:
        if self._closed:
            raise RequestRefusedError(503, "stopping", "The service is stopping.", headers={"Retry-After": "5"})
        if not self._doorkeeper.has_room(token):
            raise RequestRefusedError(429, "too-many-streams", "Too many streams and sockets of this token are open.")

    async def _paced(self, source: Source, stream: _Stream) -> Source:
        """Yield from the source, with a comment whenever it was silent for long, until one of them ends."""
        yield _RETRY
        stopping = asyncio.create_task(stream.ending.wait())
        coming: asyncio.Task[bytes | None] = asyncio.create_task(anext(source, None))
        try:
            while not stopping.done():
                await asyncio.wait((coming, stopping), timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    yield _COMMENT
                    continue
                chunk = coming.result()
                if chunk is None:
                    return
                coming = asyncio.create_task(anext(source, None))
                self._metrics.messages_out.inc()
                yield chunk
        finally:
            stopping.cancel()
            coming.cancel()
            await asyncio.wait((stopping, coming))


STREAMS = web.AppKey("streams", Streams)
