"""The people of a Japanese novel, as far as they can be told surely: by what they are called and by what they do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from attrs import define, field

from novel_tasks_core.text.hancast import HanPerson
from novel_tasks_core.text.hannames import CastNames

_MARKUP = re.compile("(?<=[\u3400-\u9fff々〆ヶ］])《[ぁ-ヺー・]+》|｜(?=[\u3400-\u9fff])|［＃[^］\n]*］")
_KATAKANA = "[ァ-ヴー]"
_KANJI = "[\u4e00-\u9fff々]"
_CALLED = "先生|お嬢さん|奥さん"
_NAME = re.compile(
    rf"(?<![\u4e00-\u9fff々ァ-ヴー])({_CALLED})"
    rf"|(?<![ァ-ヴー・＝])({_KATAKANA}{{2,}}(?:[・＝]{_KATAKANA}{{2,}})*)(?![ァ-ヴー])"
    rf"|(?<!{_KANJI})({_KANJI}{{1,4}}?)(?=さん|君|くん|様|さま|ちゃん|氏|嬢)"
    r"|(?<![A-Za-zＡ-Ｚ])([A-ZＡ-Ｚ])(?=[はがもにのをと、])"
)
_HONORIFIC = re.compile("さん|君|くん|様|さま|ちゃん|氏|嬢")
_SUBJECT = re.compile("(?:さん|君|くん|様|さま|ちゃん|氏|嬢)?[はがも]")
_ACTS = re.compile(
    "[^。「」\n]{0,30}?(?:言[いっわ]|云[いっ]|いいま|といっ|答え|叫[びん]|聞[きい]|訊[きい]|笑[いっ]|思[いっ]"
    "|考え|泣[きい]|黙[りっ]|うなず|尋ね)"
)
_RELATIONS = "祖父 祖母 伯父 叔父 伯母 叔母 旦那 医者 学者 主人 生徒 子供 女中 亭主 巡査"
_NO_NAMES = frozenset(
    "奥娘嬢父母兄姉弟妹婆爺皆客神仏王貴諸主坊何誰彼殿若赤仕同有異模多別今此其左右一二三両無"
) | frozenset(_RELATIONS.split())
_FEWEST_ACTS, _FEWEST_ACTS_CALLED = 3, 15
_MOST = 60
_MOST_NAMES = 50_000


@define
class _Evidence:
    """How often each name is written, is the subject of a clause, acts as people do, and bears an honorific."""

    mentions: Counter[str] = field(factory=Counter)
    subject: Counter[str] = field(factory=Counter)
    acts: Counter[str] = field(factory=Counter)
    honoured: Counter[str] = field(factory=Counter)

    def read(self, text: str) -> None:
        for match in _NAME.finditer(text):
            name, end = match[0], match.end()
            if name in _NO_NAMES or (name not in self.mentions and len(self.mentions) >= _MOST_NAMES):
                continue
            self.mentions[name] += 1
            if _HONORIFIC.match(text, end):
                self.honoured[name] += 1
            if subject := _SUBJECT.match(text, end):
                self.subject[name] += 1
                if _ACTS.match(text, subject.end()):
                    self.acts[name] += 1

    def people(self) -> list[HanPerson]:
        names = sorted((name for name in self.mentions if self._is_person(name)), key=lambda n: (-self.mentions[n], n))
        return [HanPerson(name, (), self.mentions[name], (name,)) for name in names[:_MOST]]

    def _is_person(self, name: str) -> bool:
        acts, subject, total = self.acts[name], self.subject[name], self.mentions[name]
        if name in _CALLED:
            return acts >= _FEWEST_ACTS_CALLED
        if acts < _FEWEST_ACTS or acts * 8 < subject:
            return False
        return self.honoured[name] * 2 >= total or subject * 4 >= total


def without_readings(text: str) -> str:
    """Take out the readings of characters and the notes on type of the Aozora library: 河原《かわら》 is 河原."""
    return _MARKUP.sub("", text)


def japanese_names(pieces: Callable[[], Iterable[str]]) -> CastNames | None:
    """Return a finder of the people of a Japanese novel, who are known when this has read its pieces.

    None when nobody is sure: names in kanji without an honorific are not told from other words.
    """
    evidence = _Evidence()
    for text in pieces():
        evidence.read(without_readings(text))
    people = evidence.people()
    return CastNames(people) if people else None
