"""What a heading is called: its own line, and the title lines below a bare number."""

from __future__ import annotations

import re
from collections.abc import Sequence

from novel_tasks_core.text.candidates import Candidate
from novel_tasks_core.text.headings import clean_line, collapse, ends_sentence

_LONGEST_TITLE = 200
_MOST_LINES = 4
_NEXT_BLOCK = re.compile(r"[^\S\n]*\n([^\S\n]*\n){0,2}((?:[^\n]{0,250}\S[^\n]{0,250}\n){1,4}?)(?=[^\S\n]*(?:\n|\Z))")


def joins_next_line(text: str, candidates: Sequence[Candidate]) -> bool:
    """Tell whether most bare numbers of a series have a short title of their own below them."""
    bare = [candidate for candidate in candidates if not candidate.heading.title]
    if not bare:
        return True
    titled = sum(1 for candidate in bare if _block_below(text, candidate.end) is not None)
    return titled >= 0.6 * len(bare)


def heading_title(text: str, candidate: Candidate, *, joined: bool) -> tuple[int, str]:
    """Return the end offset and the collapsed title of a heading; `joined` adds the title below a bare number."""
    own = collapse(clean_line(text[candidate.start : candidate.end]).strip("#*_ \t"))
    if candidate.heading.title:
        end = _continued(text, candidate)
        return end, collapse(clean_line(text[candidate.start : end]).strip("#*_ \t"))
    block = _block_below(text, candidate.end) if joined else None
    if block is None:
        return candidate.end, own
    return block.end(2), collapse(f"{own} {clean_line(block[2])}")


def _block_below(text: str, end: int) -> re.Match[str] | None:
    """Return the short paragraph below a heading if it reads like a title."""
    match = _NEXT_BLOCK.match(text, end)
    if match is None:
        return None
    block = match[2].strip()
    if len(block) > _LONGEST_TITLE or block[0].islower() or block[0] in "-–—―\"“«「『‘'":
        return None
    letters = [c for c in block if c.isalpha()]
    if not letters:
        return None
    capitals = block.isupper()
    if ends_sentence(block) and not capitals:
        return None
    return match


def _continued(text: str, candidate: Candidate) -> int:
    """Return where a title ends that runs on over the next lines up to a blank one."""
    if candidate.after or not candidate.before:
        return candidate.end
    end, lines = candidate.end, 1
    while lines < _MOST_LINES:
        newline = text.find("\n", end)
        if newline < 0:
            break
        line_end = text.find("\n", newline + 1)
        line = text[newline + 1 : line_end if line_end >= 0 else len(text)]
        if not line.strip():
            return end
        if len(line) > _LONGEST_TITLE:
            break
        end, lines = newline + 1 + len(line.rstrip()), lines + 1
    return candidate.end
