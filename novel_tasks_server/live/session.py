"""One socket: a reader, one writer, and a bounded outbox between the hub and the wire."""

from __future__ import annotations

import asyncio
from typing import assert_never

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from novel_tasks_core import TaskId
from novel_tasks_server.live.hub import ConnectionManager
from novel_tasks_server.live.outbox import Outbox
from novel_tasks_server.live.protocol import (
    MAX_MESSAGE_BYTES,
    PONG,
    ErrorCode,
    MessageRefusedError,
    Ping,
    Subscribe,
    Unsubscribe,
    parse_command,
)
from novel_tasks_server.metrics import Metrics

HEARTBEAT_SECONDS = 25.0
"""How often a silent client is asked whether it is there."""

SEND_TIMEOUT_SECONDS = 10.0
"""How long one message may take to leave; a client that reads slower is closed."""

CLOSE_TIMEOUT_SECONDS = 2.0
"""How long a client has to answer a goodbye."""

MAX_SUBSCRIPTIONS = 1000
"""How many tasks one socket may follow."""

_WRITE_BUFFER_BYTES = 16 * 1024
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def open_socket(request: web.Request) -> web.WebSocketResponse:
    """Accept the WebSocket handshake. Raises: web.HTTPBadRequest for what is none."""
    socket = web.WebSocketResponse(
        timeout=CLOSE_TIMEOUT_SECONDS,
        heartbeat=HEARTBEAT_SECONDS,
        compress=False,
        max_msg_size=MAX_MESSAGE_BYTES,
        writer_limit=_WRITE_BUFFER_BYTES,
    )
    await socket.prepare(request)
    return socket


class Session:
    """What the server knows of one open socket. Only its writer touches the wire."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        *,
        client_id: str,
        hub: ConnectionManager,
        metrics: Metrics,
    ) -> None:
        self.client_id = client_id
        self._socket = socket
        self._transport = transport
        self._hub = hub
        self._metrics = metrics
        self._outbox = Outbox()
        self._goodbye: tuple[int, bytes] = (WSCloseCode.OK, b"")
        self._finished = asyncio.Event()

    async def run(self) -> None:
        """Serve the socket until either side closes it."""
        self._hub.connect(self)
        self._metrics.sockets.inc()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write())
                await self._read()
                self._outbox.close()
        finally:
            self._hub.disconnect(self)
            self._metrics.sockets.dec()
            self._metrics.dropped.inc(self._outbox.dropped)
            self._finished.set()

    def send(self, message: bytes) -> None:
        """Send a message; a client for which too many wait is closed with 1013."""
        if not self._outbox.put(message):
            self._give_up()

    def send_state(self, task_id: TaskId, message: bytes) -> None:
        """Send a change of a task; as `send`."""
        if not self._outbox.put_state(task_id, message):
            self._give_up()

    def send_progress(self, task_id: TaskId, message: bytes) -> None:
        """Send progress; dropped when the client is slow."""
        self._outbox.put_progress(task_id, message)

    async def close(self, *, code: int, reason: str) -> None:
        """Send what waits, then say goodbye; returns when the socket is closed, in bounded time."""
        self._goodbye = (code, reason.encode())
        self._outbox.close()
        try:
            async with asyncio.timeout(2 * CLOSE_TIMEOUT_SECONDS):
                await self._finished.wait()
        except TimeoutError:
            self._transport.abort()
            await self._finished.wait()

    def _give_up(self) -> None:
        _log.info("socket_too_slow", client_id=self.client_id, following=len(self._hub.following(self)))
        self._goodbye = (WSCloseCode.TRY_AGAIN_LATER, b"too slow")
        self._outbox.close(discard=True)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                self._metrics.messages.labels("in").inc()
                self._obey(message.data)
            elif message.type is WSMsgType.BINARY:
                self.send(MessageRefusedError(ErrorCode.BAD_MESSAGE, "send text, not bytes").message())
            await self._outbox.room()

    def _obey(self, text: str) -> None:
        try:
            command = parse_command(text)
            match command:
                case Ping():
                    self.send(PONG)
                case Subscribe():
                    self._subscribe(command.task_id)
                case Unsubscribe():
                    self._hub.unsubscribe(self, command.task_id)
                case _:
                    assert_never(command)
        except MessageRefusedError as exc:
            self.send(exc.message())

    def _subscribe(self, task_id: TaskId) -> None:
        following = self._hub.following(self)
        if len(following) >= MAX_SUBSCRIPTIONS and task_id not in following:
            raise MessageRefusedError(ErrorCode.TOO_MANY, f"one socket may follow {MAX_SUBSCRIPTIONS} tasks")
        self._hub.subscribe(self, task_id)

    async def _write(self) -> None:
        """Send what waits, one message after the other, then the goodbye; whoever does not take it is cut off."""
        try:
            while (message := await self._outbox.get()) is not None:
                async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                    await self._socket.send_frame(message, WSMsgType.TEXT)
                self._metrics.messages.labels("out").inc()
        except TimeoutError:
            self._give_up()
        except ConnectionError:
            self._outbox.close(discard=True)
        await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        code, reason = self._goodbye
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS + 1):
                await self._socket.close(code=code, message=reason)
        except (TimeoutError, ConnectionError):
            _log.debug("socket_cut_off", client_id=self.client_id)
        finally:
            self._cut_off()

    def _cut_off(self) -> None:
        """Free the connection of a client that does not read: closing alone would wait for it for ever."""
        if self._transport.get_write_buffer_size():
            self._transport.abort()
