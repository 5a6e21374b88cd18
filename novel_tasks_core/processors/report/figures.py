"""The figures of the whole book: in a sentence, and in a row of large numbers with what each tells."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from attrs import frozen

from novel_tasks_core.processors.report.markup import inline
from novel_tasks_core.processors.report.notes import FLESCH, marks_shown
from novel_tasks_core.processors.report.numbers import clock, counted, decimal, duration, exact, rough, share
from novel_tasks_core.processors.report.shape import Shape, quartiles
from novel_tasks_core.processors.report.words import Words
from novel_tasks_core.text.measures import BookMeasures

_NAME = 24
_BANDS = (90, 80, 70, 60, 50, 30)


@frozen
class _Card:
    """A large number, as markup; None says that it is missing."""

    name: str
    value: str | None
    detail: str = ""


def lede(book: BookMeasures, shape: Shape, words: Words) -> str:
    """Return the book in a sentence: its chapters, its length, the time to read it, and how much is dialogue."""
    extent, length = _extent(shape, words), _amount(book, shape, words)
    if book.reading_minutes is None:
        said = words.lede.format(extent=extent, amount=length)
    else:
        time = duration(book.reading_minutes, words)
        said = words.lede_with_time.format(extent=extent, amount=length, time=time)
    return said + (words.spoken.format(share=share(book.dialogue_share)) if book.dialogue_share is not None else "")


def _extent(shape: Shape, words: Words) -> str:
    count = shape.counted or len(shape)
    if count <= 1 and not shape.parts:
        return words.one_piece
    chapters = counted(words.count_chapters, count, exact(count))
    if not shape.parts:
        return chapters
    parts = counted(words.count_parts, len(shape.parts), exact(len(shape.parts)))
    return words.in_parts.format(chapters=chapters, parts=parts)


def _amount(book: BookMeasures, shape: Shape, words: Words) -> str:
    value, forms = (book.words or 0, words.count_words) if shape.by_words else (book.characters, words.count_characters)
    return counted(forms, value, rough(value, words))


def key_figures(book: BookMeasures, shape: Shape, language: str, words: Words) -> str:
    """Return the cards."""
    return (
        '<dl class="facts">' + "".join(_render(card, words) for card in _cards(book, shape, language, words)) + "</dl>"
    )


def _render(card: _Card, words: Words) -> str:
    value = f'<dd class="none">{words.none}</dd>' if card.value is None else f"<dd>{card.value}</dd>"
    detail = f'<dd class="detail">{escape(card.detail)}</dd>' if card.detail and card.value is not None else ""
    return f"<div><dt>{escape(card.name)}</dt>{value}{detail}</div>"


def _cards(book: BookMeasures, shape: Shape, language: str, words: Words) -> Iterator[_Card]:
    yield _length(book, shape, words)
    if len(shape) > 1:
        low, _, high = quartiles(shape.amounts)
        typical = words.typically.format(low=rough(low, words), high=rough(high, words))
        yield _Card(words.chapters, exact(shape.counted or len(shape)), typical if len(shape) > 4 else "")
    minutes = book.reading_minutes
    each = minutes / len(shape) if minutes is not None and len(shape) > 1 else None
    a_chapter = words.a_chapter.format(time=duration(each, words)) if each is not None else ""
    yield _Card(words.reading_time, None if minutes is None else clock(minutes, words), a_chapter)
    marks = words.marked_by.format(marks=marks_shown(book.dialogue_marks))
    yield _Card(words.dialogue, None if book.dialogue_share is None else share(book.dialogue_share), marks)
    yield _sentences(book, words)
    yield _readability(book, words)
    yield _Card(words.richness, None if book.richness is None else exact(book.richness * 1000), words.of_each_thousand)
    yield from _people(book, language, words)


def _people(book: BookMeasures, language: str, words: Words) -> Iterator[_Card]:
    if book.people is None:
        yield _Card(words.people, None)
    for person in (book.people or ())[:1]:
        times = words.named_times.format(n=exact(person.mentions))
        yield _Card(words.most_named, inline(person.name, language, words, _NAME), times)


def _length(book: BookMeasures, shape: Shape, words: Words) -> _Card:
    characters = words.exactly.format(n=exact(book.characters))
    if shape.by_words:
        return _Card(words.words, exact(book.words or 0), characters)
    shown = rough(book.characters, words) if words.lang.startswith("zh") else exact(book.characters)
    return _Card(words.characters, shown, "" if shown == exact(book.characters) else characters)


def _sentences(book: BookMeasures, words: Words) -> _Card:
    if book.sentences is None:
        return _Card(words.sentences, None)
    length = book.sentence_words
    detail = words.of_a_sentence.format(n=decimal(length)) if length is not None else ""
    return _Card(words.sentences, exact(book.sentences), detail)


def _readability(book: BookMeasures, words: Words) -> _Card:
    score = book.readability
    if score is None:
        return _Card(words.readability, None)
    band = words.bands[sum(score.score < bound for bound in _BANDS)] if score.formula in FLESCH else ""
    return _Card(words.readability, f"{score.score:.0f}", words.comma.join(filter(None, (band, score.formula))))
