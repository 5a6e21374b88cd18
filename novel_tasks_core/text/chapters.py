"""Choose the headings of a book by evidence: markup where the text has it, else the series that count best."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from attrs import evolve

from novel_tasks_core.text.aozora import aozora_marks, has_marks
from novel_tasks_core.text.boilerplate import body_span
from novel_tasks_core.text.candidates import Candidate, Layout, Scan, scan
from novel_tasks_core.text.evidence import evidence_of
from novel_tasks_core.text.forms import Form
from novel_tasks_core.text.markdown import markdown_marks
from novel_tasks_core.text.marked import outline_of_marks
from novel_tasks_core.text.outline import FoundHeading, Outline
from novel_tasks_core.text.passages import Text
from novel_tasks_core.text.ruled import outline_of_rule
from novel_tasks_core.text.sequences import (
    Chain,
    Link,
    best_chain,
    quality,
    series_key,
    with_bodies,
    without_contents,
    without_running_heads,
)
from novel_tasks_core.text.titles import heading_title, joins_next_line
from novel_tasks_core.text.unnumbered import ContentsMatch, match_contents, outline_of_titles, title_heading
from novel_tasks_core.text.verdict import judge
from novel_tasks_core.text.vocabulary import CHAPTER, PART, SECTION, is_sure_division
from novel_tasks_core.text.windows import with_newlines

_NAMED_BODY = 150
_SURE = 0.8
_TYPICAL_CHAPTER = 12_000


def find_outline(text: Text, *, markdown: bool = False, rule: str | None = None) -> Outline:
    """Find the headings of a book.

    Linear in the length of the text, of which only a passage is in memory at once. Without any heading the
    outline is empty and says so. A user's own `rule` goes before everything else: see `outline_of_rule`.
    """
    lines = with_newlines(text)
    start, end = body_span(lines)
    outline = _outline(lines, start, end, markdown=markdown) if rule is None else outline_of_rule(lines, rule)
    return evolve(outline, end=end)


def _outline(text: Text, start: int, end: int, *, markdown: bool) -> Outline:
    if markdown:
        outline = outline_of_marks(text, markdown_marks(text), "markdown", start=start, end=end)
        if len(outline.headings) > 2:
            return outline
        plain = _scanned_outline(text, start, end)
        return plain if len(plain.headings) > len(outline.headings) + 2 or not outline.headings else outline
    if has_marks(text):
        outline = outline_of_marks(text, aozora_marks(text), "marks", start=start, end=end)
        if len(outline.headings) * _TYPICAL_CHAPTER > end - start:
            return outline
        if outline.headings:
            plain = _scanned_outline(text, start, end)
            return _merged(outline, plain) if len(plain.headings) > 2 * len(outline.headings) else outline
    return _scanned_outline(text, start, end)


def _merged(marked: Outline, plain: Outline) -> Outline:
    """Join headings that the notation marks with the many more that only count: those become the chapters."""
    if plain.confidence < _SURE:
        return marked
    taken = {heading.start for heading in plain.headings}
    parts = [evolve(heading, kind="part", level=1) for heading in marked.headings if heading.start not in taken]
    headings = sorted([*parts, *plain.headings], key=lambda heading: heading.start)
    return evolve(plain, headings=tuple(headings), confidence=min(0.9, plain.confidence))


def _scanned_outline(text: Text, start: int, end: int) -> Outline:
    found = _within(scan(text), start, end)
    match = match_contents(text, found)
    parts, chapters, sections = _levels(found, end)
    if not chapters and not parts:
        return outline_of_titles(found, match, start, end)
    if not chapters:
        chapters, parts = parts, []
    headings = _without_doubles(
        [
            *_build(parts, 1, "part"),
            *_build(chapters, 2, "chapter"),
            *_build(sections, 3, "section"),
        ]
    )
    headings = sorted([*headings, *_named(found, headings, end)], key=lambda heading: heading.start)
    confidence, reason = judge(chapters, parts, headings, start, end)
    if confidence < _SURE:
        listed = outline_of_titles(found, match, start, end)
        if confidence < listed.confidence and len(listed.headings) > len(headings):
            return listed
    if match is not None:
        headings = _with_listed(headings, match)
    evidence = evidence_of("numbers", headings, found.candidates)
    return Outline(headings=tuple(headings), confidence=confidence, reason=reason, evidence=evidence)


def _with_listed(headings: list[FoundHeading], match: ContentsMatch) -> list[FoundHeading]:
    """Add what the book's contents list names and no number shows: prefaces, letters, appendices."""
    taken = {heading.start for heading in headings}
    inside = [(heading.start, heading.end) for heading in headings]
    added = [
        title_heading(candidate)
        for candidate in match.headings
        if candidate.start not in taken and not any(start <= candidate.start < end for start, end in inside)
    ]
    first = min((heading.start for heading in headings if heading.level == CHAPTER), default=0)
    added = [evolve(heading, kind="front") if heading.start < first else heading for heading in added]
    return sorted([*headings, *added], key=lambda heading: heading.start)


def _within(found: Scan, start: int, end: int) -> Scan:
    def inside(candidates: Iterable[Candidate]) -> list[Candidate]:
        return [candidate for candidate in candidates if start <= candidate.start < end]

    return Scan(inside(found.candidates), inside(found.titles), inside(found.contents), found.layout)


def _levels(found: Scan, end: int) -> tuple[list[Chain], list[Chain], list[Chain]]:
    """Return the accepted chains of parts, chapters and sections."""
    groups: dict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    for candidate in found.candidates:
        if candidate.heading.form is not Form.NAMED:
            groups[series_key(candidate)].append(candidate)
    by_rank: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    for key, group in groups.items():
        by_rank[group[0].heading.rank if key[0] is Form.DIVISION else 0].append(key)

    def chains(keys: Iterable[tuple[object, ...]], marks: Sequence[int]) -> list[Chain]:
        made = (best_chain(_cleared(groups[key], found.layout, end), key, marks=marks) for key in keys)
        return [chain for chain in made if _acceptable(chain)]

    parts = chains(by_rank[PART], ())
    marks = _starts(parts)
    divisions = chains(by_rank[CHAPTER], marks)
    numbered = chains(by_rank[0], marks)
    chapters, others = _choose(divisions, numbered)
    starts = _starts(chapters)
    sections = [chain for chain in (*chains(by_rank[SECTION], marks), *others) if _nested(chain, starts)]
    return [chain for chain in parts if _holds_chapters(chain, starts)], chapters, sections


def _cleared(group: Sequence[Candidate], layout: Layout, end: int) -> list[Link]:
    """Weigh the lines of a series without those that only repeat it: running heads, contents lists."""
    links = with_bodies(group, layout, end)
    kept = without_running_heads(links)
    if len(kept) < len(links):
        kept = with_bodies([link.candidate for link in kept], layout, end)
    return without_contents(kept)


def _starts(chains: Iterable[Chain]) -> list[int]:
    return sorted(candidate.start for chain in chains for candidate in chain.candidates)


def _choose(divisions: list[Chain], numbered: list[Chain]) -> tuple[list[Chain], list[Chain]]:
    """Return (the chains that are chapters, the others): named divisions go before bare numbers if they are sure."""
    sure = [chain for chain in divisions if is_sure_division(str(chain.key[1]))]
    unsure = [chain for chain in divisions if chain not in sure]
    unsure = [chain for chain in unsure if len(chain) >= 3 and _stands_apart(chain)]
    if sum(map(len, sure)) >= 2:
        starts = _starts(sure)
        return [*sure, *(chain for chain in unsure if _lies_beside(chain, starts))], numbered
    rest = sorted([*unsure, *numbered], key=lambda chain: chain.score, reverse=True)
    return [*sure, *rest[:1]], rest[1:]


def _lies_beside(chain: Chain, starts: list[int]) -> bool:
    """Tell whether a chain precedes the chapters that begin at `starts`, or runs along them, not inside one or two."""
    places = {bisect_left(starts, candidate.start) for candidate in chain.candidates}
    return places == {0} or len(places) >= 0.5 * len(chain)


def _stands_apart(chain: Chain) -> bool:
    return sum(1 for candidate in chain.candidates if candidate.isolated) >= 0.8 * len(chain)


def _holds_chapters(part: Chain, starts: list[int]) -> bool:
    """Tell whether most parts of a chain have chapters inside them; without any chapters every chain does."""
    if not starts:
        return True
    bounds = [bisect_left(starts, candidate.start) for candidate in part.candidates] + [len(starts)]
    filled = sum(1 for before, after in pairwise(bounds) if after > before)
    return filled >= 0.6 * len(part)


def _acceptable(chain: Chain) -> bool:
    """Tell whether a chain has evidence enough to be headings at all."""
    if not chain.links or chain.is_list:
        return False
    if chain.key[0] is not Form.DIVISION:
        return not chain.interrupts and len(chain) >= 2 and chain.average >= 2.2 and chain.score >= 6.0
    if len(chain) == 1:
        return chain.score >= 4.5 and chain.links[0].candidate.isolated
    if is_sure_division(str(chain.key[1])):
        return chain.average >= 2.0
    return chain.average >= 2.8 and not chain.interrupts


def _nested(chain: Chain, starts: list[int]) -> bool:
    """Tell whether a finer chain is sure enough to be shown as sections of the chapters that begin at `starts`."""
    return bool(starts) and len(chain) >= 3 and chain.average >= 3.0 and chain.candidates[0].start >= starts[0]


def _build(chains: Iterable[Chain], level: int, kind: str) -> list[FoundHeading]:
    found: list[FoundHeading] = []
    for chain in chains:
        joined = joins_next_line(chain.candidates)
        for candidate in chain.candidates:
            end, title = heading_title(candidate, joined=joined)
            found.append(
                FoundHeading(
                    line=candidate.line,
                    top=candidate.top,
                    start=candidate.start,
                    end=end,
                    title=title,
                    kind=kind,
                    level=level,
                    number=candidate.heading.number,
                )
            )
    return found


def _without_doubles(headings: list[FoundHeading]) -> list[FoundHeading]:
    """Drop a heading that lies within the title lines of another."""
    kept: list[FoundHeading] = []
    for heading in sorted(headings, key=lambda heading: (heading.start, heading.level)):
        if not kept or heading.start >= kept[-1].end:
            kept.append(heading)
    return kept


def _named(found: Scan, headings: list[FoundHeading], end: int) -> list[FoundHeading]:
    """Return the prefaces, prologues, epilogues that stand as headings do, outside contents lists."""
    if not headings:
        return []
    named = [candidate for candidate in found.candidates if candidate.heading.form is Form.NAMED]
    others = sorted(
        [*(candidate.start for candidate in found.candidates), *(heading.start for heading in headings), end]
    )
    following = _next_starts(named, others)
    accepted: list[FoundHeading] = []
    taken = {heading.start for heading in headings}
    for candidate, after in zip(named, following, strict=True):
        if (
            candidate.start in taken
            or quality(candidate, found.layout) < 2.4
            or after - candidate.end < _NAMED_BODY
            or candidate.lists
        ):
            continue
        title_end, title = heading_title(candidate, joined=False)
        accepted.append(
            FoundHeading(
                line=candidate.line,
                top=candidate.top,
                start=candidate.start,
                end=title_end,
                title=title,
                kind=candidate.heading.style,
                level=2,
            )
        )
    return accepted


def _next_starts(named: Sequence[Candidate], others: list[int]) -> list[int]:
    result: list[int] = []
    index = 0
    for candidate in named:
        while others[index] <= candidate.start:
            index += 1
        result.append(others[index])
    return result
