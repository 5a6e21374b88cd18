"""Numbers are read in every way that headings write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novel_tasks_core.text.numerals import NumeralSystem, fold_width, han_value, read_numeral

NUMBERS = [
    ("7", 7), ("007", 7), ("１２", 12), ("XIV", 14), ("xiv", 14), ("IIII", 4), ("XXXX", 40), ("Ⅻ", 12), ("ХIХ", 19),
    ("十", 10), ("十二", 12), ("二十", 20), ("廿一", 21), ("一百零八", 108), ("一百一", 101), ("一百二十", 120),
    ("两", 2), ("壹", 1), ("贰拾叁", 23), ("一二〇", 120), ("⼀", 1),
    ("One", 1), ("TWENTY-FIRST", 21), ("Forty-Two", 42), ("Ninety nine", 99),
    ("premier", 1), ("Première", 1), ("dix-septième", 17), ("soixante-et-onze", 71), ("quatre-vingt-dix-neuvième", 99),
    ("Erstes", 1), ("Siebenundzwanzigstes", 27), ("Dreißigster", 30),
    ("primero", 1), ("Vigésimo primera", 21), ("Treinta y dos", 32),
    ("ПЕРВАЯ", 1), ("третья", 3), ("Двадцать вторая", 22), ("сороковая", 40), ("BTОРАЯ", 2),
]  # fmt: skip


@pytest.mark.parametrize(("written", "value"), NUMBERS)
def test_reads_a_number(written: str, value: int) -> None:
    """Arabic, Roman, Chinese and word numbers, with old and look-alike spellings."""
    numeral = read_numeral(fold_width(written))

    assert numeral is not None
    assert numeral.value == value


@pytest.mark.parametrize("text", ["", "Did", "Ivan", "mild", "第", "百百", "Civil war", "ViI"])
def test_reads_no_number_where_there_is_none(text: str) -> None:
    """Words that only begin like a number are none."""
    assert read_numeral(text) is None


@given(st.integers(min_value=1, max_value=3999))
def test_reads_every_roman_number(value: int) -> None:
    """Whatever is written in standard Roman form comes back."""
    numeral = read_numeral(roman(value))

    assert numeral is not None
    assert (numeral.value, numeral.system) == (value, NumeralSystem.ROMAN)


@given(st.text(alphabet="零一二三四五六七八九十百千两廿", max_size=12))
def test_odd_chinese_numbers_do_no_harm(digits: str) -> None:
    """Any string of number characters has a value or none."""
    value = han_value(digits) if digits else None

    assert value is None or value >= 0


def roman(value: int) -> str:
    """Write a number in Roman form."""
    steps = zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
        strict=True,
    )
    written = ""
    for size, letters in steps:
        count, value = divmod(value, size)
        written += letters * count
    return written
