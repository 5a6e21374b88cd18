"""Who is where and when, and who meets whom: the evidence of all sections, read once more when the people are known."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any

from attrs import field, frozen

from novel_tasks_core.text.names import Cast, NameEvidence

_MOST_MEETINGS = 300


@frozen
class Appearances:
    """In which sections something happens and how often: pairs (section, count) in order, sections from 0.

    Held in a few bytes a pair, since a book may have 100,000 sections.
    """

    _sections: array[int] = field(factory=lambda: array("L"))
    _counts: array[int] = field(factory=lambda: array("L"))

    @classmethod
    def of(cls, *pairs: tuple[int, int]) -> Appearances:
        """Return the appearances of these pairs."""
        made = cls()
        for section, count in pairs:
            made.note(section, count)
        return made

    def note(self, section: int, count: int) -> None:
        """Add a pair behind the last one."""
        self._sections.append(section)
        self._counts.append(count)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs."""
        return zip(self._sections, self._counts, strict=True)

    def __len__(self) -> int:
        """Return in how many sections."""
        return len(self._sections)

    @property
    def total(self) -> int:
        """How often in all."""
        return sum(self._counts)

    @property
    def first(self) -> int | None:
        """The first section, None without any."""
        return self._sections[0] if self._sections else None

    @property
    def last(self) -> int | None:
        """The last section, None without any."""
        return self._sections[-1] if self._sections else None


@frozen
class Person:
    """Somebody in a book: the name most used, other names for them, all mentions, and those in each section."""

    name: str
    mentions: int
    by_chapter: Appearances
    aliases: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the person as in analysis.json."""
        return {
            "name": self.name,
            "aliases": list(self.aliases),
            "mentions": self.mentions,
            "first": self.by_chapter.first,
            "last": self.by_chapter.last,
            "by_chapter": [list(pair) for pair in self.by_chapter],
        }


@frozen(kw_only=True)
class Meeting:
    """Two people who are present in the same scenes: in how many sections, in how many scenes, and where."""

    first: str
    second: str
    chapters: int
    scenes: int
    by_chapter: Appearances

    def as_json(self) -> dict[str, Any]:
        """Return the meeting as in analysis.json."""
        return {
            "first": self.first,
            "second": self.second,
            "chapters": self.chapters,
            "scenes": self.scenes,
            "by_chapter": [list(pair) for pair in self.by_chapter],
        }


class Attendance:
    """Notes section by section who of a cast is there, and with whom."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._there = [Appearances() for _ in cast.members]
        self._together: dict[tuple[int, int], Appearances] = {}

    def note(self, section: int, evidence: NameEvidence) -> None:
        """Note the next section."""
        who = self._cast.who
        there: Counter[int] = Counter()
        for name, count in evidence.mentions.items():
            if name in who:
                there[who[name]] += count
        for person, count in there.items():
            self._there[person].note(section, count)
        present = [sorted({who[name] for name in scene if name in who}) for scene in evidence.scenes]
        together = Counter(chain.from_iterable(combinations(people, 2) for people in present))
        for pair, count in together.items():
            self._together.setdefault(pair, Appearances()).note(section, count)

    def people(self) -> tuple[Person, ...]:
        """Return everybody of the cast, in its order."""
        return tuple(
            Person(member.name, member.mentions, there, member.aliases)
            for member, there in zip(self._cast.members, self._there, strict=True)
        )

    def meetings(self) -> tuple[Meeting, ...]:
        """Return who meets whom, those with most scenes first."""
        names = [member.name for member in self._cast.members]
        found = [
            Meeting(first=names[one], second=names[other], chapters=len(where), scenes=where.total, by_chapter=where)
            for (one, other), where in self._together.items()
        ]
        found.sort(key=lambda meeting: (-meeting.scenes, -meeting.chapters, meeting.first, meeting.second))
        return tuple(found[:_MOST_MEETINGS])
