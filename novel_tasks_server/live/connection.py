"""One socket on the wire: frames in, frames out, flow control and the goodbye.

An idle socket has no asyncio task, timer, queue or buffer of its own. What is sent goes straight to the
transport while that has room; only for a reader that falls behind there is an outbox, for as long as it does.
Whatever is written is one whole frame, so frames never mix.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Hashable
from typing import Protocol

import structlog

from novel_tasks_server.live.frames import (
    CloseCode,
    FrameError,
    FrameReader,
    Message,
    Opcode,
    close_frame,
    control_frame,
)
from novel_tasks_server.live.heartbeats import Heartbeats
from novel_tasks_server.live.outbox import Outbox
from novel_tasks_server.live.protocol import MAX_MESSAGE_BYTES
from novel_tasks_server.metrics import Metrics
from novel_tasks_server.schemas.access import Principal

SEND_TIMEOUT_SECONDS = 10.0
"""How long a client may read too little for anything more to leave; then it is closed with 1013."""

CLOSE_TIMEOUT_SECONDS = 2.0
"""How long a client has to answer a goodbye."""

WRITE_BUFFER_BYTES = 16 * 1024
"""How much may be on its way to one client before messages wait in its outbox."""

KERNEL_BUFFER_BYTES = 64 * 1024
"""How much of that the system may hold; without a bound it takes megabytes."""

_MESSAGES_A_TURN = 64
_PING = control_frame(Opcode.PING)
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Speech(Protocol):
    """What is said on sockets of one protocol. The same object serves all of them."""

    def opened(self, connection: Connection) -> None:
        """Greet a socket."""

    def heard(self, connection: Connection, message: Message) -> None:
        """Do what a text or binary message asks for."""

    def relieved(self, connection: Connection) -> None:
        """Go on with what waited for a slow reader to catch up."""

    def closed(self, connection: Connection) -> None:
        """Forget a socket."""


class Connection(asyncio.Protocol):
    """One open socket. No method blocks.

    `clear` says that a frame may be written to `transport` now: whoever sends one frame to many sockets looks
    at it and saves a call for each. `faults`, `allowance` and `spoke_at` are for the Speech to count with.
    """

    __slots__ = (
        "_beats",
        "_closing",
        "_cut",
        "_deaf",
        "_held",
        "_metrics",
        "_outbox",
        "_paused",
        "_pinged",
        "_reader",
        "_speech",
        "allowance",
        "clear",
        "client_id",
        "due",
        "faults",
        "heard_at",
        "principal",
        "spoke_at",
        "stalled_at",
        "token",
        "transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        client_id: str,
        principal: Principal,
        token: str | None,
        speech: Speech,
        beats: Heartbeats,
        metrics: Metrics,
    ) -> None:
        self.client_id = client_id
        self.principal = principal
        self.token = token
        self.transport = transport
        self.clear = True
        self.faults = 0
        self.allowance = 0.0
        self.heard_at = self.spoke_at = beats.now()
        self.stalled_at: float | None = None
        self.due = 0
        self._speech = speech
        self._beats = beats
        self._metrics = metrics
        self._reader = FrameReader(limit=MAX_MESSAGE_BYTES)
        self._outbox: Outbox | None = None
        self._paused = self._closing = self._deaf = self._held = self._pinged = False
        self._cut: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Begin: from now on the transport's data come here."""
        self._metrics.sockets.inc()
        self._beats.join(self)
        self._speech.opened(self)

    @property
    def is_open(self) -> bool:
        """Whether nobody has said goodbye yet."""
        return not self._closing

    @property
    def is_crowded(self) -> bool:
        """Whether so much waits for this reader that no more should be fetched for it."""
        return self._outbox is not None and self._outbox.is_crowded

    # -- sending ----------------------------------------------------------------------------------------------

    def send(self, frame: bytes, *, about: Hashable | None = None) -> None:
        """Send a frame that must arrive; a client for which too many wait is closed with 1013.

        Progress of what it is `about` that is sent later arrives later.
        """
        self._metrics.messages_out.inc()
        if self.clear:
            self.transport.write(frame)
        else:
            self.queue(frame, about=about)

    def send_progress(self, about: Hashable, frame: bytes) -> bool:
        """Send news that a later one makes up for; return False when it was dropped, as the client is slow."""
        self._metrics.messages_out.inc()
        if self.clear:
            self.transport.write(frame)
            return True
        return self.queue_progress(about, frame)

    def queue(self, frame: bytes, *, about: Hashable | None = None) -> None:
        """Keep a frame for a client that is not clear."""
        if not self._closing and self._outbox is not None and not self._outbox.put(frame, about=about):
            self._too_slow()

    def queue_progress(self, about: Hashable, frame: bytes) -> bool:
        """Keep news for a client that is not clear; return False when it was dropped."""
        return self._closing or self._outbox is None or self._outbox.put_progress(about, frame)

    def close(self, code: int, reason: str = "", *, discard: bool = False) -> None:
        """Say goodbye after what waits, or instead of it; whoever does not answer in time is cut off."""
        if self._closing:
            return
        self._closing = True
        goodbye = close_frame(code, reason)
        if self._outbox is None or discard:
            self._drop_outbox()
            self.transport.write(goodbye)
        else:
            self._outbox.put_last(goodbye)
        self.clear = False
        self._cut = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_SECONDS, self.transport.abort)
        self._hold(False)

    def _too_slow(self) -> None:
        _log.info("socket_too_slow", client_id=self.client_id)
        self.close(CloseCode.TRY_AGAIN_LATER, "too slow", discard=True)

    def _drop_outbox(self) -> None:
        if self._outbox is not None and self._outbox.dropped:
            self._metrics.dropped.inc(self._outbox.dropped)
        self._outbox = None

    def pause_writing(self) -> None:
        """Keep what is sent from now on: the transport has enough."""
        self._paused = True
        self.clear = False
        if self.stalled_at is None and not self._closing:
            self.stalled_at = self._beats.now()
            self._beats.stalled.add(self)
        if self._outbox is None and not self._closing:
            self._outbox = Outbox()

    def resume_writing(self) -> None:
        """Send what waits, as far as the transport takes it."""
        self._paused = False
        box = self._outbox
        while box is not None and not self._paused and (frame := box.take()) is not None:
            self.transport.write(frame)
        if self._paused:
            self.stalled_at = self._beats.now()  # slow, but reading
            return
        self._drop_outbox()
        self.stalled_at = None
        self._beats.stalled.discard(self)
        self.clear = not self._closing
        if self.clear:
            self._speech.relieved(self)
            self._read_on()

    # -- hearing ----------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take what the client sends."""
        self.heard_at = self._beats.now()
        self._pinged = False
        if not self._deaf:
            self._reader.feed(data)
            self._read_on()

    def _read_on(self) -> None:
        """Hear some messages; more only after others had their turn, and once the answers have left."""
        try:
            for _ in range(_MESSAGES_A_TURN):
                if self.is_crowded and not self._closing:
                    self._hold(True)
                    return
                message = None if self._deaf else self._reader.next()
                if message is None:
                    self._hold(False)
                    return
                self._take(message)
        except FrameError as exc:
            self._fail(exc)
            return
        self._hold(True)
        asyncio.get_running_loop().call_soon(self._read_on)

    def _hold(self, held: bool) -> None:
        """Read nothing more from the wire, or go on."""
        if held is not self._held and not self.transport.is_closing():
            self._held = held
            if held:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def _take(self, message: Message) -> None:
        if message.opcode is Opcode.CLOSE:
            self._part(message.code)
        elif self._closing:
            return
        elif message.opcode is Opcode.PING:
            self.send(control_frame(Opcode.PONG, message.payload))
        elif message.opcode is not Opcode.PONG:
            self._metrics.messages_in.inc()
            self._speech.heard(self, message)

    def _part(self, code: int) -> None:
        """Answer the client's goodbye, or take it as the answer to ours."""
        self._deaf = True
        self.close(code, discard=True)
        self.transport.close()

    def _fail(self, error: FrameError) -> None:
        """Part with a client that breaks the rules: nothing of what it sends can be understood any longer."""
        _log.debug("socket_broken", client_id=self.client_id, reason=error.reason)
        self._deaf = True
        self.close(error.code, error.reason)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the socket: it is gone."""
        self._closing, self.clear = True, False
        if self._cut is not None:
            self._cut.cancel()
        self._drop_outbox()
        self._beats.leave(self)
        self._metrics.sockets.dec()
        self._speech.closed(self)

    # -- being looked after -------------------------------------------------------------------------------------

    def beat(self, now: float) -> float:
        """Ask a silent client whether it is there; return when to look again, in seconds from `now`."""
        silent = now - self.heard_at
        if silent < self._beats.interval:
            return self._beats.interval - silent
        if self._pinged:
            _log.debug("socket_silent", client_id=self.client_id, seconds=round(silent))
            self.close(CloseCode.SILENT, "no answer", discard=True)
        elif not self._closing:
            self._pinged = True
            if self.clear:
                self.transport.write(_PING)  # one that is not clear is watched for reading too little
        return self._beats.patience

    def check_stall(self, now: float) -> None:
        """Give up a client that has read too little for too long."""
        if self.stalled_at is not None and now - self.stalled_at >= SEND_TIMEOUT_SECONDS:
            self._too_slow()


def send_to_all(connections: Collection[Connection], frame: bytes, *, about: Hashable | None = None) -> int:
    """Send one frame that must arrive to each; return how many there are."""
    for one in connections:
        if one.clear:
            one.transport.write(frame)
        else:
            one.queue(frame, about=about)
    return len(connections)


def progress_to_all(connections: Collection[Connection], about: Hashable, frame: bytes) -> int:
    """Send one frame of progress to each that is not too slow for it; return how many there are."""
    for one in connections:
        if one.clear:
            one.transport.write(frame)
        else:
            one.queue_progress(about, frame)
    return len(connections)
