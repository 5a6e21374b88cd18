"""Words and sentences: what is counted of a text, by rules that its language allows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import chain
from operator import mul

from attrs import Factory, frozen

from novel_tasks_core.text.readability import LONG_WORD, ReadingWeights, count_syllables
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
_MARKS = "\"'.,;:!?…()[]*_—–-“”‘’«»„‚"
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
    """Counts the words and sentences of a language with blanks between words; each is looked at once."""

    counts_words = True
    counts_sentences = True

    def __init__(self, language: str) -> None:
        self._language = language
        self._abbreviations = _ABBREVIATIONS.get(base_language(language), frozenset())
        self._pronoun = "I" if base_language(language) == "en" else ""
        self._rest: list[str] = []
        self._forget()

    def _forget(self) -> None:
        """Begin to look at stretches between blanks anew."""
        self._words: dict[str, tuple[str, ...]] = {}
        self._lowered: dict[str, tuple[str, ...]] = {}
        self._sizes: dict[str, int] = {}
        self._plain: set[str] = set()
        self._ends: dict[str, int] = {}
        self._syllables: dict[str, int] = {}

    def read(self, text: str, *, begins: bool) -> TextCounts:
        """Count a piece of text; `begins` says that it is the first one of a section."""
        if len(self._words) > _MOST_KNOWN:
            self._forget()
        stretches = text.split()
        counts = self._count(stretches)
        sentences, lengths = self._sentences(stretches)
        segments, different = self._segments(stretches, begins)
        weights = self._weigh(counts)
        return TextCounts(counts, weights.words, sentences, lengths, segments, different, weights)

    def _count(self, stretches: list[str]) -> dict[str, int]:
        """Count the words: most stretches between blanks are one as they are."""
        counter = Counter(stretches)
        words, plain = self._words, self._plain
        for stretch in [stretch for stretch in counter if stretch not in words]:
            self._look_at(stretch)
        counts = {stretch: number for stretch, number in counter.items() if stretch in plain}
        for stretch in [stretch for stretch in counter if stretch not in plain]:
            number = counter[stretch]
            for word in words[stretch]:
                counts[word] = counts.get(word, 0) + number
        return counts

    def _look_at(self, stretch: str) -> None:
        core = stretch.strip(_MARKS)
        words = (core,) if core.isalpha() else tuple(_WORD.findall(stretch))
        if core == stretch and words == (core,):
            self._plain.add(stretch)
        elif not _FINALS.isdisjoint(stretch):
            ends = sum(1 for match in _SENTENCE_END.finditer(stretch) if not self._abbreviates(stretch, match))
            if ends:
                self._ends[stretch] = ends
        self._words[stretch] = words
        self._lowered[stretch] = tuple([word.lower() for word in words])
        self._sizes[stretch] = len(words)

    def _weigh(self, counts: Mapping[str, int]) -> ReadingWeights:
        known = self._syllables
        for word in [word for word in counts if word not in known]:
            known[word] = count_syllables(word, self._language)
        numbers = counts.values()
        return ReadingWeights(
            sum(numbers),
            sum(map(mul, numbers, map(known.__getitem__, counts))),
            sum(map(mul, numbers, map(len, counts))),
            sum([number for word, number in counts.items() if len(word) > LONG_WORD]),
        )

    def _abbreviates(self, stretch: str, end: re.Match[str]) -> bool:
        """Tell whether a single full stop belongs to an initial, an abbreviation or, in German, the number of a day."""
        if end[0] != ".":
            return False
        word = stretch[: end.start()].lstrip("\"'“‘«»„(—_*")
        return word in self._abbreviations or (len(word) == 1 and word.isupper() and word != self._pronoun)

    def _segments(self, stretches: list[str], begins: bool) -> tuple[int, int]:
        """Count the different words of each whole segment; what is left over waits for the next piece."""
        waiting = stretches if begins else self._rest + stretches
        lowered, segments, different = self._lowered, 0, 0
        for stretch in [stretch for stretch in self._rest if stretch not in lowered]:  # all was forgotten since
            self._look_at(stretch)
        for start in range(0, len(waiting) - SEGMENT + 1, SEGMENT):
            different += len(set(chain.from_iterable(map(lowered.__getitem__, set(waiting[start : start + SEGMENT])))))
            segments += 1
        self._rest = waiting[segments * SEGMENT :]
        return segments, different

    def _sentences(self, stretches: list[str]) -> tuple[int, dict[int, int]]:
        """Count the sentences and the words of each; one that goes on small after its end mark has not ended."""
        ends, last = self._ends, len(stretches) - 1
        sizes = list(map(self._sizes.__getitem__, stretches))
        sentences, start, lengths = 0, 0, dict[int, int]()
        for place in [n for n, stretch in enumerate(stretches) if stretch in ends]:
            if place < last and stretches[place + 1].lstrip("(—–-")[:1].islower():
                continue
            sentences += ends[stretches[place]]
            length = sum(sizes[start : place + 1])
            lengths[length] = lengths.get(length, 0) + 1
            start = place + 1
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
