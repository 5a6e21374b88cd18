"""Headings of a Markdown text, from the tokens of its parser: what looks like one in a code block is none."""

from __future__ import annotations

import re
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from novel_tasks_core.text.headings import collapse
from novel_tasks_core.text.outline import Mark

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_SHAPING = frozenset("#=-`~<")
_MARKED_LINE = re.compile(r" {0,3}(?:#{1,6}(?:[ \t]|\r?$)|=+[ \t]*\r?$|-+[ \t]*\r?$|```|~~~|</?[A-Za-z!?])")
_LIST_ITEM = re.compile(r"\s*(?:[-+*]|\d{1,9}[.)])[ \t]")
_LONGEST_SETEXT = 200
_EMPHASIS = re.compile(r"(\*{1,3}|_{1,3})(?=\S)(.+?)(?<=\S)\1")
_LINK = re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_ANCHOR = re.compile(r"\{#[^}]{0,100}\}\s*$|<[^>]{0,200}>")


def markdown_marks(text: str) -> list[Mark]:
    """Return the headings of a Markdown text in order; `depth` is 1 for `#` to 6 for `######`."""
    lines = text.split("\n")
    kept, numbers = _reduce(lines)
    offsets = list(accumulate((len(line) + 1 for line in lines), initial=0))
    marks: list[Mark] = []
    tokens = _parser().parse("\n".join(kept))
    for token, content in pairwise(tokens):
        if token.type != "heading_open" or token.map is None or token.level != 0:
            continue
        first, last = numbers[token.map[0]], numbers[token.map[1] - 1]
        title = _plain(content.content)
        if title and not (token.markup in ("-", "=") and _is_prose(content.content, last - first)):
            end = offsets[last] + len(lines[last])
            marks.append(Mark(start=offsets[first], end=end, title=title, depth=int(token.tag[1])))
    return marks


def _is_prose(content: str, lines: int) -> bool:
    """Tell a paragraph or list item above a rule from a title underlined."""
    return lines > 2 or len(content) > _LONGEST_SETEXT or bool(_LIST_ITEM.match(content))


def _reduce(lines: list[str]) -> tuple[list[str], list[int]]:
    """Keep the lines that shape blocks, the one above an underline, and a blank for every stretch that has one."""
    kept: list[str] = []
    numbers: list[int] = []
    blank = False
    for number, line in enumerate(lines):
        first = line[:1] if line[:1] > " " else line.lstrip()[:1]
        if not first:
            blank = True
        elif first in _SHAPING and _MARKED_LINE.match(line):
            if blank and number:
                kept.append("")
                numbers.append(number - 1)
            above = lines[number - 1] if number and first in "=-" else ""
            if above.strip() and (not numbers or numbers[-1] != number - 1 or not kept[-1]):
                kept.append(above.rstrip("\r"))
                numbers.append(number - 1)
            kept.append(line.rstrip("\r"))
            numbers.append(number)
            blank = False
    return kept, numbers


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
