"""Lines that say a date and little else, as the entries of a diary and letters are headed."""

from __future__ import annotations

import re
from functools import cache

from attrs import frozen

from novel_tasks_core.text.numerals import HAN_NUMERAL, fold_width, han_value

LONGEST_DATE = 70
"""Lines of more characters are no dates."""

_MONTHS = (
    "january february march april may june july august september october november december",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "jan feb mar apr may jun jul aug sept oct nov dec",
    "jänner febr mrz apr mai jun jul aug sep okt nov dez",
)
_DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday lundi mardi mercredi jeudi vendredi samedi dimanche "
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag lunes martes miércoles jueves viernes "
    "sábado domingo понедельник вторник среда четверг пятница суббота воскресенье"
)
_PARTICLES = (
    "of the de del le la am den dem a er st nd rd th d го года г й числа evening morning night noon midnight later soir"
    " matin abends morgens nachts вечер утро ночь abend morgen to from and in at new old style"
)
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"([0-9]{1,4})(?:st|nd|rd|th|er|го|й|º|ª)?$")
_NUMBER_OF_DAYS = 31
_MOST_OTHER_WORDS = 4
_HAN_NUMBER = rf"[{HAN_NUMERAL}正元初0-9]{{1,4}}"
_HAN_DATE = re.compile(
    rf"[\s（(【「]*(?:\S{{0,6}}?[{HAN_NUMERAL}元0-9]{{1,4}}\s*年\s*)?({_HAN_NUMBER})\s*月\s*({_HAN_NUMBER})\s*[日號号]"
    r"[^。，、！？!?,]{0,14}$"
)


@frozen
class DatedLine:
    """The day that a line names, without its year."""

    month: int
    day: int


def read_date(line: str) -> DatedLine | None:
    """Read a line that says a day and at most a place, a weekday or an hour besides; None for any other."""
    text = fold_width(line.strip().strip("_*[]"))
    if not text or len(text) > LONGEST_DATE:
        return None
    return _han_date(text) if "月" in text else _western_date(text)


def _han_date(text: str) -> DatedLine | None:
    match = _HAN_DATE.match(text)
    month, day = (_value(match[1]), _value(match[2])) if match else (None, None)
    return DatedLine(month, day) if month and day and month <= 12 and day <= _NUMBER_OF_DAYS else None


def _value(digits: str) -> int | None:
    plain = digits.replace("正", "一").replace("元", "一").removeprefix("初")
    return int(plain) if plain.isdigit() and plain.isascii() else han_value(plain)


def _western_date(text: str) -> DatedLine | None:
    month = day = None
    others = 0
    for match in _WORD.finditer(text):
        word = match[0].casefold()
        number = _NUMBER.match(word)
        if word in _months() and month is None:
            month = _months()[word]
        elif number:
            value = int(number[1])
            day = value if day is None and 1 <= value <= _NUMBER_OF_DAYS else day
        elif word not in _known_words():
            others += 1
            if others > _MOST_OTHER_WORDS or match[0].islower():
                return None
    return DatedLine(month, day) if month and day else None


@cache
def _months() -> dict[str, int]:
    return {name: number for names in _MONTHS for number, name in enumerate(names.split(), start=1)}


@cache
def _known_words() -> frozenset[str]:
    return frozenset(_DAYS.split()) | frozenset(_PARTICLES.split())
