"""The paragraphs of a text, in any layout: prose with its lines joined, verse line by line, marks of a pause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise

from attrs import frozen

from novel_tasks_core.text.layout import (
    Layout,
    ends_sentence,
    indentation,
    is_scene_break,
    join_lines,
    would_have_fitted,
)

LONGEST_PARAGRAPH = 30_000
"""Longer paragraphs are cut, at the end of a sentence where there is one: no page could hold them."""

_BLANK_LINE = re.compile(r"\n[^\S\n]+(?=\n)")
_LONGEST_CARRY = 300_000
_LONGEST_VERSE = 80
_LINES_BACK = 2000
_BREATH = re.compile(r"[.!?。！？…」』”]\s*|\s")
_BREATH_WITHIN = 2000
_SPACE = " \t\u3000\xa0\ufeff"


class Kind(StrEnum):
    """What a paragraph is: prose, verse (or a list, or an address), or the mark of a pause."""

    PROSE = "prose"
    VERSE = "verse"
    SCENE = "scene"


@frozen
class Paragraph:
    """Lines of a text that belong together: one of prose or of a pause, several of verse, with their indentation.

    `gap` says that more space than usual stands before it; `continued` that it goes on with the one before.
    `taken` counts the lines of the text that it was made of, 0 when it is continued.
    """

    kind: Kind
    lines: tuple[str, ...]
    gap: bool = False
    continued: bool = False
    taken: int = 1


def whole_paragraphs(pieces: Iterable[str], layout: Layout) -> Iterator[str]:
    """Cut a text that comes in pieces at the ends of paragraphs; newlines come out as "\\n"."""
    carry = held = ""
    for piece in pieces:
        raw = held + piece
        held = "\r" if raw.endswith("\r") else ""
        text = carry + _plain_newlines(raw[: len(raw) - len(held)])
        cut = _last_boundary(text, layout)
        if not cut and len(text) > _LONGEST_CARRY:
            cut = _breath(text, len(text))
        if cut:
            yield text[:cut]
        carry = text[cut:]
    if carry:
        yield carry


def _plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _last_boundary(text: str, layout: Layout) -> int:
    """Return where the last paragraph begins, with the blank lines before it; 0 when that is not to be seen."""
    last = text.rfind("\n") + 1
    if layout.width is None and not layout.gap:
        return last
    stop = last
    for _ in range(_LINES_BACK):
        start = text.rfind("\n", 0, stop - 1) + 1 if stop > 0 else 0
        if start <= 0:
            return 0 if len(text) <= _LONGEST_CARRY else last
        if not text[start:stop].strip():
            return start
        if layout.indent is not None and indentation(text[start:stop]) >= layout.indent:
            return start
        stop = start
    return last


def _breath(text: str, limit: int) -> int:
    """Return the best place to cut a text at or before `limit`: after a sentence, else a word, else anywhere."""
    start = max(0, limit - _BREATH_WITHIN)
    best = limit
    for match in _BREATH.finditer(text, start, limit):
        if len(match[0].strip()) or best == limit or not text[best - 1 : best].strip():
            best = match.end()
    return best


def is_plainly_wrapped(lines: Sequence[str], layout: Layout) -> bool:
    """Tell, at a glance, several lines without a blank one that are one paragraph of prose; not all such are seen."""
    width = layout.width
    if width is None or (layout.indent is not None and any(line[:1] in _SPACE for line in lines[1:])):
        return False
    size = sum(map(len, lines)) + len(lines)
    return min(map(len, lines[:-1])) >= 0.75 * width and 80 + len(lines) < size <= LONGEST_PARAGRAPH


def paragraphs(text: str, layout: Layout) -> Iterator[Paragraph]:
    """Yield the paragraphs of a text whose newlines are "\\n" and that ends where a paragraph does."""
    full = 0.75 * layout.width if layout.width is not None and layout.indent is None else None
    for lines, blank in _blocks(text):
        gap = blank > layout.gap
        if full is not None and (len(lines) == 1 or min(map(len, lines[:-1])) >= full):
            yield from _prose(join_lines(lines), gap, len(lines))
        else:
            yield from _block(lines, gap, layout)


def _blocks(text: str) -> Iterator[tuple[list[str], int]]:
    """Yield the lines between blank ones, with how many of these stand before them."""
    top = text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1
    blank = text.count("\n", 0, top)
    for block in _BLANK_LINE.sub("\n", text[top:].rstrip()).split("\n\n"):
        lines = block.lstrip("\n")
        blank += len(block) - len(lines)
        if lines:
            yield lines.split("\n"), blank
            blank = -1  # the first newline ends a line that is not blank
        blank += 2


def _block(lines: list[str], gap: bool, layout: Layout) -> Iterator[Paragraph]:
    """Yield the paragraphs of lines that have no blank one among them."""
    if layout.width is not None:
        for group in _at_indents(lines, layout.indent):
            yield from _wrapped(group, gap, layout)
            gap = False
    elif layout.gap and len(lines) > 1 and _is_verse(lines):
        yield Paragraph(Kind.VERSE, tuple(lines), gap, taken=len(lines))
    else:
        yield from _one_a_line(lines, gap)


def _is_verse(lines: list[str]) -> bool:
    return max(map(len, lines)) <= _LONGEST_VERSE and not all(ends_sentence(line) for line in lines[:-1])


def _one_a_line(lines: list[str], gap: bool) -> Iterator[Paragraph]:
    for line in lines:
        yield from _prose(line.strip(_SPACE), gap)
        gap = False


def _prose(text: str, gap: bool, taken: int = 1) -> Sequence[Paragraph]:
    """Return one paragraph made of `taken` lines, or the parts of one that is too long for a page."""
    if len(text) > LONGEST_PARAGRAPH:
        return _parts(text, gap, taken)
    scene = len(text) <= 80 and not text[:1].isalnum() and is_scene_break(text)
    return (Paragraph(Kind.SCENE if scene else Kind.PROSE, (text,), gap, False, taken),)


def _parts(text: str, gap: bool, taken: int) -> list[Paragraph]:
    parts: list[Paragraph] = []
    start = 0
    while len(text) - start > LONGEST_PARAGRAPH:
        stop = _breath(text, start + LONGEST_PARAGRAPH)
        first = not parts
        parts.append(Paragraph(Kind.PROSE, (text[start:stop],), gap and first, not first, taken if first else 0))
        start = stop
    return [*parts, Paragraph(Kind.PROSE, (text[start:],), False, True, 0)]


def _at_indents(lines: list[str], indent: int | None) -> Iterator[list[str]]:
    if indent is None or len(lines) == 1:
        yield lines
        return
    start = 0
    for index in range(1, len(lines)):
        if lines[index][:1] in _SPACE and indentation(lines[index]) >= indent:
            yield lines[start:index]
            start = index
    yield lines[start:]


def _wrapped(lines: list[str], gap: bool, layout: Layout) -> Iterator[Paragraph]:
    """Yield the paragraphs of lines that were wrapped, unless their breaks were wanted."""
    width = layout.width or 0
    full = 0.75 * width
    if len(lines) == 1 or min(map(len, lines[:-1])) >= full:
        yield from _prose(join_lines(lines), gap, len(lines))
        return
    if _runs_on(lines, layout):
        width = min(width, max(map(len, lines)))
    wanted = [would_have_fitted(left.rstrip(), right, width) for left, right in pairwise(lines)]
    if 2 * sum(wanted) >= len(wanted) and not _runs_on(lines, layout):
        kept = Paragraph(Kind.VERSE, tuple(lines), gap, taken=len(lines))
        yield from _one_a_line(lines, gap) if all(map(ends_sentence, lines[:-1])) else (kept,)
        return
    start = 0
    for index, was_wanted in enumerate(wanted):
        if was_wanted and (ends_sentence(lines[index]) or len(lines[index].strip()) < width / 2):
            yield from _prose(join_lines(lines[start : index + 1]), gap, index + 1 - start)
            start, gap = index + 1, False
    yield from _prose(join_lines(lines[start:]), gap, len(lines) - start)


def _runs_on(lines: list[str], layout: Layout) -> bool:
    """Tell prose that was wrapped at a narrower width by its lines: most go on in lower case, or the first is indented.

    Verse is narrower still, or indented as a whole.
    """
    if layout.indent is not None and indentation(lines[0]) >= layout.indent > max(map(indentation, lines[1:])):
        return True
    if lines[0][:1] in _SPACE or max(map(len, lines)) < 0.7 * (layout.width or 0):
        return False
    return 2 * sum(line.lstrip()[:1].islower() for line in lines[1:]) > len(lines) - 1
