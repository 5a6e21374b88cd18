"""Where the heading of a section ends and its text begins, so that the heading is shown once and nothing is lost."""

from __future__ import annotations

import re
import unicodedata

from attrs import frozen

from novel_tasks_core.text.headings import clean_line

_MOST_LINES = 10
_WORDS_BESIDE = 200
_LONGEST_LINE = 400
_CLOSERS = "】》」』）)］]〉〕:：.．、"
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")


@frozen
class Head:
    """The lines of a heading as the text shows them, and the offset at which the text after it begins."""

    lines: tuple[str, ...]
    end: int


def head_of(text: str, title: str, *, markdown: bool) -> Head:
    """Find the heading at the top of a section's text by the letters of its title; no lines if the title is ""."""
    if not title:
        return Head((), 0)
    wanted = _letters(title)
    found = _whole_lines(text, wanted, markdown=markdown) if wanted else None
    return found or _first_line(text, title, wanted)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _whole_lines(text: str, wanted: str, *, markdown: bool) -> Head | None:
    """Take as many lines as make up the title."""
    lines: list[str] = []
    collected, start = "", 0
    for _ in range(_MOST_LINES):
        stop = _line_end(text, start)
        line = text[start:stop]
        if len(line) > len(wanted) * 4 + _LONGEST_LINE:
            return None
        letters = _letters(clean_line(line))
        if not wanted.startswith(collected + letters):
            return None
        collected += letters
        if letters:
            lines.append(line.strip())
        if collected == wanted:
            return Head(tuple(lines), _after_underline(text, stop) if markdown else stop)
        if stop >= len(text):
            return None
        start = stop
    return None


def _line_end(text: str, start: int) -> int:
    return text.find("\n", start) + 1 or len(text)


def _after_underline(text: str, start: int) -> int:
    stop = _line_end(text, start)
    return stop if _UNDERLINE.match(text[start:stop].rstrip("\r\n")) else start


def _first_line(text: str, title: str, wanted: str) -> Head:
    """Take the first line with words; only its beginning where a whole novel follows on the same line."""
    start = len(text) - len(text.lstrip())
    stop = _line_end(text, start)
    line = text[start:stop]
    if len(line) <= len(title) + _WORDS_BESIDE:
        return Head((line.strip(),), stop)
    end = _letters_end(line, wanted)
    return Head((line[:end].strip(),), start + end) if end else Head((), 0)


def _letters_end(line: str, wanted: str) -> int:
    """Return where the letters of the title end in a line that begins with them; 0 if it does not."""
    met = 0
    for index, character in enumerate(line):
        letters = _letters(character)
        if letters and not wanted.startswith(letters, met):
            return 0
        met += len(letters)
        if met >= len(wanted):
            end = index + 1
            while line[end : end + 1] and line[end] in _CLOSERS:
                end += 1
            return end if wanted else 0
    return 0
