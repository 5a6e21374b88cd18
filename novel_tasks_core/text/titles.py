"""What a heading is called: its own line, and the title lines below a bare number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from novel_tasks_core.text.candidates import Candidate
from novel_tasks_core.text.headings import clean_line, collapse, ends_sentence
from novel_tasks_core.text.passages import Text

_BLANK_LINES = re.compile(r"\n[^\S\n]*\n")
_LONGEST_TITLE = 200
_BELOW = 2048
_MOST_LINES = 4
_MOST_BLANK = 2


def joins_next_line(text: Text, candidates: Sequence[Candidate]) -> bool:
    """Tell whether most bare numbers of a series have a short title of their own below them."""
    bare = [candidate for candidate in candidates if not candidate.heading.title]
    if not bare:
        return True
    titled = sum(1 for candidate in bare if _block_below(text, candidate.end) is not None)
    return titled >= 0.6 * len(bare)


def heading_title(text: Text, candidate: Candidate, *, joined: bool) -> tuple[int, str]:
    """Return the end offset and the collapsed title of a heading; `joined` adds the title below a bare number."""
    if candidate.heading.title:
        end = _continued(text, candidate)
    else:
        end = (joined and _block_below(text, candidate.end)) or candidate.end
    lines = text[candidate.start : end].split("\n")
    return end, collapse(" ".join(clean_line(line).strip("#*_ \t") for line in lines))


def _lines_below(text: Text, end: int) -> Iterator[tuple[int, str]]:
    """Yield (end offset, stripped line) of the lines after the one that holds `end`, a bounded part of each."""
    below = text[end : end + _BELOW]
    newline = below.find("\n")
    while newline >= 0:
        following = below.find("\n", newline + 1, newline + 2 + _LONGEST_TITLE)
        stop = following if following >= 0 else newline + 2 + _LONGEST_TITLE
        line = below[newline + 1 : stop]
        yield end + newline + 1 + len(line.rstrip()), line.strip()
        newline = following


def _block_below(text: Text, end: int) -> int | None:
    """Return where the short paragraph below a heading ends, if it reads like a title."""
    block: list[str] = []
    block_end = end
    for index, (line_end, line) in enumerate(_lines_below(text, end)):
        if not line and (block or index >= _MOST_BLANK):
            break
        if line:
            block.append(line)
            block_end = line_end
        if len(block) > _MOST_LINES:
            return None
    return block_end if _reads_like_title(" ".join(block)) else None


def _reads_like_title(block: str) -> bool:
    if not block or len(block) > _LONGEST_TITLE or block[0].islower() or block[0] in "-–—―\"“«「『‘'*":
        return False
    return any(map(str.isalpha, block)) and (block.isupper() or not ends_sentence(block))


def _continued(text: Text, candidate: Candidate) -> int:
    """Return where a title ends that runs on over the next lines up to a blank one."""
    if candidate.after or not candidate.before:
        return candidate.end
    end = candidate.end
    for index, (line_end, line) in enumerate(_lines_below(text, end)):
        if not line:
            return end
        if index >= _MOST_LINES - 1:
            break
        end = line_end
    return candidate.end


def precedes_list(text: Text, end: int) -> bool:
    """Tell whether what follows a line is a list of titles: short paragraphs, none of which ends as prose does."""
    paragraphs = [block.strip() for block in _BLANK_LINES.split(text[end : end + 1200])]
    paragraphs = [block for block in paragraphs if block][:4]
    return len(paragraphs) >= 4 and all(len(block) <= 150 and not ends_sentence(block) for block in paragraphs)
