"""How sure the chosen headings are, in a number and in a sentence.

The number is a logistic function of a few signs, each from 0 (as it should be) to 1. The weights are those that a
regression finds on real novels set in many styles of headings, rounded to the careful side; that they hold for styles
which it was not given was tried by leaving out one group after the other. See `python -m benchmarks quality`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from attrs import asdict, frozen

from novel_tasks_core.text.candidates import Layout
from novel_tasks_core.text.forms import Form
from novel_tasks_core.text.numerals import NumeralSystem
from novel_tasks_core.text.outline import FoundHeading
from novel_tasks_core.text.sequences import Chain
from novel_tasks_core.text.vocabulary import CHAPTER, PART

_LEAST = 0.05
_MOST = 0.98
_BASE = 4.0
_ENOUGH = 5
_SMALL_BODY = 300
_APART = 2.0
_LONG_CHAPTER = 60_000
_LONG_HAN_CHAPTER = 25_000


@frozen(kw_only=True)
class Signs:
    """What speaks against the headings of a book.

    `few`: fewer than five. `bare` and `titled`: no word such as chapter says that the numbers count chapters.
    `breaks`: how often the count does not go on, in headings; `filled`: how many are misprinted. `loose`:
    the share that does not stand apart from the text. `uneven`: one chapter has most of the text. `late`: a
    long text precedes the first. `rivals`: another series has as many headings. `long`: chapters have more pages than
    is usual, so that finer ones may have been missed.
    """

    few: float
    bare: float
    titled: float
    breaks: float
    filled: float
    loose: float
    uneven: float
    late: float
    rivals: float
    long: float


WEIGHTS = Signs(
    few=2.0, bare=0.6, titled=0.6, breaks=4.5, filled=1.5, loose=1.6, uneven=4.0, late=3.0, rivals=1.5, long=3.0
)
"""How much each sign weighs."""

_NOTES = {
    "few": "only {count} of them",
    "filled": "some are misprinted",
    "uneven": "one is much longer than the others",
    "late": "a long text precedes the first",
    "long": "they are very long",
    "rivals": "other lines are numbered too",
}


def judge(
    chapters: Sequence[Chain],
    parts: Sequence[Chain],
    rivals: Sequence[Chain],
    headings: Sequence[FoundHeading],
    layout: Layout,
    span: tuple[int, int],
) -> tuple[float, str]:
    """Return (confidence, reason) for an outline of these chains; `rivals` were left out of it."""
    signs = weigh(chapters, parts, rivals, headings, layout, span)
    return confidence_of(signs), _reason(chapters, parts, signs)


def confidence_of(signs: Signs, weights: Signs = WEIGHTS, base: float = _BASE) -> float:
    """Return the confidence that signs leave."""
    weight, sign = asdict(weights), asdict(signs)
    doubt = sum(weight[name] * sign[name] for name in sign)
    return round(min(_MOST, max(_LEAST, 1 / (1 + math.exp(doubt - base)))), 2)


def weigh(
    chapters: Sequence[Chain],
    parts: Sequence[Chain],
    rivals: Sequence[Chain],
    headings: Sequence[FoundHeading],
    layout: Layout,
    span: tuple[int, int],
) -> Signs:
    """Look for what speaks against an outline of the text within `span`."""
    main = max(chapters, key=len)
    count = sum(map(len, chapters))
    start, end = span
    size = max(1, end - start)
    starts = [heading.start for heading in headings if heading.level <= CHAPTER]
    sizes = [after - before for before, after in pairwise([*starts, end]) if after - before > _SMALL_BODY]
    largest = max(sizes, default=0)
    return Signs(
        few=max(0.0, (_ENOUGH - count) / (_ENOUGH - 1)),
        bare=float(main.key[0] is Form.BARE),
        titled=float(main.key[0] is Form.TITLED),
        breaks=min(1.0, 4 * wrong_counts(chapters, parts) / count),
        filled=min(1.0, 4 * sum(chain.filled for chain in chapters) / count),
        loose=sum(_is_loose(chain, layout) for chain in chapters) / count,
        uneven=float(len(sizes) >= 3 and largest > max(15 * median(sizes), 0.3 * size)),
        late=min(1.0, max(0.0, 4 * ((starts[0] - start) / size - 0.1))) if starts else 1.0,
        rivals=min(1.0, max((len(chain) for chain in rivals), default=0) / count),
        long=min(1.0, max(0.0, median(sizes) / _long_for(main) - 1.0)) if sizes else 0.0,
    )


def _long_for(chain: Chain) -> float:
    """Return how many characters are many for a chapter: fewer in Chinese, and where only parts were found."""
    heading = chain.links[0].candidate.heading
    usual = _LONG_HAN_CHAPTER if heading.system is NumeralSystem.HAN else _LONG_CHAPTER
    return usual / 2 if heading.rank == PART else usual


def wrong_counts(chapters: Sequence[Chain], parts: Sequence[Chain]) -> int:
    """Count where numbers do not go on; that chapters begin anew in a new part is as it should be."""
    main = max(chapters, key=len)
    unexpected = max(0, main.restarts - sum(map(len, parts)) - 1)
    return sum(chain.breaks for chain in chapters) + unexpected


def _is_loose(chain: Chain, layout: Layout) -> int:
    """Count the headings that neither look like one nor have more space above than prose has."""
    return sum(link.quality < _APART and link.candidate.before <= layout.usual_gap for link in chain.links)


def _reason(chapters: Sequence[Chain], parts: Sequence[Chain], signs: Signs) -> str:
    count = sum(map(len, chapters))
    told = f"{count} headings of the form {_describe(max(chapters, key=len))}"
    if parts:
        told += f" in {sum(map(len, parts))} parts"
    wrong, loose = wrong_counts(chapters, parts), round(signs.loose * count)
    notes = [f"the count breaks {'once' if wrong == 1 else f'{wrong} times'}"] if wrong else []
    notes += [f"{loose} {'does' if loose == 1 else 'do'} not stand apart from the text"] if loose else []
    notes += [note.format(count=count) for name, note in _NOTES.items() if asdict(signs)[name] > 0.1]
    return f"{told}, {'; '.join(notes)}" if notes else f"{told}, counting without a gap"


def _describe(chain: Chain) -> str:
    heading = chain.links[0].candidate.heading
    if heading.form is Form.DIVISION:
        return f"“{heading.word} N”" if heading.word.isascii() or len(heading.word) > 1 else f"“第N{heading.word}”"
    shape = "a bare number" if heading.form is Form.BARE else "number and title"
    return f"{shape} ({heading.system})"
