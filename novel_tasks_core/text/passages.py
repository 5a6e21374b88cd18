"""A text that need not be in memory: what finding chapters asks of one."""

from __future__ import annotations

from typing import Protocol


class Text(Protocol):
    """A decoded text of any size, read in short passages; every str is one."""

    def __len__(self) -> int:
        """Return how many characters the text has."""
        ...

    def __getitem__(self, passage: slice, /) -> str:
        """Return the characters of a slice, which has no step."""
        ...

    def find(self, wanted: str, start: int = ..., end: int = ..., /) -> int:
        """Return where `wanted` is first found in [start, end), -1 where it is not."""
        ...

    def rfind(self, wanted: str, start: int = ..., end: int = ..., /) -> int:
        """Return where `wanted` is last found in [start, end), -1 where it is not."""
        ...
