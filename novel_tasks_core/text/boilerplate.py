"""Where the book itself lies in a file: between a distributor's header and licence, before a colophon."""

from __future__ import annotations

import re

from novel_tasks_core.text.passages import Text

_START = re.compile(r"^\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG[^\n]*", re.MULTILINE)
_SMALL_PRINT = re.compile(r"^\*END\*? ?THE SMALL PRINT[^\n]*", re.MULTILINE)
_END = re.compile(
    r"^(?:\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the )?Project Gutenberg)",
    re.MULTILINE | re.IGNORECASE,
)
_AOZORA_COLOPHON = re.compile(r"^底本[：:]", re.MULTILINE)
_AOZORA_RULE = re.compile(r"^-{20,}\s*$", re.MULTILINE)
_LEGEND = 3000
_LONGEST_HEADER = 60_000
_LONGEST_COLOPHON = 10_000
_LONGEST_LICENCE = 100_000


def body_span(text: Text) -> tuple[int, int]:
    """Return the [start, end) offsets of the book proper; the whole text when nothing surrounds it."""
    start = _header_end(text[:_LONGEST_HEADER])
    for pattern, longest in ((_END, _LONGEST_LICENCE), (_AOZORA_COLOPHON, _LONGEST_COLOPHON)):
        found = _find_near_end(pattern, text, max(start, len(text) - longest))
        if found is not None:
            return start, found
    return start, len(text)


def _find_near_end(pattern: re.Pattern[str], text: Text, start: int) -> int | None:
    before = max(0, start - 1)
    match = pattern.search(text[before:], start - before)
    return before + match.start() if match else None


def _header_end(head: str) -> int:
    for pattern in (_START, _SMALL_PRINT):
        match = pattern.search(head)
        if match:
            return match.end()
    if "［＃" in head[:_LEGEND] or "《》" in head[:_LEGEND]:
        rules = [match.end() for match in _AOZORA_RULE.finditer(head[:_LEGEND])]
        if len(rules) >= 2:
            return rules[1]
    return 0
