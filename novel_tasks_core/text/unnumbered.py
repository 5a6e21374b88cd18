"""Chapters that have titles but no numbers: found by the book's own contents list, or by the space around them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from attrs import frozen

from novel_tasks_core.text.candidates import Candidate, Layout, Scan
from novel_tasks_core.text.dates import LONGEST_DATE, read_date
from novel_tasks_core.text.evidence import evidence_of
from novel_tasks_core.text.forms import Form, Heading
from novel_tasks_core.text.headings import clean_line
from novel_tasks_core.text.numerals import NumeralSystem
from novel_tasks_core.text.outline import FoundHeading, Outline
from novel_tasks_core.text.passages import Text

_LONGEST_CONTENTS = 60_000
_LONGEST_ENTRY = 160
_MOST_PROSE_LINES = 3
_NOISE = re.compile(r"[\W_]+")
_ENTRY_NUMBER = re.compile(r"^(?:[ivxlcdm]+|[0-9]{1,3}|[一二三四五六七八九十百]+)[.、):\s]+\s*(?=\w)", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"[\s.·…_-]*\s[\s.·…_-]*(?:[0-9]{1,4}|[ivxlc]+)\s*$")
LEAST_MATCHED = 3
"""How many entries of a contents list must be found at least."""
_SHORT_BODY = 300
_TYPICAL_BODY = 1200
_TOP = 9
_FEWEST_DATES = 3
_LONGEST_PAUSE = 200
_YEAR_ENDS = 6


@frozen
class ContentsMatch:
    """What a book's own contents list names, as found in the body: in order, and how many entries there are."""

    headings: tuple[Candidate, ...]
    entries: int


def match_contents(text: Text, found: Scan) -> ContentsMatch | None:
    """Look every entry of the book's contents list up among the lines that stand alone in the body."""
    if not found.contents:
        return None
    lines = sorted([*found.titles, *found.candidates], key=lambda candidate: candidate.start)
    places: dict[str, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        places[_key(line.title)].append(index)
    best: ContentsMatch | None = None
    for contents in found.contents[:5]:
        listing = listing_of(text, contents.end)
        entries = listing.entries
        if len(entries) < LEAST_MATCHED:
            continue
        first = bisect_left(lines, listing.end, key=lambda line: line.start)
        matched = [lines[index] for index in _look_up(entries, places, first)]
        if len(matched) >= max(LEAST_MATCHED, 0.6 * len(entries)) and (
            best is None or len(matched) > len(best.headings)
        ):
            best = ContentsMatch(tuple(matched), len(entries))
    return best


@frozen
class Entry:
    """A title of a contents list: its line without a page number, and the key by which other spellings are known."""

    line: str
    key: str


@frozen
class Listing:
    """A contents list: its entries, where it ends, and whether its first title comes again there."""

    entries: list[Entry]
    end: int
    closed: bool = False


def listing_of(text: Text, start: int) -> Listing:
    """Read a list of titles, which ends at its first title come again, or at prose."""
    entries: list[Entry] = []
    seen: set[str] = set()
    below = text[start : start + _LONGEST_CONTENTS]
    offset = below.find("\n") + 1
    prose = 0
    while 0 < offset < len(below):
        stop = below.find("\n", offset)
        stop = len(below) if stop < 0 else stop
        line = below[offset:stop].strip()
        key = _key(line) if len(line) <= _LONGEST_ENTRY else ""
        if line and not key:
            prose += 1
        again = bool(entries) and key == entries[0].key
        if again or prose >= _MOST_PROSE_LINES:
            return Listing(entries, start + offset, closed=again)
        if key and key not in seen:
            entries.append(Entry(_PAGE_NUMBER.sub("", line), key))
            seen.add(key)
        offset = stop + 1
    return Listing(entries, min(start + offset, len(text)) if entries else start)


def _key(line: str) -> str:
    """Return what two spellings of a title have in common: no number before it, no page after, letters only."""
    text = _ENTRY_NUMBER.sub("", _PAGE_NUMBER.sub("", clean_line(line).strip("#*_ \t")))
    return _NOISE.sub("", text.casefold())


def _look_up(entries: Sequence[Entry], places: Mapping[str, Sequence[int]], first: int) -> Iterator[int]:
    """Yield where entries are found in order, from `first` on; one that is missing is passed over."""
    for entry in entries:
        known = places.get(entry.key, ())
        at = bisect_left(known, first)
        if at < len(known):
            yield known[at]
            first = known[at] + 1


def outline_of_titles(found: Scan, match: ContentsMatch | None, start: int, end: int) -> Outline:
    """Find chapters without numbers; an empty outline when nothing sets titles apart."""
    if match is not None:
        share = len(match.headings) / match.entries
        headings = tuple(title_heading(candidate) for candidate in match.headings)
        reason = f"{len(headings)} of the {match.entries} entries of the book's own contents list"
        evidence = evidence_of("contents", headings, found.titles)
        return Outline(headings=headings, confidence=round(0.5 + 0.45 * share, 2), reason=reason, evidence=evidence)
    dated, confidence = _dated(found, start, end)
    if dated:
        headings = tuple(title_heading(candidate) for candidate in dated)
        reason = f"{len(headings)} lines that say a date, as in a diary or in letters"
        evidence = evidence_of("dates", headings, found.titles)
        return Outline(headings=headings, confidence=confidence, reason=reason, evidence=evidence)
    group, confidence = _best_group(found, end)
    if group:
        headings = tuple(title_heading(candidate) for candidate in group)
        reason = f"{len(headings)} short lines with more space around them than paragraphs have"
        evidence = evidence_of("space", headings, found.titles)
        return Outline(headings=headings, confidence=confidence, reason=reason, evidence=evidence)
    sure = 0.9 if end - start < 15_000 else 0.7 if end - start < 40_000 else 0.5 if end - start < 150_000 else 0.3
    return Outline(headings=(), confidence=sure, reason="no heading found: the text is one piece")


def _dated(found: Scan, start: int, end: int) -> tuple[list[Candidate], float]:
    """Return the dated lines that follow the calendar through most of the text, and how sure they are."""
    lines = sorted([*found.candidates, *found.titles], key=lambda line: line.start)
    dates = [
        (line, date)
        for line in lines
        if line.end - line.start <= LONGEST_DATE
        and line.before >= max(1, found.layout.usual_gap)
        and (date := read_date(line.title))
    ]
    chosen = [line for line, _ in dates]
    if len(chosen) < _FEWEST_DATES or chosen[-1].start - chosen[0].start < 0.4 * (end - start):
        return [], 0.0
    onward = sum(
        0 <= (after.month - before.month) * 31 + after.day - before.day <= _LONGEST_PAUSE
        or (after.month < before.month and before.month - after.month >= _YEAR_ENDS)
        for (_, before), (_, after) in pairwise(dates)
    ) / (len(dates) - 1)
    bodies = [after.start - before.end for before, after in pairwise(chosen)]
    if onward < 0.6 or median(bodies) < _SHORT_BODY:
        return [], 0.0
    return chosen, round(0.5 + 0.3 * onward, 2)


def title_heading(candidate: Candidate) -> FoundHeading:
    """Make an unnumbered line a chapter heading."""
    kind = candidate.heading.style if candidate.heading.form is Form.NAMED else "chapter"
    return FoundHeading(
        line=candidate.line,
        top=candidate.top,
        start=candidate.start,
        end=candidate.end,
        title=candidate.title,
        kind=kind,
        level=2,
    )


def _best_group(found: Scan, end: int) -> tuple[list[Candidate], float]:
    """Return the lines of one setting that look most like chapter titles, and how sure that is."""
    groups: dict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    usual = found.layout.usual_gap
    named = [candidate for candidate in found.candidates if candidate.isolated and _may_be_title(candidate.heading)]
    divisions = [one.start for one in found.candidates if one.heading.form in (Form.NAMED, Form.DIVISION)]
    starts = sorted([*divisions, *(title.start for title in found.titles if title.before > usual)])
    for candidate in sorted([*found.titles, *named], key=lambda candidate: candidate.start):
        if read_date(candidate.title) is not None or _is_title_page(candidate, starts):
            continue
        if candidate.before > usual:
            groups[("gap",)].append(candidate)
            groups[("gap", candidate.heading.style)].append(candidate)
            groups[("gap", min(candidate.before, 4), candidate.heading.style)].append(candidate)
        if candidate.heading.style == "A":
            groups[("capitals",)].append(candidate)
    best: list[Candidate] = []
    best_confidence = 0.0
    for group in groups.values():
        chosen, confidence = _judge_group(group, found.layout, end)
        if confidence > best_confidence or (confidence == best_confidence and len(chosen) > len(best)):
            best, best_confidence = chosen, confidence
    return best, best_confidence


def _may_be_title(heading: Heading) -> bool:
    """Tell whether a line counts nothing for sure: a name such as Prologue, or TWO BROTHERS."""
    return heading.form is Form.NAMED or (heading.form is Form.TITLED and heading.system is NumeralSystem.WORD)


def _is_title_page(candidate: Candidate, starts: Sequence[int]) -> bool:
    """Tell whether a line at the very top has another line of its own kind, or a heading, just below it."""
    following = bisect_left(starts, candidate.end)
    return candidate.before == _TOP and following < len(starts) and starts[following] - candidate.end < _SHORT_BODY


def _judge_group(group: list[Candidate], layout: Layout, end: int) -> tuple[list[Candidate], float]:
    chosen = _with_bodies(group, end)
    if len(chosen) < 3:
        return [], 0.0
    sizes = [after - before for before, after in pairwise([*(candidate.start for candidate in chosen), end])]
    different = len({candidate.heading.title or candidate.heading.word for candidate in chosen}) / len(chosen)
    least_gap = min(candidate.before for candidate in chosen)
    lines_with_gap = sum(count for gap, count in layout.gaps.items() if gap >= least_gap) or 1
    if median(sizes) < _TYPICAL_BODY or different < 0.9:
        return [], 0.0
    confidence = 0.85
    confidence -= 0.0 if least_gap > layout.usual_gap else 0.25
    confidence -= 0.3 * max(0.0, 1 - 1.6 * len(chosen) / lines_with_gap) if least_gap > layout.usual_gap else 0.0
    confidence -= 0.1 if len(chosen) < 5 else 0.0
    confidence -= 0.15 if max(sizes) > 12 * median(sizes) else 0.0
    return chosen, round(confidence, 2) if confidence >= 0.5 else 0.0


def _with_bodies(group: list[Candidate], end: int) -> list[Candidate]:
    """Leave out lines with hardly any text after them: title pages, lists, verses."""
    kept: list[Candidate] = []
    for candidate, after in zip(group, [*(later.start for later in group[1:]), end], strict=True):
        if after - candidate.end >= _SHORT_BODY:
            kept.append(candidate)
    return kept if len(kept) >= 0.6 * len(group) else []
