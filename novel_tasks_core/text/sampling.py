"""Samples of a file's bytes by which its encoding is guessed: of all of it, and of what is not ASCII."""

from __future__ import annotations

import re

from novel_tasks_core.text.transcoding import CHUNK_BYTES, ByteSource

_PLAIN_BYTES = 65_536
_FOREIGN_BYTES = 24_576
_HIGH = re.compile(rb"[\x80-\xff]")


def plain_samples(source: ByteSource) -> list[tuple[int, bytes]]:
    """Return (offset, bytes) from the beginning, the middle and the end; offsets are multiples of four."""
    if source.size <= 4 * _PLAIN_BYTES:
        return [(0, source.read_at(0, source.size))]
    offsets = (0, source.size // 8 * 4, (source.size - _PLAIN_BYTES) // 4 * 4)
    return [(offset, source.read_at(offset, _PLAIN_BYTES)) for offset in offsets]


def foreign_sample(source: ByteSource) -> bytes:
    """Gather lines with bytes beyond ASCII from three places of a file: at a newline every encoding is in step."""
    third = source.size // 3
    if source.size <= _FOREIGN_BYTES:
        return source.read_at(0, source.size)
    return b"".join(_foreign_lines(source, part * third, (part + 1) * third) for part in range(3))


def _foreign_lines(source: ByteSource, start: int, end: int) -> bytes:
    lines: list[bytes] = []
    wanted = _FOREIGN_BYTES
    for offset in range(start, end, CHUNK_BYTES):
        data = source.read_at(offset, min(CHUNK_BYTES, end - offset))
        if data.isascii():
            continue
        for line in _lines(data, data.find(b"\n") + 1 if offset else 0):
            lines.append(line[:wanted])
            wanted -= len(lines[-1])
            if wanted <= 0:
                return b"".join(lines)
    return b"".join(lines)


def _lines(data: bytes, start: int) -> list[bytes]:
    """Return the lines that have a byte beyond ASCII, with their newlines."""
    found: list[bytes] = []
    while (match := _HIGH.search(data, start)) is not None:
        begin = data.rfind(b"\n", start, match.start()) + 1 or start
        start = data.find(b"\n", match.start()) + 1 or len(data)
        found.append(data[begin:start])
        if len(found) > 4096:
            break
    return found
