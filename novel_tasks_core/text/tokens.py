"""Words and sentences: what is counted of a text, by rules that its language allows."""

from __future__ import annotations

import re
from collections import Counter

_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "und"})
_WORD = re.compile(r"[^\W\d_]+(?:['’\-‐][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»“)\]_*]*(?=\s|$|[—–-])")
_WIDE_SENTENCE_END = re.compile(r"[。！？!?…]+[”’」』）】]*")
_ABBREVIATIONS = {
    "en": (
        r"\b(?:Mr|Mrs|Ms|Dr|St|Messrs|Mme|Mlle|Prof|Rev|Capt|Col|Gen|Lt|Sgt|Hon|Jr|Sr|vs|etc|viz|No|Esq|[A-Z])"
        r"\.(?=\s+\S)"
    ),
    "fr": r"\b(?:MM?|Mme|Mlle|Mgr|Dr|St|Ste|etc|[A-Z])\.(?=\s+\S)",
    "de": r"\b(?:Hr|Hrn|Fr|Frl|Dr|Prof|St|usw|bzw|resp|ca|[A-Z]|[0-9]{1,2})\.(?=\s+\S)",
    "es": r"\b(?:Sr|Sra|Srta|Dr|Dra|D|Da|Ud|Uds|Vd|Vds|etc|[A-Z])\.(?=\s+\S)",
    "it": r"\b(?:Sig|Sigg|Dott|Prof|ecc|[A-Z])\.(?=\s+\S)",
    "pt": r"\b(?:Sr|Sra|Dr|Dra|D|V|Exa|etc|[A-Z])\.(?=\s+\S)",
    "nl": r"\b(?:Dhr|Mevr|Mej|Dr|Mr|St|enz|[A-Z])\.(?=\s+\S)",
    "ru": r"\b(?:гр|г|гг|кн|св|т|д|п|е|[А-Я])\.(?=\s+\S)",
}
_ABBREVIATION = {language: re.compile(pattern) for language, pattern in _ABBREVIATIONS.items()}
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


def count_sentences(text: str, language: str) -> int | None:
    """Count the sentences of a text by their final marks; None for a script without marks that we know."""
    base = base_language(language)
    if base in _WIDE:
        return len(_WIDE_SENTENCE_END.findall(text))
    if not has_spaced_words(language):
        return None
    count = len(_SENTENCE_END.findall(text))
    abbreviation = _ABBREVIATION.get(base)
    return max(0, count - len(abbreviation.findall(text))) if abbreviation else count


def count_characters(text: str) -> int:
    """Count the characters of a text that are not blank."""
    return len("".join(text.split()))


def segment_richness(words: list[str], *, segment: int = 1000) -> float | None:
    """Return the mean share of different words in segments of equal length, None for a text shorter than one.

    The mean segmental type-token ratio of W. Johnson (Studies in Language Behavior, 1944): unlike the plain
    ratio it does not fall with the length of the text.
    """
    full = len(words) // segment
    if not full:
        return None
    lowered = [word.lower() for word in words[: full * segment]]
    ratios = [len(set(lowered[start : start + segment])) / segment for start in range(0, len(lowered), segment)]
    return sum(ratios) / full


def count_lowered(words: Counter[str]) -> Counter[str]:
    """Merge the counts of words that differ in case only."""
    lowered: Counter[str] = Counter()
    for word, count in words.items():
        lowered[word.lower()] += count
    return lowered
