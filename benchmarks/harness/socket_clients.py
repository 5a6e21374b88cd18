"""Very many WebSocket clients in one process, which cost little: plain sockets that look at the heads of frames.

`python -m benchmarks.harness.socket_clients` is a partner that can `connect`, `rounds`, `rest` and `leave`.
"""

from __future__ import annotations

import asyncio
import select
import socket
import sys
import time
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.harness.partners import Partner, obey, partner
from benchmarks.harness.updates import mark, percent

_AT_ONCE = 64
_EACH_ADDRESS = 4000
"""How many clients come from one address of the loopback network."""
_LONGEST_SECONDS = 120.0
_BUFFER = 1 << 18
_TEXT, _CLOSE, _PING = 0x81, 0x88, 0x89
_PONG = b"\x8a"
_SHORT = 126


class ClientError(Exception):
    """What a server did that no server of sockets may."""


def request(client: int) -> bytes:
    """Return the handshake of a client."""
    return (
        b"GET /api/v1/ws/tasks/c%d HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n" % client
    )


def text_frame(text: bytes) -> bytes:
    """Return the frame that a client sends up to 125 bytes in; the mask is zero, which changes nothing."""
    return bytes((_TEXT, 0x80 | len(text))) + bytes(4) + text


class Clients:
    """Clients that follow one task."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._parts: dict[int, bytes] = {}
        self._buffer = bytearray(_BUFFER)
        self._seen = array("B")  # by descriptor: the last percentage
        self._connected_once = 0

    async def idle(self) -> None:
        """Have pings answered whenever no order is carried out."""
        asyncio.get_running_loop().add_reader(self._poll.fileno(), self._answer_pings)

    async def connect(self, port: int, sockets: int, say: str) -> None:
        """Open so many sockets, say one thing on each and wait for the first answer to it."""
        for begin in range(0, sockets, _AT_ONCE):
            batch = [self._connected(port, n) for n in range(begin, min(begin + _AT_ONCE, sockets))]
            for one in batch:
                _take_answer(one)
                one.sendall(text_frame(say.encode()))
            for one in batch:
                _take_frame(one)
                one.setblocking(False)
                self._sockets[one.fileno()] = one
                self._poll.register(one.fileno(), select.EPOLLIN)
            self._answer_pings()
        self._connected_once += sockets
        self._seen.frombytes(bytes(max(self._sockets, default=0) + 1 - len(self._seen)))

    def _connected(self, port: int, number: int) -> socket.socket:
        one = socket.socket()
        one.settimeout(_LONGEST_SECONDS)
        one.bind((f"127.0.0.{1 + number // _EACH_ADDRESS}", 0))
        one.connect(("127.0.0.1", port))
        one.sendall(request(number))
        return one

    async def rounds(self, port: int, say: str, first: int, rounds: int) -> list[float]:
        """Have updates sent, each once the one before has reached everybody; return the seconds that each took.

        Update number n has the percentage of n, from `first` on. `say` is what is sent to `port` to have it
        sent, with the percentage for `{percent}`; if it is empty, the percentage is sent as a byte.
        """
        if (lost := self._connected_once - len(self._sockets)) > 0:
            raise ClientError(f"the server has closed {lost} sockets")
        with socket.create_connection(("127.0.0.1", port)) as control:
            control.setblocking(False)
            self._poll.register(control.fileno(), select.EPOLLIN)
            took = [self._round(control, say, percent(number)) for number in range(first, first + rounds)]
            self._poll.unregister(control.fileno())
        return took

    def _round(self, control: socket.socket, say: str, percentage: int) -> float:
        words = say.replace("{percent}", str(percentage)).encode() if say else bytes((percentage,))
        waiting, mine, wanted, seen = len(self._sockets), control.fileno(), mark(percentage), self._seen
        began = time.perf_counter()
        control.sendall(words)
        while waiting:
            events = self._poll.poll(_LONGEST_SECONDS, len(self._sockets) + 1)
            if not events:
                raise ClientError(f"{waiting} of {len(self._sockets)} clients wait in vain for {percentage}%")
            for descriptor, _ in events:
                if descriptor == mine:
                    _take_report(control)
                elif self._read(descriptor, wanted) and seen[descriptor] != percentage:
                    seen[descriptor] = percentage
                    waiting -= 1
        return time.perf_counter() - began

    async def rest(self, seconds: float) -> int:
        """Only answer pings for a while; return how many sockets are open then."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._answer_pings(within_seconds=left)
        return len(self._sockets)

    def _answer_pings(self, *, within_seconds: float = 0.0) -> None:
        """Read what is there, after waiting for it a while."""
        for descriptor, _ in self._poll.poll(within_seconds, _AT_ONCE * 16):
            self._read(descriptor, b"", may_close=True)

    async def leave(self) -> None:
        """Close all sockets at once."""
        for one in self._sockets.values():
            one.close()
        self._sockets.clear()
        self._connected_once = 0

    def _read(self, descriptor: int, wanted: bytes, *, may_close: bool = False) -> bool:
        """Read what has come for a client; say whether what is wanted was in it."""
        one, buffer = self._sockets[descriptor], self._buffer
        rest = self._parts.pop(descriptor, b"")
        if rest:
            buffer[: len(rest)] = rest
        end = len(rest) + one.recv_into(memoryview(buffer)[len(rest) :])
        if end == len(rest):
            if not may_close:
                raise ClientError("the server has closed a socket")
            self._poll.unregister(descriptor)
            self._sockets.pop(descriptor).close()
            return False
        return self._frames(one, end, wanted)

    def _frames(self, one: socket.socket, end: int, wanted: bytes) -> bool:
        buffer, at, found = self._buffer, 0, False
        while end - at >= 2:
            head, length = 2, buffer[at + 1]
            if length == _SHORT:
                if end - at < 4:
                    break
                head, length = 4, buffer[at + 2] << 8 | buffer[at + 3]
            stop = at + head + length
            if stop > end:
                break
            if buffer[at] == _TEXT:
                found = found or buffer.find(wanted, at, stop) >= 0
            elif buffer[at] == _PING:
                one.sendall(_PONG + bytes((0x80 | length,)) + bytes(4) + buffer[at + head : stop])
            elif buffer[at] == _CLOSE:
                raise ClientError(f"the server says goodbye with {buffer[at + head] << 8 | buffer[at + head + 1]}")
            at = stop
        if at < end:
            self._parts[one.fileno()] = bytes(buffer[at:end])
        return found


def _take_answer(one: socket.socket) -> None:
    """Read the answer to a handshake."""
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        part = one.recv(1)
        if not part:
            raise ClientError("the server has closed a socket during the handshake")
        answer += part
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise ClientError(f"the server answers a handshake with {answer[:60]!r}")


def _take_frame(one: socket.socket) -> None:
    """Read one frame."""
    head = one.recv(4, socket.MSG_WAITALL)
    length = int.from_bytes(head[2:]) if head[1] == _SHORT else head[1] - 2
    if head[0] != _TEXT or b'"error"' in one.recv(length, socket.MSG_WAITALL):
        raise ClientError("the server does not let a client follow the task")


def _take_report(control: socket.socket) -> None:
    """Read what a server says to being told."""
    words = control.recv(1 << 16)
    if words.startswith(b"HTTP/1.1 ") and not words.startswith(b"HTTP/1.1 200 "):
        raise ClientError(f"the server answers a change with {words[:60]!r}")
    if not words:
        raise ClientError("the server does not listen any longer")


@asynccontextmanager
async def socket_clients(log: Path) -> AsyncIterator[Partner]:
    """Run the program for the length of the block."""
    async with partner("benchmarks.harness.socket_clients", log=log) as made:
        yield made


async def _follow() -> None:
    clients = Clients()
    await clients.idle()
    await obey({name: getattr(clients, name) for name in ("connect", "rounds", "rest", "leave")})


def main(arguments: Sequence[str]) -> None:
    """Be clients until the input ends."""
    asyncio.run(_follow())


if __name__ == "__main__":
    main(sys.argv[1:])
