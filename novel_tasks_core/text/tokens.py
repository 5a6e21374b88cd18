"""Words and sentences: what is counted of a text, by rules that its language allows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate

from attrs import Factory, frozen

from novel_tasks_core.text.readability import ReadingWeights, weigh
from novel_tasks_core.text.tags import base_language

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


@frozen
class _Stretch:
    """What stands between two blanks: its words, the sentences that end in it, whether it begins small."""

    words: tuple[str, ...]
    lowered: tuple[str, ...]
    ends: int
    small: bool
    syllables: int
    letters: int
    long_words: int


class SpacedReader:
    """Counts the words and sentences of a language with blanks between words; each is looked at once."""

    counts_words = True
    counts_sentences = True

    def __init__(self, language: str) -> None:
        self._english = base_language(language) == "en"
        self._abbreviations = _ABBREVIATIONS.get(base_language(language), frozenset())
        self._known: dict[str, _Stretch] = {}
        self._rest: list[str] = []

    def read(self, text: str, *, begins: bool) -> TextCounts:
        """Count a piece of text; `begins` says that it is the first one of a section."""
        stretches = text.split()
        if len(self._known) > _MOST_KNOWN:
            self._known = {}
        known = self._known
        counts: dict[str, int] = {}
        syllables = letters = long_words = 0
        for stretch, number in Counter(stretches).items():
            found = known.get(stretch)
            if found is None:
                found = known[stretch] = self._look_at(stretch)
            syllables += number * found.syllables
            letters += number * found.letters
            long_words += number * found.long_words
            for word in found.words:
                counts[word] = counts.get(word, 0) + number
        total = sum(counts.values())
        weights = ReadingWeights(total, syllables, letters, long_words)
        return TextCounts(counts, total, *_sentences(stretches, known), *self._segments(stretches, begins), weights)

    def _look_at(self, stretch: str) -> _Stretch:
        words = (stretch,) if stretch.isalpha() else tuple(_WORD.findall(stretch))
        ends = 0
        if not stretch.isalnum():
            ends = sum(1 for match in _SENTENCE_END.finditer(stretch) if not self._abbreviates(stretch, match))
        small = stretch.lstrip("(—–-")[:1].islower()
        weights = [weigh(word, english=self._english) for word in words]
        lowered = tuple(word.lower() for word in words)
        return _Stretch(
            words,
            lowered,
            ends,
            small,
            *(sum(column) for column in zip(*weights, strict=True)) if weights else (0, 0, 0),
        )

    def _abbreviates(self, stretch: str, end: re.Match[str]) -> bool:
        """Tell whether a single full stop belongs to an initial, an abbreviation or, in German, the number of a day."""
        if end[0] != ".":
            return False
        word = stretch[: end.start()].lstrip("\"'“‘«»„(—_*")
        return word in self._abbreviations or (
            len(word) == 1 and word.isupper() and not (self._english and word == "I")
        )

    def _segments(self, stretches: list[str], begins: bool) -> tuple[int, int]:
        """Count the different words of each whole segment; what is left over waits for the next piece."""
        waiting = stretches if begins else self._rest + stretches
        known, segments, different = self._known, 0, 0
        for start in range(0, len(waiting) - SEGMENT + 1, SEGMENT):
            seen: set[str] = set()
            for stretch in set(waiting[start : start + SEGMENT]):
                found = known.get(stretch)
                seen.update(found.lowered if found else self._look_at(stretch).lowered)
            different += len(seen)
            segments += 1
        self._rest = waiting[segments * SEGMENT :]
        return segments, different


def _sentences(stretches: list[str], known: Mapping[str, _Stretch]) -> tuple[int, dict[int, int]]:
    """Count the sentences and the words of each; one that goes on small after its end mark has not ended."""
    ends = {stretch for stretch in set(stretches) if known[stretch].ends}
    places = [n for n, stretch in enumerate(stretches) if stretch in ends]
    sizes = list(accumulate((len(known[stretch].words) for stretch in stretches), initial=0))
    sentences, lengths, start, last = 0, Counter[int](), 0, len(stretches) - 1
    for place in places:
        if place < last and known[stretches[place + 1]].small:
            continue
        sentences += known[stretches[place]].ends
        lengths[sizes[place + 1] - start] += 1
        start = sizes[place + 1]
    lengths.pop(0, None)
    return sentences, lengths


class PlainReader:
    """Counts the sentences of a language whose words cannot be counted without a dictionary."""

    counts_words = False

    def __init__(self, language: str) -> None:
        self.counts_sentences = base_language(language) in _WIDE

    def read(self, text: str, *, begins: bool) -> TextCounts:
        """Count a piece of text: nothing for a script whose marks we do not know."""
        return TextCounts(sentences=len(_WIDE_SENTENCE_END.findall(text)) if self.counts_sentences else 0)


def count_characters(text: str) -> int:
    """Count the characters of a text that are not blank."""
    return len(text) - sum(map(text.count, _BLANKS))
