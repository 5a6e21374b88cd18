"""The outline of a book: the headings that were chosen, and how sure they are."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Mark:
    """A heading that the markup of the text itself names: line from 1, offsets, title, and how deep it is marked."""

    line: int
    start: int
    end: int
    title: str
    depth: int


@frozen(kw_only=True)
class FoundHeading:
    """A chosen heading: its line, counted from 1, and where that begins; offsets of its visible characters.

    The title is collapsed; kind and level are as in `Section`.
    """

    line: int
    top: int
    start: int
    end: int
    title: str
    kind: str
    level: int
    number: int | None = None


@frozen(kw_only=True)
class Outline:
    """The headings of a book in order, with the confidence 0..1 and the reason of the choice.

    `end` is where the book ends and a distributor's licence begins.
    """

    headings: tuple[FoundHeading, ...]
    confidence: float
    reason: str
    end: int = 0
