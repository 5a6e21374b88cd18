"""The notes at the end: what every number means, where its formula is from, and what could not be measured and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from novel_tasks_core.processors.report.numbers import exact
from novel_tasks_core.processors.report.shape import Shape
from novel_tasks_core.processors.report.words import Words
from novel_tasks_core.text.measures import BookMeasures
from novel_tasks_core.text.readability import reading_minutes
from novel_tasks_core.text.tags import has_spaced_words

FLESCH = frozenset(
    ("Flesch 1948", "Amstad 1978", "Kandel and Moles 1958", "Fernández Huerta 1959", "Douma 1960", "Oborneva 2006")
)
"""The formulas whose scores have the words of Flesch's table."""
_FEWEST_WORDS, _FEWEST_FOR_RICHNESS = 100, 1000


def notes(book: BookMeasures, facts: Mapping[str, Any], shape: Shape, words: Words) -> str:
    """Return the notes that this book needs."""
    missing = list(_missing(book, words))
    if facts["language"] == "und":
        missing = [(name, words.unknown_language) for name, _ in missing]
    return _list(_meanings(book, str(facts["language"]), shape, words)) + (
        f"<h3>{escape(words.unavailable)}</h3>{_list(missing)}" if missing else ""
    )


def _list(pairs: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> str:
    return '<dl class="notes">' + "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in pairs) + "</dl>"


def _meanings(book: BookMeasures, language: str, shape: Shape, words: Words) -> Iterator[tuple[str, str]]:
    yield words.length, words.note_length if shape.by_words else words.note_characters
    if book.words is not None:
        yield words.words, words.note_words if has_spaced_words(language) else words.note_segmented
    if book.reading_minutes is not None:
        yield words.reading_time, _speed(language, words)
    if book.dialogue_share is not None:
        yield words.dialogue, words.note_dialogue.format(marks=marks_shown(book.dialogue_marks))
    if book.sentence_words is not None:
        yield words.sentences, words.note_sentences
    if book.readability is not None:
        formula = book.readability.formula
        yield (
            words.readability,
            words.note_readability.format(formula=formula) + (words.note_bands if formula in FLESCH else ""),
        )
    if book.richness is not None:
        yield words.richness, words.note_richness
    if book.people:
        yield words.people, words.note_people
        yield words.meetings, words.note_meetings
    yield words.headings, words.note_confidence


def marks_shown(marks: str | None) -> str:
    """Return marks of speech as they stand around it."""
    return "…".join(marks) if marks and len(marks) == 2 else marks or ""


def _speed(language: str, words: Words) -> str:
    by_character = reading_minutes(None, 1, language)
    if by_character is not None:
        return words.note_reading_characters.format(n=exact(1 / by_character))
    by_word = reading_minutes(1, 1, language)
    return words.note_reading_words.format(n=exact(1 / by_word) if by_word else "?")


def _missing(book: BookMeasures, words: Words) -> Iterator[tuple[str, str]]:
    if book.words is None:
        yield words.words, words.no_words
    if book.reading_minutes is None:
        yield words.reading_time, words.no_reading
    if book.dialogue_share is None:
        yield words.dialogue, words.no_dialogue
    if book.sentence_words is None:
        yield words.sentence_words, words.no_sentences
    if book.readability is None:
        short = book.words is not None and book.words < _FEWEST_WORDS
        yield words.readability, words.short_readability if short else words.no_readability
    if book.richness is None:
        short = book.words is not None and book.words < _FEWEST_FOR_RICHNESS
        yield words.richness, words.short_richness if short else words.no_richness
    if book.people is None:
        yield words.people, words.no_people
