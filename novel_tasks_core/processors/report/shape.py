"""The shape of a book for its charts: its chapters as numbers in arrays, since a book may have 100,000 of them."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from attrs import define, field, frozen

from novel_tasks_core.processors.report.markup import plain
from novel_tasks_core.text.measures import BookMeasures, ChapterMeasures
from novel_tasks_core.text.tags import base_language

_PART_WITH_TEXT = 500
_TITLES_KEPT = 2_500
_PART_TITLE = 40
_MOST_BARS = 400
_BINS = 200


@define
class Sums:
    """The figures of several sections together; `amount` is in words or, in Chinese and Japanese, in characters."""

    sections: int = 0
    characters: int = 0
    amount: int = 0
    minutes: float = 0.0
    spoken: float = 0.0


@define(kw_only=True)
class Part(Sums):
    """A part of the book: its section, its first chapter, where it begins (0..1), and the sums of all in it."""

    title: str
    section: int
    chapter: int
    position: float


@frozen(kw_only=True)
class Bin:
    """What one bar of a chart shows: one chapter, or the mean of several that follow each other."""

    first: int
    last: int
    amount: float
    spoken: float


@define
class Shape:
    """The chapters of a book, in order.

    A chapter here is whatever has a bar in the charts: sections within it belong to it, and a part without
    a text of its own is none. `amounts` are words or, in Chinese and Japanese, characters; `numbers` count what
    is called a chapter (`counted` in all), 0 for a preface and the like; `section_of`
    names the section a chapter begins with.
    """

    by_words: bool
    sections: int = 0
    characters: int = 0
    counted: int = 0
    parts: list[Part] = field(factory=list)
    titles: list[str] = field(factory=list)
    chapter_of: array[int] = field(factory=lambda: array("l"))
    section_of: array[int] = field(factory=lambda: array("l"))
    numbers: array[int] = field(factory=lambda: array("l"))
    counts: array[int] = field(factory=lambda: array("l"))
    amounts: array[int] = field(factory=lambda: array("q"))
    lengths: array[int] = field(factory=lambda: array("q"))
    minutes: array[float] = field(factory=lambda: array("d"))
    spoken: array[float] = field(factory=lambda: array("d"))
    starts: array[int] = field(factory=lambda: array("q"))

    def __len__(self) -> int:
        """Return how many chapters there are."""
        return len(self.amounts)

    def title(self, chapter: int) -> str:
        """Return the title of a chapter, "" when it has none or is far into a book of very many."""
        return self.titles[chapter] if chapter < len(self.titles) else ""

    def full_title(self, chapter: int) -> str:
        """Return the title of a chapter behind that of its part."""
        part = self.part_of(chapter)
        names = (part.title[:_PART_TITLE].rstrip(" .") if part else "", self.title(chapter).rstrip(" ."))
        return " · ".join(name for name in names if name)

    def sums(self, chapter: int) -> Sums:
        """Return the figures of a chapter with all sections in it."""
        return Sums(
            sections=self.counts[chapter],
            characters=self.lengths[chapter],
            amount=self.amounts[chapter],
            minutes=self.minutes[chapter],
            spoken=self.spoken[chapter],
        )

    def part_of(self, chapter: int) -> Part | None:
        """Return the part that a chapter belongs to, None before the first."""
        following = bisect_right(self.parts, chapter, key=lambda part: part.chapter)
        return self.parts[following - 1] if following else None

    def chapter_at(self, position: float) -> int:
        """Return the chapter that a place in the text, 0..1, lies in."""
        return max(0, bisect_right(self.starts, position * self.characters) - 1)

    def position(self, chapter: int) -> float:
        """Return where a chapter begins, 0..1 of the text."""
        return self.starts[chapter] / max(1, self.characters)

    @property
    def width(self) -> int:
        """How many chapters share a bar."""
        return 1 if len(self) <= _MOST_BARS else -(-len(self) // _BINS)

    def bins(self) -> Iterator[Bin]:
        """Yield the bars of a chart that has a place for every chapter."""
        width = self.width
        for first in range(0, len(self), width):
            last = min(first + width, len(self)) - 1
            count, length = last - first + 1, sum(self.lengths[first : last + 1])
            spoken = sum(self.spoken[first : last + 1]) / length if length else 0.0
            yield Bin(first=first, last=last, amount=sum(self.amounts[first : last + 1]) / count, spoken=spoken)

    def _add(self, number: int, section: ChapterMeasures) -> None:
        if section.kind == "part":
            position = float(self.characters)
            title = plain(section.title)
            self.parts.append(Part(title=title, section=number, chapter=len(self), position=position))
        inner = section.kind == "section" and len(self) and not self._opens_part()
        bare = section.kind == "part" and section.characters <= _PART_WITH_TEXT
        if not inner and not bare:
            self._begin(number, section)
        self.chapter_of.append(len(self) if bare else len(self) - 1)
        amount = (section.words if self.by_words else section.characters) or 0
        if not bare:
            self._add_to_chapter(section, amount)
        if self.parts:
            _add_to(self.parts[-1], section, amount)
        self.characters += section.characters
        self.sections += 1

    def _opens_part(self) -> bool:
        return bool(self.parts) and self.parts[-1].chapter == len(self)

    def _begin(self, number: int, section: ChapterMeasures) -> None:
        counts = section.kind == "chapter"
        self.counted += counts
        self.numbers.append(self.counted if counts else 0)
        self.section_of.append(number)
        self.starts.append(self.characters)
        for integers in (self.counts, self.amounts, self.lengths):
            integers.append(0)
        for reals in (self.minutes, self.spoken):
            reals.append(0.0)
        if len(self.titles) < _TITLES_KEPT:
            self.titles.append(plain(section.title))

    def _add_to_chapter(self, section: ChapterMeasures, amount: int) -> None:
        self.counts[-1] += 1
        self.amounts[-1] += amount
        self.lengths[-1] += section.characters
        self.minutes[-1] += section.reading_minutes or 0.0
        self.spoken[-1] += (section.dialogue_share or 0.0) * section.characters


def _add_to(sums: Sums, section: ChapterMeasures, amount: int) -> None:
    sums.sections += 1
    sums.characters += section.characters
    sums.amount += amount
    sums.minutes += section.reading_minutes or 0.0
    sums.spoken += (section.dialogue_share or 0.0) * section.characters


def shape_of(book: BookMeasures, language: str) -> Shape:
    """Read the chapters of a book once."""
    shape = Shape(by_words=counts_by_words(book, language))
    for number, section in enumerate(book.chapters):
        shape._add(number, section)
    for part in shape.parts:
        part.position /= max(1, shape.characters)
    shape.chapter_of = array("l", (max(0, min(chapter, len(shape) - 1)) for chapter in shape.chapter_of))
    return shape


def counts_by_words(book: BookMeasures, language: str) -> bool:
    """Tell whether the length of this book is given in words; that of Chinese and Japanese is in characters."""
    return book.words is not None and base_language(language) not in ("zh", "ja")


def quartiles(values: Sequence[int]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile of at least one value."""
    ordered = sorted(values)

    def at(part: float) -> float:
        place = part * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return at(0.25), at(0.5), at(0.75)
