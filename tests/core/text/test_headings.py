"""One line is read as a heading, or is none."""

from __future__ import annotations

import pytest

from novel_tasks_core.text.forms import Form
from novel_tasks_core.text.headings import collapse, parse_heading

DIVISIONS = [
    ("CHAPTER I. Loomings.", "chapter", 1, "Loomings."),
    ("Chapter the First", "chapter", 1, ""),
    ("THE FIRST CHAPTER", "chapter", 1, ""),
    ("STAVE II:  THE FIRST OF THE THREE SPIRITS", "stave", 2, "THE FIRST OF THE THREE SPIRITS"),
    ("Letter 4", "letter", 4, ""),
    ("BOOK ONE: 1805", "book", 1, "1805"),
    ("PART THE SECOND.", "part", 2, ""),
    ("Erstes Kapitel", "kapitel", 1, ""),
    ("12. Kapitel", "kapitel", 12, ""),
    ("Première Partie", "partie", 1, ""),
    ("2e partie", "partie", 2, ""),
    ("CHAPITRE PREMIER", "chapitre", 1, ""),
    ("Capítulo primero. Que trata de la condición", "capítulo", 1, "Que trata de la condición"),
    ("ГЛАВА ПЕРВАЯ", "глава", 1, ""),
    ("Глава ХIV", "глава", 14, ""),
    ("ЧАСТЬ BTОРАЯ", "часть", 2, ""),
    ("第一回　宴桃園豪傑三結義", "回", 1, "宴桃園豪傑三結義"),
    ("第001章 开端", "章", 1, "开端"),
    ("第１２章　归来", "章", 12, "归来"),
    ("第壹章 风云", "章", 1, "风云"),
    ("【第三章 夜行】", "章", 3, "夜行"),
    ("正文 第十二章 夜行", "章", 12, "夜行"),
    ("第一卷 风起 第二章 初见", "章", 2, "初见"),
    ("卷三", "卷", 3, ""),
    ("## CHAPTER V ##", "chapter", 5, ""),
    ("*Chapter 3*", "chapter", 3, ""),
]


@pytest.mark.parametrize(("line", "word", "number", "title"), DIVISIONS)
def test_reads_a_named_division(line: str, word: str, number: int, title: str) -> None:
    """Division words of eight languages, before or after their number, with and without a title."""
    heading = parse_heading(line)

    assert heading is not None
    assert (heading.form, heading.word, heading.number, heading.title) == (Form.DIVISION, word, number, title)
    assert heading.neat


@pytest.mark.parametrize(
    "line", ["XIV", "XIV.", "14", "- 14 -", "[14]", "（十四）", "十四", "FOURTEEN", "　　　　十四", "* XIV *"]
)
def test_reads_a_bare_number(line: str) -> None:
    """A number that stands alone, whatever frames it."""
    heading = parse_heading(line)

    assert heading is not None
    assert (heading.form, heading.number, heading.title) == (Form.BARE, 14, "")


@pytest.mark.parametrize(
    "line", ["IV. A SCANDAL", "4. A Scandal", "4　A Scandal", "四　午後の授業", "四、夜行", "IV  A Scandal"]
)
def test_reads_a_number_with_a_title(line: str) -> None:
    """A number, a mark or a wide space, and a title."""
    heading = parse_heading(line)

    assert heading is not None
    assert (heading.form, heading.number) == (Form.TITLED, 4)


@pytest.mark.parametrize(
    ("line", "kind"),
    [("PROLOGUE", "front"), ("Preface.", "front"), ("Epilogue: The Return", "back"), ("楔子", "front"),
     ("尾声　归来", "back"), ("Vorwort", "front"), ("ПРЕДИСЛОВИЕ", "front"), ("Épilogue", "back"),
     ("あとがき", "back")],
)  # fmt: skip
def test_reads_a_named_heading(line: str, kind: str) -> None:
    """Prefaces and epilogues need no number."""
    heading = parse_heading(line)

    assert heading is not None
    assert (heading.form, heading.style) == (Form.NAMED, kind)


@pytest.mark.parametrize(
    "line",
    ["", "* * *", "—", "I said so.", "He read the chapter", "— Chapter is over", "One night they came",
     "3.14 is a number", "一个老人坐在门前", "The house", "la maison", "x" * 500, "第"],
)  # fmt: skip
def test_reads_nothing_into_prose(line: str) -> None:
    """Ordinary lines are no headings."""
    assert parse_heading(line) is None


@pytest.mark.parametrize(
    "line", ["Chapter one of the book was dull", "Part 2, which was long", "第一回见面时，他说了很多话。"]
)
def test_prose_that_begins_like_a_heading_is_not_neat(line: str) -> None:
    """A sentence that starts with a division is read, but marked as doubtful."""
    heading = parse_heading(line)

    assert heading is not None
    assert not heading.neat


def test_aozora_notes_and_readings_are_not_part_of_a_heading() -> None:
    """Layout notes and ruby are taken out before a line is read."""
    heading = parse_heading("［＃５字下げ］二　活版所《かっぱんじょ》［＃「二　活版所」は中見出し］")

    assert heading is not None
    assert (heading.number, heading.title) == (2, "活版所")


def test_titles_are_one_clean_line() -> None:
    """White space runs become one space, control characters vanish."""
    assert collapse(" I.\t The\u3000 Door\x00\n of\u2028 Night ") == "I. The Door of Night"
