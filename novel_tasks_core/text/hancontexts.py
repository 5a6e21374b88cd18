"""Where candidates for names stand in a Chinese text, and whether they are people by that."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from attrs import define, field, frozen

from novel_tasks_core.text.hanlexicon import (
    AGENT_FOLLOWERS,
    COMMON,
    DETERMINERS,
    EVERYDAY_SURNAMES,
    OBJECT_PREFIXES,
    PLACE_PREFIXES,
    TITLES,
)
from novel_tasks_core.text.hanlines import HAN
from novel_tasks_core.text.hanopenings import surname_length, title_of

_TITLES = COMMON | {title for title in TITLES if len(title) == 2}
_CLOSING = frozenset('」』”’"')
_QUOTED_BEFORE = re.compile(rf"[「『“‘\"]([{HAN}]{{2,5}})[」』”’\"]\Z")
_FEWEST_MENTIONS = 3
_SPEAKS_OFTEN = 10


def names_pattern(names: Iterable[str], *, wrapped: bool = False) -> re.Pattern[str]:
    """Return a pattern that finds the longest of these names wherever one stands, in lines that may break within it."""
    between = r"(?:\r?\n)?" if wrapped else ""
    tree: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names, key=lambda name: (-len(name), name)):
        tree[name[0]].append(between + between.join(map(re.escape, name[1:])))
    branches = [f"{re.escape(first)}(?:{'|'.join(rests)})" for first, rests in sorted(tree.items())]
    return re.compile("|".join(branches) or r"\Z(?!\Z)")


@define
class Context:
    """How often a name is written, is an object, acts, follows "that" or "a", follows "to", stands beside a title."""

    total: int = 0
    object: int = 0
    agent: int = 0
    determined: int = 0
    placed: int = 0
    titles: Counter[str] = field(factory=Counter)
    nicknames: Counter[str] = field(factory=Counter)


@frozen
class Contexts:
    """The contexts of every candidate."""

    _pattern: re.Pattern[str]
    of: dict[str, Context]

    @classmethod
    def of_names(cls, names: Iterable[str]) -> Contexts:
        """Return contexts in which nothing was read yet."""
        listed = list(names)
        return cls(names_pattern(listed), {name: Context() for name in listed})

    def read(self, text: str) -> None:
        """Count those of one piece."""
        for match in self._pattern.finditer(text):
            context = self.of[match[0]]
            context.total += 1
            start, end = match.span()
            left = text[start - 1 : start]
            if left in _CLOSING:
                if nickname := _QUOTED_BEFORE.search(text, max(0, start - 7), start):
                    context.nicknames[nickname[1]] += 1
            elif left in OBJECT_PREFIXES:
                context.object += 1
            elif left in DETERMINERS:
                context.determined += 1
            elif left in PLACE_PREFIXES:
                context.placed += 1
            if text[end : end + 1] in AGENT_FOLLOWERS:
                context.agent += 1
            for beside in (text[start - 2 : start], text[end : end + 2]):
                if beside in _TITLES:
                    context.titles[beside] += 1


def is_person(name: str, said: int, context: Context, *, shortened: bool = False) -> bool:
    """Tell whether a candidate is somebody: speaks, has things done to it, and is neither a place nor any such one.

    Who is known to speak under a shorter name, as 曹操 does as 操, needs not speak under this one.
    """
    total = context.total
    if total < _FEWEST_MENTIONS or context.determined > total * (0.3 if surname_length(name) else 0.2):
        return False
    if context.placed > max(0.12 * total, context.object, said):
        return False
    shown = context.object + context.agent
    if title_of(name) and (shown or said >= 3):
        return said > 0 or shown * 20 >= total
    if said >= 3 and said * 40 >= total:
        if said >= _SPEAKS_OFTEN and total >= 2 * said and said * 10 >= total:  # an adverb stands before speech only
            return shown * 60 >= total
        return shown * 20 >= total and (context.object > 1 or said * 5 >= total)
    if not surname_length(name) or (name[0] in EVERYDAY_SURNAMES and said < 2):
        return False
    if said:
        return shown * 10 >= total >= context.determined * 10
    if not shortened:
        return False
    return context.object * 10 >= total and context.object >= max(2 * context.placed, 4 * context.determined)
