"""Numbers as headings write them: Roman, Arabic, Chinese, and words in seven languages."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import cache, lru_cache

from attrs import frozen

from novel_tasks_core.text.numberwords import number_words


class NumeralSystem(StrEnum):
    """How a number is written."""

    ARABIC = "arabic"
    ROMAN = "roman"
    HAN = "han"
    WORD = "word"


@frozen
class Numeral:
    """A number read from the start of a text: its `value`, how it was written, and where it `end`s."""

    value: int
    system: NumeralSystem
    end: int


_CYRILLIC_TO_ROMAN = str.maketrans("ІХСМУVЛіхсму", "IXCMVVLixcmv")
_LATIN_TO_CYRILLIC = str.maketrans("ABCEHKMOPTXaceopxy", "АВСЕНКМОРТХасеорху")
_CYRILLIC = re.compile("[\u0410-\u044f]")
_ROMAN = re.compile(
    r"(?=[MDCLXVI])M{0,3}(?:CM|CD|D?C{0,4})(?:XC|XL|L?X{0,4})(?:IX|IV|V?I{0,4})(?![^\W_])", re.IGNORECASE
)
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_ARABIC = re.compile(r"[0-9]{1,5}(?![0-9])")
_MISPRINTED = re.compile(r"[IVXLCivxlc0-9|!OoS]{1,7}(?![^\W_])")
_AS_DIGITS = str.maketrans("lIi|!OoS", "11111005")
_AS_LETTERS = str.maketrans("l1|!", "IIII")
_HAN_DIGITS = {
    digit: value
    for value, digits in enumerate(
        ("零〇○", "一壹壱弌幺", "二贰貳弍弐两兩", "三叁參弎参", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
    )
    for digit in digits
}
_HAN_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_HAN_TENS = {"廿": 20, "卄": 20, "卅": 30, "卌": 40}
HAN_NUMERAL = "".join((*_HAN_DIGITS, *_HAN_UNITS, *_HAN_TENS))
"""Every character that a Chinese number may hold."""
_HAN = re.compile(f"[{HAN_NUMERAL}]{{1,9}}")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:[-‐’'\s]+[^\W\d_]+){0,4}")


def fold_width(text: str) -> str:
    """Return the text with full-width and compatibility characters (Ⅳ, １, ⼀) as plain ones."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def read_numeral(text: str) -> Numeral | None:
    """Read the number that `text` starts with, None if it starts with none.

    The text should have gone through `fold_width`. Roman numerals may hold Cyrillic look-alikes and up
    to four equal letters (IIII, XXXX) as old books print them.
    """
    if not text:
        return None
    if text[0].isdigit():
        return read_arabic(text)
    if text[0] in HAN_NUMERAL:
        return read_han(text)
    roman, words = read_roman(text), read_words(text)
    if roman and words:
        return words if words.end > roman.end else roman
    return roman or words


def read_arabic(text: str) -> Numeral | None:
    """Read the Arabic number, at most five digits, at the start of `text`."""
    match = _ARABIC.match(text)
    return Numeral(int(match[0]), NumeralSystem.ARABIC, match.end()) if match else None


def read_roman(text: str) -> Numeral | None:
    """Read the Roman numeral at the start of `text`; it must end where the word ends, in one case."""
    plain = text[:20] if text.isascii() else text[:20].translate(_CYRILLIC_TO_ROMAN)
    match = _ROMAN.match(plain)
    if match is None or not (match[0].isupper() or match[0].islower()):
        return None
    return Numeral(_roman_value(match[0].upper()), NumeralSystem.ROMAN, match.end())


def read_misprinted(text: str) -> Numeral | None:
    """Read a number at the start of `text` in which a scanner took letters and digits for each other: l0, Il, 1V."""
    match = _MISPRINTED.match(text)
    if match is None or _is_plain(match[0]):
        return None
    digits = match[0].translate(_AS_DIGITS)
    if digits.isdigit() and (not match[0].strip("l") or any(map(str.isdigit, match[0]))):
        return Numeral(int(digits), NumeralSystem.ARABIC, match.end())
    letters = match[0].translate(_AS_LETTERS).upper()
    roman = _ROMAN.fullmatch(letters)
    return Numeral(_roman_value(letters), NumeralSystem.ROMAN, match.end()) if roman else None


def _is_plain(number: str) -> bool:
    """Tell a number that reads as it stands: digits, or letters of one case. A lone l is rather a one than fifty."""
    return number.isdigit() or (number.isalpha() and bool(number.strip("l")) and (number.isupper() or number.islower()))


@lru_cache(maxsize=4096)
def _roman_value(letters: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in letters]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))


def read_han(text: str) -> Numeral | None:
    """Read the Chinese number at the start of `text`: 十二, 一百零八, 廿一, 二〇, 两, 壹."""
    match = _HAN.match(text)
    if match is None:
        return None
    value = han_value(match[0])
    return None if value is None else Numeral(value, NumeralSystem.HAN, match.end())


def han_value(digits: str) -> int | None:
    """Return the value of a Chinese number, None if the characters do not make one.

    一百一 is 101 as old novels count, not 110 as people say today.
    """
    if all(digit in _HAN_DIGITS for digit in digits):
        return int("".join(str(_HAN_DIGITS[digit]) for digit in digits)) if len(digits) < 6 else None
    total, pending, smallest = 0, 0, 10_000
    for digit in digits:
        if digit in _HAN_TENS:
            total, pending = total + _HAN_TENS[digit], 0
        elif digit in _HAN_UNITS:
            unit = _HAN_UNITS[digit]
            if unit >= smallest:
                return None
            total, pending, smallest = total + (pending or 1) * unit, 0, unit
        elif pending:
            return None
        else:
            pending = _HAN_DIGITS[digit]
    return total + pending


def read_words(text: str) -> Numeral | None:
    """Read the number word at the start of `text`, cardinal or ordinal, longest first: "Twenty-first"."""
    text = text[:80]
    if _CYRILLIC.search(text):
        text = text.translate(_LATIN_TO_CYRILLIC)
    first = _FIRST_WORD.match(text)
    if first is None or _word_key(first[0]) not in _first_parts():
        return None
    match = _WORD.match(text)
    words = _word_table()
    end = match.end() if match else 0
    while end > 0:
        key = _word_key(text[:end])
        if key in words:
            return Numeral(words[key], NumeralSystem.WORD, end)
        end = max(text.rfind(separator, 0, end) for separator in (" ", "-", "‐", "’", "'", "\t"))
    return None


def _word_key(text: str) -> str:
    return _NOT_LETTERS.sub("", text.casefold().replace("ё", "е"))


@cache
def _first_parts() -> frozenset[str]:
    return frozenset(_word_key(parts[0]) for word, _ in number_words() if (parts := _FIRST_WORD.match(word)))


@cache
def _word_table() -> dict[str, int]:
    return {_word_key(word): value for word, value in number_words()}
