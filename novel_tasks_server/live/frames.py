"""The frames of RFC 6455, without I/O: what a client sends is read strictly, what it is sent is made once.

The server offers no extensions, so the reserved bits must be zero; a frame of a client must be masked.
"""

from __future__ import annotations

import codecs
import struct
from enum import IntEnum

from attrs import frozen


class Opcode(IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class CloseCode(IntEnum):
    """Why a connection ends: those of RFC 6455 and its registry, then our own."""

    OK = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    NO_CODE = 1005
    INVALID_TEXT = 1007
    TOO_BIG = 1009
    INTERNAL = 1011
    RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_PROTOCOL = 4400
    NOT_AUTHENTICATED = 4401
    FORBIDDEN = 4403
    SILENT = 4408
    TOO_MANY = 4429


_OPCODES = {int(opcode): opcode for opcode in Opcode}
_FIN, _RESERVED, _OPCODE, _MASKED, _LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
_TWO_BYTES, _EIGHT_BYTES = 126, 127
_LONGEST_CONTROL = 125
_LONGEST_REASON = 123
_REGISTERED = frozenset((1000, 1001, 1002, 1003, *range(1007, 1015)))
_PRIVATE = range(3000, 5000)
_new_decoder = codecs.getincrementaldecoder("utf-8")


class FrameError(Exception):
    """The client breaks the rules of WebSockets: the connection must end with this close `code`."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@frozen
class Message:
    """A whole message of a client, or a control frame. `text` is set for text only, `code` for a close only."""

    opcode: Opcode
    payload: bytes = b""
    text: str = ""
    code: int = CloseCode.NO_CODE


def text_frame(payload: bytes) -> bytes:
    """Return the frame that carries this text, in UTF-8, from a server."""
    return _frame(Opcode.TEXT, payload)


def control_frame(opcode: Opcode, payload: bytes = b"") -> bytes:
    """Return a ping or pong of a server with at most 125 bytes."""
    return _frame(opcode, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """Return the frame with which a server closes; a long reason is cut, and 1005 is not sent but shown by silence."""
    if code == CloseCode.NO_CODE:
        return _frame(Opcode.CLOSE, b"")
    said = reason.encode()[:_LONGEST_REASON].decode(errors="ignore").encode()
    return _frame(Opcode.CLOSE, code.to_bytes(2) + said)


def _frame(opcode: Opcode, payload: bytes) -> bytes:
    size = len(payload)
    if size < _TWO_BYTES:
        return bytes((_FIN | opcode, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", _FIN | opcode, _TWO_BYTES, size) + payload
    return struct.pack("!BBQ", _FIN | opcode, _EIGHT_BYTES, size) + payload


def unmask(payload: bytes, mask: bytes) -> bytes:
    """Return the payload as it was before the client masked it with these four bytes."""
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size])
    return (int.from_bytes(payload) ^ key).to_bytes(size)


class FrameReader:
    """Makes messages of the bytes of one client, none longer than `limit` bytes.

    A frame that is too long is refused by its head, before any of it has been kept.
    """

    __slots__ = ("_at", "_data", "_decoder", "_limit", "_opcode", "_parts")

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._data = b""
        self._at = 0
        self._opcode: Opcode | None = None
        self._parts: list[bytes] | None = None
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def next(self) -> Message | None:
        """Return the next message, or None before it is complete. Raises: FrameError, after which all is lost."""
        while (frame := self._frame()) is not None:
            message = self._message(*frame)
            if message is not None:
                return message
        return None

    def _frame(self) -> tuple[Opcode, bool, bytes] | None:
        """Take one frame off the data, if it is all there."""
        data, at = self._data, self._at
        if len(data) - at < 2:
            return None
        first, second = data[at], data[at + 1]
        opcode = self._checked(first, second)
        head, size = 2, second & _LENGTH
        if size >= _TWO_BYTES:
            extra = 2 if size == _TWO_BYTES else 8
            if len(data) - at < head + extra:
                return None
            size = _long_size(data[at + head : at + head + extra])
            head += extra
        if opcode < Opcode.CLOSE and size > self._limit - self._collected():
            raise FrameError(CloseCode.TOO_BIG, f"messages may have {self._limit} bytes")
        begin, end = at + head + 4, at + head + 4 + size
        if len(data) < end:
            return None
        self._at = end
        if end == len(data):
            self._data, self._at = b"", 0
        return opcode, bool(first & _FIN), unmask(data[begin:end], data[begin - 4 : begin])

    def _checked(self, first: int, second: int) -> Opcode:
        """Return the opcode of a frame whose first two bytes may begin one here."""
        opcode = _OPCODES.get(first & _OPCODE)
        if first & _RESERVED or opcode is None:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "reserved bits or opcode")
        if not second & _MASKED:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "frames of clients must be masked")
        if opcode >= Opcode.CLOSE:
            if not first & _FIN or second & _LENGTH > _LONGEST_CONTROL:
                raise FrameError(CloseCode.PROTOCOL_ERROR, "control frames are whole and short")
        elif (opcode is Opcode.CONTINUATION) != (self._opcode is not None):
            raise FrameError(CloseCode.PROTOCOL_ERROR, "this frame continues nothing, or interrupts a message")
        return opcode

    def _collected(self) -> int:
        return sum(map(len, self._parts)) if self._parts else 0

    def _message(self, opcode: Opcode, is_last: bool, payload: bytes) -> Message | None:
        if opcode is Opcode.CLOSE:
            return _close(payload)
        if opcode >= Opcode.CLOSE:
            return Message(opcode, payload)
        if is_last and self._opcode is None:
            return Message(opcode, payload, _decoded(payload) if opcode is Opcode.TEXT else "")
        return self._fragment(opcode, is_last, payload)

    def _fragment(self, opcode: Opcode, is_last: bool, payload: bytes) -> Message | None:
        if self._opcode is None:
            self._opcode, self._parts, self._decoder = opcode, [], _new_decoder()
        assert self._parts is not None
        assert self._decoder is not None
        if payload:
            self._parts.append(payload)
        if self._opcode is Opcode.TEXT:
            _decoded(payload, self._decoder, is_last=is_last)
        if not is_last:
            return None
        whole, kind = b"".join(self._parts), self._opcode
        self._opcode = self._parts = self._decoder = None
        return Message(kind, whole, whole.decode() if kind is Opcode.TEXT else "")


def _long_size(written: bytes) -> int:
    size = int.from_bytes(written)
    if size < (_TWO_BYTES if len(written) == 2 else 1 << 16) or size >> 63:
        raise FrameError(CloseCode.PROTOCOL_ERROR, "the length is not written as it must be")
    return size


def _decoded(payload: bytes, decoder: codecs.IncrementalDecoder | None = None, *, is_last: bool = True) -> str:
    try:
        return payload.decode() if decoder is None else decoder.decode(payload, is_last)
    except UnicodeDecodeError:
        raise FrameError(CloseCode.INVALID_TEXT, "text must be UTF-8") from None


def _close(payload: bytes) -> Message:
    if not payload:
        return Message(Opcode.CLOSE)
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or not (code in _REGISTERED or code in _PRIVATE):
        raise FrameError(CloseCode.PROTOCOL_ERROR, "no such close code")
    return Message(Opcode.CLOSE, payload[2:], _decoded(payload[2:]), code)
