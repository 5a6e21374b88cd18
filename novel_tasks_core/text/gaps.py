"""Headings that a chain lacks because their number, or the word before it, is misprinted or missing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from attrs import evolve

from novel_tasks_core.text.candidates import Candidate, Layout
from novel_tasks_core.text.forms import Form
from novel_tasks_core.text.numerals import read_misprinted, read_numeral
from novel_tasks_core.text.sequences import Chain, Link, quality, series_key
from novel_tasks_core.text.vocabulary import CHAPTER, SECTION

_LONGEST_GAP = 3
_MOST_LINES = 400
_FEWEST_HEADINGS = 4
_ALIKE = 0.6


def fill_gaps(chain: Chain, lines: Sequence[Candidate], starts: Sequence[int], layout: Layout) -> Chain:
    """Add the lines that stand where a chain passes over numbers and look like what is missing there.

    `lines` are all possible headings in order and `starts` where they begin. At most three headings are looked
    for between two others, so that a chain which skips much is not taken for misprinted.
    """
    if len(chain) < _FEWEST_HEADINGS:
        return chain
    chain = _corrected(chain)
    links: list[Link] = [chain.links[0]]
    filled = 0
    for before, after in pairwise(chain.links):
        found = _between(before, after, chain, lines, starts, layout)
        filled += bool(found)
        links += [*found, after]
    if not filled:
        return chain
    return evolve(chain, links=tuple(links), breaks=max(0, chain.breaks - filled), filled=chain.filled + filled)


def _corrected(chain: Chain) -> Chain:
    """Give a heading the number between its neighbours' where these go on over it."""
    links = list(chain.links)
    filled = 0
    for at in range(1, len(links) - 1):
        before, own, after = (link.candidate.heading.number for link in links[at - 1 : at + 2])
        if before is not None and after == before + 2 and own not in (None, 1, before + 1):
            candidate = links[at].candidate
            heading = evolve(candidate.heading, number=before + 1)
            links[at] = evolve(links[at], candidate=evolve(candidate, heading=heading))
            filled += 1
    if not filled:
        return chain
    return evolve(chain, links=tuple(links), breaks=max(0, chain.breaks - 2 * filled), filled=filled)


def _between(
    before: Link, after: Link, chain: Chain, lines: Sequence[Candidate], starts: Sequence[int], layout: Layout
) -> list[Link]:
    first, last = before.candidate.heading.number, after.candidate.heading.number
    if first is None or last is None or not 1 < last - first <= _LONGEST_GAP + 1:
        return []
    begin = bisect_right(starts, before.candidate.start)
    end = min(bisect_left(starts, after.candidate.start), begin + _MOST_LINES)
    least = min(before.candidate.before, after.candidate.before)
    wanted = first + 1
    found: list[Link] = []
    for line in lines[begin:end]:
        if wanted < last and line.before >= least and _could_be(line, wanted, before.candidate, chain):
            heading = evolve(line.heading, number=wanted, form=before.candidate.heading.form)
            found.append(Link(evolve(line, heading=heading), max(2.0, quality(line, layout)), 0))
            wanted += 1
    return found


def _could_be(line: Candidate, number: int, model: Candidate, chain: Chain) -> bool:
    """Tell whether a line may be the heading with a number, in a chain that has `model` before it."""
    heading = line.heading
    if not heading.neat or line.interrupts:
        return False
    if heading.form is Form.PLAIN:
        return model.heading.form is Form.DIVISION and _misspells(heading.title, number, model.heading.word)
    if heading.form is Form.NAMED:
        return False
    if heading.number == number:
        return heading.form is model.heading.form and heading.rank in (CHAPTER, SECTION)
    return series_key(line) == chain.key and line.before > 0


def _misspells(title: str, number: int, word: str) -> bool:
    """Tell whether a line is a division's word without its number, or has the number after a word like it."""
    words = title.split()
    if len(words) == 1:
        return words[0].casefold().strip(".") == word
    numeral = (read_misprinted(words[1]) or read_numeral(words[1])) if len(words) <= 2 else None
    return (
        numeral is not None
        and numeral.value == number
        and SequenceMatcher(None, words[0].casefold(), word).ratio() >= _ALIKE
    )
