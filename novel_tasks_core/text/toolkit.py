"""What can be measured in a language: one table of the means for its words, its speech and its names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from attrs import frozen

from novel_tasks_core.text.dialogue import dialogue_style
from novel_tasks_core.text.hannames import han_names
from novel_tasks_core.text.hanreader import han_reader
from novel_tasks_core.text.japanesenames import japanese_names, without_readings
from novel_tasks_core.text.names import Cast, NameEvidence
from novel_tasks_core.text.people import EuropeanNames, knows_names
from novel_tasks_core.text.tags import base_language, has_spaced_words
from novel_tasks_core.text.tokens import PlainReader, SpacedReader, TextCounts

Span = tuple[int, int]


class TextReader(Protocol):
    """Counts words and sentences piece by piece."""

    @property
    def counts_words(self) -> bool:
        """Whether it can count words."""
        ...

    @property
    def counts_sentences(self) -> bool:
        """Whether it can count sentences."""
        ...

    def read(self, text: str, *, begins: bool) -> TextCounts:
        """Count the next piece; `begins` says that it is the first one of a section."""
        ...


class SpeechFinder(Protocol):
    """Finds what is spoken in a book, by the marks that it uses."""

    @property
    def marks(self) -> str:
        """The marks: a pair of quotation marks, or "—"."""
        ...

    def spans(self, text: str) -> list[Span]:
        """Return where somebody speaks, in order, without the marks. The text begins and ends with a paragraph."""
        ...


class NameFinder(Protocol):
    """Finds who is named, piece by piece, and joins what was found in a whole book into people."""

    def find(self, text: str, spoken: Sequence[Span]) -> NameEvidence:
        """Return what one piece says of names; `spoken` is where somebody speaks in it."""
        ...

    def cast(self, total: NameEvidence, words: Mapping[str, int]) -> Cast:
        """Join the evidence of the whole book into people, most mentioned first.

        `total` has no scenes. `words` says how often a word is written small; it knows all but rare words.
        """
        ...


@frozen
class Toolkit:
    """The means for one book. None stands for what cannot be found in its language."""

    reader: TextReader
    speech: SpeechFinder | None
    names: NameFinder | None
    plain: Callable[[str], str] = str
    """Takes what is no text out of a piece: the notation of readings and of type."""


def toolkit(language: str, sample: str, stretches: Callable[[], Iterable[str]]) -> Toolkit:
    """Return the means for a book in this language; `sample` is a stretch of it that shows how it marks speech.

    `stretches` reads the book, or enough of it: where names cannot be told by their letters it is read beforehand.
    """
    base = base_language(language)
    if base == "zh":
        return Toolkit(
            reader=han_reader(language, sample),
            speech=dialogue_style(sample, language),
            names=han_names(sample, stretches),
        )
    if base == "ja":
        return Toolkit(
            reader=PlainReader(language),
            speech=dialogue_style(without_readings(sample), language),
            names=japanese_names(stretches),
            plain=without_readings,
        )
    return Toolkit(
        reader=SpacedReader(language) if has_spaced_words(language) else PlainReader(language),
        speech=dialogue_style(sample, language),
        names=EuropeanNames(language) if knows_names(language) else None,
    )
