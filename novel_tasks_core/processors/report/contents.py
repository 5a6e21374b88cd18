"""The table of contents: a row for every chapter, or for the first of each part when there are too many to show."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from attrs import define, field, frozen

from novel_tasks_core.processors.report.markup import foreign, inline, plain, text
from novel_tasks_core.processors.report.numbers import clock, decimal, exact, share
from novel_tasks_core.processors.report.shape import Shape, Sums
from novel_tasks_core.processors.report.words import Words
from novel_tasks_core.text.measures import BookMeasures, ChapterMeasures

_MOST_ROWS = 2_000
_MOST_OF_A_PART = 300
_MOST_BYTES = 450_000
_DASH = "–"
_SHORT = 14


@frozen(kw_only=True)
class Column:
    """A column of figures: its heading, the figure of a section, and that of several together."""

    heading: str
    of_one: Callable[[ChapterMeasures], str]
    of_several: Callable[[Sums], str]


def columns(book: BookMeasures, shape: Shape, words: Words) -> list[Column]:
    """Return the columns that this book has figures for."""
    found = [_length(shape, words)]
    if book.reading_minutes is not None:
        found.append(
            Column(
                heading=words.reading_time,
                of_one=lambda c: _DASH if c.reading_minutes is None else clock(c.reading_minutes, words),
                of_several=lambda s: clock(s.minutes, words),
            )
        )
    if book.dialogue_share is not None:
        found.append(
            Column(
                heading=words.dialogue,
                of_one=lambda c: _DASH if c.dialogue_share is None else share(c.dialogue_share),
                of_several=lambda s: share(s.spoken / max(1, s.characters)),
            )
        )
    return found + _of_sentences(book, words)


def _length(shape: Shape, words: Words) -> Column:
    if shape.by_words:
        return Column(heading=words.words, of_one=lambda c: exact(c.words or 0), of_several=lambda s: exact(s.amount))
    return Column(heading=words.characters, of_one=lambda c: exact(c.characters), of_several=lambda s: exact(s.amount))


def _of_sentences(book: BookMeasures, words: Words) -> list[Column]:
    found = []
    if book.sentence_words is not None:
        found.append(
            Column(
                heading=words.sentence_words,
                of_one=lambda c: _DASH if c.sentence_words is None else decimal(c.sentence_words),
                of_several=lambda s: "",
            )
        )
    if book.readability is not None:
        found.append(
            Column(
                heading=words.readability,
                of_one=lambda c: _DASH if c.readability is None else f"{c.readability.score:.0f}",
                of_several=lambda s: "",
            )
        )
    return found


@define
class Contents:
    """Collects the rows chapter by chapter; `shown` holds the sections that have one, by their number from 0."""

    columns: list[Column]
    shape: Shape
    language: str
    words: Words
    shown: set[int] = field(factory=set)
    _rows: list[str] = field(factory=list)
    _bytes: int = 0
    _of_part: int = 0
    _left_out: int = 0
    _parts: int = 0

    def add(self, number: int, section: ChapterMeasures) -> None:
        """Add the next section."""
        if section.kind == "part":
            self._begin_part()
        if not self._has_room(section):
            self._left_out += 1
            return
        row = self._row(number, section)
        self._rows.append(row)
        self._bytes += len(row.encode())
        self._of_part += 1
        self.shown.add(number)

    @property
    def _full(self) -> bool:
        return self._bytes >= _MOST_BYTES or len(self.shown) >= _MOST_ROWS

    def _begin_part(self) -> None:
        if not self._full:
            self._tell_left_out()
            self._rows.append("</tbody><tbody>")
        self._of_part = 0
        self._parts += 1

    def _has_room(self, section: ChapterMeasures) -> bool:
        if self._full:
            return False
        groups = max(1, len(self.shape.parts))
        quota = _MOST_OF_A_PART if groups * _MOST_OF_A_PART <= _MOST_ROWS else max(3, _MOST_ROWS // groups)
        return self.shape.sections <= _MOST_ROWS or self._of_part < quota

    def _row(self, number: int, section: ChapterMeasures) -> str:
        several = self._several(number, section)
        kind = f' class="{section.kind}"' if section.kind in ("part", "section") else ""
        cells = (column.of_several(several) if several else column.of_one(section) for column in self.columns)
        name = self._number(number, section) + (text(section.title) or self.words.untitled)
        attributes = foreign(self.language, self.words) if section.title else ""
        return (
            f'<tr id="s{number + 1}"{kind}>'
            f'<th scope="{"rowgroup" if section.kind == "part" else "row"}"{attributes}>{name}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            + "</tr>"
        )

    def _several(self, number: int, section: ChapterMeasures) -> Sums | None:
        """Return the sums of a part, or of a chapter that has sections of its own."""
        if section.kind == "part":
            return self.shape.parts[self._parts - 1]
        chapter = self.shape.chapter_of[number]
        several = self.shape.section_of[chapter] == number and self.shape.counts[chapter] > 1
        return self.shape.sums(chapter) if several else None

    def _number(self, number: int, section: ChapterMeasures) -> str:
        """Return the number of a chapter in the whole book, where those in the titles begin anew in every part."""
        chapter = self.shape.chapter_of[number]
        first = section.kind != "part" and bool(self.shape.parts) and self.shape.section_of[chapter] == number
        return f"<small>{self.shape.numbers[chapter]:,}</small>" if first and self.shape.numbers[chapter] else ""

    def _tell_left_out(self) -> None:
        if self._left_out:
            told = self.words.more_rows.format(n=exact(self._left_out))
            row = f'<tr class="more"><td colspan="{len(self.columns) + 1}">{escape(told)}</td></tr>'
            self._rows.append(row)
            self._left_out = 0

    def render(self) -> str:
        """Return the table."""
        self._tell_left_out()
        heads = (self.words.title, *(column.heading for column in self.columns))
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
        body = "".join(self._rows).replace("<tbody></tbody>", "")
        rows = f"<tbody>{body}</tbody>".replace("<tbody></tbody>", "")
        dash = f'<p class="soft">{escape(self.words.missing)}</p>' if f"<td>{_DASH}</td>" in rows else ""
        return f'<table class="contents"><thead><tr>{head}</tr></thead>{rows}</table>{dash}'


def link(contents: Contents, chapter: int, label: str) -> str:
    """Return a link to the row of a chapter, or the bare label when it has none."""
    section = contents.shape.section_of[chapter]
    return f'<a href="#s{section + 1}">{escape(label)}</a>' if section in contents.shown else escape(label)


def chapter_link(contents: Contents, chapter: int, language: str, words: Words) -> str:
    """Return the title of a chapter inside a sentence, linked to its row where it has one."""
    title = contents.shape.full_title(chapter)
    name = inline(title, language, words, 90) if title else label_of(contents.shape, chapter)
    section = contents.shape.section_of[chapter]
    return f'<a href="#s{section + 1}">{name}</a>' if section in contents.shown else name


def label_of(shape: Shape, chapter: int) -> str:
    """Return a short name for a chapter: its number, or its title when it is not counted."""
    number = shape.numbers[chapter]
    return f"{number:,}" if number else plain(shape.title(chapter), _SHORT) or f"{chapter + 1:,}"
