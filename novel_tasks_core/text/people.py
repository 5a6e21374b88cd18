"""Who appears: names in capitals that speak, act or bear a title, in languages whose verbs of speech we know."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from attrs import frozen

from novel_tasks_core.text.names import MENTIONS, Cast, CastMember, NameEvidence
from novel_tasks_core.text.tags import base_language

_CAPITAL = "[A-ZÀ-ÖØ-ÞŒŠŽА-ЯЁІЇЄ]"
_NAME_WORD = rf"{_CAPITAL}(?:[^\W\d_]+|['’]{_CAPITAL}[^\W\d_]+)(?:[-‐]{_CAPITAL}[^\W\d_]+)*"
_PARTICLE = "(?:de|du|des|della|di|da|von|van|der|den|la|le|d[’'])"
_TITLES: dict[str, str] = {
    "en": (
        "Mr Mrs Miss Ms Dr Doctor Sir Lady Lord Madame Monsieur Mademoiselle Captain Colonel Major General "
        "Lieutenant Sergeant"
        " Inspector Professor Reverend Father Brother Sister Aunt Uncle Prince Princess King Queen Count Countess "
        "Duke Duchess"
        " Baron Baroness Squire Judge Saint Master Mistress"
    ),
    "fr": (
        "M Mme Mlle Monsieur Madame Mademoiselle Mgr Docteur Comte Comtesse Marquis Marquise Père Mère Maître Abbé "
        "Milady Lord"
    ),
    "de": (
        "Herr Herrn Frau Fräulein Doktor Graf Gräfin Baron Baronin Prinz Prinzessin Fürst Fürstin Major Onkel "
        "Tante Vetter"
    ),
    "es": "Don Doña Señor Señora Señorita Sr Sra Fray Capitán Doctor Conde Condesa Rey Reina Padre Madre Maese",
    "it": "Signor Signora Signorina Don Donna Conte Contessa Padre Dottor Dottore",
    "pt": "Senhor Senhora Dom Dona Padre Doutor Conde Capitão",
    "ru": "Князь Княжна Княгиня Граф Графиня Госпожа Господин Барон Баронесса Капитан Генерал",
}
_WOMEN = (
    "Mrs Miss Ms Lady Madame Mademoiselle Mistress Aunt Sister Princess Queen Countess Duchess Baroness Mme Mlle "
    "Comtesse"
    " Marquise Mère Milady Frau Fräulein Gräfin Baronin Prinzessin Fürstin Tante Doña Señora Señorita Sra Condesa "
    "Reina Signora"
    " Signorina Donna Contessa Senhora Dona Княжна Княгиня Графиня Госпожа Баронесса"
)
_WOMENS_TITLES = frozenset(_WOMEN.split())
_SPEECH: dict[str, str] = {
    "en": (
        "said|cried|replied|asked|answered|exclaimed|returned|observed|whispered|shouted|murmured|muttered|thought|remarked|added|began"
        "|continued|inquired|repeated|looked|smiled|nodded|laughed|turned|says|interrupted|sighed|called|demanded"
    ),
    "fr": (
        "dit|répondit|demanda|s'écria|s’écria|reprit|fit|murmura|cria|ajouta|répliqua|répéta|pensa|regarda|sourit|continua|interrompit"
        "|déclara|avait|était"
    ),
    "de": (
        "sagte|rief|fragte|antwortete|erwiderte|meinte|lachte|nickte|sah|flüsterte|versetzte|begann|fuhr|sprach|"
        "dachte|lächelte"
    ),
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
    "fr": "en|dans|vers",
    "de": "in|nach|aus|bei",
    "es": "en|hacia",
    "it": "in|verso",
    "pt": "em|para",
    "ru": "в|во|на|из",
}
_OPENING_WORDS = (
    "then now when but and so still yet after before once here there nobody everybody they the in on from if at as "
    "poor dear old"
    " mais et puis alors quand aber und dann doch als pero entonces cuando ma allora quando но и тогда когда"
)
_OPENERS = frozenset(_OPENING_WORDS.split())
"""Words that begin sentences, or stand before names, too seldom written small to be told by counting."""

_LONGEST_VERB = 16
_FEWEST_MENTIONS = 3
_MOST_PEOPLE = 60


@frozen
class _Patterns:
    name: re.Pattern[str]
    speech: frozenset[str]
    places: frozenset[str]
    titles: frozenset[str]


def knows_names(language: str) -> bool:
    """Tell whether people can be found in this language."""
    return base_language(language) in _SPEECH


@cache
def _patterns(language: str) -> _Patterns:
    titles = _TITLES[language].split()
    return _Patterns(
        name=re.compile(rf"{_NAME_WORD}\.?(?:[ \n](?:{_PARTICLE}[ \n]?)?{_NAME_WORD}){{0,4}}"),
        speech=frozenset(_SPEECH[language].split("|")),
        places=frozenset(_PLACE_WORDS[language].split("|")),
        titles=frozenset(titles),
    )


class EuropeanNames:
    """Finds names by their capitals, and people by what stands beside them."""

    def __init__(self, language: str) -> None:
        self._language = language

    def find(self, text: str, spoken: Sequence[tuple[int, int]]) -> NameEvidence:
        """Return what a piece of text says of names."""
        return find_names(text, self._language)

    def cast(self, total: NameEvidence, words: Mapping[str, int]) -> Cast:
        """Join the evidence of the whole book into people."""
        return find_people(total, words, self._language)


def find_names(text: str, language: str) -> NameEvidence:
    """Count the names of one chapter, and by the words beside them what tells people from places."""
    patterns = _patterns(base_language(language))
    evidence = NameEvidence({MENTIONS: Counter(), "acting": Counter(), "placed": Counter()})
    scene: set[str] = set()
    for match in patterns.name.finditer(text):
        start, end = match.span()
        name = " ".join(match[0].split()).rstrip(".")
        head, stop, rest = name.partition(". ")
        if stop and head not in patterns.titles:  # a sentence ended between the two
            evidence.signs[MENTIONS][head] += 1
            name, start = rest, match.end() - len(rest)
        evidence.signs[MENTIONS][name] += 1
        scene.add(name)
        if _word_after(text, end) in patterns.speech:
            evidence.signs["acting"][name] += 1
            continue
        before = _word_before(text, start)
        if before in patterns.speech:
            evidence.signs["acting"][name] += 1
        elif before in patterns.places:
            evidence.signs["placed"][name] += 1
    evidence.scenes.append(tuple(sorted(scene)))
    return evidence


def _word_after(text: str, end: int) -> str:
    following = text[end : end + _LONGEST_VERB].split(None, 1)
    return following[0].rstrip(",.;:") if following and text[end : end + 1].isspace() else ""


def _word_before(text: str, start: int) -> str:
    words = text[max(0, start - _LONGEST_VERB) : start].split()
    return words[-1] if words and text[start - 1 : start].isspace() else ""


def find_people(total: NameEvidence, words: Mapping[str, int], language: str) -> Cast:
    """Join the evidence of a book into people."""
    patterns = _patterns(base_language(language))
    totals = _cleaned(total.mentions, words, patterns.titles)
    acting = _cleaned(total.sign("acting"), words, patterns.titles)
    placed = _cleaned(total.sign("placed"), words, patterns.titles)
    people: list[CastMember] = []
    for name, aliases in _merge(totals, patterns.titles).items():
        names = (name, *aliases)
        mentions = sum(totals[alias] for alias in names)
        deeds = sum(acting[alias] for alias in names)
        places = sum(placed[alias] for alias in names)
        titled = any(alias.split()[0].rstrip(".") in patterns.titles for alias in names)
        if mentions >= _FEWEST_MENTIONS and _is_person(mentions, deeds, places, titled):
            people.append(CastMember(name, tuple(sorted(aliases)), mentions))
    people.sort(key=lambda person: (-person.mentions, person.name))
    people = people[:_MOST_PEOPLE]
    owners = {alias: place for place, person in enumerate(people) for alias in (person.name, *person.aliases)}
    who: dict[str, int] = {}
    for name in total.mentions:
        (cleaned, *_) = [*_cleaned(Counter([name]), words, patterns.titles), ""]
        if cleaned in owners:
            who[name] = owners[cleaned]
    return Cast(tuple(people), who)


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
    lowered = word.lower()
    return words.get(lowered, 0) > 2 or lowered in _OPENERS


def _merge(totals: Counter[str], titles: frozenset[str]) -> dict[str, list[str]]:
    """Group names of one person: full names stand alone, shorter ones go to the full name that has them.

    A short name that several people could bear stays by itself, unless one of them is named far more often.
    """
    names = [name for name, count in totals.items() if count >= 2]
    groups: dict[str, list[str]] = {}
    bearers: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names, key=lambda name: (-_rank(name, titles), -totals[name], name)):
        parts = _bare_parts(name, titles)
        if not parts:
            continue
        owner = _owner_of(name, parts, bearers, totals) if len(parts) == 1 else _namesake(parts, groups)
        if owner is None:
            groups[name] = []
            for part in set(parts):
                bearers[part].append(name)
        else:
            groups[owner].append(name)
    return {_shown(name, aliases, totals): _others(name, aliases, totals) for name, aliases in groups.items()}


def _bare_parts(name: str, titles: frozenset[str]) -> list[str]:
    return [part for part in name.replace(".", "").split() if part not in titles]


def _rank(name: str, titles: frozenset[str]) -> int:
    """Order full names before titled surnames before single words."""
    parts = _bare_parts(name, titles)
    return 4 if len(parts) > 1 else 2 if len(parts) < len(name.split()) else 1


def _namesake(parts: list[str], groups: Mapping[str, list[str]]) -> str | None:
    """Return the group of the same full name without a title."""
    whole = " ".join(parts)
    return whole if whole in groups else None


def _owner_of(name: str, parts: list[str], bearers: Mapping[str, list[str]], totals: Counter[str]) -> str | None:
    """Return the fuller name that a short one belongs to, None when it could be that of several people."""
    owners = bearers.get(parts[0], [])
    if _is_womans(name):
        owners = [owner for owner in owners if _is_womans(owner)]
    elif len(name.split()) > 1:
        owners = [owner for owner in owners if not _is_womans(owner) and owner.split()[-1] == parts[0]]
    else:  # a surname alone is rarely that of the woman who is called Mrs.
        owners = [owner for owner in owners if not _is_womans(owner) or totals[owner] > totals[name]]
    if not owners:
        return None
    ordered = sorted(owners, key=lambda owner: (-totals[owner], owner))
    clear = len(ordered) == 1 or totals[ordered[0]] >= 3 * totals[ordered[1]]
    return ordered[0] if clear else None


def _is_womans(name: str) -> bool:
    return name.split()[0].rstrip(".") in _WOMENS_TITLES


def _shown(name: str, aliases: Iterable[str], totals: Counter[str]) -> str:
    return max((name, *aliases), key=lambda alias: (totals[alias], len(alias)))


def _others(name: str, aliases: list[str], totals: Counter[str]) -> list[str]:
    shown = _shown(name, aliases, totals)
    return sorted(alias for alias in (name, *aliases) if alias != shown)
