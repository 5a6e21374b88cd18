"""A decoded text on disk, read piece by piece: UTF-8 beside an index, so that memory does not grow with it."""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from operator import index
from pathlib import Path
from types import TracebackType
from typing import SupportsIndex

from attrs import field, frozen

from novel_tasks_core.errors import FileStoreError, SourceNotFoundError
from novel_tasks_core.text.damage import Damage
from novel_tasks_core.text.decoding import Verdict, decode_into
from novel_tasks_core.text.plans import Plan

_CACHED_BLOCKS = 8


@frozen(kw_only=True)
class Spool:
    """A decoded file: its text, and what was found out on the way (as in `Decoded`).

    The text can be read until `close`, which comes by itself at the end of a `with` block or with the last
    reference. A copy on disk has no name there, so that nothing is left of it whatever happens.
    """

    text: SpooledText
    encoding: str
    confidence: float
    repaired_bytes: int
    damage: tuple[Damage, ...]

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. May be called again."""
        self.text.close()


def spool_source(path: Path, folder: Path | Callable[[], Path], *, encoding: str | None = None) -> Spool:
    """Decode a file of any size, in the named encoding or in the most plausible, in a few megabytes of memory.

    A file of valid UTF-8 is read where it is. Any other is copied as UTF-8 into `folder`, which is only
    asked for then. Both must have room for the copy, up to twice the file.

    Raises: as `decode`; SourceNotFoundError when the file is gone; FileStoreError when the disk refuses.
    """
    source = _File(path)
    try:
        verdict, sink = decode_into(source, lambda plan: _sink(source, plan, folder), encoding=encoding)
        return _spool(sink, verdict)
    finally:
        source.close()


def _spool(sink: _Sink, verdict: Verdict) -> Spool:
    return Spool(
        text=sink.finish(),
        encoding=verdict.encoding,
        confidence=verdict.confidence,
        repaired_bytes=verdict.repaired_bytes,
        damage=verdict.damage,
    )


class SpooledText:
    """A text on disk that answers what `Text` asks; a few blocks of it are kept decoded.

    Not for several threads at once.
    """

    def __init__(self, descriptor: int, index: _Index) -> None:
        self._descriptor = descriptor
        self._index = index
        self._blocks: dict[int, str] = {}
        self.close = weakref.finalize(self, os.close, descriptor)
        """Let go of the file. May be called again."""

    def __len__(self) -> int:
        return self._index.characters[-1]

    def __getitem__(self, key: slice, /) -> str:
        start, end, step = key.indices(len(self))
        if step != 1:
            raise ValueError("a text on disk is read forwards, without a step")
        number = self._index.block_of(start)
        first = self._index.characters[number]
        block = self._block(number)
        if end <= first + len(block):
            return block[start - first : max(start, end) - first]
        return "".join(part for _, part in self._parts(start, end))

    def find(self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /) -> int:
        """Return where `sub` first lies within the bounds, -1 where it does not."""
        begin, stop = self._bounds(start, end)
        if begin > stop or not sub:
            return begin if begin <= stop else -1
        before = ""
        for offset, part in self._parts(begin, stop):
            seam = before + part[: len(sub) - 1] if before else ""
            if seam and (found := seam.find(sub)) >= 0:
                return offset - len(before) + found
            if (found := part.find(sub)) >= 0:
                return offset + found
            before = (before + part)[1 - len(sub) :] if len(sub) > 1 else ""
        return -1

    def rfind(self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /) -> int:
        """Return where `sub` last lies within the bounds, -1 where it does not."""
        begin, stop = self._bounds(start, end)
        if begin > stop or not sub:
            return stop if begin <= stop else -1
        after = ""
        for number in range(self._index.block_of(stop), self._index.block_of(begin) - 1, -1):
            offset, part = self._part(number, begin, stop)
            if (found := (part + after).rfind(sub)) >= 0:
                return offset + found
            after = (part + after)[: len(sub) - 1]
        return -1

    def _bounds(self, start: SupportsIndex | None, end: SupportsIndex | None) -> tuple[int, int]:
        """Return the bounds as `str` takes them; a start behind the end of the text stays behind it."""
        begin, stop, _ = slice(start, end).indices(len(self))
        return (begin, stop) if start is None or index(start) <= len(self) else (len(self) + 1, stop)

    def count(self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /) -> int:
        """Count a single character within the bounds."""
        begin, stop = self._bounds(start, end)
        return sum(part.count(sub) for _, part in self._parts(begin, stop))

    def blocks(self) -> Iterator[tuple[int, str]]:
        """Yield (offset, block) from beginning to end: joined they are the text. Blocks end where they happen to."""
        for number in range(len(self._index.characters) - 1):
            yield self._index.characters[number], self._read(number)

    def byte_offset(self, character: int) -> int:
        """Return at which byte of the file a character begins: of the source where that is UTF-8, else of the copy."""
        number = self._index.block_of(character)
        before = self._block(number)[: character - self._index.characters[number]]
        return self._index.bytes[number] + len(before.encode())

    def _parts(self, begin: int, stop: int) -> Iterator[tuple[int, str]]:
        if begin >= stop:
            return
        for number in range(self._index.block_of(begin), self._index.block_of(stop - 1) + 1):
            yield self._part(number, begin, stop)

    def _part(self, number: int, begin: int, stop: int) -> tuple[int, str]:
        first = self._index.characters[number]
        block = self._block(number)
        return max(begin, first), block[max(begin - first, 0) : max(stop - first, 0)]

    def _block(self, number: int) -> str:
        block = self._blocks.pop(number, None)
        if block is None:
            block = self._read(number)
            if len(self._blocks) >= _CACHED_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
        self._blocks[number] = block
        return block

    def _read(self, number: int) -> str:
        start, end = self._index.bytes[number], self._index.bytes[number + 1]
        return _read_at(self._descriptor, start, end - start).decode()


@frozen
class _Index:
    """Where blocks begin, in characters and in bytes of the file; the last pair is the end."""

    characters: array[int] = field(factory=lambda: array("q", [0]))
    bytes: array[int] = field(factory=lambda: array("q", [0]))

    def add(self, characters: int, size: int) -> None:
        """Note the end of another block, which has so many characters and bytes."""
        if characters:
            self.characters.append(self.characters[-1] + characters)
            self.bytes.append(self.bytes[-1] + size)

    def block_of(self, character: int) -> int:
        return min(bisect_right(self.characters, character), max(1, len(self.characters) - 1)) - 1


class _File:
    """A file as the decoder reads it: plain reads, because mapped pages would count as memory in use."""

    def __init__(self, path: Path) -> None:
        try:
            self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as exc:
            raise SourceNotFoundError(path.name) from exc
        except OSError as exc:
            raise _refused("the source cannot be read", exc) from exc
        self.size = os.fstat(self.descriptor).st_size

    def read_at(self, offset: int, size: int) -> bytes:
        return _read_at(self.descriptor, offset, size)

    def close(self) -> None:
        os.close(self.descriptor)


def _read_at(descriptor: int, offset: int, size: int) -> bytes:
    try:
        data = os.pread(descriptor, size, offset)
        while 0 < len(data) < size and (more := os.pread(descriptor, size - len(data), offset + len(data))):
            data += more
    except OSError as exc:
        raise _refused("the text cannot be read", exc) from exc
    return data


def _sink(source: _File, plan: Plan, folder: Path | Callable[[], Path]) -> _Sink:
    if plan.exact:
        return _InPlace(source.descriptor, plan.start)
    return _Copy(folder() if callable(folder) else folder)


class _InPlace:
    """Notes where the blocks of a file lie that is UTF-8 already."""

    def __init__(self, descriptor: int, start: int) -> None:
        self._descriptor = descriptor
        self._index = _Index(bytes=array("q", [start]))

    def take(self, text: str, end: int) -> None:
        self._index.add(len(text), end - self._index.bytes[-1])

    def discard(self) -> None:
        """Nothing was made."""

    def finish(self) -> SpooledText:
        return SpooledText(os.dup(self._descriptor), self._index)


class _Copy:
    """Writes text as UTF-8 to a file without a name."""

    def __init__(self, folder: Path) -> None:
        try:
            self._descriptor, name = tempfile.mkstemp(prefix="spool-", dir=folder)
            os.unlink(name)
        except OSError as exc:
            raise _refused("the decoded text cannot be kept", exc) from exc
        self._index = _Index()

    def take(self, text: str, end: int) -> None:
        data = memoryview(text.encode())
        self._index.add(len(text), len(data))
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as exc:
            raise _refused("the decoded text cannot be kept", exc) from exc

    def discard(self) -> None:
        os.close(self._descriptor)

    def finish(self) -> SpooledText:
        return SpooledText(self._descriptor, self._index)


def _refused(what: str, error: OSError) -> FileStoreError:
    return FileStoreError(f"{what}: {error.strerror}", errno=error.errno)


_Sink = _InPlace | _Copy
