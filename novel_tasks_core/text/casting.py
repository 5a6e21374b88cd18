"""Who is who: the names of a whole book, weighed and joined into people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from attrs import define, field, frozen

from novel_tasks_core.text.firstnames import LONG_FORMS, MEN, WOMEN, is_womans
from novel_tasks_core.text.names import Cast, CastMember, NameEvidence
from novel_tasks_core.text.namewords import ABBREVIATED_TITLES, WOMENS_TITLES, NameWords

_MOST_PEOPLE = 60
_FEWEST_MENTIONS = 2
_CLEAR = 3
_OFTEN_BOTH = 5
_CHANCE = 15
_NEUTRAL = frozenset({"Old", "Cousin", "Saint"})
_MARRIED = frozenset({"Mrs", "Mme", "Señora", "Signora", "Frau"})
_NOBLE = frozenset(
    {"Sir", "Lord", "Lady", "Prince", "Princess", "Count", "Countess", "King", "Queen", "Duke", "Duchess"}
)
_FIRST_NAME_TITLES = (
    "Mr Miss Master Massa Marse Old Aunt Auntie Aunty Uncle Cousin Brother Sister Father Mother Don Doña Dame Saint"
    " Nurse Madam Mademoiselle Mlle Monsieur Mistress Goody Gaffer"
)
_WITH_FIRST_NAMES = _NOBLE | frozenset(_FIRST_NAME_TITLES.split())
_PLAIN_TITLES = frozenset(
    {
        "Mr",
        "Mister",
        "Massa",
        "Marse",
        "Old",
        "Master",
        "Monsieur",
        "M",
        "Hon",
        "Squire",
        "Esquire",
        "Señor",
        "Signor",
        "Herr",
    }
)
_OF = " of "
_SAME_TITLES = {
    "Doctor": "Dr", "Mister": "Mr", "Missus": "Mrs", "Missis": "Mrs", "Professor": "Prof", "Reverend": "Rev",
    "Colonel": "Col", "General": "Gen", "Lieutenant": "Lieut", "Lt": "Lieut", "Sergeant": "Sergt", "Serjeant": "Sergt",
    "Captain": "Capt", "Madame": "Mme", "Mademoiselle": "Mlle", "Monsieur": "M", "Auntie": "Aunt", "Aunty": "Aunt",
    "Honourable": "Hon", "Honorable": "Hon", "Esquire": "Squire",
}  # fmt: skip
_CALLINGS = frozenset({"Dr", "Prof", "Rev", "Inspector", "Detective", "Constable", "Superintendent", "Judge", "Parson"})
_PARTICLE_WORDS = "de du des della di da von van der den la le del y ter ten De Du Von Van La Le Di Da Del"
_PARTICLES = frozenset(_PARTICLE_WORDS.split())


@frozen
class _Parsed:
    """A name taken apart: titles without full stops, and what remains without initials."""

    text: str
    titles: tuple[str, ...]
    parts: tuple[str, ...]

    @property
    def woman(self) -> bool | None:
        """Whether it is a woman's by its title or, without one, by its first name; None when unknown."""
        titles = [title for title in self.titles if title not in _NEUTRAL]
        if titles:
            return titles[0] in WOMENS_TITLES
        return is_womans(self.parts[0]) if len(self.parts) > 1 or self.parts[0] in WOMEN | MEN else None


@define
class _Group:
    """Names that mean one person."""

    names: list[_Parsed]
    mentions: Counter[str] = field(factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.mentions.values())


def find_cast(total: NameEvidence, words: Mapping[str, int], beside: NameWords) -> Cast:
    """Join the names of a book into people. `words` says how often a word is written small."""
    trimmed = _Trimming(total, words, beside)
    evidence, origin = trimmed.evidence()
    names = {name: _parsed(name, beside) for name in evidence.mentions}
    groups = _Joining(evidence, names, beside).groups()
    judge = _Judge(evidence, words, beside)
    people = sorted(
        (group for group in groups if judge.is_person(group)),
        key=lambda group: (-group.total, group.names[0].text),
    )[:_MOST_PEOPLE]
    owners = {name.text: place for place, group in enumerate(people) for name in group.names}
    who = {raw: owners[name] for raw, name in origin.items() if name in owners}
    return Cast(tuple(_member(group) for group in people), who)


def _member(group: _Group) -> CastMember:
    shown = max(group.mentions, key=lambda name: (group.mentions[name], len(name), name))
    aliases = sorted(name.text for name in group.names if name.text != shown)
    return CastMember(shown, tuple(aliases), group.total)


def _parsed(name: str, beside: NameWords) -> _Parsed:
    head, of, rest = name.partition(_OF)
    titles: list[str] = []
    parts: list[str] = []
    saint = False
    for word in head.split():
        bare = word.rstrip(".")
        if bare == "St":
            saint = True
        elif saint:
            parts.append(f"St. {bare}")
            saint = False
        elif not parts and bare in beside.titles:
            titles.append(_SAME_TITLES.get(bare, bare))
        elif len(bare) > 1 and "." not in bare:
            parts.append(bare)
    parts = [part for part in parts[:-1] if part not in _PARTICLES] + parts[-1:]
    if of:
        parts = [*titles, *parts, f"of {rest}"]
        titles = []
    if not parts and titles:
        parts, titles = [head.split()[-1].rstrip(".")], titles[:-1]
    return _Parsed(name, tuple(titles), tuple(parts) or (name,))


class _Trimming:
    """Takes words off names that are not of them: those written small elsewhere that only begin a sentence."""

    def __init__(self, total: NameEvidence, words: Mapping[str, int], beside: NameWords) -> None:
        self._total, self._words, self._beside = total, words, beside
        self._inside: Counter[str] = Counter()
        mid = total.sign("mid")
        for name, count in mid.items():
            for word in name.split():
                self._inside[word] += count

    def evidence(self) -> tuple[NameEvidence, dict[str, str]]:
        """Return the evidence of trimmed names, and which one each name became."""
        origin = {name: self._trim(name) for name in self._total.mentions}
        origin = {name: trimmed for name, trimmed in origin.items() if trimmed}
        signs: dict[str, Counter[str]] = {}
        for sign, counts in self._total.signs.items():
            made = signs[sign] = Counter()
            for name, count in counts.items():
                if name in origin:
                    made[origin[name]] += count
        return NameEvidence(signs), origin

    def _trim(self, name: str) -> str:
        words = name.split()
        while words and words[0].rstrip(".") not in self._beside.titles and self._only_opens(words[0], len(words)):
            words.pop(0)
        while len(words) > 1 and self._only_opens(words[-1], 1) and not words[-1][0].islower():
            words.pop()
        return " ".join(words)

    def _only_opens(self, word: str, words: int) -> bool:
        small = self._words.get(word.lower(), 0)
        if small <= 2:
            return False
        if not self._beside.acts:  # German capitals and the like say less
            return True
        inside = self._inside[word]
        return inside * (4 if word in WOMEN or word in MEN else 1) < small * (0.5 if words > 1 else 0.25) or inside < 2


class _Joining:
    """Joins names of one person: full names first, then names with a title, then single ones."""

    def __init__(self, evidence: NameEvidence, names: Mapping[str, _Parsed], beside: NameWords) -> None:
        self._counts = evidence.mentions
        self._names = names
        self._titles, self._nobody = beside.titles, beside.nobody
        self._groups: list[_Group] = []
        self._whole: dict[tuple[str, ...], _Group] = {}
        self._by_first: dict[str, list[_Group]] = defaultdict(list)
        self._by_last: dict[str, list[_Group]] = defaultdict(list)
        self._plain_surnames: set[str] = set()
        self._maidens: set[str] = set()

    def groups(self) -> list[_Group]:
        """Return the people, and whatever else bears a name."""
        parsed = [name for text, name in self._names.items() if self._counts[text] >= 1]
        parsed.sort(key=lambda name: (-self._counts[name.text], name.text))
        alone = Counter({name.parts[0]: self._counts[name.text] for name in parsed if name.text == name.parts[0]})
        self._maidens = {name.parts[-1] for name in parsed if "Miss" in name.titles}
        self._plain_surnames = {
            name.parts[-1] for name in parsed if name.titles and name.titles[0] != "Old" and _is_plain_name(name)
        }
        for name in parsed:
            if len(name.parts) > 1 and not self._is_chance(name, alone):
                self._add_full(name)
        titled = [name for name in parsed if len(name.parts) == 1 and name.titles]
        singles = [name for name in parsed if len(name.parts) == 1 and not name.titles]
        for name in singles:
            if name.parts[0] in WOMEN or name.parts[0] in MEN:
                self._add_single(name)
        for name in sorted(titled, key=lambda name: name.parts[0] not in self._by_first):
            self._add_titled(name)
        for name in singles:
            if not (name.parts[0] in WOMEN or name.parts[0] in MEN):
                self._add_single(name)
        self._join_short_forms()
        self._join_titles_alone()
        return self._groups

    def _is_chance(self, name: _Parsed, alone: Mapping[str, int]) -> bool:
        """Tell whether two words in capitals only met once or twice: one of them stands alone much more often."""
        if name.titles or name.parts[0] in WOMEN or name.parts[0] in MEN or _OF in name.text:
            return False
        return self._counts[name.text] * _CHANCE < max(alone.get(name.parts[0], 0), alone.get(name.parts[-1], 0))

    def _new(self, name: _Parsed, key: tuple[str, ...], *, first: str | None, last: str | None) -> None:
        group = _Group([name], Counter({name.text: self._counts[name.text]}))
        self._groups.append(group)
        self._whole[key] = group
        if first:
            self._by_first[first].append(group)
        if last:
            self._by_last[last].append(group)

    def _join(self, name: _Parsed, group: _Group) -> None:
        group.names.append(name)
        group.mentions[name.text] += self._counts[name.text]

    def _add_full(self, name: _Parsed) -> None:
        first, last = name.parts[0], name.parts[-1]
        wife = "Mrs" in name.titles and is_womans(first) is False
        key = ("Mrs", first, last) if wife else (first, last)
        group = self._whole.get(key)
        if group is not None:
            self._join(name, group)
        else:
            self._new(name, key, first=None if wife else first, last=None if wife else last)

    def _add_titled(self, name: _Parsed) -> None:
        part, title = name.parts[0], name.titles[0]
        key = (part,) if title in _PLAIN_TITLES else (title, part)
        group = self._whole.get(key) or self._owner_of_titled(name)
        if group is not None:
            self._join(name, group)
            return
        self._new(name, key, first=None, last=part)

    def _owner_of_titled(self, name: _Parsed) -> _Group | None:
        part, title, woman = name.parts[0], name.titles[0], name.woman
        if title in _WITH_FIRST_NAMES:
            givens = [group for group in self._by_first[part] if _agrees(group, woman)]
            if self._by_last[part] and part not in WOMEN and part not in MEN:
                givens = []
            if title in _NOBLE:
                givens = [group for group in givens if _is_called(group, title) or not self._is_plain(group)]
            if givens:
                return _clear(givens)
        count = self._counts[name.text]
        owners = [
            group
            for group in self._by_last[part]
            if _agrees(group, woman) and not _has_rank(group, name) and not _is_another(group, name, count)
        ]
        if title in _MARRIED:
            owners = [group for group in owners if _sex(group) and group.total * 2 > count]
            owners = [] if part in self._maidens else owners
            return owners[0] if len(owners) == 1 else None
        if title == "Miss" or title in _PLAIN_TITLES:
            owners = [group for group in owners if not _is_younger(group, count)]
        return _clear(owners)

    def _is_plain(self, group: _Group) -> bool:
        """Tell whether somebody is called Mr., Mrs. or Miss, and so not of rank."""
        return any(name.parts[-1] in self._plain_surnames for name in group.names)

    def _add_single(self, name: _Parsed) -> None:
        part = name.parts[0]
        group = self._whole.get((part,)) or _clear(self._by_first[part])
        if group is None and not self._by_first[part]:
            group = _foremost(self._bearers(self._by_last[part]), self._counts[name.text])
        if group is not None:
            self._join(name, group)
        else:
            self._new(name, (part,), first=part, last=part)

    def _bearers(self, owners: list[_Group]) -> list[_Group]:
        """Leave out whom a surname alone does not mean beside others: the woman who is called Mrs. or Miss."""
        return [group for group in owners if not _is_womans(group)] or owners

    def _join_short_forms(self) -> None:
        """Join Lizzy with the only Elizabeth."""
        for group in list(self._groups):
            name = group.names[0]
            if len(name.parts) != 1 or name.titles or name.parts[0] not in LONG_FORMS:
                continue
            longs = [
                other
                for long in LONG_FORMS[name.parts[0]]
                for other in self._by_first[long]
                if other is not group and not _is_ranked_lady(other) and _goes_by(other, long)
            ]
            owner = _clear(longs)
            if owner is not None:
                for one in group.names:
                    self._join(one, owner)
                self._groups.remove(group)

    def _join_titles_alone(self) -> None:
        """Join "the Admiral" with the only admiral; one of several that may be meant is nobody."""
        titled = [group for group in self._groups if any(name.titles for name in group.names)]
        for group in list(self._groups):
            name = group.names[0]
            if len(group.names) > 1 or len(name.parts) != 1 or name.titles or name.parts[0] not in self._titles:
                continue
            alone = _SAME_TITLES.get(name.parts[0], name.parts[0])
            bearers = Counter(
                {
                    n: called
                    for n, other in enumerate(titled)
                    if (called := sum(other.mentions[one.text] for one in other.names if alone in one.titles)) > 1
                }
            )
            (first, second) = [*bearers.most_common(2), (0, 0), (0, 0)][:2]
            if first[1] >= _CLEAR**2 * second[1] and first[1] * 5 >= group.total and name.parts[0] not in self._nobody:
                self._join(name, titled[first[0]])
                self._groups.remove(group)
            elif len(bearers) > 2:
                self._groups.remove(group)


def _agrees(group: _Group, woman: bool | None) -> bool:
    return woman is None or (of := _sex(group)) is None or of == woman


def _sex(group: _Group) -> bool | None:
    known = Counter[bool]()
    for name in group.names:
        if name.woman is not None:
            known[name.woman] += group.mentions[name.text]
    return known.most_common(1)[0][0] if known else None


def _is_womans(group: _Group) -> bool:
    return _sex(group) is True


def _is_ranked_lady(group: _Group) -> bool:
    """Tell whether she is mostly called Lady, and so hardly by a short form."""
    return sum(group.mentions[name.text] for name in group.names if "Lady" in name.titles) * 2 > group.total


def _goes_by(group: _Group, first_name: str) -> bool:
    """Tell whether somebody is mostly called by the first name, alone or with a title of rank."""
    called = sum(
        group.mentions[name.text]
        for name in group.names
        if name.parts[0] == first_name and not any(title in _PLAIN_TITLES for title in name.titles)
    )
    return called * 2 >= group.total


def _is_called(group: _Group, title: str) -> bool:
    return any(title in name.titles for name in group.names)


def _has_rank(group: _Group, name: _Parsed) -> bool:
    """Tell whether somebody bears another title than this one, that both are hardly the same person."""
    without = _PLAIN_TITLES | _NEUTRAL | _CALLINGS | {"Miss", "Mrs"}
    titles = {title for one in group.names for title in one.titles} - without
    mine = set(name.titles) - without
    return bool(titles and mine and not titles & mine)


def _is_another(group: _Group, name: _Parsed, count: int) -> bool:
    """Tell whether a title keeps a name from somebody: a wife is not Miss, Lady Lucas not Miss Lucas, Sir not Mr."""
    title = name.titles[0]
    if title == "Miss" or name.woman is None:
        return any(other in _MARRIED or other == "Lady" for one in group.names for other in one.titles)
    if title == "Lady":
        return not _is_called(group, title)
    if title in _PLAIN_TITLES:
        ranked = sum(group.mentions[one.text] for one in group.names if one.titles and not _is_plain_name(one))
        noble = any(other in _NOBLE for one in group.names for other in one.titles)
        return ranked * 3 > group.total and count * (7 if noble else 3) > group.total
    return False


def _is_plain_name(name: _Parsed) -> bool:
    return all(title in _PLAIN_TITLES | _CALLINGS | _NEUTRAL | {"Mrs", "Miss"} for title in name.titles)


def _is_younger(group: _Group, count: int) -> bool:
    """Tell who of brothers or sisters is not called Mr. or Miss with the surname alone.

    It is who is called so with the first name; or with both names, where the surname alone is much more frequent.
    """
    both = 0
    for name in group.names:
        if name.titles and (name.titles[0] == "Miss" or name.titles[0] in _PLAIN_TITLES):
            if len(name.parts) == 1 and name.titles[0] != "Old" and (name.parts[0] in WOMEN or name.parts[0] in MEN):
                return True
            both += group.mentions[name.text] if len(name.parts) > 1 else 0
    return both >= _OFTEN_BOTH and count > _CLEAR * group.total


def _clear(groups: Iterable[_Group]) -> _Group | None:
    """Return the only group, or the one that is mentioned far more than the others."""
    ordered = sorted(groups, key=lambda group: (-group.total, group.names[0].text))
    if not ordered:
        return None
    clear = len(ordered) == 1 or ordered[0].total >= _CLEAR * ordered[1].total
    return ordered[0] if clear else None


def _foremost(groups: Iterable[_Group], count: int) -> _Group | None:
    """Return whom a surname alone means: the clear one, or the most mentioned where the surname alone is rare."""
    ordered = sorted(groups, key=lambda group: (-group.total, group.names[0].text))
    if len(ordered) > 1 and ordered[0].total >= 1.5 * ordered[1].total and count * 2 < ordered[0].total:
        return ordered[0]
    return _clear(ordered)


def _is_of_rank(name: _Parsed) -> bool:
    """Tell whether this is somebody like the Duke of Holm or the Ghost of Christmas Past."""
    return len(name.parts) > 1 and name.parts[-1].startswith("of ")


class _Judge:
    """Tells people from places, peoples and things by what stands beside their names."""

    def __init__(self, evidence: NameEvidence, words: Mapping[str, int], beside: NameWords) -> None:
        self._evidence, self._words, self._beside = evidence, words, beside

    def is_person(self, group: _Group) -> bool:
        """Tell whether this is somebody."""
        mentions = group.total
        nobody = sum(group.mentions[name.text] for name in group.names if self._is_nobody(name))
        if mentions < _FEWEST_MENTIONS or nobody * 2 > mentions:
            return False
        if any((name.titles and name.titles[0] != "Old") or _is_of_rank(name) for name in group.names):
            return True
        signs = {sign: sum(counts[name.text] for name in group.names) for sign, counts in self._evidence.signs.items()}
        get = signs.get
        known = any(part in WOMEN or part in MEN for name in group.names for part in name.parts[:1])
        full = known and any(len(name.parts) > 1 for name in group.names)
        if not (get("mid") or full) or self._is_plural(group):
            return False
        acting = get("acting", 0)
        person = acting + get("addressed", 0) * 0.5 + get("familiar", 0) + get("being", 0) * 0.25
        if get("some", 0) * 5 > mentions and not known:
            return False
        if get("the", 0) * 2 > mentions or (not known and self._is_common(group)):
            return acting >= 3 and acting * 12 >= mentions
        place = get("placed", 0) * 2 + get("near", 0)
        if place > mentions * (0.6 if known else 0.33):
            return False
        return person >= max(1.0, mentions * 0.04) or (person > 0 and place * 5 <= mentions)

    def _is_common(self, group: _Group) -> bool:
        """Tell whether the word is often written small."""
        small = sum(self._words.get(name.text.lower(), 0) for name in group.names)
        return small * 3 > group.total

    def _is_nobody(self, name: _Parsed) -> bool:
        last = name.parts[-1]
        if len(name.parts) == 1:
            nobody = last in self._beside.nobody or last in self._beside.openers or last in ABBREVIATED_TITLES
            return nobody and not name.titles
        return last in self._beside.place_nouns and not name.titles

    def _is_plural(self, group: _Group) -> bool:
        """Tell whether a family is meant: the Bennets."""
        name = max(group.names, key=lambda one: group.mentions[one.text]).text
        base = name.split()[-1]
        return (
            base.endswith("s") and not base.endswith("ss") and len(base) > 3 and self._evidence.mentions[name[:-1]] > 0
        )
