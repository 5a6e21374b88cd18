"""Headings as the Aozora library marks them: ［＃「…」は中見出し］, and the block form."""

from __future__ import annotations

import re

from novel_tasks_core.text.headings import clean_line, collapse
from novel_tasks_core.text.outline import Mark

_DEPTHS = {"大": 1, "中": 2, "小": 3}
_AFTER = re.compile(r"［＃「[^\n］]{1,200}」は(?:同行|窓)?([大中小])見出し］")
_AROUND = re.compile(r"［＃(?:ここから)?(?:同行|窓)?([大中小])見出し］")


def aozora_marks(text: str) -> list[Mark]:
    """Return the headings that a text's own notation marks, in order; their levels as marked."""
    found: dict[int, Mark] = {}
    for pattern in (_AFTER, _AROUND):
        for match in pattern.finditer(text):
            mark = _mark(text, match)
            if mark is not None:
                found.setdefault(mark.start, mark)
    return [found[start] for start in sorted(found)]


def _mark(text: str, match: re.Match[str]) -> Mark | None:
    start = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.start())
    end = len(text) if end < 0 else end
    title = clean_line(text[start:end])
    if not title and end < len(text):
        start, end = end + 1, _line_end(text, end + 1)
        title = clean_line(text[start:end])
    if not title:
        return None
    return Mark(start=start, end=end, title=collapse(title), depth=_DEPTHS[match[1]])


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
