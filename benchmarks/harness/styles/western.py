"""Headings of Western books, each made for every language that has its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.harness.ordinals import cardinal, ordinal
from benchmarks.harness.restyle import HeadingLines, Style, roman
from benchmarks.harness.styles.words import (
    BOOK,
    CHAPTER,
    LATIN,
    MONTHS,
    PART,
)


def western(
    name: str, group: str, make: Callable[[str], HeadingLines], families: str = LATIN, **more: Any
) -> list[Style]:
    """Make one style for every language, its heading made by `make(language)`."""
    return [
        Style(name=f"{name}", group=group, families=family, heading=make(family), **_of(more, family))
        for family in families.split()
    ]


def _of(more: dict[str, Any], family: str) -> dict[str, Any]:
    return {key: value[family] if isinstance(value, dict) else value for key, value in more.items()}


def upper(family: str) -> HeadingLines:
    """Return CHAPTER I in the language."""
    return lambda n, t: f"{CHAPTER[family].upper()} {roman(n)}"


def bare(family: str) -> HeadingLines:
    """Return I."""
    return lambda n, t: roman(n)


def part_in_words(family: str) -> HeadingLines:
    """Return PART ONE in the language."""
    if family in ("fr", "de"):
        return lambda n, t: f"{ordinal(n, family).capitalize() if family == 'de' else feminine(n)} {PART[family]}"
    if family == "ru":
        return lambda n, t: f"ЧАСТЬ {ordinal(n, 'ru').upper()}"
    if family == "es":
        return lambda n, t: f"PARTE {_feminine_es(n)}"
    return lambda n, t: f"PART {cardinal(n, 'en').upper()}"


def feminine(number: int) -> str:
    """Write the place of a part in French."""
    return "Première" if number == 1 else ordinal(number, "fr").capitalize()


def _feminine_es(number: int) -> str:
    return (ordinal(number, "es")[:-1] + "a").upper()


def in_words(family: str) -> HeadingLines:
    """Return the heading with its number in words, as the language says it."""
    chapter = CHAPTER[family]
    if family == "de":
        return lambda n, t: f"{ordinal(n, 'de').capitalize()} {chapter}"
    if family == "en":
        return lambda n, t: f"CHAPTER {cardinal(n, 'en').upper()}"
    return lambda n, t: f"{chapter} {ordinal(n, family)}"


def summary(title: str, family: str) -> str:
    """Return what an old novel says below the number of a chapter."""
    return {
        "en": f"In which we hear of {title.lower()}, and of\nwhat came of it, with other matters worth the telling.",
        "fr": f"Où il est question de ceci: {title.lower()},\net de ce qui en advint.",
        "de": f"In welchem von anderem die Rede ist: {title},\nund was daraus ward.",
        "es": f"Que trata de lo siguiente: {title.lower()},\ncon otras cosas dignas de saberse.",
        "ru": f"В которой речь идёт о том, что {title.lower()},\nи о прочем.",
    }[family]


def date(family: str) -> HeadingLines:
    """Return the days of a diary, eleven apart."""
    months = MONTHS[family].split()

    def made(number: int, title: str) -> str:
        day, month = number * 11 % 28 + 1, months[(number // 2 + 3) % 12]
        return {
            "en": f"{day} {month}.", "fr": f"{day} {month}.", "de": f"{day}. {month}", "es": f"{day} de {month}",
            "ru": f"{day} {month}",
        }[family]  # fmt: skip

    return made


def english_date(number: int, title: str) -> str:
    """Return the day of a letter, May 3rd, 1771."""
    return f"{MONTHS['en'].split()[(number // 2 + 3) % 12]} {number * 11 % 28 + 1}th, 17{60 + number // 6}"


def misprinted(heading: HeadingLines, wrong: dict[int, Callable[[str], str]]) -> HeadingLines:
    """Return headings of which some, by number, are changed."""
    return lambda n, t: wrong.get(n, str)(heading(n, t))


def cyrillic(number: int) -> str:
    """Write a Roman number in Cyrillic letters."""
    return roman(number).replace("I", "І").replace("X", "Х")


def book_roman(family: str) -> HeadingLines:
    """Return BOOK I and its title in the language."""
    return lambda n, t: f"{BOOK[family].upper()} {roman(n)}\n\n{t.upper()}"
