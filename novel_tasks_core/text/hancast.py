"""Who the people of a Chinese novel are, without a dictionary, and which names mean the same person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from attrs import define, field, frozen

from novel_tasks_core.text.hancontexts import Context, Contexts, is_person
from novel_tasks_core.text.hanlexicon import COMMON, ELDERS_TITLES, TITLES, WOMENS_TITLES
from novel_tasks_core.text.hanopenings import Openings, surname_length, title_of

_SPEAKS_OFTEN = 10
_OFTEN_ENOUGH = 3
_ENOUGH = 1_000_000


@define
class _Groups:
    """Names that mean the same person."""

    heads: dict[str, str] = field(factory=dict)

    def head(self, name: str) -> str:
        while (upper := self.heads.get(name, name)) != name:
            name = upper
        return name

    def join(self, name: str, other: str) -> None:
        one, two = self.head(name), self.head(other)
        if one != two:
            self.heads[one] = two


@frozen
class HanPerson:
    """Somebody: the name to show, other names, how often all these were read, and which of them to count.

    Not counted is a nickname that may be an everyday word, as 大刀.
    """

    name: str
    aliases: tuple[str, ...]
    mentions: int
    written: tuple[str, ...]


def find_cast(pieces: Callable[[], Iterable[str]], *, most: int = 100) -> list[HanPerson]:
    """Find the people of a Chinese novel in two readings of its pieces, whose lines are whole; most mentioned first."""
    openings, characters = Openings(), 0
    for text in pieces():
        openings.read(text)
        characters += len(text)
    subjects = openings.subjects()
    said = openings.candidates(subjects)
    for pair in openings.defined:
        said.update((name, 0) for name in pair if name and name not in said)
    contexts = Contexts.of_names(said)
    share = 1 + characters // _ENOUGH
    for text in pieces():
        contexts.read(text[: len(text) // share])
    persons = [
        name
        for name, count in said.items()
        if is_person(name, count, contexts.of[name], shortened=_is_shortened(name, said, subjects))
    ]
    return _people(persons, said, contexts.of, openings.defined, most)


def _is_shortened(name: str, said: Mapping[str, int], subjects: Collection[str]) -> bool:
    return name[-1] in subjects or said.get(name[surname_length(name) :], 0) >= _OFTEN_ENOUGH


def _people(
    persons: Iterable[str],
    said: Mapping[str, int],
    contexts: Mapping[str, Context],
    defined: Iterable[tuple[str, str]],
    most: int,
) -> list[HanPerson]:
    totals = Counter({name: contexts[name].total for name in persons})
    groups = _Groups()
    for full, courtesy in sorted(defined):
        both = (full, courtesy)
        if all(name and contexts[name].total for name in both) and (
            any(name in totals for name in both) or sum(contexts[name].total for name in both) >= _SPEAKS_OFTEN
        ):
            totals.update({name: contexts[name].total for name in both if name not in totals})
            groups.join(courtesy, full)
    _drop_longer_names(totals)
    _join_given_names(totals, groups)
    quoted = _join_nicknames(totals, contexts, groups)
    _join_titled_names(totals, said, contexts, groups)
    fulls = {full for full, courtesy in defined if courtesy and groups.head(full) == groups.head(courtesy)}
    members: dict[str, list[str]] = defaultdict(list)
    for name in sorted(totals):
        members[groups.head(name)].append(name)
    found = [_person(names, totals, quoted, fulls) for names in members.values()]
    found.sort(key=lambda person: (-person.mentions, person.name))
    return found[:most]


def _person(names: list[str], totals: Mapping[str, int], quoted: Collection[str], fulls: Collection[str]) -> HanPerson:
    ordered = sorted(names, key=lambda name: (-totals[name], name))
    whole = [name for name in ordered if name in fulls and totals[name] >= _OFTEN_ENOUGH]
    full = [name for name in ordered if is_full_name(name) and totals[name] * 20 >= totals[ordered[0]]]
    shown = (whole or full or ordered)[0]
    return HanPerson(
        shown,
        tuple(name for name in ordered if name != shown),
        sum(totals[name] for name in names),
        tuple(name for name in ordered if name not in quoted or len(name) > 2),
    )


def is_full_name(name: str) -> bool:
    """Tell whether a name has a family's and a given one."""
    family = surname_length(name)
    return bool(family) and 1 <= len(name) - family <= 2 and not title_of(name)


def _drop_longer_names(totals: Counter[str]) -> None:
    """Drop what merely ends with a name, as 军师吴用 does; 鲁智深, who is 智深 with a surname, stays."""
    for name in sorted(totals, key=lambda name: (len(name), name)):
        for start in range(1, len(name) - 1):
            rest = name[start:]
            own = surname_length(name) == start and len(rest) == 2
            if rest in totals and not (own and (not is_full_name(rest) or totals[rest] < 3 * totals[name])):
                totals[rest] += totals.pop(name)
                break


def _join_given_names(totals: Counter[str], groups: _Groups) -> None:
    """Join a given or a courtesy name to the one full name that ends with it."""
    owners: dict[str, list[str]] = defaultdict(list)
    for name in sorted(totals):
        if (
            (family := surname_length(name))
            and len(name) - family == 2
            and (not title_of(name) or name[family:] in totals)
        ):
            owners[name[family:]].append(name)
    for short, full in owners.items():
        if short in totals and len(full) == 1:
            groups.join(full[0], short)


def _join_titled_names(
    totals: Counter[str], said: Mapping[str, int], contexts: Mapping[str, Context], groups: _Groups
) -> None:
    """Join a surname with a title to the full name beside which the title stands, or that is alone in its family."""
    weights: Counter[str] = Counter()
    families: dict[str, set[str]] = defaultdict(set)
    for name, count in totals.items():
        weights[groups.head(name)] += count
        if is_full_name(name) and name in contexts:  # a nickname may look like one
            families[name[: surname_length(name)]].add(name)
    for name in sorted(totals):
        title = title_of(name)
        if title and groups.head(name) == name:
            family = families[name[: surname_length(name)]]
            owner = _bearer(title, sorted(family), contexts)
            if not owner and (title != "公" or said.get(name, 0) >= _SPEAKS_OFTEN):
                owner = _only_one(title, family, weights, groups, totals[name])
            if owner:
                groups.join(name, owner)


def _bearer(title: str, family: Sequence[str], contexts: Mapping[str, Context]) -> str | None:
    """Return who of a family is named together with a title, three times as often as any other."""
    counts = sorted(((contexts[name].titles[title], name) for name in family), reverse=True)
    if not counts or not counts[0][0] or (len(counts) > 1 and counts[0][0] < 3 * counts[1][0]):
        return None
    return counts[0][1]


def _only_one(
    title: str, family: Iterable[str], weights: Mapping[str, int], groups: _Groups, mentions: int
) -> str | None:
    """Return who is alone in a family and named four times as often as the one with the title.

    公 honours the one of a family who is named three times as often as any other.
    """
    heads = sorted({groups.head(name) for name in family}, key=lambda head: (-weights[head], head))
    if not heads or title not in TITLES or title in WOMENS_TITLES or title in ELDERS_TITLES:
        return None
    if title == "公":
        clear = len(heads) == 1 or weights[heads[0]] >= 3 * weights[heads[1]]
        return heads[0] if clear and weights[heads[0]] * 2 >= mentions else None
    return heads[0] if len(heads) == 1 and weights[heads[0]] >= 4 * mentions else None


def _join_nicknames(totals: Counter[str], contexts: Mapping[str, Context], groups: _Groups) -> set[str]:
    """Join what is quoted before a name, as 「黑旋風」李逵, if it stands before no other. Returns the new ones."""
    bearers: dict[str, Counter[str]] = defaultdict(Counter)
    for name in sorted(totals):
        for nickname, count in contexts[name].nicknames.items():
            bearers[nickname][groups.head(name)] += count
    new: set[str] = set()
    for nickname, heads in bearers.items():
        head, count = heads.most_common(1)[0]
        longer = any(other != nickname and other.endswith(nickname) for other in bearers)
        if nickname in COMMON or nickname in TITLES or longer or count < 2 or count * 10 < heads.total() * 9:
            continue
        if nickname not in totals:
            new.add(nickname)
            totals[nickname] = count
        groups.join(nickname, head)
    return new
