"""The people of a Chinese novel, found beforehand and then counted piece by piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from novel_tasks_core.text.hancast import HanPerson, find_cast
from novel_tasks_core.text.hancontexts import names_pattern
from novel_tasks_core.text.hanlines import is_wrapped, unwrapped
from novel_tasks_core.text.names import MENTIONS, Cast, CastMember, NameEvidence

SCENE_CHARACTERS = 600
"""How long a scene is taken to be: about three paragraphs."""


def han_names(sample: str, pieces: Callable[[], Iterable[str]]) -> CastNames:
    """Return a finder of the people of a Chinese novel, who are known when this has read its pieces twice."""
    wrapped = is_wrapped(sample)
    people = find_cast((lambda: map(unwrapped, pieces())) if wrapped else pieces)
    return CastNames(people, wrapped=wrapped)


class CastNames:
    """Counts the names of people that are known already."""

    def __init__(self, people: Sequence[HanPerson], *, wrapped: bool = False) -> None:
        self._people = people
        self._wrapped = wrapped
        self._pattern = names_pattern((name for person in people for name in person.written), wrapped=wrapped)
        self._who = {name: number for number, person in enumerate(people) for name in person.written}

    def find(self, text: str, spoken: Sequence[tuple[int, int]]) -> NameEvidence:
        """Count the names of a piece; present in a scene is who is named outside of speech."""
        mentions: Counter[str] = Counter()
        scenes: dict[int, set[str]] = {}
        ends = iter(spoken)
        start, end = next(ends, _NOWHERE)
        for match in self._pattern.finditer(text):
            name, at = match[0], match.start()
            if self._wrapped:
                name = "".join(name.split())
            mentions[name] += 1
            while at >= end:
                start, end = next(ends, _NOWHERE)
            if at < start:
                scenes.setdefault(at // SCENE_CHARACTERS, set()).add(name)
        return NameEvidence({MENTIONS: mentions}, [tuple(sorted(scene)) for scene in scenes.values() if len(scene) > 1])

    def cast(self, total: NameEvidence, words: Mapping[str, int]) -> Cast:
        """Return the people with their mentions in the whole book, most mentioned first; who has none is left out."""
        counts = [sum(total.mentions[name] for name in person.written) for person in self._people]
        order = sorted((n for n, count in enumerate(counts) if count), key=lambda n: (-counts[n], self._people[n].name))
        places = {number: place for place, number in enumerate(order)}
        members = tuple(CastMember(self._people[n].name, self._people[n].aliases, counts[n]) for n in order)
        return Cast(members, {name: places[number] for name, number in self._who.items() if number in places})


_NOWHERE = (1 << 62, 1 << 62)
