"""Paragraphs and breaks between scenes: what the lines of a text show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_GAP = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\n\s*(?=\S)")
_SCENE_BREAK = re.compile(
    r"^[^\S\n]*(?:[*#~•·⁂※◇◆○●☆★＊_=—–-][^\S\n]*){3,}$|^[^\S\n]*[#⁂※◇◆☆★＊*§][^\S\n]*$", re.MULTILINE
)
_LONGEST_TAIL = 20_000


def count_paragraphs(text: str) -> int:
    """Count the paragraphs: blocks between blank lines or, where there are hardly any, lines."""
    body = text.strip()
    if not body:
        return 0
    gaps = len(_GAP.findall(body))
    lines = body.count("\n")
    return (gaps if gaps * 20 > lines else len(_LINE.findall(body))) + 1


def count_scene_breaks(text: str) -> int:
    """Count the lines that part two scenes: a row of asterisks or the like."""
    return len(_SCENE_BREAK.findall(text))


def at_paragraphs(pieces: Iterable[str]) -> Iterator[str]:
    """Move the cuts between the pieces of a section to blank lines, where there are any near the cut.

    What is spoken, and a name of two words, would otherwise be cut in two.
    """
    tail = ""
    for piece in pieces:
        text = tail + piece
        cut = text.rfind("\n\n", max(0, len(text) - _LONGEST_TAIL)) + 2
        cut = cut if cut > 1 else len(text)
        tail = text[cut:]
        if cut:
            yield text[:cut]
    if tail:
        yield tail
