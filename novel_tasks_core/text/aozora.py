"""Headings as the Aozora library marks them: ［＃「…」は中見出し］, and the block form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from novel_tasks_core.text.headings import clean_line, collapse
from novel_tasks_core.text.outline import MOST_HEADINGS, Mark, TooManyHeadingsError
from novel_tasks_core.text.passages import Text
from novel_tasks_core.text.windows import AROUND, SAMPLE, Window, windows

_DEPTHS = {"大": 1, "中": 2, "小": 3}
_LONGEST_LINE = 1000
_NOTE = re.compile(
    r"［＃(?:「[^\n］]{1,200}」は(?:同行|窓)?([大中小])見出し］|(?:ここから)?(?:同行|窓)?([大中小])見出し］)"
)


def has_marks(text: Text) -> bool:
    """Tell whether a text marks its headings, as its beginning shows."""
    return "見出し］" in text[:SAMPLE]


def aozora_marks(text: Text) -> list[Mark]:
    """Return the headings that a text's own notation marks, in order; their levels as marked.

    Raises: TooManyHeadingsError.
    """
    found: dict[int, Mark] = {}
    number = 1
    for window in windows(text):
        counted = window.begin
        for match in _notes(window):
            number += window.text.count("\n", counted, match.start())
            counted = match.start()
            mark = _mark(window, match, number)
            if mark is not None:
                found.setdefault(mark.start, mark)
        number += window.text.count("\n", counted, window.limit)
        if len(found) > MOST_HEADINGS:
            raise TooManyHeadingsError
    return [found[start] for start in sorted(found)]


def _notes(window: Window) -> Iterator[re.Match[str]]:
    """Yield the notes that begin in a window's own part, in order."""
    for match in _NOTE.finditer(window.text, window.begin):
        if match.start() >= window.limit:
            return
        yield match


def _mark(window: Window, match: re.Match[str], number: int) -> Mark | None:
    text = window.text
    start = text.rfind("\n", max(0, match.start() - AROUND), match.start()) + 1 or max(0, match.start() - AROUND)
    end = _line_end(text, match.start())
    title = clean_line(text[start:end])
    if not title and end < len(text):
        start, end, number = end + 1, _line_end(text, end + 1), number + 1
        title = clean_line(text[start:end])
    if not title:
        return None
    return Mark(
        line=number,
        start=window.offset + start,
        end=window.offset + end,
        title=collapse(title),
        depth=_DEPTHS[match[1] or match[2]],
    )


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start, start + _LONGEST_LINE)
    return min(len(text), start + _LONGEST_LINE) if end < 0 else end
