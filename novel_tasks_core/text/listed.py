"""Titles that a book's own contents list names and nothing else sets apart: looked for in the text itself."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from novel_tasks_core.text.candidates import Candidate, Scan
from novel_tasks_core.text.forms import Form, Heading
from novel_tasks_core.text.passages import Text, passages
from novel_tasks_core.text.unnumbered import LEAST_MATCHED, ContentsMatch, listing_of
from novel_tasks_core.text.vocabulary import CHAPTER

_MOST_MISSED = 3
_MOST_TRIES = 5
_AROUND = 300
_MOST_LISTS = 2
_NUMBER_ABOVE = 60
"""How far above the first title its number may stand, in characters."""


def seek_contents(text: Text, found: Scan) -> ContentsMatch | None:
    """Look for lines that are an entry of the contents list and nothing more, each after the one before.

    The text is searched through at most a few times: too many missing entries end the search.
    """
    for contents in found.contents[:_MOST_LISTS]:
        listing = listing_of(text, contents.end)
        count = len(listing.entries)
        if count < LEAST_MATCHED:
            continue
        headings = tuple(_seek(text, [entry.line for entry in listing.entries], listing.end, contents))
        if len(headings) >= max(LEAST_MATCHED, 0.6 * count):
            return ContentsMatch(headings, count)
    return None


def outside_lists(text: Text, found: Scan) -> Scan:
    """Return a scan without the lines of the contents lists that are sure to end: their first title comes again."""
    spans = []
    for contents in found.contents[:_MOST_LISTS]:
        listing = listing_of(text, contents.end)
        if listing.closed and len(listing.entries) >= LEAST_MATCHED:
            spans.append((contents.end, listing.end - _NUMBER_ABOVE))
    return evolve(
        found,
        candidates=[one for one in found.candidates if not _lies_in(one, spans)],
        titles=[one for one in found.titles if not _lies_in(one, spans)],
    )


def _lies_in(line: Candidate, spans: list[tuple[int, int]]) -> bool:
    return any(start <= line.start < end for start, end in spans)


def _seek(text: Text, lines: list[str], start: int, contents: Candidate) -> Iterator[Candidate]:
    missed = 0
    number, counted = contents.line, contents.start
    for line in lines:
        at = _find_line(text, line, start)
        if at is None:
            missed += 1
            if missed > _MOST_MISSED:
                return
            continue
        number += sum(passage.count("\n") for _, passage in passages(text, counted, at))
        counted, start = at, at + len(line)
        yield _candidate(text, line, at, number)


def _find_line(text: Text, line: str, start: int) -> int | None:
    """Return where a line that has only these characters stands, from `start` on."""
    for _ in range(_MOST_TRIES):
        at = text.find(line, start)
        if at < 0:
            return None
        before = text[max(0, at - _AROUND) : at].rpartition("\n")[2]
        after = text[at + len(line) : at + len(line) + _AROUND].partition("\n")[0]
        if not before.strip() and not after.strip():
            return at
        start = at + len(line)
    return None


def _candidate(text: Text, line: str, at: int, number: int) -> Candidate:
    above = text[max(0, at - _AROUND) : at]
    below = text[at + len(line) : at + len(line) + _AROUND]
    blank_above = above[len(above.rstrip()) :].count("\n") - 1
    blank_below = below[: len(below) - len(below.lstrip())].count("\n") - 1
    return Candidate(
        heading=Heading(Form.PLAIN, "", CHAPTER, None, None, line),
        line=number,
        start=at,
        end=at + len(line),
        before=max(0, min(9, blank_above)),
        after=max(0, min(9, blank_below)),
        indent=len(above.rpartition("\n")[2]),
        title=line,
    )
