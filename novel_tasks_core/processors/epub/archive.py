"""A ZIP file that grows entry by entry and can be taken up again: its directory is kept apart until the end.

The standard library cannot continue a file that lacks its directory, and keeps half a kilobyte of
memory for every entry. Here an entry is 65 bytes, times and permissions are fixed, and the order is the
order of writing, so that the same contents give the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from attrs import frozen

DEFLATE_LEVEL = 4
"""Measured on novels: 2.5 times as fast as zlib's own 6 for files 4 % to 6 % larger."""

_STORED, _DEFLATED = 0, 8
_DATE = 0x21  # 1980-01-01, the first day that a ZIP file can name
_UTF8 = 0x800
_PLAIN, _ZIP64 = 20, 45
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_CENTRAL = struct.Struct("<4sBBHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_END64 = struct.Struct("<4sQHHLLQQQQ")
_LOCATOR = struct.Struct("<4sLQL")
_READ = 1 << 20


@frozen(kw_only=True)
class Entry:
    """An entry as the directory lists it: where its header begins, checksum and sizes in bytes."""

    name: str
    offset: int
    crc: int
    packed: int
    size: int
    method: int = _DEFLATED


class Archive:
    """A ZIP file in the making. A context manager; nobody can read it before `finish`.

    `size` is the number of bytes written, `checksum` their CRC-32: what a journal needs to take it up again.
    """

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._file = path.open("r+b")
        self._directory = bytearray()
        self._entries = 0
        self.size = 0
        self.checksum = 0

    def __enter__(self) -> Archive:
        """Return the archive."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file as it is."""
        self._file.close()

    def take_up(self, *, size: int, checksum: int) -> bool:
        """Keep the first `size` bytes if they are those of `checksum`; False, and an empty file, if they are not."""
        self._file.seek(0)
        left, found = size, 0
        while left and (block := self._file.read(min(left, _READ))):
            found = zlib.crc32(block, found)
            left -= len(block)
        good = not left and found == checksum
        self.size, self.checksum = (size, checksum) if good else (0, 0)
        self._file.seek(self.size)
        self._file.truncate()
        if not good:
            self._directory.clear()
            self._entries = 0
        return good

    def remember(self, entry: Entry) -> None:
        """List an entry that a former attempt has written."""
        self._directory += _central_record(entry)
        self._entries += 1

    def add(self, name: str, data: bytes, *, stored: bool = False) -> Entry:
        """Write an entry whole."""
        packed = data if stored else _deflated(data)
        return self._write(name, [packed], zlib.crc32(data), len(packed), len(data), _STORED if stored else _DEFLATED)

    def add_stream(self, name: str, parts: Iterable[str], scratch: Path) -> Entry:
        """Write an entry from parts, by way of a scratch file: its header needs to know its size."""
        packer = zlib.compressobj(DEFLATE_LEVEL, zlib.DEFLATED, -15)
        crc = size = packed = 0
        with scratch.open("w+b") as file:
            for part in parts:
                data = part.encode()
                crc, size = zlib.crc32(data, crc), size + len(data)
                packed += file.write(packer.compress(data))
            packed += file.write(packer.flush())
            file.seek(0)
            return self._write(name, iter(lambda: file.read(_READ), b""), crc, packed, size, _DEFLATED)

    def flush(self) -> None:
        """Hand everything written to the system, where a killed process leaves it."""
        self._file.flush()

    def finish(self) -> None:
        """Write the directory: now the file is a ZIP file."""
        start, length = self.size, len(self._directory)
        self._put(self._directory)
        if self._entries >= _MAX16 or start + length >= _MAX32:
            end = self.size
            self._put(
                _END64.pack(b"PK\6\6", 44, _ZIP64, _ZIP64, 0, 0, self._entries, self._entries, length, start)
                + _LOCATOR.pack(b"PK\6\7", 0, end, 1)
            )
        entries = min(self._entries, _MAX16)
        self._put(_END.pack(b"PK\5\6", 0, 0, entries, entries, min(length, _MAX32), min(start, _MAX32), 0))
        self.flush()

    def _write(self, name: str, packed_parts: Iterable[bytes], crc: int, packed: int, size: int, method: int) -> Entry:
        entry = Entry(name=name, offset=self.size, crc=crc, packed=packed, size=size, method=method)
        encoded = name.encode()
        flags = 0 if name.isascii() else _UTF8
        self._put(_LOCAL.pack(b"PK\3\4", _PLAIN, flags, method, 0, _DATE, crc, packed, size, len(encoded), 0) + encoded)
        for part in packed_parts:
            self._put(part)
        self.remember(entry)
        return entry

    def _put(self, data: bytes | bytearray) -> None:
        self._file.write(data)
        self.size += len(data)
        self.checksum = zlib.crc32(data, self.checksum)


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(DEFLATE_LEVEL, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _central_record(entry: Entry) -> bytes:
    name = entry.name.encode()
    flags = 0 if entry.name.isascii() else _UTF8
    far = entry.offset >= _MAX32
    extra = struct.pack("<HHQ", 1, 8, entry.offset) if far else b""
    version = _ZIP64 if far else _PLAIN
    return (
        _CENTRAL.pack(
            b"PK\1\2",
            version,
            3,  # made on Unix, so that the permissions below hold
            version,
            flags,
            entry.method,
            0,
            _DATE,
            entry.crc,
            entry.packed,
            entry.size,
            len(name),
            len(extra),
            0,
            0,
            0,
            0o100644 << 16,
            min(entry.offset, _MAX32),
        )
        + name
        + extra
    )
