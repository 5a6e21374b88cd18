"""The chapters that stand out: for each figure the one where it is highest, and the one where it is lowest."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from attrs import define, field, frozen

from novel_tasks_core.processors.report.contents import Contents, chapter_link
from novel_tasks_core.processors.report.numbers import counted, decimal, exact, share
from novel_tasks_core.processors.report.shape import Shape, Sums
from novel_tasks_core.processors.report.words import Words
from novel_tasks_core.text.measures import BookMeasures, ChapterMeasures

_LEAST_CHARACTERS = 300
_LEAST_CHAPTERS = 5


Take = Callable[[ChapterMeasures, Sums], float | None]


@frozen(kw_only=True)
class Figure:
    """A figure to compare chapters by: its name, how to take it, and how to show it.

    It is taken of the chapter's own text, or of the sums of the chapter with its sections.
    """

    name: str
    take: Take
    show: Callable[[float], str]


def compared(book: BookMeasures, words: Words) -> list[Figure]:
    """Return the figures that this book has."""
    found = [Figure(name=words.length, take=lambda _, sums: sums.amount, show=exact)]
    if book.dialogue_share is not None:
        found.append(Figure(name=words.dialogue, take=lambda _, sums: sums.spoken / sums.characters, show=share))
    if book.sentence_words is not None:
        found.append(Figure(name=words.sentence_words, take=_sentence, show=decimal))
    if book.readability is not None:
        found.append(Figure(name=words.readability, take=_score, show=lambda value: f"{value:.0f}"))
    return found


def _sentence(own: ChapterMeasures, _: Sums) -> float | None:
    return own.sentence_words if own.characters >= _LEAST_CHARACTERS else None


def _score(own: ChapterMeasures, _: Sums) -> float | None:
    return own.readability.score if own.readability else None


@define
class Record:
    """The best value so far, where it is, and how many chapters share it."""

    sign: int
    value: float = 0.0
    section: int = -1
    ties: int = 0

    def note(self, value: float, number: int) -> None:
        """Note the value of a chapter."""
        if self.section < 0 or self.sign * value > self.sign * self.value:
            self.value, self.section, self.ties = value, number, 1
        elif value == self.value:
            self.ties += 1


@define
class Extremes:
    """Collects the records chapter by chapter."""

    figures: list[Figure]
    shape: Shape
    _records: list[tuple[Record, Record]] = field(init=False)
    _chapters: int = 0

    def __attrs_post_init__(self) -> None:
        """Begin without a record."""
        self._records = [(Record(1), Record(-1)) for _ in self.figures]

    def add(self, number: int, section: ChapterMeasures) -> None:
        """Look at the next section; parts, and what is too short to compare, are left out."""
        if section.kind != "chapter":
            return
        sums = self.shape.sums(self.shape.chapter_of[number])
        if sums.characters < _LEAST_CHARACTERS:
            return
        self._chapters += 1
        for figure, (highest, lowest) in zip(self.figures, self._records, strict=True):
            value = figure.take(section, sums)
            if value is not None:
                highest.note(value, number)
                lowest.note(value, number)

    def render(self, contents: Contents, language: str, words: Words) -> str:
        """Return the table, "" for a book of few chapters."""
        if self._chapters < _LEAST_CHAPTERS:
            return ""
        rows = "".join(
            f'<tr><th scope="row">{escape(figure.name)}</th>{_cell(figure, highest, contents, language, words)}'
            f"{_cell(figure, lowest, contents, language, words)}</tr>"
            for figure, (highest, lowest) in zip(self.figures, self._records, strict=True)
            if highest.value > lowest.value
        )
        if not rows:
            return ""
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (words.measure, words.highest, words.lowest))
        return f'<table class="extremes"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _cell(figure: Figure, record: Record, contents: Contents, language: str, words: Words) -> str:
    value = f"<b>{escape(figure.show(record.value))}</b> "
    if record.ties > 1:
        shared = counted(words.count_chapters, record.ties, exact(record.ties))
        return f"<td>{value}{escape(words.in_chapters.format(n=shared))}</td>"
    return f"<td>{value}{chapter_link(contents, contents.shape.chapter_of[record.section], language, words)}</td>"
