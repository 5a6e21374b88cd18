"""Read headings of Chinese and Japanese books: 第一回, 卷二, 上, 其三, 十二、…"""

from __future__ import annotations

import re

from novel_tasks_core.text import vocabulary
from novel_tasks_core.text.forms import Form, Heading
from novel_tasks_core.text.numerals import HAN_NUMERAL, NumeralSystem, han_value, read_numeral
from novel_tasks_core.text.vocabulary import CHAPTER

_HAN_UNIT = "".join(vocabulary.HAN_UNITS)
_HAN_DIVISION = re.compile(
    rf"(?:正文\s*|VIP\S{{0,4}}\s*|最新)?(?:[^\s第]{{0,10}}\s+)?第\s*([{HAN_NUMERAL}]{{1,9}}|[0-9]{{1,5}})\s*([{_HAN_UNIT}])"
)
_HAN_VOLUME = re.compile(
    rf"(卷|巻|部|篇|章|編)(?:之|の|第)?\s*([{HAN_NUMERAL}]{{1,5}}|[0-9]{{1,4}}|[上中下前後后])(?=\s|$|[:：、.．])"
)
_HAN_PART = re.compile(r"([上中下前後后])([卷巻篇編编部册冊集])(?=\s|$|[:：、.．])|([上中下])(?=\s|$)")
_HAN_ONE_OF = re.compile(rf"(?:其|その|之|の)\s*([{HAN_NUMERAL}]{{1,5}})(?=\s|$|[:：、.．])")
_HAN_OTHER = re.compile(rf"第([{HAN_NUMERAL}]{{1,5}}|[0-9]{{1,4}})[のノ之]([^\s、。]{{1,6}})$")
_SEPARATORS = " :：、.．"
_HAN_POSITIONS = {"上": 1, "前": 1, "中": 2, "下": 3, "後": 3, "后": 3}
HAN_FIRST = frozenset("第卷巻部篇章編正其そ上中下前後后最" + HAN_NUMERAL)
"""What a numbered heading in Chinese or Japanese may begin with, decorations aside."""
_HAN_TRAILER = re.compile(r"[。，、；？！,;]")


def parse_han_heading(text: str, style: str) -> Heading | None:
    """Read a line, undressed of its decoration, as a heading; `style` is the bracket that was around it."""
    match = _HAN_DIVISION.match(text)
    if match:
        return _han_division(text, match, style)
    for pattern, read in ((_HAN_OTHER, _other), (_HAN_VOLUME, _volume), (_HAN_PART, _position), (_HAN_ONE_OF, _one_of)):
        match = pattern.match(text)
        if match:
            return read(match, text[match.end() :].strip(_SEPARATORS))
    return _han_numbered(text, style)


def _other(match: re.Match[str], rest: str) -> Heading:
    """Read `第一の手記`: any noun may be counted."""
    return Heading(Form.DIVISION, match[2], CHAPTER, _number(match[1]), NumeralSystem.HAN, rest)


def _volume(match: re.Match[str], rest: str) -> Heading:
    value = _HAN_POSITIONS.get(match[2]) or _number(match[2])
    return Heading(Form.DIVISION, match[1], vocabulary.HAN_UNITS[match[1]], value, NumeralSystem.HAN, rest)


def _position(match: re.Match[str], rest: str) -> Heading:
    """Read `上卷` and `上　先生と私`: the first, middle or last of the parts."""
    value = _HAN_POSITIONS[match[1] or match[3]]
    neat = not _HAN_TRAILER.search(rest)
    return Heading(Form.DIVISION, "上", vocabulary.PART, value, NumeralSystem.HAN, rest, neat)


def _one_of(match: re.Match[str], rest: str) -> Heading:
    """Read `其三` and `その三`."""
    form = Form.TITLED if rest else Form.BARE
    return Heading(form, "", CHAPTER, _number(match[1]), NumeralSystem.HAN, rest, style="其")


def _han_division(text: str, match: re.Match[str], style: str) -> Heading:
    """Read `第一回　…`; a unit followed at once by text must not read like a sentence."""
    rest = text[match.end() :]
    inner = _HAN_DIVISION.search(rest) if vocabulary.HAN_UNITS[match[2]] == vocabulary.PART else None
    if inner and vocabulary.HAN_UNITS[inner[2]] == CHAPTER:
        return _han_division(rest, inner, style)
    title = rest.strip(" :：、.．-—–】]")
    spaced = not rest or not rest[0].isalnum()
    ended = bool(title) and title[-1] in "。，；、,;"
    crowded = not spaced and (len(title) > 16 or bool(_HAN_TRAILER.search(title)))
    neat = not ended and not crowded and not (not spaced and title[0] in "的是里中就也都才")
    return Heading(
        Form.DIVISION,
        match[2],
        vocabulary.HAN_UNITS[match[2]],
        _number(match[1]),
        NumeralSystem.HAN,
        title,
        neat,
        style + ("" if spaced else "joined"),
    )


def _number(digits: str) -> int | None:
    return int(digits) if digits.isdigit() and digits.isascii() else han_value(digits)


def _han_numbered(text: str, style: str) -> Heading | None:
    numeral = read_numeral(text)
    if numeral is None or numeral.system is NumeralSystem.WORD:
        return None
    rest = text[numeral.end :]
    title = rest.strip(" :：、.．)）・。")
    if not title:
        return Heading(Form.BARE, "", CHAPTER, numeral.value, numeral.system, "", style=style)
    separated = bool(style) or not rest[0].isalnum()
    if not separated or len(title) > 40 or _HAN_TRAILER.search(title):
        return None
    mark = rest.strip()[0] if not rest.strip()[0].isalnum() and rest.strip()[0] in "、.．:：" else " "
    return Heading(Form.TITLED, "", CHAPTER, numeral.value, numeral.system, title, style=style + mark)
