"""The outline of a text whose markup names its headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from novel_tasks_core.text.evidence import evidence_of
from novel_tasks_core.text.forms import Form, Heading
from novel_tasks_core.text.headings import parse_heading
from novel_tasks_core.text.outline import FoundHeading, Mark, Outline
from novel_tasks_core.text.passages import Text
from novel_tasks_core.text.vocabulary import CONTENTS_TITLES, PART

_BEGINNING = 2000
_SOURCES = {"markdown": "the Markdown", "marks": "the text's own heading marks"}
_FACT = re.compile(r"(?:title|author|year|date|translator|publisher|source|language)s?\s*:", re.IGNORECASE)
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,}|(?:\* ?){3,})[^\S\n]*(?:\n|\Z)")
_ENDINGS = "the end|end|finis|fin|ende|fine|конец|完|終|终|(完)|了|footnotes|notes"
_SKIPPED = frozenset(_ENDINGS.split("|")) | CONTENTS_TITLES


def outline_of_marks(text: Text, marks: Sequence[Mark], source: str, *, start: int, end: int) -> Outline:
    """Make the outline from marked headings, levels by word, then depth; title block and contents are left out."""
    inside = [
        mark for mark in marks if start <= mark.start < end and mark.title.casefold().strip(" .:") not in _SKIPPED
    ]
    chosen = _without_title_block(text, inside, end)
    if not chosen:
        return Outline(headings=(), confidence=0.5, reason="no heading")
    depths = _levels([mark.depth for mark in chosen])
    headings = tuple(_heading(mark, depths[mark.depth]) for mark in chosen)
    confidence = 0.97 if len(headings) > 2 else 0.7
    return Outline(
        headings=headings,
        confidence=confidence,
        reason=f"{len(headings)} headings from {_SOURCES[source]}",
        evidence=evidence_of(source, headings),
    )


def _without_title_block(text: Text, marks: list[Mark], end: int) -> list[Mark]:
    """Drop the unnumbered headings at the very beginning that have no text of their own: title, author, year."""
    index = 0
    while index < len(marks) and not _is_numbered(marks[index].title):
        following = marks[index + 1].start if index + 1 < len(marks) else end
        body = text[marks[index].end : min(following, marks[index].end + _BEGINNING)]
        alone_on_top = (
            index == 0
            and len({mark.depth for mark in marks if mark.depth <= marks[0].depth and mark is not marks[0]}) == 0
        )
        if _FACT.match(marks[index].title) or _RULE.match(body):
            index += 1
            continue
        if sum(map(str.isalnum, body)) > 200 and not (
            alone_on_top and not text[: min(marks[0].start, _BEGINNING)].strip()
        ):
            break
        index += 1
    return marks[index:]


def _is_numbered(title: str) -> bool:
    heading = parse_heading(title)
    return heading is not None and heading.form is not Form.PLAIN


def _levels(depths: Sequence[int]) -> dict[int, int]:
    """Map marked depths to levels: the commonest depth is that of chapters, shallower ones are parts."""
    counts = Counter(depths)
    main = max(counts, key=lambda depth: (counts[depth], -depth))
    shallower = [depth for depth in counts if depth < main]
    return {depth: 1 if depth in shallower else 2 if depth == main else 3 for depth in counts}


def _heading(mark: Mark, level: int) -> FoundHeading:
    parsed: Heading | None = parse_heading(mark.title)
    kind = {1: "part", 2: "chapter", 3: "section"}[level]
    number = None
    if parsed is not None:
        number = parsed.number
        if parsed.form is Form.DIVISION:
            level, kind = (1, "part") if parsed.rank == PART else (2, "chapter")
        elif parsed.form is Form.NAMED:
            level, kind = 2, parsed.style
    return FoundHeading(
        line=mark.line,
        top=mark.start,
        start=mark.start,
        end=mark.end,
        title=mark.title,
        kind=kind,
        level=level,
        number=number,
    )
