"""What is asked of a decoded text that may be too large to hold: `str` answers it, and so does one on disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

PASSAGE_CHARACTERS = 100_000
"""How much of a text is taken at once where it is read from beginning to end."""


class Text(Protocol):
    """A decoded text, all offsets in characters. A `str` is one; slices are without a step."""

    def __len__(self) -> int:
        """Return how many characters the text has."""
        ...

    def __getitem__(self, key: slice, /) -> str:
        """Return a passage."""
        ...

    def find(self, sub: str, start: int = ..., end: int = ..., /) -> int:
        """Return where `sub` first lies within the bounds, -1 where it does not."""
        ...

    def rfind(self, sub: str, start: int = ..., end: int = ..., /) -> int:
        """Return where `sub` last lies within the bounds, -1 where it does not."""
        ...


def passages(
    text: Text, start: int = 0, end: int | None = None, *, characters: int = PASSAGE_CHARACTERS
) -> Iterator[tuple[int, str]]:
    """Yield (offset, passage) from `start` to `end`: joined they are that part of the text.

    A passage ends after a newline where its last `characters` have one, so that few lines are cut.
    """
    stop = len(text) if end is None else min(end, len(text))
    while start < stop:
        passage = text[start : min(start + characters, stop)]
        if start + len(passage) < stop:
            passage = passage[: passage.rfind("\n") + 1] or passage
        yield start, passage
        start += len(passage)
