"""What is looked for at first sight lets every heading through."""

from __future__ import annotations

import re
from unicodedata import normalize

from hypothesis import example, given, settings
from hypothesis import strategies as st

from novel_tasks_core.text.candidates import examine, possible_lines
from novel_tasks_core.text.numberwords import number_words
from novel_tasks_core.text.vocabulary import (
    ARTICLES,
    CONTENTS_TITLES,
    DIVISION_RANKS,
    HAN_UNITS,
    NAMED_HEADINGS,
)
from novel_tasks_core.text.windows import Window

CASES = (str, str.title, str.upper, str.lower, str.capitalize)
LATIN = [*DIVISION_RANKS, *NAMED_HEADINGS, *ARTICLES, *(word for word, _ in number_words()), "tom", "i", "mix"]
NUMBERS = [
    "I",
    "iv",
    "XIV",
    "IIII",
    "ІХ",
    "Х",
    "1",
    "12.",
    "007",
    "Ⅳ",
    "１２",
    "2e",
    "2nd",
    "№ 3",
    "No. 4",
    "one",
    "One",
]
HAN_NUMBERS = ["一", "十二", "两", "壹", "二〇", "⼀", "３", "12", "上", "后"]
HAN = [
    *(f"第{number}{unit}" for number in HAN_NUMBERS for unit in HAN_UNITS),
    *(f"{unit}{joint}{number}" for unit in "卷巻部篇章編" for joint in ("", "之", "の", " ") for number in HAN_NUMBERS),
    *(place + unit for place in "上中下前後后" for unit in ("", "卷", "巻", "篇", "部", "册")),
    *(
        "其三",
        "その 五",
        "正文 第一章",
        "正文",
        "最新第2章",
        "VIP章 第3章",
        "三国 第一回",
        "中部某处　第六回",
        "第一の手記",
    ),
    *HAN_NUMBERS,
    *(name for name in NAMED_HEADINGS if name > "\u2e80"),
]
BEFORE = [
    "",
    "",
    "",
    "  ",
    "　　",
    "# ",
    "## ",
    "* ",
    "- ",
    "-- ",
    "— ",
    "[",
    "(",
    "【",
    "「",
    "《",
    "〈",
    "§ ",
    "'",
    "“",
    "｜",
    "*_",
]
AFTER = [
    "",
    "",
    "",
    ".",
    ":",
    " *",
    " -",
    " --",
    " —",
    "]",
    ")",
    "】",
    "」",
    "》",
    " ",
    "\r",
    "。",
    "!",
    "?",
    "…",
    ",",
    "(注)",
]
TITLES = [
    "",
    "",
    "The Mill",
    "the mill",
    "THE MILL.",
    "A stranger came, and went",
    "山中来客",
    "утро",
    "‘Rain’",
    "de la Mancha",
    "day",
]
BETWEEN = ["", " ", ". ", ": ", " - ", "—", "  ", "、", "　", ", ", "：", "-", "'", "’"]
NOTES = ["", "", "", "［＃５字下げ］", "《ルビ》", "［＃「一」は中見出し］"]


def cased(words: list[str]) -> st.SearchStrategy[str]:
    """Draw a word in any case."""
    return st.builds(lambda word, case: case(word), st.sampled_from(words), st.sampled_from(CASES))


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw parts and put them together."""
    return st.tuples(*parts).map("".join)


WORD = cased(LATIN) | st.sampled_from(NUMBERS) | st.sampled_from(HAN)
LINE = joined(
    st.sampled_from(BEFORE),
    st.sampled_from(NOTES),
    WORD,
    st.sampled_from(BETWEEN),
    st.sampled_from([""]) | WORD,
    st.sampled_from(BETWEEN),
    st.sampled_from([""]) | WORD,
    st.sampled_from(BETWEEN),
    st.sampled_from(TITLES),
    st.sampled_from(NOTES),
    st.sampled_from(AFTER),
)
PLAIN = st.characters(codec="utf-8").filter(lambda character: normalize("NFKC", character) == character)
TITLE = joined(st.sampled_from(BEFORE), st.text(PLAIN, min_size=1, max_size=75), st.sampled_from(AFTER)) | cased(
    sorted(CONTENTS_TITLES)
)
TEXTS = st.lists(
    joined(LINE | LINE | TITLE, st.sampled_from(["\n", "\n\n", "\n\n\n", "\r\n\r\n", "\n and so on\n"])), max_size=6
).map("".join)


def every_line(window: Window) -> list[int]:
    """Name every line of a window."""
    starts = [match.end() for match in re.finditer("\n", window.text)]
    first = [] if window.offset or window.begin else [0]
    return [at for at in first + starts if window.begin <= at < window.limit]


@settings(deadline=None)
@given(text=TEXTS)
@example(text="Twenty-first Night\nOne hundred\nI. chapter\nПервая часть\nThe Last Chapter\nquatre-vingt et un\n")
@example(text="x\n\nZölftes Kapitel.\n\nTHE END.\n\nProblem 4.\n\nNo ending\n\n")
@example(text="Schluß\n\nDreißigstes Kapitel\n\nSchluss: Der Abend\n\nLesson 3\n")
@example(text="-- I --   \n― 二 ―\r\n「第一章」\n-- I --\u3000\n")
def test_no_heading_is_overlooked(text: str) -> None:
    """Reading only the lines that pass at first sight finds what reading every line does."""
    assert examine(text, possible_lines) == examine(text, every_line)
