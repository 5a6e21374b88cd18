"""Words of Chinese, with a dictionary: rjieba of the extra `zh`. Without it sentences only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from itertools import chain
from typing import cast

from novel_tasks_core.text.hanlines import HAN, has_sentences, is_wrapped, unwrapped
from novel_tasks_core.text.tokens import SEGMENT, PlainReader, TextCounts

_SENTENCE_END = frozenset("。！？!?…")
_WORD = re.compile(rf"[{HAN}A-Za-z\u00c0-\u024f]")
_MOST_KNOWN = 200_000
_TRADITIONAL = "zh-Hant"


def han_reader(language: str, sample: str) -> HanReader | PlainReader:
    """Return a counter of words and sentences of Chinese, of sentences alone where the extra is not installed."""
    sentences = has_sentences(sample)
    if find_spec("rjieba") is None or (language == _TRADITIONAL and find_spec("opencc") is None):
        return PlainReader(language, counts_sentences=sentences)
    return HanReader(language, counts_sentences=sentences, wrapped=is_wrapped(sample))


def _segmenter(language: str) -> Callable[[str], list[str]]:
    """Return what cuts text into words; its dictionary is simplified, so traditional text is converted first."""
    import rjieba

    if language != _TRADITIONAL:
        return cast("Callable[[str], list[str]]", rjieba.cut)
    from opencc import OpenCC

    convert = OpenCC("t2s").convert
    return lambda text: rjieba.cut(convert(text))


class _Signs(dict[str, str]):
    """What each token is: w for a word, e for the end of a sentence, nothing for other marks and for blanks."""

    def __missing__(self, token: str) -> str:
        sign = "w" if _WORD.search(token) else "e" if token[0] in _SENTENCE_END else ""
        self[token] = sign
        return sign


class HanReader:
    """Counts the words and sentences of Chinese, piece by piece. Words of traditional text are counted simplified."""

    counts_words = True

    def __init__(self, language: str, *, counts_sentences: bool = True, wrapped: bool = False) -> None:
        self.counts_sentences = counts_sentences
        self._cut = _segmenter(language)
        self._wrapped = wrapped
        self._signs = _Signs()
        self._told: set[str] = set()
        self._rest: list[str] = []

    def read(self, text: str, *, begins: bool) -> TextCounts:
        """Count a piece of text; `begins` says that it is the first one of a section.

        Of the words only those are told, with a count of 1, that were not told before: Chinese has no capitals.
        """
        if len(self._signs) > _MOST_KNOWN:
            self._signs, self._told = _Signs(), set()
        tokens = self._cut(unwrapped(text) if self._wrapped else text)
        signs = list(map(self._signs.__getitem__, tokens))
        words = [token for token, sign in zip(tokens, signs, strict=True) if sign == "w"]
        new = set(words) - self._told
        self._told |= new
        sentences, lengths = _sentences("".join(signs)) if self.counts_sentences else (0, {})
        return TextCounts(dict.fromkeys(new, 1), len(words), sentences, lengths, *self._segments(words, begins))

    def _segments(self, words: list[str], begins: bool) -> tuple[int, int]:
        """Count the different words of each whole segment; what is left over waits for the next piece."""
        waiting = words if begins else list(chain(self._rest, words))
        whole = len(waiting) // SEGMENT
        different = sum(len(set(waiting[n * SEGMENT : (n + 1) * SEGMENT])) for n in range(whole))
        self._rest = waiting[whole * SEGMENT :]
        return whole, different


def _sentences(signs: str) -> tuple[int, Mapping[int, int]]:
    """Return how many sentences end, and how many have so many words."""
    lengths = Counter(map(len, signs.split("e")[:-1]))
    lengths.pop(0, None)
    return lengths.total(), lengths
