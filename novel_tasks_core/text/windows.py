"""Walk over a text in windows that overlap, so that what stands around a line is at hand wherever it is cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from attrs import frozen

from novel_tasks_core.text.passages import Text

AROUND = 2048
"""How many characters before and after any line of a window are at hand, less only at the ends of the text."""

SAMPLE = 2_000_000
"""How many characters from its beginning tell how a text is set."""

_BLOCK = 1 << 20
_LONGEST_BLANK = 1 << 20
_NEAR = 200


@runtime_checkable
class InBlocks(Protocol):
    """A text that hands itself out block by block, cut anywhere."""

    def blocks(self) -> Iterator[tuple[int, str]]:
        """Yield (offset, characters), from the beginning to the end."""
        ...


@frozen
class Window:
    """A passage: `text` begins at `offset`; the lines that begin in [begin, limit) of it are the window's own.

    Its own part ends before a visible character, or with the text (`last`): no run of blank lines is cut.
    """

    offset: int
    text: str
    begin: int
    limit: int
    last: bool = False


def windows(text: Text) -> Iterator[Window]:
    """Yield windows whose own parts joined are the text. Any block size gives the same lines with the same around."""
    offset = begin = 0
    held = ""
    for _, block in _blocks(text):
        held += block
        limit = len(held) - AROUND
        visible = _last_visible(held, begin, limit)
        if visible <= begin and limit - begin < _LONGEST_BLANK:
            continue
        limit = limit if visible <= begin else visible
        if limit > begin:
            yield Window(offset, held, begin, limit)
        cut = max(0, limit - AROUND)
        held, offset, begin = held[cut:], offset + cut, limit - cut
    if begin < len(held):
        yield Window(offset, held, begin, len(held), last=True)


def _last_visible(text: str, begin: int, end: int) -> int:
    """Return where the last visible character of a part is, -1 when there is none."""
    for start in (max(begin, end - _NEAR), begin):
        visible = len(text[start : max(start, end)].rstrip())
        if visible:
            return start + visible - 1
    return -1


def _blocks(text: Text) -> Iterator[tuple[int, str]]:
    if isinstance(text, InBlocks):
        yield from text.blocks()
    else:
        for start in range(0, len(text), _BLOCK):
            yield start, text[start : start + _BLOCK]


class _CarriageReturns:
    """A text whose lines end in carriage returns alone, as an old Mac wrote them, shown with newlines."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __len__(self) -> int:
        return len(self._text)

    def __getitem__(self, passage: slice) -> str:
        return self._text[passage].replace("\r", "\n")

    def find(self, wanted: str, start: int = 0, end: int | None = None) -> int:
        return self._text.find(wanted.replace("\n", "\r"), start, len(self) if end is None else end)

    def rfind(self, wanted: str, start: int = 0, end: int | None = None) -> int:
        return self._text.rfind(wanted.replace("\n", "\r"), start, len(self) if end is None else end)

    def blocks(self) -> Iterator[tuple[int, str]]:
        for offset, block in _blocks(self._text):
            yield offset, block.replace("\r", "\n")


def with_newlines(text: Text) -> Text:
    """Return the text with its lines ended by newlines: itself, or a view of the same length on an old Mac's."""
    beginning = text[:SAMPLE]
    return _CarriageReturns(text) if "\r" in beginning and "\n" not in beginning else text
