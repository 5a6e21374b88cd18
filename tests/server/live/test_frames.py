"""The frames of RFC 6455: what clients may send, and what not, by the case numbers of the Autobahn test suite."""

from __future__ import annotations

import random
import struct

import pytest

from novel_tasks_server.live.frames import (
    CloseCode,
    FrameError,
    FrameReader,
    Message,
    Opcode,
    close_frame,
    control_frame,
    text_frame,
    unmask,
)
from tests.server.live.raw_frames import CASES, LIMIT, Case, frame


def read(data: bytes, *, pieces: int = 1 << 20) -> tuple[list[Message], FrameError | None]:
    """Feed data in pieces, and return the messages and what was wrong."""
    reader, messages = FrameReader(limit=LIMIT), []
    for at in range(0, len(data), pieces):
        reader.feed(data[at : at + pieces])
        try:
            while (message := reader.next()) is not None:
                messages.append(message)
        except FrameError as exc:
            return messages, exc
    return messages, None


@pytest.mark.parametrize("pieces", [1 << 20, 1, 7])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cases_of_the_autobahn_suite(case: Case, pieces: int) -> None:
    """What is allowed is understood, and what is not ends the connection with the right code, however it is cut."""
    messages, error = read(case.data, pieces=pieces)
    heard = [message.text if message.opcode is Opcode.TEXT else message.payload for message in messages]
    assert heard[: len(case.heard)] == list(case.heard)
    if case.code is None:
        assert error is None
        assert len(heard) == len(case.heard)
    elif error is not None:
        assert error.code == case.code
    else:
        assert messages[-1].opcode is Opcode.CLOSE
        assert messages[-1].code == case.code


def test_masks_come_off() -> None:
    """Unmasking is a XOR with the mask repeated, for every length."""
    chance = random.Random(1)
    for size in (0, 1, 2, 3, 4, 5, 125, 126, 1000):
        payload, mask = chance.randbytes(size), chance.randbytes(4)
        expected = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
        assert unmask(payload, mask) == expected


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_frames_of_servers_say_how_long_they_are(size: int) -> None:
    """The shortest form of the length is used, and nothing is masked."""
    head = text_frame(b"x" * size)[:-size] if size else text_frame(b"")
    assert head[0] == 0x81
    if size < 126:
        assert head[1:] == bytes([size])
    elif size < 1 << 16:
        assert head[1:] == struct.pack("!BH", 126, size)
    else:
        assert head[1:] == struct.pack("!BQ", 127, size)


def test_goodbyes() -> None:
    """A goodbye has a code and a reason that fits; one without a code is empty."""
    assert close_frame(1000) == b"\x88\x02\x03\xe8"
    assert close_frame(CloseCode.NO_CODE) == b"\x88\x00"
    long = close_frame(4400, "é" * 100)
    assert len(long) <= 2 + 125
    assert long[4:].decode() == "é" * 61
    assert control_frame(Opcode.PING) == b"\x89\x00"


def test_a_message_that_is_too_long_is_refused_by_its_head() -> None:
    """Nothing of it need arrive, whole or in parts."""
    for data in (
        frame(Opcode.TEXT, b"x" * (LIMIT + 1))[:8],
        frame(Opcode.TEXT, b"x" * LIMIT, fin=False) + frame(Opcode.CONTINUATION, b"x")[:2],
        bytes((0x81, 0xFF)) + struct.pack("!Q", 1 << 62),
    ):
        _, error = read(data)
        assert error is not None
        assert error.code == CloseCode.TOO_BIG


def test_any_bytes_are_understood_or_refused() -> None:
    """Random bytes never raise anything but what says that they are wrong."""
    chance = random.Random(2)
    for _ in range(3000):
        read(chance.randbytes(chance.randrange(1, 60)), pieces=chance.randrange(1, 30))
