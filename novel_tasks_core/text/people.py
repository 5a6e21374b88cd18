"""Who is named: words in capitals, and what stands beside them, in languages whose verbs of speech we know."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from attrs import frozen

from novel_tasks_core.text.casting import find_cast
from novel_tasks_core.text.names import MENTIONS, Cast, NameEvidence
from novel_tasks_core.text.namewords import ABBREVIATED_TITLES, NameWords, has_name_words, name_words
from novel_tasks_core.text.tags import base_language

_CAPITAL = "[A-ZÀ-ÖØ-ÞŒŠŽА-ЯЁІЇЄ]"
_WORD = rf"{_CAPITAL}\w*+(?:['’‐-]\w++)*+"
_GAP = r"(?: {1,2}|[ \t]?\r?\n[ \t]?)"
_PARTICLE = "(?:de|du|des|della|di|da|von|van|der|den|la|le|del|y|ter|ten)"
_NAME = re.compile(rf"{_WORD}(?:(?:\.?{_GAP}(?:{_PARTICLE}{_GAP}){{0,2}}|\.(?={_CAPITAL}\.)){_WORD}){{0,5}}")
"""Begins with a capital and nothing else, which the regex engine finds fifteen times as fast as a condition."""
_OF = re.compile(rf" of (?:the )?{_WORD}(?: {_WORD})*")
_PART = re.compile(r"\S+")
_RANK_WORDS = (
    "King Queen Prince Princess Duke Duchess Earl Count Countess Marquis Lord Lady Emperor Ghost Spirit Knave Bishop"
    " Archbishop Dean"
)
_RANKS = tuple(_RANK_WORDS.split())
_SENTENCE_ENDS = frozenset(".!?:;\"“”‘’'«»„—–-*_([…")
_AFTER_ADDRESS = frozenset(",!?.;—…")
_BEFORE_ADDRESS = frozenset(",“‘\"'«„—")
_SCENE = 900
_MOST_KNOWN = 100_000
_LONGEST_NAME = 60
MID, ACTING, BEING, ADDRESSED, FAMILIAR, PLACED, NEAR, THE, SOME = (
    "mid",
    "acting",
    "being",
    "addressed",
    "familiar",
    "placed",
    "near",
    "the",
    "some",
)
"""The signs: inside of a sentence; before or after a verb of speech or of what people do; before an auxiliary verb;
spoken to; after a word like "wife"; after "in"; after "at" or "to"; after "the"; after "a", "every" or a number."""
SIGNS = (MID, ACTING, BEING, ADDRESSED, FAMILIAR, PLACED, NEAR, THE, SOME)


def knows_names(language: str) -> bool:
    """Tell whether people can be found in this language."""
    return has_name_words(base_language(language))


@frozen
class _Name:
    """What a run of words in capitals holds: a name, where it begins in the run, and whether it is a possessor."""

    name: str
    start: int
    owner: bool


class EuropeanNames:
    """Finds names by their capitals, and people by what stands beside them."""

    def __init__(self, language: str) -> None:
        self._language = base_language(language)
        self._words: NameWords = name_words(self._language)
        self._known: dict[str, tuple[_Name, ...]] = {}

    def find(self, text: str, spoken: Sequence[tuple[int, int]]) -> NameEvidence:
        """Return what a piece of text says of names: signs of each, and who is there in each scene."""
        evidence = NameEvidence({MENTIONS: Counter(), **{sign: Counter() for sign in SIGNS}})
        signs = evidence.signs
        scene: set[str] = set()
        scene_end, speech, speeches = 0, 0, len(spoken)
        taken = 0
        for match in _NAME.finditer(text):
            begin, end = match.span()
            if begin < taken:
                continue
            run = match[0]
            if run.endswith(_RANKS) and (more := _OF.match(text, end)):
                run, taken = run + more[0], more.end()
                end = taken
            if text[begin - 1] in "'’" and text[begin - 2 : begin - 1] == "d":
                begin, run = begin - 2, f"D'{run}"
            names = self._known.get(run)
            if names is None:
                names = self._remember(run)
            for found in names:
                start = begin + found.start
                if start >= scene_end:
                    _close(evidence, scene)
                    scene_end = _scene_end(text, start)
                while speech < speeches and spoken[speech][1] <= start:
                    speech += 1
                talking = speech < speeches and spoken[speech][0] <= start
                addressed = self._note(signs, text, start, end, found, talking)
                if addressed or not talking:
                    scene.add(found.name)
        _close(evidence, scene)
        evidence.signs = {sign: counts for sign, counts in signs.items() if counts or sign == MENTIONS}
        return evidence

    def cast(self, total: NameEvidence, words: Mapping[str, int]) -> Cast:
        """Join the evidence of the whole book into people."""
        return find_cast(total, words, self._words)

    def _note(
        self, signs: dict[str, Counter[str]], text: str, start: int, end: int, found: _Name, talking: bool
    ) -> bool:
        """Count one name and what stands beside it; return whether it is spoken to."""
        words, name = self._words, found.name
        signs[MENTIONS][name] += 1
        before = text[max(0, start - 30) : start].rsplit(None, 2)
        last = before[-1] if before else ""
        if found.start or (last and last[-1] not in _SENTENCE_ENDS and not _is_gap(text, start)):
            signs[MID][name] += 1
        addressed = False
        after = text[end : end + 24]
        if last in words.the and not found.start:
            signs[THE][name] += 1
            last = before[-2] if len(before) > 1 else ""
        elif last in words.some:
            signs[SOME][name] += 1
        if last in words.speech:
            signs[ACTING][name] += 1
        elif last in words.familiar:
            signs[FAMILIAR][name] += 1
        elif last in words.places and not found.owner:
            signs[PLACED][name] += 1
        elif last in words.near and not found.owner:
            signs[NEAR][name] += 1
        elif (
            talking
            and after[:1] in _AFTER_ADDRESS
            and (start in _EMPTY or text[start - 1] in _BEFORE_ADDRESS or last[-1:] == ",")
        ):
            signs[ADDRESSED][name] += 1
            addressed = True
        if not found.owner and after[:1].isspace():
            following = after.split(None, 2)
            if following:
                word = following[0].rstrip(",.;:!?")
                if word.endswith("ly") and len(following) > 1:
                    word = following[1].rstrip(",.;:!?")
                if word in words.speech or word in words.acts:
                    signs[ACTING][name] += 1
                elif word in words.beings:
                    signs[BEING][name] += 1
        elif after.startswith(", who "):
            signs[ACTING][name] += 1
        return addressed

    def _remember(self, run: str) -> tuple[_Name, ...]:
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        found = self._known[run] = tuple(self._parse(run))
        return found

    def _parse(self, run: str) -> list[_Name]:
        """Cut a run of capitals into names: at full stops that end a sentence, behind words that only open one."""
        names: list[_Name] = []
        begin, parts = 0, list[str]()
        for match in _PART.finditer(run):
            word = match[0]
            word = word.strip("_")
            bare = word.rstrip(".")
            if bare.isupper() and len(bare) > 2 and "." not in bare:
                bare = bare.capitalize()
            title = bare in self._words.titles
            if title and any(part.rstrip(".") not in self._words.titles for part in parts):
                names += self._made(parts, begin)
                parts = []
            if not parts:
                begin = match.start()
                if _stem(bare) in self._words.openers or _is_shout(bare):
                    continue
            stop = word.endswith(".")
            ends = bare.endswith(_OWNS) or (
                stop and bare not in ABBREVIATED_TITLES and len(bare) > 1 and "." not in bare
            )
            parts.append(f"{bare}." if stop and not ends else bare)
            if ends:
                names += self._made(parts, begin)
                parts = []
        return names + self._made(parts, begin)

    def _made(self, parts: list[str], begin: int) -> list[_Name]:
        """Return the name that these words make, if any."""
        while parts and (parts[-1].islower() or parts[-1] in self._words.openers):
            if len(parts) > 1 and parts[-2].rstrip(".") in self._words.titles:
                break
            parts = parts[:-1]
        if not parts:
            return []
        last = parts[-1]
        owner = last.endswith(_OWNS)
        if owner:
            last = last[:-2]
        if not last or (len(parts) == 1 and (len(last) < 2 or last in self._words.openers)):
            return []
        name = " ".join([*parts[:-1], last])
        if name.startswith(("D'", "D’")):
            name = f"d'{name[2:]}"
        return [_Name(name, begin, owner)] if len(name) <= _LONGEST_NAME else []


_EMPTY = (0,)
_OWNS = ("'s", "’s")


def _stem(word: str) -> str:
    """Return a word without what follows its apostrophe: it’s, I’ll, don’t."""
    return (
        word.replace("’", "'").partition("'")[0] if (len(word) > 2 and word[1] not in "'’") or word[:1] == "I" else word
    )


def _is_shout(word: str) -> bool:
    """Tell a roman numeral or a single letter from a name."""
    return len(word) > 1 and word.isupper() and not word.strip("IVXLC")


def _is_gap(text: str, start: int) -> bool:
    """Tell whether a blank line stands before."""
    return "\n" in text[max(0, start - 4) : start] and not text[max(0, start - 4) : start].strip()


def _scene_end(text: str, start: int) -> int:
    """Return where the paragraph ends that is nearest to a scene's length."""
    found = text.find("\n\n", start + _SCENE)
    if found < 0 or found > start + 3 * _SCENE:
        found = text.find("\n", start + _SCENE)
    return found if found >= 0 else len(text)


def _close(evidence: NameEvidence, scene: set[str]) -> None:
    if scene:
        evidence.scenes.append(tuple(sorted(scene)))
        scene.clear()
