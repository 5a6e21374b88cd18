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
from novel_tasks_core.text.gaps import fill_gaps
from novel_tasks_core.text.listed import outside_lists, seek_contents
from novel_tasks_core.text.markdown import markdown_marks
from novel_tasks_core.text.marked import outline_of_marks
from novel_tasks_core.text.outline import MOST_HEADINGS, FoundHeading, Outline, TooManyHeadingsError
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
    without_echoes,
    without_running_heads,
)
from novel_tasks_core.text.titledparts import titled_parts
from novel_tasks_core.text.titles import heading_title, joins_next_line
from novel_tasks_core.text.unnumbered import ContentsMatch, match_contents, outline_of_titles, title_heading
from novel_tasks_core.text.verdict import judge
from novel_tasks_core.text.vocabulary import CHAPTER, PART, SECTION, is_sure_division
from novel_tasks_core.text.windows import with_newlines

_MOST_OF_IT = 0.8
_LEAST_LINE = 15
_NAMED_BODY = 150
_SURE = 0.8
_LEAST_INSIDE = 0.7
_FEWEST_WIDE = 3
_FEWEST_ANEW = 2
_TITLED_PARTS = 0.89
_TYPICAL_CHAPTER = 12_000
_LARGE = 1_000_000
_LONG_CHAPTER = 40_000


def find_outline(text: Text, *, markdown: bool = False, rule: str | None = None) -> Outline:
    """Find the headings of a book.

    Linear in the length of the text, of which only a passage is in memory at once. Without any heading the
    outline is empty and says so. A user's own `rule` goes before everything else: see `outline_of_rule`.
    """
    lines = with_newlines(text)
    start, end = body_span(lines)
    try:
        outline = _outline(lines, start, end, markdown=markdown) if rule is None else outline_of_rule(lines, rule)
    except TooManyHeadingsError:
        reason = f"more than {MOST_HEADINGS} lines look like headings: the text is left in one piece"
        outline = Outline(headings=(), confidence=0.2, reason=reason)
    return evolve(outline, end=end)


def _outline(text: Text, start: int, end: int, *, markdown: bool) -> Outline:
    if markdown:
        outline = outline_of_marks(text, markdown_marks(text), "markdown", start=start, end=end)
        if len(outline.headings) > 2 and len(outline.headings) * _LONG_CHAPTER > end - start:
            return outline
        plain = _scanned_outline(text, start, end)
        if len(outline.headings) > 2:
            return _merged(outline, plain) if len(plain.headings) > 2 * len(outline.headings) else outline
        return plain if len(plain.headings) > len(outline.headings) + 2 or not outline.headings else outline
    if has_marks(text):
        outline = outline_of_marks(text, aozora_marks(text), "marks", start=start, end=end)
        if end - start > _LARGE and len(outline.headings) * _TYPICAL_CHAPTER > end - start:
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


def _with_parts(inside: Outline, parts: list[FoundHeading]) -> Outline:
    """Join parts that are numbered with chapters in them that are not."""
    starts = {heading.start for heading in inside.headings}
    own = [part for part in parts if part.start not in starts]
    headings = sorted([*own, *inside.headings], key=lambda heading: heading.start)
    return evolve(inside, headings=tuple(headings), reason=f"{inside.reason}, in {len(parts)} parts")


def _scanned_outline(text: Text, start: int, end: int) -> Outline:
    found = outside_lists(text, _within(scan(text), start, end))
    match = match_contents(text, found)
    parts, chapters, sections, rivals = _levels(found, end)
    if not chapters and not parts:
        return outline_of_titles(found, match or seek_contents(text, found), start, end)
    if not chapters:
        inside = outline_of_titles(found, match or seek_contents(text, found), start, end)
        if len(inside.headings) > sum(map(len, parts)) and inside.confidence >= _LEAST_INSIDE:
            return _with_parts(inside, _build(parts, 1, "part", ()))
        chapters, parts = parts, []
    titled = [] if parts else titled_parts(chapters, found.titles)
    parts = parts or titled
    taken = _starts([*parts, *chapters, *sections])
    headings = _without_doubles(
        [
            *_build(parts, 1, "part", taken),
            *_build(chapters, 2, "chapter", taken),
            *_build(sections, 3, "section", taken),
        ]
    )
    headings = sorted([*headings, *_named(found, headings, end)], key=lambda heading: heading.start)
    confidence, reason = judge(chapters, parts, rivals, headings, found.layout, (start, end))
    if confidence < _SURE:
        listed = outline_of_titles(found, match or seek_contents(text, found), start, end)
        if confidence < listed.confidence and len(listed.headings) > len(headings):
            return listed
    if match is not None:
        headings = _with_listed(headings, match)
    confidence = min(confidence, _TITLED_PARTS) if titled else confidence
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


def _levels(found: Scan, end: int) -> tuple[list[Chain], list[Chain], list[Chain], list[Chain]]:
    """Return the accepted chains of parts, chapters and sections, and those that were left out."""
    groups: dict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    for candidate in found.candidates:
        if candidate.heading.form is not Form.NAMED:
            groups[series_key(candidate)].append(candidate)
    by_rank: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    for key, group in groups.items():
        by_rank[group[0].heading.rank if key[0] is Form.DIVISION else 0].append(key)

    def chains(keys: Iterable[tuple[object, ...]], marks: Sequence[int]) -> list[Chain]:
        made = (_best(groups[key], found.layout, end, key, marks) for key in keys)
        return [chain for chain in made if _acceptable(chain, end)]

    parts = chains(by_rank[PART], ())
    marks = _starts(parts)
    numbered = chains(by_rank[0], marks)
    divisions, inner = chains(by_rank[CHAPTER], marks), chains(by_rank[SECTION], marks)
    chapters, others = _choose(divisions, numbered, found.layout)
    if not any(chain in divisions for chain in chapters) and inner:
        chapters, others = _choose(inner, numbered, found.layout)
    lines = sorted([*found.candidates, *found.titles], key=lambda line: line.start)
    places = [line.start for line in lines]
    chapters = [fill_gaps(chain, lines, places, found.layout) for chain in chapters]
    starts = _starts(chapters)
    keys = {chain.key for chain in chapters}
    sections = [chain for chain in (*inner, *others) if chain.key not in keys and _nested(chain, starts)]
    rivals = [chain for chain in others if chain.key not in keys and chain not in sections]
    return [chain for chain in parts if _holds_chapters(chain, starts)], chapters, sections, rivals


def _best(group: Sequence[Candidate], layout: Layout, end: int, key: tuple[object, ...], marks: Sequence[int]) -> Chain:
    """Return the best chain of a series: of all its lines, or of those with the most space above if they count better.

    Verses and lists inside the chapters are numbered too, but stand closer to the text.
    """
    whole = best_chain(_cleared(group, layout, end), key, marks=marks)
    gaps = [candidate.before for candidate in group]
    least = max(layout.usual_gap + 1, max(gaps, default=0) // 2)
    wide = [candidate for candidate in group if candidate.before >= least]
    if len(wide) < _FEWEST_WIDE or len(wide) == len(group):
        return whole
    apart = best_chain(_cleared(wide, layout, end), key, marks=marks)
    return apart if len(apart) >= _FEWEST_WIDE and _disorder(apart) < _disorder(whole) else whole


def _disorder(chain: Chain) -> float:
    return (chain.breaks + chain.restarts) / max(1, len(chain))


def _cleared(group: Sequence[Candidate], layout: Layout, end: int) -> list[Link]:
    """Weigh the lines of a series without those that only repeat it: running heads, contents lists."""
    links = with_bodies(group, layout, end)
    kept = without_running_heads(without_echoes(links))
    if len(kept) < len(links):
        kept = with_bodies([link.candidate for link in kept], layout, end)
    return without_contents(kept)


def _starts(chains: Iterable[Chain]) -> list[int]:
    return sorted(candidate.start for chain in chains for candidate in chain.candidates)


def _choose(divisions: list[Chain], numbered: list[Chain], layout: Layout) -> tuple[list[Chain], list[Chain]]:
    """Return (the chains that are chapters, the others): named divisions go before bare numbers if they are sure."""
    sure = [chain for chain in divisions if is_sure_division(str(chain.key[1]))]
    unsure = [chain for chain in divisions if chain not in sure]
    unsure = [chain for chain in unsure if len(chain) >= 3 and _stands_apart(chain, layout)]
    if sum(map(len, sure)) >= 2:
        starts = _starts(sure)
        return [*sure, *(chain for chain in unsure if _lies_beside(chain, starts))], numbered
    rest = sorted([*unsure, *numbered], key=lambda chain: chain.score, reverse=True)
    first = next((chain for chain in rest[1:] if _heads(chain, rest[0])), rest[0]) if rest else None
    return [*sure, *([first] if first else [])], [chain for chain in rest if chain is not first]


def _heads(chain: Chain, inner: Chain) -> bool:
    """Tell whether a chain counts through the book while an inner one begins anew below each of its headings."""
    if chain.breaks or chain.restarts or inner.restarts < _FEWEST_ANEW:
        return False
    starts = _starts([chain])
    anew = [
        bisect_left(starts, before.start) < bisect_left(starts, after.start)
        for before, after in pairwise(inner.candidates)
        if after.heading.number == 1
    ]
    return sum(anew) >= 0.7 * len(anew)


def _lies_beside(chain: Chain, starts: list[int]) -> bool:
    """Tell whether a chain precedes the chapters that begin at `starts`, or runs along them, not inside one or two."""
    places = {bisect_left(starts, candidate.start) for candidate in chain.candidates}
    return places == {0} or len(places) >= 0.5 * len(chain)


def _stands_apart(chain: Chain, layout: Layout) -> bool:
    """Tell whether most headings of a chain have more space around them than prose, or say nothing but a number."""
    apart = [
        candidate.isolated
        or candidate.before > layout.usual_gap
        or not (layout.usual_gap or candidate.heading.title or chain.breaks)
        for candidate in chain.candidates
    ]
    return sum(apart) >= 0.8 * len(chain)


def _holds_chapters(part: Chain, starts: list[int]) -> bool:
    """Tell whether most parts of a chain have chapters inside them; without any chapters every chain does."""
    if not starts:
        return True
    bounds = [bisect_left(starts, candidate.start) for candidate in part.candidates] + [len(starts)]
    filled = sum(1 for before, after in pairwise(bounds) if after > before)
    return filled >= 0.6 * len(part)


def _acceptable(chain: Chain, end: int) -> bool:
    """Tell whether a chain has evidence enough to be headings at all."""
    if not chain.links or (chain.is_list and not _is_all_there_is(chain, end)):
        return False
    if chain.key[0] is not Form.DIVISION:
        least = 1.2 if chain.counts_chapters else 2.2
        return not chain.interrupts and len(chain) >= 2 and chain.average >= least and chain.score >= 6.0
    if len(chain) == 1:
        return chain.score >= 4.5 and chain.links[0].candidate.isolated
    if is_sure_division(str(chain.key[1])):
        return chain.average >= 2.0
    return (
        chain.average >= (2.8 if any(link.candidate.before for link in chain.links) else 2.6) and not chain.interrupts
    )


def _is_all_there_is(chain: Chain, end: int) -> bool:
    """Tell chapters of a line or two, which make up the text, from a list of what stands elsewhere."""
    starts = [link.candidate.start for link in chain.links]
    covered = starts[-1] - starts[0] >= _MOST_OF_IT * end
    return covered and chain.typical_body >= _LEAST_LINE and is_sure_division(str(chain.key[1]))


def _nested(chain: Chain, starts: list[int]) -> bool:
    """Tell whether a finer chain is sure enough to be shown as sections of the chapters that begin at `starts`.

    What only one or a few chapters have is a list or a document within the story.
    """
    if not starts or len(chain) < 3 or chain.average < 3.0 or chain.candidates[0].start < starts[0]:
        return False
    return len({bisect_left(starts, candidate.start) for candidate in chain.candidates}) >= max(2, 0.3 * len(starts))


def _build(chains: Iterable[Chain], level: int, kind: str, taken: Sequence[int]) -> list[FoundHeading]:
    found: list[FoundHeading] = []
    for chain in chains:
        joined = joins_next_line(chain.candidates, taken)
        for candidate in chain.candidates:
            end, title = heading_title(candidate, joined=joined, taken=taken)
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
