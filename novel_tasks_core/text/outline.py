"""The outline of a book: the headings that were chosen, and how sure they are."""

from __future__ import annotations

from attrs import frozen

MOST_HEADINGS = 120_000
"""How many headings a book may have: what has more is a list, and is not held in memory."""


class TooManyHeadingsError(Exception):
    """So many lines look like headings that none can be one."""


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
class Gap:
    """A place where chapters do not count on: the line of the heading, the number expected and the one found."""

    line: int
    expected: int
    found: int


@frozen(kw_only=True)
class Evidence:
    """What was weighed.

    `source` says what named the headings: "rule" (the user's own), "markdown", "marks" (of the text's own
    notation), "numbers", "contents" (the book's own list), "dates", "space" (around lines) or "none". `candidates`
    counts the lines that were looked at closely, `chosen` the headings among them. `gaps` are the first
    twenty places where the numbers of the chapters do not go on, where they begin anew at one aside; `restarts`
    counts those. `contents_lists` are the (first, last) lines of lists of chapters that were left out,
    `repeated` counts single lines left out because they only repeat a heading, as running heads do.
    """

    source: str
    candidates: int = 0
    chosen: int = 0
    restarts: int = 0
    gaps: tuple[Gap, ...] = ()
    contents_lists: tuple[tuple[int, int], ...] = ()
    repeated: int = 0


@frozen(kw_only=True)
class Outline:
    """The headings of a book in order, with the confidence 0..1 and the reason of the choice.

    `end` is where the book ends and a distributor's licence begins. `evidence` can be told in detail.
    """

    headings: tuple[FoundHeading, ...]
    confidence: float
    reason: str
    end: int = 0
    evidence: Evidence = Evidence(source="none")
