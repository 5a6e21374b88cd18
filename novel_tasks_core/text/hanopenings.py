"""What may be a name in a Chinese text: what opens its clauses, and what opens those after which somebody speaks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from attrs import define, field

from novel_tasks_core.text.hanlexicon import (
    COMMON,
    DETERMINERS,
    DOUBLE_SURNAMES,
    FOLLOWERS,
    GROUP_ENDS,
    MEASURE_WORDS,
    NOUN_ENDS,
    NUMERALS,
    ROLES,
    SPEECH,
    STOP_STARTS,
    SURNAMES,
    TITLES,
)
from novel_tasks_core.text.hanlines import HAN

_LETTERS = f"{HAN}A-Za-zＡ-Ｚａ-ｚ"
_OPENING = re.compile(rf"(?<![{_LETTERS}])[{_LETTERS}]{{2,5}}")
_SPEAKER = re.compile(
    rf"(?<![{_LETTERS}])([{_LETTERS}]{{1,12}}?)[{SPEECH}](?:[：:]|[，,]?[“「『\"])"
    rf"|(?<=[”」』\"])([{_LETTERS}]{{1,12}}?)[{SPEECH}](?=[。，,！!…])"
)
_DOER = re.compile(
    rf"(?<![{_LETTERS}])([{_LETTERS}]{{2,14}})[，,][{_LETTERS}]{{0,6}}[{SPEECH}](?:[：:]|[，,]?[“「『\"])"
    rf"|(?<=[”」』\"])([{_LETTERS}]{{2,14}})[，,][^。！？…“”「」\n]{{0,24}}?[{SPEECH}][。，：:]"
)
_DEFINED = re.compile(
    rf"(?:复姓|複姓|姓)([{HAN}]{{1,2}}?)[，,]?(?:双|雙|单|單)?(?:名|讳|諱)(?:叫|喚|唤)?([{HAN}]{{1,2}}?)[，,。]"
    rf"(?:[表小]?字([{HAN}]{{2}})(?:[，,][后後]改字?([{HAN}]{{2}}))?(?![{HAN}]))?"
)
_COURTESY = re.compile(rf"(?<![{HAN}])([{HAN}]{{2,4}})[，,][表小]?字([{HAN}]{{2}})(?![{HAN}])")
_MOST_DEFINED = 2_000
_SPEAKS_OFTEN, _SPEAKS_MUCH = 5, 20
_END = "$"
_LONGEST = 7
_LONGEST_OPENING = 4
_SPEAKER_CHARACTERS = _LONGEST + 1
_MOST_OPENINGS = 200_000
_MOST_CANDIDATES = 800
_ACTS = frozenset("曰道说說问問大笑怒乃遂便即见見听聽叹嘆")
_STOPS = STOP_STARTS - NUMERALS - SURNAMES
_OUTRIGHT = frozenset("道曰说說" + _END)


def surname_length(name: str) -> int:
    """Return how many characters of a name are its family's, 0 if it does not begin so."""
    return 2 if name[:2] in DOUBLE_SURNAMES and len(name) > 2 else int(name[0] in SURNAMES)


@define
class Openings:
    """What opens clauses, and what opens those after which somebody speaks: the first characters of each."""

    clauses: Counter[str] = field(factory=Counter)
    speakers: Counter[str] = field(factory=Counter)
    defined: Counter[tuple[str, str]] = field(factory=Counter)

    def read(self, text: str) -> None:
        """Count those of one piece."""
        self.clauses.update(_OPENING.findall(text))
        for pattern in (_SPEAKER, _DOER):
            self.speakers.update((one or other)[:_SPEAKER_CHARACTERS] for one, other in pattern.findall(text))
        for family, given, *courtesy in _DEFINED.findall(text):
            self._define(family + given, courtesy)
        for full, courtesy in _COURTESY.findall(text):
            if surname_length(full) and len(full) <= surname_length(full) + 2:
                self._define(full, (courtesy,))
        for counts in (self.clauses, self.speakers):
            _forget_rare(counts)

    def _define(self, full: str, courtesy: Iterable[str]) -> None:
        if len(self.defined) < _MOST_DEFINED:
            self.defined.update((full, name) for name in courtesy)

    def subjects(self) -> frozenset[str]:
        """Return the characters that act by themselves, as 操 does: what follows is a verb, not the rest of a name."""
        deeds: dict[str, Counter[str]] = defaultdict(Counter)
        for head, count in self.clauses.items():
            if head[1] in _ACTS:
                deeds[head[0]][head[1]] += count
        return frozenset(first for first, done in deeds.items() if sum(count >= 2 for count in done.values()) >= 4)

    def candidates(self, subjects: Collection[str]) -> dict[str, int]:
        """Return what may be a name, with the number of clauses that it opens before somebody speaks."""
        least = max(_SPEAKS_MUCH, self.speakers.total() // 25)
        heroes = ROLES | self._heroes(least)
        speaking = _followers(
            [
                pair
                for pair in self.speakers.items()
                if pair[0][0] not in _STOPS or not heroes.isdisjoint(_heads(pair[0]))
            ],
            _LONGEST,
            2,
        )
        known = {name[:2] for name in speaking}
        opening = _followers(
            [pair for pair in self.clauses.items() if pair[0][0] in SURNAMES or pair[0][:2] in known],
            _LONGEST_OPENING,
            3,
        )
        names: dict[str, int] = {}
        for name in sorted(opening.keys() | speaking.keys(), key=lambda name: (len(name), name)):
            after = opening.get(name) or speaking.get(name) or Counter()
            said = speaking[name].total() if name in speaking else 0
            called_so = said >= least and name in heroes
            if (
                (called_so or _may_be_name(name, said, subjects))
                and _ends_here(name, after)
                and not _grows_from(name, names)
            ):
                names[name] = said
        ranked = sorted(names, key=lambda name: (-names[name], name))
        ranked.sort(key=lambda name: -(3 * names[name] + (opening[name].total() if name in opening else 0)))
        return {name: names[name] for name in ranked[:_MOST_CANDIDATES]}

    def _heroes(self, least: int) -> set[str]:
        """Return names of three characters that speak so much that they may begin with anything, as 多九公 does."""
        counts: Counter[str] = Counter()
        for head, count in self.speakers.items():
            counts[head[:3]] += count
        return {
            name
            for name, count in counts.items()
            if count >= least and len(name) == 3 and name[0] not in DETERMINERS and name not in COMMON
            if name[-1] not in FOLLOWERS and name[-1] not in NOUN_ENDS and name[1:] not in COMMON
        }


def _heads(head: str) -> tuple[str, str]:
    return head[:2], head[:3]


def _forget_rare(counts: Counter[str]) -> None:
    least = 2
    while len(counts) > _MOST_OPENINGS:
        for key in [key for key, count in counts.items() if count < least]:
            del counts[key]
        least *= 2


def _followers(plausible: list[tuple[str, int]], longest: int, least: int) -> dict[str, Counter[str]]:
    """Return what follows each beginning of two characters or more, and how often; rare beginnings are left out."""
    result: dict[str, Counter[str]] = {}
    for length in range(2, longest + 1):
        plausible = [pair for pair in plausible if len(pair[0]) >= length]
        found: dict[str, int] = {}
        for head, count in plausible:
            name = head[:length]
            found[name] = found.get(name, 0) + count
        frequent = {name: count for name, count in found.items() if count >= least}
        plausible = [pair for pair in plausible if pair[0][:length] in frequent]
        after = {name: Counter[str]() for name in frequent}
        for head, count in plausible:
            after[head[:length]][head[length : length + 1] or _END] += count
        result.update(after)
    return result


def _may_be_name(name: str, said: int, subjects: Collection[str]) -> bool:
    family = surname_length(name)
    if name in COMMON or (name[1:] in COMMON and name[0] in DETERMINERS) or name[-1] in GROUP_ENDS:
        return False
    if name[-1] == "人" and not title_of(name) and not _may_end_so(name, said, family):
        return False
    if name[-1] in FOLLOWERS and (not family or name[0] in subjects):
        return False
    if family:
        return len(name) <= family + 3 or said >= 3
    if name[-1] in NOUN_ENDS or name[1:] in COMMON or name[2:] in COMMON:
        return False
    numbered = said >= 2 * _SPEAKS_OFTEN and name[0] in NUMERALS and name[1] not in MEASURE_WORDS
    return said >= 2 and (name[0] not in STOP_STARTS or numbered)


def _may_end_so(name: str, said: int, family: int) -> bool:
    """Tell whether a name may end with 人, as 袭人 and 匡超人 do: who bears it speaks often."""
    if len(name) == 2:
        return said >= _SPEAKS_OFTEN
    return family > 0 and said >= 2 * _SPEAKS_OFTEN and name[-2] not in NUMERALS and name[-2] not in DETERMINERS


def _ends_here(name: str, after: Counter[str]) -> bool:
    """Tell whether verbs follow, or a great many different things: else it is only the beginning of a name."""
    total = after.total()
    verbs = sum(count for character, count in after.items() if character == _END or character in FOLLOWERS)
    most, count = max(after.items(), key=lambda pair: pair[1])
    if verbs * 4 >= total and len(after) * 2 >= total >= 10:
        return True
    return verbs * 2 >= total and (most in _OUTRIGHT or total < 4 or count < 0.7 * total)


def _grows_from(name: str, names: dict[str, int]) -> bool:
    """Tell whether this is a name that was found already and what it does."""
    return any(name[:length] in names for length in range(2, len(name))) and not title_of(name)


def title_of(name: str) -> str:
    """Return the title that follows a surname, "" if none does."""
    rest = name[surname_length(name) :] if surname_length(name) else ""
    return rest if rest in TITLES or (len(rest) > 1 and rest in COMMON) else ""
