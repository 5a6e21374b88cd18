"""What a line must show at first sight to be worth reading as a heading: two expressions for whole passages.

They let through every line that `headings` and `candidates` accept, and as few others as can be told
without reading: a passage has a hundred lines of prose for one heading. They are made from the same
vocabulary, so a new word needs no change here; a new form of heading does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from novel_tasks_core.text.hanheadings import HAN_FIRST
from novel_tasks_core.text.numberwords import number_words
from novel_tasks_core.text.numerals import HAN_NUMERAL
from novel_tasks_core.text.vocabulary import ARTICLES, DIVISION_RANKS, HAN_UNITS, NAMED_HEADINGS

INDENT = 300
"""How far a line may be indented."""

_APART = r"(?![^\W\d_])"
_LETTERS = r"[^\W\d_]"
_LOWER = r"[a-zß-öø-ÿа-яё]"
_ROMAN = "IVXLCDMІХСМУ"
_ROMANS = _ROMAN + _ROMAN.lower()
_DIGITS = r"0-9０-９Ⅰ-ↈ\u2f00-\u2f1a\uff21-\uff3a"
_NUMERAL = rf"{HAN_NUMERAL}0-9０-９Ⅰ-ↈ\u2f00-\u2fdf"
_NOTE = "《［｜"
_DASHES = r"\-–—―─"
_ORNAMENTS = r"(\[{【〔「『《〈<（［#*_=~•☆★◆◇■□●○▲△※+|.·§｜"
_SENTENCE_ENDS = r",;，；、。…”’\"»」』"
_HAN_FIRST = "".join(sorted(HAN_FIRST | {name[0] for name in NAMED_HEADINGS if name > "\u2e80"}))
_SPACES = r"[ \t\u3000\xa0]"
_WORD_END = ""
_ADORNED_ENDS = [(_DASHES, r"\n"), (_DASHES, r"\r\n"), (r" \t\u3000", r"\n"), (r" \t\u3000\r", r"\r\n")]
_COMPATIBLE = r"²³¹\u2070-\u209f\u2460-\u24ff\u3200-\u32ff"
_LETTERSPACED = r"[^\W\d_](?: [^\W\d_](?=[ .])){2}"
_BLANK = rf"[^\S\n]{{0,{INDENT}}}+"


@cache
def possible_line() -> re.Pattern[str]:
    """Return what finds the lines that may be numbered or named; a match ends before their visible characters.

    A line is found by the newline before it, and must have one at its end.
    """
    adorned = "|".join(rf"(?<=[{end}]{newline})" for end, newline in _ADORNED_ENDS)
    ornament = rf"(?:[{_DASHES}](?=[^\n]{{0,119}}+\n(?:{adorned}))|[{_ORNAMENTS}])"
    behind = r"(?:［＃[^］\n]{0,200}］|《[^》\n]{0,60}》|[^\w\n]|_)*+"
    capitals = "".join(sorted({word[0].upper() for word in _latin_words()} | set(_ROMAN)))
    inside = rf"[{_NUMERAL}{_DIGITS}{_COMPATIBLE}]|VIP|{_any_words()}|{_han()}"
    dressed = rf"(?={ornament})(?:{behind}(?:{inside})|[^\n第]{{0,220}}+(?<=[^\S\n])第)"
    return re.compile(
        rf"\n{_BLANK}(?=[{capitals}{_DIGITS}{_DASHES}{_ORNAMENTS}{_HAN_FIRST}])"
        rf"(?=(?=[{capitals}]){_words(capital=True)}|(?=[{_HAN_FIRST}]){_han()}|[{_DIGITS}]|{_LETTERSPACED}|{dressed})"
    )


@cache
def lone_line() -> re.Pattern[str]:
    """Return what finds the lines between blank ones that may be titles; a match ends before their characters.

    Every line must have a newline at its end.
    """
    ends = "".join(rf"(?<![{_SENTENCE_ENDS}.]{newline})" for newline in (r"\n", r"\r\n"))
    title = rf"[^a-z{_DASHES}*_=~•…\"“”‘'«»„][^\n]{{0,120}}\n{ends}"
    few = r"(?=[^\n]{1,60}\n)[^\s.]++(?:[ \t]+\S++){0,2}[^\S\n]*\n"
    dated = r"(?=[^\n]{1,70}\n)[^\n]*[0-9]{1,4}[^\n]{0,12}\n"
    capitals = r"[^a-zß-öø-ÿа-яё\n]{2,120}+\n"
    small = rf"(?={_LOWER}){_any_words()}"
    return re.compile(
        rf"\n{_BLANK}\n{_BLANK}(?=[^\s\"“‘«„])(?=[^\n]{{1,120}}\n[^\S\n]*+\n)(?={title}|{few}|{dated}|{capitals}|{small})"
    )


def _words(*, capital: bool) -> str:
    """Return how a heading begins that names a division, a number in letters, or is itself a name.

    A number or division that goes on like a sentence, `I was`, is none.
    """
    divisions = _either(DIVISION_RANKS, 20, capital=capital)
    numbers = rf"[{_ROMAN}][{_ROMANS}]{{0,8}}{_APART}|{_either(_number_words(), 4, capital=capital)}{_LETTERS}*"
    later = {part for word in _number_words() for part in re.split(r"[\W_]", word)[1:]}
    division = _either(DIVISION_RANKS, 4, capital=False)
    return (
        rf"(?:{divisions}(?![^\S\n]+(?!{_number()}){_LOWER})"
        rf"|(?:{numbers})(?:(?![’'])(?![ \t]{_LOWER})(?!{_SPACES}*[.:;,)\]{_DASHES}]+{_SPACES}*[a-z])"
        rf"|(?=[^\w\n]+{_either(later, 2, capital=False)})|(?=(?:[^\w\n]+\w+){{0,2}}?[^\w\n]*\b{division}))"
        rf"|{_either(_latin_names(), 8, capital=capital)}"
        rf"|{_either(ARTICLES, 9, capital=capital)}[^\S\n]+{_number()})"
    )


def _any_words() -> str:
    """Return how a heading may begin that has ornaments or a small letter first: less sure, and seldom needed."""
    return rf"(?:[{_ROMANS}]{{1,9}}{_APART}|{_either(_latin_words(), 3, capital=False)})"


def _number() -> str:
    """Return how a number in letters begins, or the article or sign before one."""
    words = _number_words() | ARTICLES | {"nr", "num", "no"}
    return rf"(?:[{_ROMANS}]{{1,9}}{_APART}|{_either(words, 2, capital=False)}|n[°º]|№)"


@cache
def _number_words() -> frozenset[str]:
    return frozenset(word.casefold() for word, _ in number_words())


def _latin_words() -> list[str]:
    return [*DIVISION_RANKS, *_number_words(), *_latin_names(), *ARTICLES]


def _latin_names() -> list[str]:
    return [name for name in NAMED_HEADINGS if name < "\u2e80"]


def _han() -> str:
    """Return how a heading in Chinese or Japanese begins."""
    units = "".join(HAN_UNITS)
    names = _either([name for name in NAMED_HEADINGS if name > "\u2e80"], 20, capital=False, apart="")
    return (
        rf"(?:第[^\S\n]*[{_NUMERAL}{_NOTE}]"
        rf"|[{HAN_NUMERAL}](?:[{HAN_NUMERAL}]{{0,8}}(?:[\s、.．:：)）・。·])|[{HAN_NUMERAL}]{{0,8}}[{_NOTE}])"
        rf"|[{HAN_NUMERAL}正]{{1,3}}月[{HAN_NUMERAL}初]{{1,3}}[日号號]"
        rf"|[卷巻部篇章編](?:之|の|第)?[^\S\n]*[{_NUMERAL}上中下前後后{_NOTE}]"
        rf"|[上中下前後后](?:[{units}册冊集\s:：、.．{_NOTE}])"
        rf"|(?:其|その)[^\S\n]*[{_NUMERAL}{_NOTE}]"
        rf"|[{_HAN_FIRST}](?:[^\s第]{{0,12}}[^\S\n]+第|[文新][^\n第]{{0,14}}第|[{_NOTE}])"
        rf"|{names}[\W_])"
    )


def _either(words: Iterable[str], longest: int, *, capital: bool, apart: str = _APART) -> str:
    """Return an expression for any of some words in any case; of a word that is longer only so much must be there.

    With `capital` the first letter must be one.
    """
    root: dict[str, Any] = {}
    for word in sorted(set(words)):
        node = root
        for letter in word[:longest]:
            node = node.setdefault(letter, {})
        node[_WORD_END] = apart if len(word) <= longest else ""
    return _branches(root, capital=capital)


def _branches(node: dict[str, Any], *, capital: bool = False) -> str:
    branches = [
        following if key == _WORD_END else _letter(key, capital=capital) + _branches(following)
        for key, following in sorted(node.items(), reverse=True)
    ]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _letter(letter: str, *, capital: bool) -> str:
    """Return an expression for a letter of a casefolded word."""
    if not letter.isalpha():
        return {"'": "[’']", " ": r"[^\S\n]+"}.get(letter, re.escape(letter))
    upper = letter.upper()
    return upper if capital or upper == letter else f"[{letter}{upper}]"
