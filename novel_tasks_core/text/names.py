"""What a text says of names, before it is known who is who: values that can be summed up and stored as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from attrs import Factory, define, field, frozen

MENTIONS = "mentions"
"""The sign that every finder counts: how often a name is written."""
_MOST_NAMES = 60_000


@define
class NameEvidence:
    """Names of a stretch of text: counts of each for every sign, and who is seen together.

    Signs are the finder's own (that a name speaks, is addressed, follows "in"); `MENTIONS` is always one.
    A scene holds the names that are present in a few paragraphs, each once.
    """

    signs: dict[str, Counter[str]] = field(factory=lambda: {MENTIONS: Counter()})
    scenes: list[tuple[str, ...]] = field(factory=list)

    @property
    def mentions(self) -> Counter[str]:
        """How often each name is written."""
        return self.signs[MENTIONS]

    def sign(self, name: str) -> Counter[str]:
        """Return the counts of one sign, empty if nothing has it."""
        return self.signs.get(name) or Counter()

    def add(self, other: NameEvidence) -> None:
        """Add the counts of another stretch, without its scenes.

        When there are too many names the rare ones are forgotten, so memory stays bounded in any book.
        """
        for sign, counts in other.signs.items():
            mine = self.signs.get(sign)
            if mine is None:
                self.signs[sign] = Counter(counts)
                continue
            for name, count in counts.items():
                mine[name] = mine.get(name, 0) + count
        least = 2
        while len(self.mentions) > _MOST_NAMES:
            self._forget(least)
            least *= 2

    def extend(self, other: NameEvidence) -> None:
        """Add the counts and the scenes of the stretch that follows."""
        self.add(other)
        self.scenes.extend(other.scenes)

    def _forget(self, least: int) -> None:
        kept = {name: count for name, count in self.mentions.items() if count >= least}
        self.signs = {
            sign: Counter({name: count for name, count in counts.items() if name in kept})
            for sign, counts in self.signs.items()
        }

    def as_json(self) -> dict[str, Any]:
        """Return the evidence as JSON."""
        return {"signs": self.signs, "scenes": self.scenes}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> NameEvidence:
        """Read what `as_json` returned."""
        signs = {sign: Counter[str](counts) for sign, counts in value["signs"].items()}
        return cls(signs, [tuple(scene) for scene in value["scenes"]])


@frozen
class CastMember:
    """Somebody of a book: the name to show, other names for them, and how often all these are written."""

    name: str
    aliases: tuple[str, ...]
    mentions: int


@frozen
class Cast:
    """The people of a book, most mentioned first, and whom each name of the evidence means by their place in it."""

    members: tuple[CastMember, ...] = ()
    who: Mapping[str, int] = Factory(dict)
