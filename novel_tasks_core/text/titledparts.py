"""Parts or stories that have titles but no numbers, over chapters that count anew below each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from novel_tasks_core.text.candidates import Candidate
from novel_tasks_core.text.forms import Form
from novel_tasks_core.text.sequences import Chain, Link

_NEAR = 60
_FEWEST = 2
_MOST_WITHOUT = 0.3


def titled_parts(chapters: Sequence[Chain], titles: Sequence[Candidate]) -> list[Chain]:
    """Return the lines just above the headings with the number one, where nearly all of these have one."""
    main = max(chapters, key=len)
    if main.restarts + 1 < _FEWEST:
        return []
    starts = [title.start for title in titles]
    firsts = [candidate for candidate in main.candidates if candidate.heading.number == 1]
    above = [(first, bisect_left(starts, first.start) - 1) for first in firsts]
    found = [titles[at] for first, at in above if at >= 0 and 0 < first.start - titles[at].end <= _NEAR]
    if len(found) < max(_FEWEST, (1 - _MOST_WITHOUT) * len(firsts)):
        return []
    return [Chain(tuple(Link(title, 0.0, 0) for title in _alike(found, titles)), 0.0, 0, 0, (Form.PLAIN,))]


def _alike(found: Sequence[Candidate], titles: Sequence[Candidate]) -> list[Candidate]:
    """Add the titles that are set like those found: stories without chapters of their own."""
    least = min(title.before for title in found)
    styles = {title.heading.style for title in found}
    known = {title.start for title in found}
    return [
        title
        for title in titles
        if title.start in known
        or (len(styles) == 1 and title.heading.style in styles and title.before >= least > 1 and title.isolated)
    ]
