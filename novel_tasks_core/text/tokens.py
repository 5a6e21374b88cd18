"""Words and sentences: what is counted of a text, by rules that its language allows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import compress
from operator import mul

from attrs import Factory, frozen

from novel_tasks_core.text.readability import LONG_WORD, ReadingWeights, count_all_syllables
from novel_tasks_core.text.tags import base_language

_WORD = re.compile(r"[^\W\d_]+(?:['’\-‐][^\W\d_]+)*")
_WIDE_SENTENCE_END = re.compile(r"[。！？!?…]+[”’」』）】]*")
_ABBREVIATED = {
    "en": "Mr Mrs Ms Dr St Messrs Mme Mlle Prof Rev Capt Col Gen Lt Sgt Hon Jr Sr vs etc viz Esq",
    "fr": "MM Mme Mlle Mgr Dr St Ste etc",
    "de": "Hr Hrn Fr Frl Dr Prof St usw bzw resp ca 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    "es": "Sr Sra Srta Dr Dra Da Ud Uds Vd Vds etc",
    "it": "Sig Sigg Dott Prof ecc",
    "pt": "Sr Sra Dr Dra Exa etc",
    "nl": "Dhr Mevr Mej Dr Mr St enz",
    "ru": "гр г гг кн св т д п е",
}
_ABBREVIATIONS = {language: frozenset(words.split()) for language, words in _ABBREVIATED.items()}
_BETWEEN = ("--", "—", "–", ",", ";", ":", '"', "“", "”", "«", "»", "„", "(", ")", "[", "]", "*", "_", "‘", "¿", "¡")
_FINALS = frozenset(".!?…")
_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001))))
_MOST_KNOWN = 200_000
SEGMENT = 1000
"""How many words a segment has whose different words are counted."""
_WIDE = frozenset({"zh", "ja"})


def find_words(text: str) -> list[str]:
    """Return the words of a text whose language puts spaces between them, as written."""
    return _WORD.findall(text)


@frozen
class TextCounts:
    """What is counted of one piece of a section; 0 or nothing where its language does not allow to count.

    `words` says how often each word is written so, `total` how many there are. `lengths` says how many
    sentences have so many words. `segments` and `different` are for lexical richness: how many segments of a
    thousand words ended here, and how many different words each had, summed up.
    """

    words: Mapping[str, int] = Factory(dict)
    total: int = 0
    sentences: int = 0
    lengths: Mapping[int, int] = Factory(dict)
    segments: int = 0
    different: int = 0
    weights: ReadingWeights = Factory(ReadingWeights)


def richness(segments: int, different: int) -> float | None:
    """Return the mean share of different words in segments of a thousand, None for a text shorter than one.

    This is the mean segmental type-token ratio of W. Johnson (Studies in Language Behavior, 1944). Unlike the
    plain ratio it does not fall with the length of the text.
    """
    return round(different / (segments * SEGMENT), 4) if segments else None


class SpacedReader:
    """Counts the words and sentences of a language with blanks between words."""

    counts_words = True
    counts_sentences = True

    def __init__(self, language: str) -> None:
        self._language = language
        self._abbreviations = _ABBREVIATIONS.get(base_language(language), frozenset())
        self._initials = frozenset("" if base_language(language) != "en" else "I")
        self._rest: list[str] = []
        self._plain: set[str] = set()
        self._odd: dict[str, tuple[str, ...]] = {}
        self._syllables: dict[str, int] = {}

    def read(self, text: str, *, begins: bool) -> TextCounts:
        """Count a piece of text; `begins` says that it is the first one of a section."""
        tokens = _tokens(text)
        counts = self._count(tokens)
        sentences, lengths = self._sentences(tokens)
        segments, different = self._segments(tokens, begins)
        weights = self._weigh(counts)
        return TextCounts(counts, weights.words, sentences, lengths, segments, different, weights)

    def _count(self, tokens: list[str]) -> dict[str, int]:
        """Count the words: nearly all tokens are one as they are, the others hold none or several."""
        if len(self._plain) + len(self._odd) > _MOST_KNOWN:
            self._plain, self._odd = set(), {}
        counts: dict[str, int] = dict(Counter(tokens))
        plain = self._plain
        for token in [token for token in counts if token not in plain]:
            if token.isalpha():
                plain.add(token)
                continue
            words = self._odd.get(token)
            if words is None:
                words = tuple(_WORD.findall(token))
                if words == (token,):
                    plain.add(token)
                    continue
                self._odd[token] = words
            number = counts.pop(token)
            for word in words:
                counts[word] = counts.get(word, 0) + number
        return counts

    def _weigh(self, counts: Mapping[str, int]) -> ReadingWeights:
        known = self._syllables
        if len(known) > _MOST_KNOWN:
            known.clear()
        new = [word for word in counts if word not in known]
        known.update(zip(new, count_all_syllables(new, self._language), strict=True))
        numbers, letters = counts.values(), list(map(len, counts))
        return ReadingWeights(
            sum(numbers),
            sum(map(mul, numbers, map(known.__getitem__, counts))),
            sum(map(mul, numbers, letters)),
            sum(compress(numbers, map(LONG_WORD.__lt__, letters))),
        )

    def _sentences(self, tokens: list[str]) -> tuple[int, dict[int, int]]:
        """Count the sentences, and how many have so many words.

        A mark that goes with an abbreviation or an initial, or that small letters or digits follow, ends none.
        """
        sentences, start, last = 0, 0, len(tokens) - 1
        lengths: dict[int, int] = {}
        for place in compress(range(len(tokens)), map(_FINALS.__contains__, tokens)):
            if place < last and not tokens[place + 1][0].isupper() and _goes_on(tokens[place + 1]):
                continue
            length = place - start
            if length and tokens[place] == "." and self._abbreviates(tokens[place - 1]):
                continue
            start = place + 1
            if length:
                sentences += 1
                lengths[length] = lengths.get(length, 0) + 1
        return sentences, lengths

    def _abbreviates(self, word: str) -> bool:
        """Tell whether a full stop belongs to an initial, an abbreviation or, in German, the number of a day."""
        word = word.lstrip("'’")
        return word in self._abbreviations or (len(word) == 1 and word.isalpha() and word not in self._initials)

    def _segments(self, tokens: list[str], begins: bool) -> tuple[int, int]:
        """Count the different words of each whole segment; what is left over waits for the next piece."""
        joined = " ".join(tokens).lower()
        for mark in _FINALS:
            joined = joined.replace(mark, "")
        words = joined.split()
        waiting = words if begins else self._rest + words
        segments = len(waiting) // SEGMENT
        different = sum(len(set(waiting[n * SEGMENT : (n + 1) * SEGMENT])) for n in range(segments))
        self._rest = waiting[segments * SEGMENT :]
        return segments, different


def _tokens(text: str) -> list[str]:
    """Return the words of a text and, apart from them, the marks that may end a sentence."""
    for mark in _BETWEEN:
        text = text.replace(mark, " ")
    for mark in _FINALS:
        text = text.replace(mark, f" {mark} ")
    return text.split()


def _goes_on(token: str) -> bool:
    """Tell whether a sentence goes on with this: a small letter, a digit, or one more mark."""
    first = token.lstrip("'’-")[:1]
    return first.islower() or first.isdigit() or token in _FINALS


class PlainReader:
    """Counts the sentences of a language whose words cannot be counted without a dictionary."""

    counts_words = False

    def __init__(self, language: str, *, counts_sentences: bool = True) -> None:
        self.counts_sentences = counts_sentences and base_language(language) in _WIDE

    def read(self, text: str, *, begins: bool) -> TextCounts:
        """Count a piece of text: nothing for a script whose marks we do not know."""
        return TextCounts(sentences=len(_WIDE_SENTENCE_END.findall(text)) if self.counts_sentences else 0)


def count_characters(text: str) -> int:
    """Count the characters of a text that are not blank."""
    return len(text) - sum(map(text.count, _BLANKS))
