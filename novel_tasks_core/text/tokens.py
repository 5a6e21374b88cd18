"""Words and sentences: what is counted of a text, by rules that its language allows."""

from __future__ import annotations

import re
from collections import Counter

from attrs import frozen

_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "und"})
_WORD = re.compile(r"[^\W\d_]+(?:['’\-‐][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»“)\]_*]*(?=\s|$|[—–-])")
_WIDE_SENTENCE_END = re.compile(r"[。！？!?…]+[”’」』）】]*")
_ABBREVIATED = {
    "en": "Mr Mrs Ms Dr St Messrs Mme Mlle Prof Rev Capt Col Gen Lt Sgt Hon Jr Sr vs etc viz No Esq",
    "fr": "MM Mme Mlle Mgr Dr St Ste etc",
    "de": "Hr Hrn Fr Frl Dr Prof St usw bzw resp ca 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    "es": "Sr Sra Srta Dr Dra Da Ud Uds Vd Vds etc",
    "it": "Sig Sigg Dott Prof ecc",
    "pt": "Sr Sra Dr Dra Exa etc",
    "nl": "Dhr Mevr Mej Dr Mr St enz",
    "ru": "гр г гг кн св т д п е",
}
_ABBREVIATIONS = {language: frozenset(words.split()) for language, words in _ABBREVIATED.items()}
_LONGEST_ABBREVIATION = 9
_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001))))
_MOST_KNOWN = 200_000
_SEGMENT = 1000
_WIDE = frozenset({"zh", "ja"})


def base_language(tag: str) -> str:
    """Return the language of a BCP 47 tag: zh for zh-Hant."""
    return tag.partition("-")[0]


def has_spaced_words(language: str) -> bool:
    """Tell whether the language puts spaces between words, so that they can be counted without a dictionary."""
    return base_language(language) not in _UNSPACED


def find_words(text: str) -> list[str]:
    """Return the words of a text whose language puts spaces between them, as written."""
    return _WORD.findall(text)


@frozen
class WordCounts:
    """The words of a text: how often each is written so, how many there are, and how rich the choice is.

    `richness` is the mean share of different words in segments of a thousand, None for a shorter text:
    the mean segmental type-token ratio of W. Johnson (Studies in Language Behavior, 1944). Unlike the
    plain ratio it does not fall with the length of the text.
    """

    counts: Counter[str]
    total: int
    richness: float | None


class WordCounter:
    """Counts words chapter by chapter; remembers which words a stretch between blanks holds."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def count(self, text: str) -> WordCounts:
        """Count the words of one text."""
        stretches = text.split()
        counts: dict[str, int] = {}
        for stretch, number in Counter(stretches).items():
            for word in self._words(stretch):
                counts[word] = counts.get(word, 0) + number
        return WordCounts(Counter(counts), sum(counts.values()), self._richness(stretches))

    def _words(self, stretch: str) -> tuple[str, ...]:
        words = self._known.get(stretch)
        if words is None:
            words = (stretch,) if stretch.isalpha() else tuple(_WORD.findall(stretch))
            if len(self._known) < _MOST_KNOWN:
                self._known[stretch] = words
        return words

    def _richness(self, stretches: list[str]) -> float | None:
        different = total = 0
        for start in range(0, len(stretches) - _SEGMENT + 1, _SEGMENT):
            segment = stretches[start : start + _SEGMENT]
            different += len({word.lower() for stretch in set(segment) for word in self._words(stretch)})
            total += _SEGMENT
        return different / total if total else None


def count_sentences(text: str, language: str) -> int | None:
    """Count the sentences of a text by their final marks; None for a script without marks that we know.

    Initials and the usual abbreviations of the language do not end one.
    """
    base = base_language(language)
    if base in _WIDE:
        return len(_WIDE_SENTENCE_END.findall(text))
    if not has_spaced_words(language):
        return None
    abbreviations = _ABBREVIATIONS.get(base, frozenset())
    count = 0
    for match in _SENTENCE_END.finditer(text):
        start, end = match.span()
        count += end - start > 1 or text[start] != "." or not _is_abbreviation(text, start, abbreviations)
    return count


def _is_abbreviation(text: str, stop: int, abbreviations: frozenset[str]) -> bool:
    """Tell whether the word before a full stop is an initial, an abbreviation or, in German, a number of a day."""
    words = text[max(0, stop - _LONGEST_ABBREVIATION) : stop].split()
    word = words[-1].lstrip("\"'“‘«»„(—") if words else ""
    return word in abbreviations or (len(word) == 1 and word.isupper() and stop + 1 < len(text))


def count_characters(text: str) -> int:
    """Count the characters of a text that are not blank."""
    return len(text) - sum(map(text.count, _BLANKS))


def count_lowered(words: Counter[str]) -> Counter[str]:
    """Merge the counts of words that differ in case only."""
    lowered: Counter[str] = Counter()
    for word, count in words.items():
        lowered[word.lower()] += count
    return lowered
