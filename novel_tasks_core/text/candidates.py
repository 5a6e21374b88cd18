"""Scan a text for the lines that may be headings, with what surrounds each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from attrs import evolve, frozen

from novel_tasks_core.text.headings import (
    LONGEST_HEADING,
    Form,
    Heading,
    clean_line,
    ends_sentence,
    may_begin_heading,
    parse_heading,
)
from novel_tasks_core.text.vocabulary import CHAPTER, CONTENTS_TITLES

_BLOCK = 1 << 20
_LONGEST_PLAIN = 70
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_GAP = re.compile(r"[^\S\n]*\n(?:[^\S\n]*\n)*")
_NOT_A_TITLE = re.compile(r"[a-z]|[-–—―*_=~•…\"“”‘'«»„]")
_HAN_START = re.compile(
    r"[\u3400-\u9fff\uff08\uff10-\uff19\u3010\u3014\u300c\u300e\u3042-\u30ff\u2f00-\u2fdf\u2160-\u217f]"
)


@frozen
class Candidate:
    """A line that may be a heading.

    `line` counts from 1; `start` and `end` are offsets of its visible characters; `before` and `after`
    count the blank lines around it (at most 9; 9 at the beginning of the text).
    """

    heading: Heading
    line: int
    start: int
    end: int
    before: int
    after: int
    indent: int

    @property
    def isolated(self) -> bool:
        """Whether blank lines stand on both sides."""
        return self.before > 0 and self.after > 0


@frozen
class Layout:
    """How the lines of a text are set: how many there are, how many are blank, how wide paragraphs break."""

    lines: int
    blank: int

    @property
    def airy(self) -> bool:
        """Whether the text uses blank lines at all, so that their absence says something."""
        return self.blank * 50 > self.lines


@frozen
class Scan:
    """What one pass over a text found: numbered and named lines, unnumbered isolated ones, contents titles."""

    candidates: list[Candidate]
    titles: list[Candidate]
    contents: list[Candidate]
    layout: Layout


def scan(text: str) -> Scan:
    """Find every line of a text that may be a heading, in one pass."""
    candidates: list[Candidate] = []
    titles: list[Candidate] = []
    contents: list[Candidate] = []
    number = blank = 0
    before = 9
    for offset, line in _lines(text):
        number += 1
        stripped = line.strip()
        if not stripped:
            blank += 1
            before = min(before + 1, 9)
            continue
        if len(stripped) <= LONGEST_HEADING:
            found = _examine(stripped, before)
            if found is not None:
                target = titles if found.form is Form.PLAIN else candidates
                target.append(_place(text, found, line, number, offset, before))
                if found.form is Form.PLAIN and clean_line(stripped).casefold().strip("#*_ .:：") in CONTENTS_TITLES:
                    contents.append(titles.pop())
        before = 0
    return Scan(candidates, titles, contents, Layout(number, blank))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (offset, line) without holding all lines at once; lines of a file of the old Mac end in CR."""
    newline = "\n" if "\n" in text or "\r" not in text else "\r"
    start, size = 0, len(text)
    while start < size:
        cut = text.rfind(newline, start, start + _BLOCK) + 1 or text.find(newline, start + _BLOCK) + 1 or size
        offset = start
        block = text[start:cut].removesuffix(newline) if text[start:cut].endswith(newline) else text[start:cut]
        for line in block.split(newline):
            yield offset, line
            offset += len(line) + 1
        start = cut


def _examine(stripped: str, before: int) -> Heading | None:
    """Return the heading a line may be; an isolated line without number comes as a plain one."""
    first = stripped[0]
    if first.isalpha() and not _HAN_START.match(first):
        match = _FIRST_WORD.match(stripped)
        if match and may_begin_heading(match[0].casefold()):
            heading = parse_heading(stripped)
            if heading is not None:
                return heading
        return _plain(stripped) if before else None
    heading = parse_heading(stripped)
    return heading or (_plain(stripped) if before else None)


def _plain(stripped: str) -> Heading | None:
    if len(stripped) > _LONGEST_PLAIN or _NOT_A_TITLE.match(stripped):
        return None
    text = clean_line(stripped).strip("#*_ ")
    if not text or ends_sentence(text.rstrip(".") if text.isupper() else text) or not any(map(str.isalpha, text)):
        return None
    if text[0].islower():
        return None
    return Heading(Form.PLAIN, "", CHAPTER, None, None, text, style="A" if text.isupper() else "a")


def _place(text: str, heading: Heading, line: str, number: int, offset: int, before: int) -> Candidate:
    start = offset + len(line) - len(line.lstrip())
    end = offset + len(line.rstrip())
    gap = _GAP.match(text, end)
    after = 9 if gap is None or gap.end() >= len(text) else min(gap[0].count("\n") - 1, 9)
    return Candidate(heading, number, start, end, before, after, start - offset)


def without_title(candidate: Candidate) -> Candidate:
    """Return the candidate as a bare number, its title left out."""
    return evolve(candidate, heading=evolve(candidate.heading, title=""))


def is_cased(text: str) -> bool:
    """Tell whether a text is in a script with capitals."""
    return any(unicodedata.category(character) in ("Lu", "Ll") for character in text[:200])
