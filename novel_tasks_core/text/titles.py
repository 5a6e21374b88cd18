"""What a heading is called: its own line, and the title lines below a bare number."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from novel_tasks_core.text.headings import clean_line, collapse, ends_sentence

if TYPE_CHECKING:
    from novel_tasks_core.text.candidates import Candidate

BELOW = 2048
"""How many characters after a heading are looked at for the rest of its title."""

_BLANK_LINES = re.compile(r"\n[^\S\n]*\n")
_LONGEST_TITLE = 200
_LONGEST_LINE = 2 * _LONGEST_TITLE
_MOST_LINES = 4
_MOST_BLANK = 2
_LIST_BEGINNING = 1200


def joins_next_line(candidates: Sequence[Candidate], taken: Sequence[int] = ()) -> bool:
    """Tell whether most bare numbers of a series have a short title below them; other headings begin at `taken`."""
    bare = [candidate for candidate in candidates if not candidate.heading.title]
    return sum(_more(candidate, taken) is not None for candidate in bare) >= 0.6 * len(bare)


def heading_title(candidate: Candidate, *, joined: bool, taken: Sequence[int] = ()) -> tuple[int, str]:
    """Return the end offset and the collapsed title of a heading; `joined` adds the title below a bare number.

    What stands below is no title where one of the other headings, which begin at `taken`, in order, lies in it.
    """
    more = _more(candidate, taken)
    if more is not None and (joined or candidate.heading.title):
        return more
    return candidate.end, candidate.title


def _more(candidate: Candidate, taken: Sequence[int]) -> tuple[int, str] | None:
    more = candidate.more
    if more is None:
        return None
    following = bisect_right(taken, candidate.start)
    return None if following < len(taken) and taken[following] < more[0] else more


def line_title(line: str) -> str:
    """Return a heading's line as a reader would quote it."""
    return collapse(clean_line(line).strip("#*_ \t"))


def _lines_below(below: str) -> Iterator[tuple[int, str]]:
    """Yield (end offset, stripped line) of the lines after the first newline of a passage, a bounded part of each."""
    newline = below.find("\n")
    while newline >= 0:
        following = below.find("\n", newline + 1, newline + 2 + _LONGEST_LINE)
        stop = following if following >= 0 else newline + 2 + _LONGEST_LINE
        line = below[newline + 1 : stop]
        yield newline + 1 + len(line.rstrip()), line.strip()
        newline = following


def block_below(below: str) -> tuple[int, str] | None:
    """Return where the short paragraph at the top of a passage ends, and its text, if it reads like a title."""
    block: list[str] = []
    end = 0
    for index, (line_end, line) in enumerate(_lines_below(below)):
        if not line and (block or index >= _MOST_BLANK):
            break
        if line:
            block.append(line)
            end = line_end
        if len(block) > _MOST_LINES:
            return None
    return (end, " ".join(map(line_title, block))) if _reads_like_title(" ".join(block)) else None


def _reads_like_title(block: str) -> bool:
    if not block or len(block) > _LONGEST_TITLE or block[0].islower() or block[0] in "-–—―\"“«「『‘'*":
        return False
    return any(map(str.isalpha, block)) and (block.isupper() or not ends_sentence(block))


def continued(below: str) -> tuple[int, str] | None:
    """Return where a title ends that runs on over the next lines up to a blank one, and those lines."""
    lines: list[str] = []
    end = 0
    for index, (line_end, line) in enumerate(_lines_below(below)):
        if not line:
            return (end, " ".join(map(line_title, lines))) if lines else None
        if index >= _MOST_LINES - 1:
            return None
        lines.append(line)
        end = line_end
    return None


def precedes_list(below: str) -> bool:
    """Tell whether a passage begins with a list of titles: short paragraphs, none of which ends as prose does."""
    paragraphs = [block.strip() for block in _BLANK_LINES.split(below[:_LIST_BEGINNING])]
    paragraphs = [block for block in paragraphs if block][:4]
    return len(paragraphs) >= 4 and all(len(block) <= 150 and not ends_sentence(block) for block in paragraphs)
