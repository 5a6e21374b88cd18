"""Frames as clients write them, right and wrong, and the cases of the Autobahn test suite that we can tell apart.

Numbers are those of autobahn-testsuite's fuzzing client; cases about compression, speed and sizes beyond our
limit on messages have no counterpart here.
"""

from __future__ import annotations

import struct

from attrs import frozen

LIMIT = 4096
_MASK = b"\x12\x34\x56\x78"
_TEXT, _BINARY, _CONTINUATION, _CLOSE, _PING, _PONG = 1, 2, 0, 8, 9, 10


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = True, width: int = 0
) -> bytes:
    """Write a frame; `width` is of how many bytes the extended length is made, if not of as few as possible."""
    size = len(payload)
    width = width or (0 if size < 126 else 2 if size < 1 << 16 else 8)
    first = fin << 7 | reserved << 4 | opcode
    flag = masked << 7
    match width:
        case 0:
            head = bytes((first, flag | size))
        case 2:
            head = struct.pack("!BBH", first, flag | 126, size)
        case _:
            head = struct.pack("!BBQ", first, flag | 127, size)
    if not masked:
        return head + payload
    return head + _MASK + bytes(byte ^ _MASK[n % 4] for n, byte in enumerate(payload))


def closing(code: int, reason: bytes = b"") -> bytes:
    """Write a close frame."""
    return frame(_CLOSE, code.to_bytes(2) + reason)


@frozen
class Case:
    """What a client sends, what of it is heard before all ends, and with which code: None is not at all."""

    name: str
    data: bytes
    heard: tuple[str | bytes, ...] = ()
    code: int | None = None


def _text(*parts: bytes, between: bytes = b"") -> bytes:
    last = len(parts) - 1
    frames = [frame(_TEXT if n == 0 else _CONTINUATION, part, fin=n == last) for n, part in enumerate(parts)]
    return between.join(frames)


_GREEK = "κόσμε".encode()
_BAD = _GREEK + b"\xed\xa0\x80" + b"edited"
_PING_FRAME = frame(_PING, b"hi")

CASES: tuple[Case, ...] = (
    *(Case(f"1.1.{n}", frame(_TEXT, b"*" * size), ("*" * size,)) for n, size in enumerate((0, 125, 126, 127, 128), 1)),
    Case("1.1.longest", frame(_TEXT, b"*" * LIMIT), ("*" * LIMIT,)),
    Case("1.2.2", frame(_BINARY, b"\xfe" * 125), (b"\xfe" * 125,)),
    Case("2.1", frame(_PING), (b"",)),
    Case("2.2", frame(_PING, b"Hello"), (b"Hello",)),
    Case("2.4", frame(_PING, b"\xfe" * 125), (b"\xfe" * 125,)),
    Case("2.5", frame(_PING, b"\xfe" * 126), code=1002),
    Case("2.7", frame(_PONG), (b"",)),
    Case("2.8", frame(_PONG, b"unsolicited"), (b"unsolicited",)),
    Case("2.10", b"".join(frame(_PING, b"%d" % n) for n in range(10)), tuple(b"%d" % n for n in range(10))),
    Case("3.1", frame(_TEXT, b"Hello", reserved=1), code=1002),
    Case("3.2", frame(_TEXT, b"first") + frame(_TEXT, b"Hello", reserved=2) + _PING_FRAME, ("first",), 1002),
    Case("3.3", frame(_TEXT, b"first") + frame(_TEXT, b"Hello", reserved=3), ("first",), 1002),
    Case("3.4", frame(_TEXT, b"first") + frame(_TEXT, b"Hello", reserved=4), ("first",), 1002),
    Case("3.5", frame(_BINARY, b"\xfe" * 8, reserved=5), code=1002),
    Case("3.6", frame(_PING, b"Hello", reserved=6), code=1002),
    Case("3.7", frame(_CLOSE, reserved=7), code=1002),
    *(Case(f"4.1.{n}", frame(opcode), code=1002) for n, opcode in enumerate((3, 4, 5, 6, 7), 1)),
    *(Case(f"4.2.{n}", frame(opcode), code=1002) for n, opcode in enumerate((11, 12, 13, 14, 15), 1)),
    Case("5.1", frame(_PING, b"frag", fin=False) + frame(_CONTINUATION, b"ment"), code=1002),
    Case("5.2", frame(_PONG, b"frag", fin=False) + frame(_CONTINUATION, b"ment"), code=1002),
    Case("5.3", _text(b"frag", b"ment"), ("fragment",)),
    Case("5.6", _text(b"frag", b"ment", between=_PING_FRAME), (b"hi", "fragment")),
    Case("5.9", frame(_CONTINUATION, b"nothing") + frame(_TEXT, b"Hello"), code=1002),
    Case("5.12", frame(_CONTINUATION, b"nothing", fin=False) + frame(_TEXT, b"Hello"), code=1002),
    Case("5.15", _text(b"frag", b"ment") + frame(_CONTINUATION, b"no", fin=False), ("fragment",), 1002),
    Case("5.18", frame(_TEXT, b"frag", fin=False) + frame(_TEXT, b"ment"), code=1002),
    Case("5.19", _text(b"a", b"b", b"c", b"d", between=_PING_FRAME), (b"hi", b"hi", b"hi", "abcd")),
    Case("5.20.empty", _text(*[b""] * 200, b"x"), ("x",)),
    Case("6.1.1", frame(_TEXT), ("",)),
    Case("6.1.2", _text(b"", b"", b""), ("",)),
    Case("6.2.1", frame(_TEXT, _GREEK), (_GREEK.decode(),)),
    Case("6.2.3", _text(*(bytes([byte]) for byte in _GREEK)), (_GREEK.decode(),)),
    Case("6.3.1", frame(_TEXT, _BAD), code=1007),
    Case("6.3.2", _text(*(bytes([byte]) for byte in _BAD)), code=1007),
    Case("6.4.1", frame(_TEXT, _GREEK, fin=False) + frame(_CONTINUATION, b"\xf4\x90\x80\x80", fin=False), code=1007),
    Case("6.6.1", frame(_TEXT, b"\xce"), code=1007),
    Case("6.6.5", _text(_GREEK, b"\xce"), code=1007),
    Case("6.11.5", frame(_TEXT, b"\xf4\x90\x80\x80"), code=1007),
    Case("6.14.1", frame(_TEXT, b"\x80"), code=1007),
    Case("6.18.1", frame(_TEXT, b"\xc0\xaf"), code=1007),
    Case("6.21.1", frame(_TEXT, b"\xed\xa0\x80"), code=1007),
    Case("6.22.1", frame(_TEXT, b"\xef\xbf\xbe"), ("\ufffe",)),
    Case("7.1.1", closing(1000), (b"",), 1000),
    Case("7.3.1", frame(_CLOSE), (b"",), 1005),
    Case("7.3.2", frame(_CLOSE, b"\x03"), code=1002),
    Case("7.3.4", closing(1000, b"Hello"), (b"Hello",), 1000),
    Case("7.3.5", closing(1000, b"*" * 123), (b"*" * 123,), 1000),
    Case("7.3.6", closing(1000, b"*" * 124), code=1002),
    Case("7.5.1", closing(1000, _BAD), code=1007),
    *(
        Case(f"7.7.{n}", closing(code), (b"",), code)
        for n, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1)
    ),
    *(
        Case(f"7.9.{n}", closing(code), code=1002)
        for n, code in enumerate((0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999), 1)
    ),
    *(Case(f"7.13.{n}", closing(code), code=1002) for n, code in enumerate((5000, 65535), 1)),
    Case("unmasked text", frame(_TEXT, b"Hello", masked=False), code=1002),
    Case("unmasked empty", frame(_TEXT, masked=False), code=1002),
    Case("unmasked close", frame(_CLOSE, b"\x03\xe8", masked=False), code=1002),
    Case("unmasked ping between", frame(_TEXT, b"a") + frame(_PING, masked=False), ("a",), 1002),
    Case("length too wide by 2", frame(_TEXT, b"Hello", width=2), code=1002),
    Case("length too wide by 8", frame(_TEXT, b"*" * 200, width=8), code=1002),
    Case("length with a sign", bytes((0x81, 0xFF)) + b"\xff" * 8 + _MASK, code=1002),
    Case("too long", frame(_TEXT, b"*" * (LIMIT + 1)), code=1009),
    Case("too long in parts", _text(*[b"*" * 1024] * 5), code=1009),
    Case("binary too long", frame(_BINARY, b"*" * 70_000), code=1009),
)
