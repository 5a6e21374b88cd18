"""Judge numbered lines together: chapters count up, contents lists repeat them without a body, prose does neither."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from attrs import field, frozen

from novel_tasks_core.text.candidates import Candidate, Layout
from novel_tasks_core.text.forms import Form
from novel_tasks_core.text.headings import ends_sentence
from novel_tasks_core.text.vocabulary import SAME_DIVISIONS, is_sure_division

_SMALL_BODY = 150
_LIST_BODY = 120
_CONTENTS_BODY = 700
_LONG_BODY = 800
_PAGES = 5000
_FEWEST_COUNTED = 4
_ECHO = 600
_LONE_BODY = 100
_NEAR_RUNS = 50


@frozen
class Link:
    """A candidate within its series: how good it looks by itself, and how many characters follow it."""

    candidate: Candidate
    quality: float
    body: int


@frozen
class Chain:
    """The best consistent numbering found in a series.

    `score` sums up the evidence, `breaks` counts the places where the count does not go on as it should,
    `restarts` those where it begins again at one, `filled` those where misprinted headings were put in.
    """

    links: tuple[Link, ...]
    score: float
    breaks: int
    restarts: int
    key: tuple[object, ...] = field(default=())
    filled: int = 0

    def __len__(self) -> int:
        """Return how many headings the chain has."""
        return len(self.links)

    @property
    def candidates(self) -> list[Candidate]:
        """The headings of the chain."""
        return [link.candidate for link in self.links]

    @property
    def is_list(self) -> bool:
        """Whether the headings only list what stands elsewhere: hardly any text between them."""
        return len(self.links) >= 3 and self.typical_body < _LIST_BODY

    @property
    def typical_body(self) -> float:
        """The median of what lies between two headings, in characters; 0 for a single one."""
        return median([after.start - before.end for before, after in pairwise(self.candidates)] or [0])

    @property
    def counts_chapters(self) -> bool:
        """Whether the count is whole, and pages lie between most of the headings: no list in the text does that."""
        return not self.breaks and len(self.links) > _FEWEST_COUNTED and self.typical_body >= _LONG_BODY

    @property
    def interrupts(self) -> bool:
        """Whether many of the headings break a sentence: they are page numbers, unless many pages lie between them."""
        if not self.breaks and self.typical_body >= _PAGES:
            return False
        return sum(link.candidate.interrupts for link in self.links) > 0.2 * len(self.links)

    @property
    def average(self) -> float:
        """The mean score of a heading, 0 for none."""
        return self.score / len(self.links) if self.links else 0.0


def series_key(candidate: Candidate) -> tuple[object, ...]:
    """Return what the headings of one series share: the division word, or how the number is written and framed."""
    heading = candidate.heading
    if heading.form is Form.DIVISION:
        return (Form.DIVISION, SAME_DIVISIONS.get(heading.word, heading.word))
    return (heading.form, heading.system, heading.style.rstrip("Aa"))


def with_bodies(candidates: Sequence[Candidate], layout: Layout, length: int) -> list[Link]:
    """Weigh each candidate of one series, and measure what follows it up to the next one of the series."""
    ends = [candidate.start for candidate in candidates[1:]] + [length]
    return [
        Link(candidate, quality(candidate, layout), end - candidate.end)
        for candidate, end in zip(candidates, ends, strict=True)
    ]


def quality(candidate: Candidate, layout: Layout) -> float:
    """Score how much a line by itself looks like a heading: its form, the space around it, its ending."""
    heading = candidate.heading
    base = {Form.DIVISION: 2.0, Form.BARE: 1.2, Form.TITLED: 0.7, Form.NAMED: 1.5, Form.PLAIN: 0.0}[heading.form]
    if is_sure_division(heading.word):
        base += 1.0
    if layout.airy:
        base += 0.8 if candidate.before else -0.8
        base += 0.7 if candidate.after else -0.4 if layout.usual_gap else 0.0
        base += 0.3 if candidate.before > 1 else 0.0
    elif heading.form in (Form.BARE, Form.TITLED):
        base += 0.7
    elif heading.form is Form.NAMED:
        base += 1.0
    if not heading.neat:
        base = min(base - 3.0, 0.5)
    if candidate.interrupts:
        base -= 1.5
    if heading.form is not Form.BARE and heading.title and ends_sentence(heading.title) and len(heading.title) > 60:
        base -= 1.0
    return base


def without_echoes(links: list[Link]) -> list[Link]:
    """Keep the better of two lines with the same number that stand close together: a V. that signs a motto is none."""
    kept: list[Link] = []
    for link in links:
        last = kept[-1] if kept else None
        if last is not None and _echoes(last, link):
            kept[-1] = max(last, link, key=lambda one: one.quality)
        else:
            kept.append(link)
    return kept


def _echoes(one: Link, other: Link) -> bool:
    number = one.candidate.heading.number
    near = other.candidate.start - one.candidate.end < _ECHO
    return near and number is not None and number == other.candidate.heading.number and one.quality != other.quality


def without_running_heads(links: list[Link]) -> list[Link]:
    """Keep the first of equal headings in a row where they repeat all through the book, as on top of its pages."""
    repeated = [_says_the_same(one, other) for one, other in pairwise(links)]
    if sum(repeated) < max(3, len(links) // 4):
        return links
    return [link for link, again in zip(links, [False, *repeated], strict=True) if not again]


def _says_the_same(one: Link, other: Link) -> bool:
    first, second = one.candidate.heading, other.candidate.heading
    return first.number is not None and (first.number, first.title) == (second.number, second.title)


def without_contents(links: list[Link]) -> list[Link]:
    """Drop the runs of a series that only list it: they repeat its numbers and have next to no body."""
    runs = [_Run.of(links) for links in _runs(links)]
    if len(runs) < 2:
        return links
    large = [(at, run) for at, run in enumerate(runs) if run.body > _SMALL_BODY]
    places = [at for at, _ in large]
    kept: list[Link] = []
    for at, run in enumerate(runs):
        near = bisect_left(places, at)
        others = (other for place, other in large[max(0, near - _NEAR_RUNS) : near + _NEAR_RUNS] if place != at)
        if not run.lists_any(others):
            kept += run.links
    return kept


@frozen
class _Run:
    """Links of a series that count up, with their numbers and the typical size of what follows them."""

    links: list[Link]
    numbers: frozenset[int | None]
    body: float

    @classmethod
    def of(cls, links: list[Link]) -> _Run:
        """Measure a run. The last body does not count: it reaches over whatever comes after the run."""
        bodies = [link.body for link in links[:-1]] or [links[0].body]
        return cls(links, frozenset(link.candidate.heading.number for link in links), median(bodies))

    def lists_any(self, others: Iterable[_Run]) -> bool:
        """Tell whether this is a list of what one of the other runs has at length."""
        if self.body > _CONTENTS_BODY or (len(self.links) == 1 and self.body >= _LONE_BODY):
            return False
        return any(
            other.body >= 8 * self.body and len(self.numbers & other.numbers) >= 0.6 * len(self.numbers)
            for other in others
        )


def _runs(links: list[Link]) -> list[list[Link]]:
    """Cut a series where its count does not go up."""
    runs: list[list[Link]] = []
    last: int | None = None
    for link in links:
        number = link.candidate.heading.number
        if not runs or (number is not None and last is not None and number <= last):
            runs.append([])
        runs[-1].append(link)
        last = number if number is not None else last
    return runs


def best_chain(links: list[Link], key: tuple[object, ...], *, marks: Sequence[int] = ()) -> Chain:
    """Choose the headings of a series whose numbers go on best; `marks` are offsets at which they may start anew.

    Linear in the number of links: of every number only the best chain that ends with it is remembered.
    """
    if not links:
        return Chain((), 0.0, 0, 0, key)
    totals: list[float] = []
    previous: list[int] = []
    by_number: dict[int, int] = {}
    best = -1
    numbers: list[int] = []
    mark_index = 0
    last_mark = -1
    for index, link in enumerate(links):
        while mark_index < len(marks) and marks[mark_index] <= link.candidate.start:
            last_mark = marks[mark_index]
            mark_index += 1
        number = link.candidate.heading.number
        options = _options(links, totals, numbers, by_number, best, number, last_mark, link)
        total, back, value = max(options)
        totals.append(total + link.quality - (1.2 if link.body < _SMALL_BODY else 0.0))
        previous.append(back)
        numbers.append(value)
        if value not in by_number or totals[index] >= totals[by_number[value]] - 2.0:
            by_number[value] = index
        if best < 0 or totals[index] >= totals[best]:
            best = index
    return _walk_back(links, totals, previous, numbers, best, key)


def _options(
    links: list[Link],
    totals: list[float],
    numbers: list[int],
    by_number: dict[int, int],
    best: int,
    number: int | None,
    last_mark: int,
    link: Link,
) -> list[tuple[float, int, int]]:
    """Return (total so far, index before, own number) for every way to reach a link."""
    if number is None:
        reached = [(totals[best] + 0.3, best, numbers[best] + 1)] if best >= 0 else []
        return [(0.0, -1, 1), *reached]
    options = [(_start(number), -1, number)]
    for step, worth in ((1, 1.0), (2, -1.0), (3, -1.8), (0, -1.5), (4, -2.4)):
        index = by_number.get(number - step)
        if index is not None:
            options.append((totals[index] + worth, index, number))
    if best >= 0:
        marked = last_mark > links[best].candidate.start
        options.append((totals[best] + _jump(number, numbers[best], marked), best, number))
    return options


def _jump(number: int, last: int, marked: bool) -> float:
    """Return what it is worth to go on from `last` to any other number: a new beginning at one is forgiven."""
    if number <= 1:
        return 0.0 if marked else -1.5 if last >= 3 else -2.5
    return -2.5 if marked else -4.0


def _start(number: int) -> float:
    return 1.0 if number <= 1 else -min(3.0, 0.75 * (number - 1))


def _walk_back(
    links: list[Link], totals: list[float], previous: list[int], numbers: list[int], best: int, key: tuple[object, ...]
) -> Chain:
    order: list[int] = []
    index = best
    while index >= 0:
        order.append(index)
        index = previous[index]
    order.reverse()
    steps = [numbers[after] - numbers[before] for before, after in pairwise(order)]
    restarts = sum(1 for step, at in zip(steps, order[1:], strict=True) if numbers[at] <= 1 and step <= 0)
    breaks = sum(
        1 for step, at in zip(steps, order[1:], strict=True) if step != 1 and not (numbers[at] <= 1 and step <= 0)
    )
    breaks += 0 if numbers[order[0]] <= 1 else 1
    return Chain(tuple(links[at] for at in order), totals[best], breaks, restarts, key)
