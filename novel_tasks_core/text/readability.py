"""How easy a text reads, by formulas that were published for its language; and how long reading takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from novel_tasks_core.text.tags import base_language

_VOWELS = re.compile("[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœаеёиоуыэюяіїє]+", re.IGNORECASE)
_SILENT_E = re.compile(r"(?<=[^aeiouyl])e(?:s|d)?$|(?<=[aeiouy]l)e(?:s|d)?$", re.IGNORECASE)
_SILENT_ES = re.compile(r"e(?=[sd]?$)(?:(?<=[^aeiouyl]e)|(?<=[aeiouy]le))", re.MULTILINE)
_GROUP = "\0"
_MARKED = str.maketrans("aeiouy", 6 * _GROUP)

_WORDS_PER_MINUTE = {
    "en": 228, "fr": 195, "de": 179, "es": 218, "it": 188, "nl": 202, "pl": 166, "pt": 181, "ru": 184, "sv": 199,
    "fi": 161, "tr": 166, "ar": 138, "he": 187,
}  # fmt: skip
_CHARACTERS_PER_MINUTE = {"zh": 255, "ja": 357}
_FEWEST_WORDS = 100
LONG_WORD = 6
"""A word with more letters is long."""


@frozen
class Readability:
    """A readability score: higher is easier, about 0..100; `formula` names it and its source."""

    score: float
    formula: str


@frozen
class ReadingWeights:
    """What the formulas want to know of words, summed up over a text."""

    words: int = 0
    syllables: int = 0
    letters: int = 0
    long_words: int = 0

    def plus(self, other: ReadingWeights) -> ReadingWeights:
        """Return the sum of both."""
        return ReadingWeights(
            self.words + other.words,
            self.syllables + other.syllables,
            self.letters + other.letters,
            self.long_words + other.long_words,
        )


@frozen
class _Counts:
    words_per_sentence: float
    syllables_per_word: float
    letters_per_word: float
    long_word_share: float


_FORMULAS: Mapping[str, tuple[str, Callable[[_Counts], float]]] = {
    "en": ("Flesch 1948", lambda c: 206.835 - 1.015 * c.words_per_sentence - 84.6 * c.syllables_per_word),
    "de": ("Amstad 1978", lambda c: 180 - c.words_per_sentence - 58.5 * c.syllables_per_word),
    "fr": ("Kandel and Moles 1958", lambda c: 207 - 1.015 * c.words_per_sentence - 73.6 * c.syllables_per_word),
    "es": ("Fernández Huerta 1959", lambda c: 206.84 - 1.02 * c.words_per_sentence - 60 * c.syllables_per_word),
    "nl": ("Douma 1960", lambda c: 206.84 - 0.93 * c.words_per_sentence - 77 * c.syllables_per_word),
    "ru": ("Oborneva 2006", lambda c: 206.835 - 1.3 * c.words_per_sentence - 60.1 * c.syllables_per_word),
    "it": ("Gulpease 1988", lambda c: 89 + 300 / c.words_per_sentence - 10 * c.letters_per_word),
    "sv": ("100 - LIX, Björnsson 1968", lambda c: 100 - c.words_per_sentence - 100 * c.long_word_share),
}


def readability(weights: ReadingWeights, sentences: int, language: str) -> Readability | None:
    """Score a text by the weights of its words and its number of sentences; None without a published formula.

    Sources: R. Flesch, A new readability yardstick (1948); T. Amstad, Wie verständlich sind unsere
    Zeitungen? (1978); L. Kandel and A. Moles (1958); J. Fernández Huerta (1959); W. H. Douma (1960);
    I. V. Oborneva (2006); P. Lucisano and M. E. Piemontese, GULPEASE (1988); C. H. Björnsson, Läsbarhet
    (1968). Syllables are counted as groups of vowels. A text of less than a hundred words has no score.
    """
    formula = _FORMULAS.get(base_language(language))
    if formula is None or sentences < 1 or weights.words < _FEWEST_WORDS:
        return None
    counts = _Counts(
        weights.words / sentences,
        weights.syllables / weights.words,
        weights.letters / weights.words,
        weights.long_words / weights.words,
    )
    return Readability(round(formula[1](counts), 1), formula[0])


def count_syllables(word: str, language: str) -> int:
    """Count the syllables of a word: its groups of vowels, in English without a silent e."""
    count = len(_VOWELS.findall(word))
    if count > 1 and base_language(language) == "en" and _SILENT_E.search(word):
        count -= 1
    return count or 1


def count_all_syllables(words: Sequence[str], language: str) -> list[int]:
    """Count the syllables of each of many words, none of which has a line end, as `count_syllables` does.

    Those in ASCII are taken together, since a search for each costs more than what it finds.
    """
    joined = "\n".join(words).replace("’", "'")
    if not joined.isascii():
        return [count_syllables(word, language) for word in words]
    joined = joined.lower()
    if base_language(language) == "en":
        joined = _SILENT_ES.sub("", joined)
    marked = joined.translate(_MARKED)
    while _GROUP * 2 in marked:
        marked = marked.replace(_GROUP * 2, _GROUP)
    return [max(1, word.count(_GROUP)) for word in marked.split("\n")][: len(words)]


def reading_minutes(words: int | None, characters: int, language: str) -> float | None:
    """Return how many minutes an adult needs to read aloud at an ordinary pace; None for a language not measured.

    Speeds are those of the International Reading Speed Texts (Trauzettel-Klosinski and Dietz, 2012):
    words a minute, for Chinese and Japanese characters a minute.
    """
    base = base_language(language)
    if base in _CHARACTERS_PER_MINUTE:
        return characters / _CHARACTERS_PER_MINUTE[base]
    if base in _WORDS_PER_MINUTE and words is not None:
        return words / _WORDS_PER_MINUTE[base]
    return None
