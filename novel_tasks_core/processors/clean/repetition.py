"""Lines that come again and again all through a book: what a site puts into every chapter, told from refrains.

A line is dropped only if it is short, stands in a large share of the sections, and speaks as sites do (an
address, the words of advertising) or is framed by ornaments at the edges of most sections. What is repeated
without that, such as the farewell of every letter, is only reported. Counting is bounded: by lossy counting
(Manku and Motwani, 2002) lines seen once are forgotten when there are too many.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from attrs import define, field, frozen

from novel_tasks_core.processors.clean.changes import ChangeLog
from novel_tasks_core.processors.clean.characters import Mending, mended
from novel_tasks_core.processors.clean.rules import JunkRule
from novel_tasks_core.text.headings import parse_heading
from novel_tasks_core.text.layout import is_scene_break

_LONGEST = 80
_SHORTEST = 4
_MOST_COUNTED = 100_000
_MOST_IN_SECTION = 20_000
_EDGE_LINES = 3
_LEAST_SECTIONS = 5
_LEAST_SHARE = 0.2
_LEAST_AT_EDGE = 0.8
_MOST_SUSPECTS = 50
_LEAST_SUSPECT = 8
_SITE_WORDS = re.compile(
    r"https?://|www\.|\.(?:com|net|org|cc|info|top|xyz|cn|tw)\b|@\w+\.\w|本站|本書|书友|書友|网址|網址|域名"
    r"|小说网|小說網|最新章节|最新章節|更新最快|首发|首發|收藏|月票|推荐票|公众号|公眾號|微信|QQ群|加群"
    r"|\bfree (?:e?books?|novels?)\b|\bnovels?\b.*\bsite\b"
    r"|\bread more\b|\bsubscribe\b|\bpatreon\b|\bdiscord\b|\btranslat(?:or|ed by)\b|\bsponsor",
    re.IGNORECASE,
)
_ADORNMENT = frozenset("※★☆◆◇■□●○▲△▼▽=+#~～<>《》【】[]()（）|｜_*")
_SPEECH = "\"'“”‘’「」『』«»„—–"


@frozen(kw_only=True)
class Repeated:
    """A line that is repeated: in how many sections, at the edge of how many, and whether it is dropped."""

    line: str
    sections: int
    at_edge: int
    dropped: bool


@define
class Repetition:
    """Counts the short lines of a book, section by section: `piece` for each piece, `end_section`, and `found`.

    `mending` says how their characters will be mended, `rules` what goes anyway. A section counts a
    line once.
    """

    mending: Mending
    rules: Sequence[JunkRule] = ()
    sections: int = 0
    _counts: Counter[str] = field(factory=Counter)
    _edges: Counter[str] = field(factory=Counter)
    _floor: int = 0
    _first: list[str] = field(factory=list)
    _last: list[str] = field(factory=list)
    _here: set[str] = field(factory=set)

    def piece(self, text: str) -> None:
        """Take in the next piece of a section; long sections count as several."""
        lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
        short = {line for line in lines if _SHORTEST <= len(line) <= _LONGEST}
        self._here |= short
        if len(self._first) < _EDGE_LINES:
            self._first += lines[: _EDGE_LINES - len(self._first)]
        self._last = (self._last + lines[-_EDGE_LINES:])[-_EDGE_LINES:]
        if len(self._here) > _MOST_IN_SECTION:
            self._count()

    def end_section(self) -> None:
        """Count the lines of the section."""
        self._edges.update(self._mended({*self._first, *self._last}))
        self._count()
        self._first, self._last = [], []

    def _count(self) -> None:
        self.sections += 1
        self._counts.update(self._mended(self._here))
        self._here = set()
        if len(self._counts) > _MOST_COUNTED:
            self._forget()

    def _mended(self, lines: set[str]) -> set[str]:
        """Return lines as the cleaning will see them: without odd characters."""
        text = "\n".join(lines)
        plain = mended(text, 1, ChangeLog(), self.mending)
        return lines if plain == text else {line.strip() for line in plain.split("\n")}

    def _forget(self) -> None:
        """Forget what was seen least often, so that what stays was seen at most `_floor` times more than counted."""
        while len(self._counts) > _MOST_COUNTED // 2:
            self._floor += 1
            self._counts = Counter({line: count for line, count in self._counts.items() if count > self._floor})
        self._edges = Counter({line: count for line, count in self._edges.items() if line in self._counts})

    def found(self) -> list[Repeated]:
        """Return the lines that stand in many sections, most often first: those to drop, and some suspects."""
        least = max(_LEAST_SECTIONS, _LEAST_SHARE * self.sections)
        often = [(count, line) for line, count in self._counts.items() if count >= min(least, _LEAST_SUSPECT)]
        dropped: list[Repeated] = []
        suspects: list[Repeated] = []
        for count, counted in sorted(often, key=lambda one: (-one[0], one[1])):
            if count < least and len(suspects) >= _MOST_SUSPECTS:
                break
            line = self._left(counted)
            if not line or _is_part_of_the_book(line):
                continue
            edge = self._edges[counted]
            is_junk = count >= least and self._is_junk(line, count, edge)
            one = Repeated(line=line, sections=count, at_edge=edge, dropped=is_junk)
            if is_junk:
                dropped.append(one)
            elif len(suspects) < _MOST_SUSPECTS:
                suspects.append(one)
        return dropped + suspects

    def _left(self, line: str) -> str:
        """Return what the rules leave of a line."""
        for rule in self.rules:
            line = (rule.cleaned(line) or "").strip()
        return line

    def _is_junk(self, line: str, count: int, edge: int) -> bool:
        if _SITE_WORDS.search(line):
            return line[0] not in _SPEECH
        adorned = line[0] in _ADORNMENT and line[-1] in _ADORNMENT
        return adorned and count > self.sections / 2 and edge >= _LEAST_AT_EDGE * count


def _is_part_of_the_book(line: str) -> bool:
    """Tell headings, which begin anew in every part, and marks of a pause."""
    return is_scene_break(line) or parse_heading(line.lstrip("# ")) is not None
