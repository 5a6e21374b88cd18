"""Lines of Chinese and Japanese text: a book may break them within words."""

from __future__ import annotations

import re

HAN = "\u3400-\u9fff\U00020000-\U0003ffff"
"""The ranges of Chinese characters, for a class of a regular expression."""
_LETTER = f"{HAN}\u3041-\u30ff"
_WRAP = re.compile(rf"(?<=[{_LETTER}，、；：])\r?\n(?=[{_LETTER}“「『])")
_LINE_END = re.compile(r"\n(?=[^\s])")
_SENTENCE_END = re.compile("[。！？!?…]")
_HAN = re.compile(f"[{HAN}]")
_LEAST_HAN = 500
_LONGEST_SENTENCE = 300


def is_wrapped(sample: str) -> bool:
    """Tell whether a book breaks its lines within sentences."""
    ends = len(_LINE_END.findall(sample))
    return ends >= 20 and len(_WRAP.findall(sample)) * 3 > ends


def unwrapped(text: str) -> str:
    """Join lines that were broken within a sentence, so that no word is parted."""
    return _WRAP.sub("", text)


def has_sentences(sample: str) -> bool:
    """Tell whether a book marks the ends of its sentences: old ones were printed without."""
    characters = len(_HAN.findall(sample))
    return characters < _LEAST_HAN or len(_SENTENCE_END.findall(sample)) * _LONGEST_SENTENCE > characters
