"""Headings of a Markdown text, from the tokens of its parser: what looks like one in a code block is none."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING

from novel_tasks_core.text.headings import collapse
from novel_tasks_core.text.outline import MOST_HEADINGS, Mark, TooManyHeadingsError
from novel_tasks_core.text.passages import Text
from novel_tasks_core.text.windows import Window, windows

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_SHAPING = (
    r"(?P<line> {0,3}(?:#{1,6}(?:[ \t]|(?=\r?(?:\n|\Z)))|(?P<underline>=+|-+)[ \t]*(?=\r?(?:\n|\Z))"
    r"|```|~~~|</?[A-Za-z!?]|-->))"
)
_MARKED_LINE = re.compile("\n" + _SHAPING)
_FIRST_MARKED = re.compile(_SHAPING)
MARKDOWN_ENDINGS = frozenset({".md", ".markdown", ".mdown", ".mkd"})
"""The endings of file names that tell Markdown."""

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_PARSED_AT_ONCE = 5000
_LONGEST_LINE = 2000
_LIST_ITEM = re.compile(r"\s*(?:[-+*]|\d{1,9}[.)])[ \t]")
_LONGEST_SETEXT = 200
_EMPHASIS = re.compile(r"(\*{1,3}|_{1,3})(?=\S)(.+?)(?<=\S)\1")
_LINK = re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_ANCHOR = re.compile(r"\{#[^}]{0,100}\}\s*$|<[^>]{0,200}>")


def is_markdown(file_name: str) -> bool:
    """Tell whether the name of a file says that it is Markdown."""
    return PurePath(file_name).suffix.lower() in MARKDOWN_ENDINGS


def markdown_marks(text: Text) -> list[Mark]:
    """Return the headings of a Markdown text in order; `depth` is 1 for `#` to 6 for `######`.

    Raises: TooManyHeadingsError.
    """
    marks: list[Mark] = []
    kept = _Kept()
    for window in windows(text):
        _keep_shaping(window, kept)
        if len(kept.lines) >= kept.wanted:
            marks += _parse(kept, last=False)
        if len(marks) > MOST_HEADINGS:
            raise TooManyHeadingsError
    return marks + _parse(kept, last=True)


class _Kept:
    """The lines that shape blocks, with their numbers and places, as far as they are not parsed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.numbers = array("q")
        self.starts = array("q")
        self.wanted = _PARSED_AT_ONCE
        self.number = 0
        self.blank = False

    def add(self, line: str, number: int, start: int) -> None:
        """Add a line; a lone carriage return in it, which would part it for the parser alone, becomes a space."""
        self.lines.append(line.rstrip("\r").replace("\r", " "))
        self.numbers.append(number)
        self.starts.append(start)

    def enter_fence(self, markup: str) -> None:
        """Forget what lies in a fence that is open at the end, for nothing in it is a heading."""
        if len(self.lines) > 1 and not self.lines[-1].strip().startswith(markup):
            del self.lines[1:], self.numbers[1:], self.starts[1:]
            self.wanted = _PARSED_AT_ONCE

    def drop(self, count: int) -> None:
        """Forget the first lines; without any, wait for more."""
        del self.lines[:count], self.numbers[:count], self.starts[:count]
        self.wanted = _PARSED_AT_ONCE if count else 2 * len(self.lines)


def _keep_shaping(window: Window, kept: _Kept) -> None:
    """Keep the lines that shape blocks, the one above an underline, and a blank for every stretch that has one."""
    text, done = window.text, window.begin
    for match in _marked_lines(window):
        top = match.start("line")
        kept.blank = kept.blank or _has_blank(text, done, top)
        kept.number += text.count("\n", done, top)
        done = top
        number, offset = kept.number, window.offset
        if kept.blank and number:
            kept.add("", number - 1, offset + top - 1)
        if match["underline"] and number:
            above = max(text.rfind("\n", 0, top - 1) + 1, top - 1 - _LONGEST_LINE)
            line = text[above : top - 1]
            if line.strip() and (not kept.numbers or kept.numbers[-1] != number - 1 or not kept.lines[-1]):
                kept.add(line, number - 1, offset + above)
        kept.add(text[top : _line_end(text, top)], number, offset + top)
        kept.blank = False
    kept.blank = kept.blank or _has_blank(text, done, window.limit)
    kept.number += text.count("\n", done, window.limit)


def _marked_lines(window: Window) -> Iterator[re.Match[str]]:
    """Yield the lines of a window's own part that shape blocks."""
    text, begin = window.text, window.begin
    if not window.offset and not begin:
        first = _FIRST_MARKED.match(text)
        if first is not None:
            yield first
    for match in _MARKED_LINE.finditer(text, max(0, begin - 1)):
        if match.start("line") >= window.limit:
            return
        yield match


def _has_blank(text: str, start: int, stop: int) -> bool:
    """Tell whether a line between two line beginnings is blank."""
    return text.find("\n\n", start, stop) >= 0 or _BLANK_LINE.search(text, start, stop) is not None


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start, start + _LONGEST_LINE)
    return min(len(text), start + _LONGEST_LINE) if end < 0 else end


def _parse(kept: _Kept, *, last: bool) -> list[Mark]:
    """Parse what was kept, up to the last block, which may go on, and forget it."""
    marks: list[Mark] = []
    tokens = _parser().parse("\n".join(kept.lines))
    begun = [token.map[0] for token in tokens if token.map is not None and token.level == 0]
    whole = len(kept.lines) if last else max(begun, default=0)
    for token, content in pairwise(tokens):
        if token.type != "heading_open" or token.map is None or token.level != 0 or token.map[0] >= whole:
            continue
        first, final = token.map[0], token.map[1] - 1
        title = _plain(content.content)
        height = kept.numbers[final] - kept.numbers[first]
        if title and not (token.markup in ("-", "=") and _is_prose(content.content, height)):
            marks.append(
                Mark(
                    line=kept.numbers[first] + 1,
                    start=kept.starts[first],
                    end=kept.starts[final] + len(kept.lines[final]),
                    title=title,
                    depth=int(token.tag[1]),
                )
            )
    kept.drop(whole)
    if not last and tokens and tokens[-1].type == "fence":
        kept.enter_fence(tokens[-1].markup)
    return marks


def _is_prose(content: str, lines: int) -> bool:
    """Tell a paragraph or list item above a rule from a title underlined."""
    return lines > 2 or len(content) > _LONGEST_SETEXT or bool(_LIST_ITEM.match(content))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # loaded only for Markdown: it costs 30 ms

    parser = MarkdownIt("zero").enable(["heading", "lheading", "fence", "code", "html_block", "blockquote", "hr"])
    parser.core.ruler.disable("inline")
    return parser


def _plain(content: str) -> str:
    text = _ANCHOR.sub("", _LINK.sub(r"\1", content))
    for _ in range(2):
        text = _EMPHASIS.sub(r"\2", text)
    return collapse(text.replace("\\", "").strip("# "))
