"""Decode bytes piece by piece, in one encoding, with every damaged place noted."""

from __future__ import annotations

import codecs
from typing import Protocol

from attrs import field, frozen

from novel_tasks_core.text.charsets import makes_more_sense
from novel_tasks_core.text.damage import DamageLog

CHUNK_BYTES = 262_144
"""How many bytes are decoded at once."""

_WINDOW = 512
_BEHIND = 64
_ORDERS = {"utf-16-le": 1, "utf-16-be": 0}
_SLIP_BYTES = 4096
_NO_CHARACTERS = "\uf8f0\uf8f1\uf8f2\uf8f3"  # where cp932 puts bytes that are no characters at all


class ByteSource(Protocol):
    """The bytes of a file, wherever they are."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def read_at(self, offset: int, size: int) -> bytes:
        """Return so many bytes from an offset, fewer at the end."""
        ...


class Sink(Protocol):
    """Where decoded text goes."""

    def take(self, text: str, end: int) -> None:
        """Take the next piece: what the bytes up to `end`, from where the last piece ended, decode to."""
        ...

    def discard(self) -> None:
        """Forget everything: another encoding is tried."""
        ...


@frozen
class Held:
    """Bytes in memory, as a `ByteSource`."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.data)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return so many bytes from an offset, fewer at the end."""
        return self.data[offset : offset + size]


def transcode(source: ByteSource, codec: str, log: DamageLog, sink: Sink, *, start: int = 0) -> None:
    """Decode from byte `start` to the end, as `bytes.decode(codec)` would, with what is damaged noted and replaced.

    Raises: TooMuchDamage, when the log has enough.
    """
    step = _Steps(codec, log)
    while start < source.size:
        data = source.read_at(start, CHUNK_BYTES)
        text, used = step.decode(data, start, start + len(data) >= source.size)
        start += used
        sink.take(text, start)
        if not used:
            return


def _slip(data: bytes, codec: str) -> int | None:
    """Return where UTF-16 comes back into step: at the first newline that lies across two units, as all after it do."""
    high = _ORDERS[codec]
    across = data[high::2] if high else data[2::2]
    start = across.find(b"\n")
    while start >= 0:
        place = 2 * start + 1
        end = place + _SLIP_BYTES
        newline = b"\n\0" if high else b"\0\n"
        if data[place : place + 2] == newline and _newlines(data, place, end, newline) > _newlines(
            data, place - 1, end, newline
        ):
            return place
        start = across.find(b"\n", start + 1)
    return None


def _newlines(data: bytes, start: int, end: int, newline: bytes) -> int:
    """Count the newlines of two bytes that lie in step with `start`."""
    first, second = data[start:end:2], data[start + 1 : end : 2]
    wanted, other = newline
    return sum(1 for one, two in zip(first, second, strict=False) if one == wanted and two == other)


class _Steps:
    """A decoder that keeps no bytes back: it says how many it used."""

    def __init__(self, codec: str, log: DamageLog) -> None:
        self._codec = codec
        self._decoder = codecs.getincrementaldecoder(codec)()
        self._log = log

    def decode(self, data: bytes, offset: int, final: bool) -> tuple[str, int]:
        """Return the text of as many whole characters as there are, and their bytes."""
        slip = _slip(data, self._codec) if self._codec in _ORDERS else None
        if slip is not None:
            text, _ = self._decode(data[: slip - 1], offset, True)
            self._log.add(offset + slip - 1, 1, "a byte is missing, or one too many,")
            return text + "\ufffd", slip
        return self._decode(data, offset, final)

    def _decode(self, data: bytes, offset: int, final: bool) -> tuple[str, int]:
        state = self._decoder.getstate()
        try:
            return self._strict(data, final)
        except UnicodeDecodeError:
            self._decoder.setstate(state)
        parts: list[str] = []
        done = 0
        while done < len(data):
            text, used = self._mended(data, done, offset + done, final)
            if not used:
                break
            parts.append(text)
            done += used
        return "".join(parts), done

    def _strict(self, data: bytes, final: bool) -> tuple[str, int]:
        text = self._decoder.decode(data, final)
        pending, state = self._decoder.getstate()
        if pending:
            self._decoder.setstate((b"", state))
        if self._codec == "cp932":
            self._refuse_no_characters(text, data)
        return text, len(data) - len(pending)

    def _refuse_no_characters(self, text: str, data: bytes) -> None:
        found = [place for place in map(text.find, _NO_CHARACTERS) if place >= 0]
        if found:
            start = len(text[: min(found)].encode(self._codec))
            raise UnicodeDecodeError(self._codec, data, start, start + 1, "no character")

    def _mended(self, data: bytes, place: int, offset: int, final: bool) -> tuple[str, int]:
        """Decode from a place up to the next damage or for some bytes, and note the damage."""
        window = data[place : place + _WINDOW]
        try:
            return self._strict(window, final and place + len(window) == len(data))
        except UnicodeDecodeError as exc:
            self._decoder.reset()
            end = self._end_of_damage(data, place + exc.start, place + exc.end) - place
            self._log.add(offset + exc.start, end - exc.start, exc.reason)
            return self._decoder.decode(window[: exc.start], True) + "\ufffd", end

    def _end_of_damage(self, data: bytes, start: int, end: int) -> int:
        """Return where decoding goes on: UTF-16 may lack a byte; elsewhere the rest of a character may be left."""
        wide = self._codec in _ORDERS
        other = start + 1 if wide else end + 1
        if not wide and (end - start > 1 or data[end:other] < b"@"):
            return end
        better = makes_more_sense(data[other : other + _BEHIND], data[end : end + _BEHIND], self._codec)
        return other if better else end
