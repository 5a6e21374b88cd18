"""Language tags, and what follows from one alone."""

from __future__ import annotations

_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "und"})


def base_language(tag: str) -> str:
    """Return the language of a BCP 47 tag: zh for zh-Hant."""
    return tag.partition("-")[0]


def has_spaced_words(language: str) -> bool:
    """Tell whether the language puts spaces between words, so that they can be counted without a dictionary."""
    return base_language(language) not in _UNSPACED
