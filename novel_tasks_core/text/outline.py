"""The outline of a book: the headings that were chosen, and how sure they are."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Mark:
    """A heading that the markup of the text itself names: offsets, title, and how deep it is marked."""

    start: int
    end: int
    title: str
    depth: int


@frozen(kw_only=True)
class FoundHeading:
    """A chosen heading: offsets of its visible characters, collapsed title, kind and level as in `Chapter`."""

    start: int
    end: int
    title: str
    kind: str
    level: int
    number: int | None = None


@frozen(kw_only=True)
class Outline:
    """The headings of a book in order, with the confidence 0..1 and the reason of the choice."""

    headings: tuple[FoundHeading, ...]
    confidence: float
    reason: str
