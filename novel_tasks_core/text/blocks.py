"""Paragraphs and breaks between scenes: what the lines of a text show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

_GAP = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\n\s*(?=\S)")
_SCENE_BREAK = re.compile(
    r"^[^\S\n]*(?:[*#~•·⁂※◇◆○●☆★＊_=—–-][^\S\n]*){3,}$|^[^\S\n]*[#⁂※◇◆☆★＊*§][^\S\n]*$", re.MULTILINE
)
_LONGEST_TAIL = 20_000
BLANK_LINE = r"\n(?=[^\S\n]*\n)"
"""A paragraph's end, where a blank line follows it."""
_ANY_LINE = r"\n"
_LINE_ENDS = frozenset(".!?:…\"”’'»)—。！？」』）*_")
_FEW = 0.03


def paragraph_breaks(sample: str) -> str:
    """Return a regex for the ends of paragraphs: a blank line, deeper indentation, or the end of any line."""
    lines = [line.rstrip() for line in sample.expandtabs(4).split("\n")]
    blank = sum(1 for line in lines if not line)
    lines = [line for line in lines if line][1:-1]
    if not lines:
        return BLANK_LINE
    indents = Counter(len(line) - len(line.lstrip()) for line in lines)
    usual = min((indent for indent, count in indents.items() if count * 10 >= len(lines)), default=0)
    deeper = sum(count for indent, count in indents.items() if indent > usual + 1)
    if _FEW * len(lines) < deeper < 0.85 * len(lines) and blank < 0.5 * deeper:
        return rf"\n(?=[^\S\n]*\n|\t|[^\S\n]{{{usual + 2},}})"
    ended = sum(1 for line in lines if line[-1] in _LINE_ENDS)
    return _ANY_LINE if blank * 12 <= len(lines) and ended > 0.8 * len(lines) else BLANK_LINE


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
