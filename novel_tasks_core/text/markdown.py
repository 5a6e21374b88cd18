"""Headings of a Markdown text, from the tokens of its parser: what looks like one in a code block is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from novel_tasks_core.text.headings import collapse
from novel_tasks_core.text.outline import Mark

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_MARKED_LINE = re.compile(
    r" {0,3}(?:#{1,6}(?:[ \t]|\r?$)|=+[ \t]*\r?$|-+[ \t]*\r?$|```|~~~|<|>|[-+*][ \t]|\d{1,9}[.)][ \t])|\s*\r?$|\t| {4}"
)
_RULE = re.compile(r" {0,3}(?:=+|-+)[ \t]*\r?$")
_EMPHASIS = re.compile(r"(\*{1,3}|_{1,3})(?=\S)(.+?)(?<=\S)\1")
_LINK = re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_ANCHOR = re.compile(r"\{#[^}]{0,100}\}\s*$|<[^>]{0,200}>")


def markdown_marks(text: str) -> list[Mark]:
    """Return the headings of a Markdown text in order; `depth` is 1 for `#` to 6 for `######`."""
    lines = text.split("\n")
    kept, numbers = _reduce(lines)
    offsets = _offsets(lines)
    marks: list[Mark] = []
    tokens = _parser().parse("\n".join(kept))
    for token, content in zip(tokens, tokens[1:], strict=False):
        if token.type == "heading_open" and token.map is not None and token.level == 0:
            first = numbers[token.map[0]]
            last = numbers[token.map[1] - 1]
            title = _plain(content.content)
            if title:
                marks.append(
                    Mark(
                        start=offsets[first], end=offsets[last] + len(lines[last]), title=title, depth=int(token.tag[1])
                    )
                )
    return marks


def _reduce(lines: list[str]) -> tuple[list[str], list[int]]:
    """Keep the lines that may shape blocks and those just above a rule; one line stands for a run of others."""
    kept: list[str] = []
    numbers: list[int] = []
    plain = False
    for number, line in enumerate(lines):
        if _MARKED_LINE.match(line):
            plain = False
        elif number + 1 < len(lines) and _RULE.match(lines[number + 1]):
            plain = True
        elif plain:
            continue
        else:
            plain = True
        kept.append(line.rstrip("\r") if len(line) < 1000 else line[:20])
        numbers.append(number)
    return kept, numbers


def _offsets(lines: list[str]) -> list[int]:
    return list(_running_offsets(lines))


def _running_offsets(lines: list[str]) -> Iterator[int]:
    offset = 0
    for line in lines:
        yield offset
        offset += len(line) + 1


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # loaded only for Markdown: it costs 30 ms

    parser = MarkdownIt("zero").enable(
        ["heading", "lheading", "fence", "code", "html_block", "blockquote", "list", "hr"]
    )
    parser.core.ruler.disable("inline")
    return parser


def _plain(content: str) -> str:
    text = _ANCHOR.sub("", _LINK.sub(r"\1", content))
    for _ in range(2):
        text = _EMPHASIS.sub(r"\2", text)
    return collapse(text.replace("\\", "").strip("# "))
