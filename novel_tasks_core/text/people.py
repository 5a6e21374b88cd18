"""Who appears: names written with capitals that speak, act or bear a title. For languages whose speech verbs we know."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from attrs import field, frozen

from novel_tasks_core.text.tokens import base_language

_CAPITAL = "[A-ZÀ-ÖØ-ÞŒŠŽА-ЯЁІЇЄ]"
_NAME_WORD = rf"{_CAPITAL}(?:[^\W\d_]+|['’]{_CAPITAL}[^\W\d_]+)(?:[-‐]{_CAPITAL}[^\W\d_]+)*"
_PARTICLE = "(?:de|du|des|della|di|da|von|van|der|den|la|le|d[’'])"
_TITLES: dict[str, str] = {
    "en": (
        "Mr Mrs Miss Ms Dr Doctor Sir Lady Lord Madame Monsieur Mademoiselle Captain Colonel Major General Lieutenant Sergeant"
        " Inspector Professor Reverend Father Brother Sister Aunt Uncle Prince Princess King Queen Count Countess Duke Duchess"
        " Baron Baroness Squire Judge Saint Master Mistress"
    ),
    "fr": "M Mme Mlle Monsieur Madame Mademoiselle Mgr Docteur Comte Comtesse Marquis Marquise Père Mère Maître Abbé Milady Lord",
    "de": "Herr Herrn Frau Fräulein Doktor Graf Gräfin Baron Baronin Prinz Prinzessin Fürst Fürstin Major Onkel Tante Vetter",
    "es": "Don Doña Señor Señora Señorita Sr Sra Fray Capitán Doctor Conde Condesa Rey Reina Padre Madre Maese",
    "it": "Signor Signora Signorina Don Donna Conte Contessa Padre Dottor Dottore",
    "pt": "Senhor Senhora Dom Dona Padre Doutor Conde Capitão",
    "ru": "Князь Княжна Княгиня Граф Графиня Госпожа Господин Барон Баронесса Капитан Генерал",
}
_SPEECH: dict[str, str] = {
    "en": (
        "said|cried|replied|asked|answered|exclaimed|returned|observed|whispered|shouted|murmured|muttered|thought|remarked|added|began"
        "|continued|inquired|repeated|looked|smiled|nodded|laughed|turned|says|interrupted|sighed|called|demanded"
    ),
    "fr": (
        "dit|répondit|demanda|s'écria|s’écria|reprit|fit|murmura|cria|ajouta|répliqua|répéta|pensa|regarda|sourit|continua|interrompit"
        "|déclara|avait|était"
    ),
    "de": "sagte|rief|fragte|antwortete|erwiderte|meinte|lachte|nickte|sah|flüsterte|versetzte|begann|fuhr|sprach|dachte|lächelte",
    "es": "dijo|respondió|preguntó|exclamó|replicó|contestó|añadió|murmuró|gritó|pensó|miró",
    "it": "disse|rispose|domandò|chiese|gridò|esclamò|soggiunse|mormorò|pensò|guardò",
    "pt": "disse|respondeu|perguntou|exclamou|acudiu|murmurou|gritou|pensou|replicou",
    "ru": (
        "сказал|сказала|отвечал|отвечала|ответил|ответила|спросил|спросила|крикнул|крикнула|проговорил|проговорила|думал|думала"
        "|подумал|подумала|закричал|закричала|заметил|заметила|продолжал|продолжала|произнес|произнесла|возразил|возразила"
        "|посмотрел|посмотрела|смотрел|смотрела|улыбнулся|улыбнулась|воскликнул|воскликнула|начал|начала|прибавил|прибавила"
    ),
}
_PLACE_WORDS = {
    "en": "in|at|to|from|near|towards|toward|through|of",
    "fr": "à|en|dans|vers",
    "de": "in|nach|aus|bei",
    "es": "en|a|hacia",
    "it": "in|a|verso",
    "pt": "em|para",
    "ru": "в|во|на|из",
}
_FEWEST_MENTIONS = 3
_MOST_PEOPLE = 60


@frozen
class Person:
    """Somebody in a book: the fullest name, all mentions, the mentions in each chapter, and other names for them."""

    name: str
    mentions: int
    by_chapter: tuple[int, ...]
    aliases: tuple[str, ...] = ()


@frozen
class NameEvidence:
    """What one chapter says about names: how often each is mentioned, how often it speaks or acts, or is a place."""

    mentions: Counter[str] = field(factory=Counter)
    acting: Counter[str] = field(factory=Counter)
    placed: Counter[str] = field(factory=Counter)


@frozen
class _Patterns:
    name: re.Pattern[str]
    acting: re.Pattern[str]
    placed: re.Pattern[str]
    titles: frozenset[str]


def knows_names(language: str) -> bool:
    """Tell whether people can be found in this language."""
    return base_language(language) in _SPEECH


def _compile(language: str) -> _Patterns:
    titles = _TITLES[language].split()
    title = rf"(?:(?:{'|'.join(titles)})\b\.?\s)"
    name = rf"{title}?{_NAME_WORD}(?:[ \n](?:{_PARTICLE}[ \n]?)?{_NAME_WORD}){{0,3}}"
    verbs = _SPEECH[language]
    return _Patterns(
        name=re.compile(rf"\b{name}"),
        acting=re.compile(rf"\b(?:{verbs})\s({name})|\b({name})\s(?:{verbs})\b"),
        placed=re.compile(rf"\b(?:{_PLACE_WORDS[language]})\s({_NAME_WORD})"),
        titles=frozenset(titles),
    )


@cache
def _patterns(language: str) -> _Patterns:
    return _compile(base_language(language))


def find_names(text: str, language: str) -> NameEvidence:
    """Count the names of one chapter, and what tells people from places."""
    patterns = _patterns(language)
    mentions = Counter(" ".join(name.split()) for name in patterns.name.findall(text))
    acting = Counter(" ".join((after or before).split()) for after, before in patterns.acting.findall(text))
    return NameEvidence(mentions, acting, Counter(patterns.placed.findall(text)))


def find_people(chapters: Sequence[NameEvidence], words: Mapping[str, int], language: str) -> list[Person]:
    """Join the evidence of all chapters into people, most mentioned first.

    `words` counts every word of the book in lower case: what is often written small is no name.
    """
    patterns = _patterns(language)
    per_chapter = [_cleaned(chapter.mentions, words, patterns.titles) for chapter in chapters]
    totals: Counter[str] = sum(per_chapter, Counter())
    acting = _cleaned(sum((chapter.acting for chapter in chapters), Counter()), words, patterns.titles)
    placed: Counter[str] = sum((chapter.placed for chapter in chapters), Counter())
    groups = _merge(totals, patterns.titles)
    people: list[Person] = []
    for name, aliases in groups.items():
        names = (name, *aliases)
        mentions = sum(totals[alias] for alias in names)
        deeds = sum(acting[alias] for alias in names)
        places = sum(placed[alias] for alias in names)
        titled = any(alias.split()[0].rstrip(".") in patterns.titles for alias in names)
        if mentions >= _FEWEST_MENTIONS and _is_person(mentions, deeds, places, titled):
            by_chapter = tuple(sum(chapter[alias] for alias in names) for chapter in per_chapter)
            people.append(Person(name, mentions, by_chapter, tuple(sorted(aliases))))
    people.sort(key=lambda person: (-person.mentions, person.name))
    return people[:_MOST_PEOPLE]


def _is_person(mentions: int, deeds: int, places: int, titled: bool) -> bool:
    if deeds < 1 and not titled:
        return False
    return (deeds + (mentions if titled else 0)) * 2 >= places and deeds * 150 >= mentions * (0 if titled else 1)


def _cleaned(names: Counter[str], words: Mapping[str, int], titles: frozenset[str]) -> Counter[str]:
    """Take the words off a name that only begin a sentence: those written small elsewhere."""
    cleaned: Counter[str] = Counter()
    for name, count in names.items():
        parts = name.split()
        while parts and parts[0].rstrip(".") not in titles and _is_common(parts[0], words):
            parts.pop(0)
        while parts and _is_common(parts[-1], words) and parts[-1] not in titles:
            parts.pop()
        if parts and not (len(parts) == 1 and parts[0].rstrip(".") in titles):
            cleaned[" ".join(parts)] += count
    return cleaned


def _is_common(word: str, words: Mapping[str, int]) -> bool:
    return words.get(word.lower(), 0) > 2


def _merge(totals: Counter[str], titles: frozenset[str]) -> dict[str, list[str]]:
    """Group names: a part of a longer name goes to the one that has it, unless several do as often."""

    def key(name: str) -> list[str]:
        return [part for part in name.replace(".", "").split() if part not in titles]

    frequent = [name for name, count in totals.items() if count >= 2]
    longer: dict[str, list[str]] = defaultdict(list)
    for name in frequent:
        parts = key(name)
        if len(parts) > 1:
            for part in set(parts):
                longer[part].append(name)
    groups: dict[str, list[str]] = {}
    owner: dict[str, str] = {}
    for name in sorted(frequent, key=lambda name: (-len(key(name)), -totals[name], name)):
        target = _owner_of(key(name), longer, totals, owner)
        if target is None:
            groups[name] = []
            owner[name] = name
        else:
            groups[target].append(name)
            owner[name] = target
    return {_shown(name, aliases, totals): _others(name, aliases, totals) for name, aliases in groups.items()}


def _owner_of(
    parts: list[str], longer: Mapping[str, list[str]], totals: Counter[str], owner: Mapping[str, str]
) -> str | None:
    """Return the longer name that a single word belongs to, None when it could be that of several people."""
    if len(parts) != 1:
        return None
    candidates = sorted(
        (other for other in longer.get(parts[0], ()) if other in owner), key=lambda other: -totals[other]
    )
    owners = list(dict.fromkeys(owner[other] for other in candidates))
    if not owners or (len(owners) > 1 and totals[owners[0]] < 3 * totals[owners[1]]):
        return None
    return owners[0]


def _shown(name: str, aliases: Iterable[str], totals: Counter[str]) -> str:
    return max((name, *aliases), key=lambda alias: (totals[alias], len(alias)))


def _others(name: str, aliases: list[str], totals: Counter[str]) -> list[str]:
    shown = _shown(name, aliases, totals)
    return [alias for alias in (name, *aliases) if alias != shown]
