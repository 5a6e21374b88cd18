"""The outline of a book by its reader's own rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from novel_tasks_core.text.evidence import evidence_of
from novel_tasks_core.text.headings import collapse
from novel_tasks_core.text.outline import MOST_HEADINGS, FoundHeading, Outline, TooManyHeadingsError
from novel_tasks_core.text.passages import Text
from novel_tasks_core.text.rule import compile_rule
from novel_tasks_core.text.windows import Window, windows

_LINE = re.compile(r"(?:\A|(?<=\n))[^\S\n]{0,300}+([^\n]{1,1000})(?=\n|\Z)")


def outline_of_rule(text: Text, rule: str) -> Outline:
    """Take the lines for headings whose beginning the rule matches, white space around them aside.

    A group named `title` gives the title, else the whole line does. Lines of more than a thousand
    characters are none. May take for ever: run it where it can be killed.

    Raises: TooManyHeadingsError.
    """
    headings = tuple(islice(_headings(text, compile_rule(rule)), MOST_HEADINGS + 1))
    if len(headings) > MOST_HEADINGS:
        raise TooManyHeadingsError
    if not headings:
        return Outline(
            headings=(),
            confidence=0.2,
            reason="your rule matches no line: the text is one piece",
            evidence=evidence_of("rule", ()),
        )
    return Outline(
        headings=headings,
        confidence=1.0,
        reason=f"{len(headings)} lines that your rule matches",
        evidence=evidence_of("rule", headings),
    )


def _headings(text: Text, rule: re.Pattern[str]) -> Iterator[FoundHeading]:
    number = 1
    for window in windows(text):
        counted = window.begin
        for line in _lines(window):
            stripped = line[1].rstrip()
            match = rule.match(stripped) if stripped else None
            if match is None:
                continue
            number += window.text.count("\n", counted, line.start())
            counted = line.start()
            yield FoundHeading(
                line=number,
                top=window.offset + line.start(),
                start=window.offset + line.start(1),
                end=window.offset + line.start(1) + len(stripped),
                title=collapse(_title(match) or stripped),
                kind="chapter",
                level=2,
            )
        number += window.text.count("\n", counted, window.limit)


def _lines(window: Window) -> Iterator[re.Match[str]]:
    """Yield the lines that begin in a window's own part and are not too long."""
    for line in _LINE.finditer(window.text, window.begin):
        if line.start() >= window.limit:
            return
        yield line


def _title(match: re.Match[str]) -> str:
    return match["title"] or "" if "title" in match.re.groupindex else ""
