"""A text that hands itself out in blocks of any size, as one on disk does."""

from __future__ import annotations

from collections.abc import Iterator


class InPieces:
    """A text cut into blocks of `size` characters; no passage of it is longer than asked for."""

    def __init__(self, text: str, size: int) -> None:
        self._text = text
        self._size = size

    def __len__(self) -> int:
        """Return how many characters it has."""
        return len(self._text)

    def __getitem__(self, passage: slice) -> str:
        """Return a passage."""
        return self._text[passage]

    def find(self, wanted: str, start: int = 0, end: int | None = None) -> int:
        """Find the first."""
        return self._text.find(wanted, start, end)

    def rfind(self, wanted: str, start: int = 0, end: int | None = None) -> int:
        """Find the last."""
        return self._text.rfind(wanted, start, end)

    def blocks(self) -> Iterator[tuple[int, str]]:
        """Yield the blocks."""
        for start in range(0, len(self._text), self._size):
            yield start, self._text[start : start + self._size]
