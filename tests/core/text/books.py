"""Books of known structure, set as wanted, for tests."""

from __future__ import annotations

import random
from collections.abc import Callable

from novel_tasks_core import read_novel
from novel_tasks_core.text.novel import Chapter, Novel

SENTENCES = {
    "en": "The road went on through the woods, and nobody spoke of what had been seen at the mill. ",
    "fr": "La route continuait dans les bois, et personne ne parlait de ce qu'on avait vu au moulin. ",
    "de": "Der Weg führte weiter durch den Wald, und niemand sprach von dem, was man an der Mühle gesehen hatte. ",
    "es": "El camino seguía por el bosque, y nadie hablaba de lo que se había visto en el molino aquella noche. ",
    "ru": "Дорога шла дальше через лес, и никто не говорил о том, что видели вчера у старой мельницы. ",
    "zh": "那条路一直通向山里，谁也没有说起在磨坊看见的事情。老人坐在门前，看着远处的灯火。",
    "ja": "道は林の中へ続いていた。水車小屋で見たことを、誰も口にしなかった。老人は黙って坐っていた。",
}
TITLES = [
    "The Mill",
    "A Stranger",
    "What the Dog Saw",
    "Rain",
    "The Letter",
    "Homeward",
    "Two Brothers",
    "Ice",
    "The Fair",
    "Dusk",
]
HAN = "零一二三四五六七八九"
ROMANS = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV"]
ENGLISH_WORDS = ["", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"]
GERMAN = [
    "0",
    "Erstes",
    "Zweites",
    "Drittes",
    "Viertes",
    "Fünftes",
    "Sechstes",
    "Siebentes",
    "Achtes",
    "Neuntes",
    "Zehntes",
    "Elftes",
    "Zwölftes",
]
RUSSIAN = [
    "0",
    "ПЕРВАЯ",
    "ВТОРАЯ",
    "ТРЕТЬЯ",
    "ЧЕТВЕРТАЯ",
    "ПЯТАЯ",
    "ШЕСТАЯ",
    "СЕДЬМАЯ",
    "ВОСЬМАЯ",
    "ДЕВЯТАЯ",
    "ДЕСЯТАЯ",
    "ОДИННАДЦАТАЯ",
    "ДВЕНАДЦАТАЯ",
]
COUNT = 9


def han(number: int) -> str:
    """Write a number below 100 in Chinese."""
    tens, ones = divmod(number, 10)
    return ("" if tens < 2 else HAN[tens]) + ("十" if tens else "") + (HAN[ones] if ones or not tens else "")


def body(language: str, number: int) -> list[str]:
    """Make the paragraphs of a chapter, in lines as the language sets them."""
    size = random.Random(number)
    sentence = SENTENCES[language]
    if language in ("zh", "ja"):
        return ["　" + sentence * size.randint(1, 3) for _ in range(14)]
    lines: list[str] = []
    for _ in range(9):
        words = (sentence * size.randint(3, 6)).split()
        lines += [" ".join(words[at : at + 12]) for at in range(0, len(words), 12)] + [""]
    return lines


def book(
    heading: Callable[[int], str], language: str = "en", *, count: int = COUNT, spaced: bool = True
) -> tuple[str, list[int]]:
    """Set a book with a heading before each chapter; return it with the line of each heading."""
    lines: list[str] = ["A Tale of the Mill", "", ""] if spaced else []
    at: list[int] = []
    for number in range(1, count + 1):
        lines += ["", ""] if spaced else []
        at.append(len(lines) + 1)
        lines += heading(number).split("\n") + ([""] if spaced else [])
        lines += [line for line in body(language, number) if spaced or line]
    return "\n".join(lines) + "\n", at


def headed(novel: Novel) -> list[Chapter]:
    """Return the sections that begin with a heading."""
    return [chapter for chapter in novel.chapters if chapter.line is not None]


def read(text: str, name: str = "book.txt") -> Novel:
    """Read a text and check that nothing was lost."""
    novel = read_novel(text.encode(), file_name=name)
    assert "".join(chapter.text for chapter in novel.chapters) == novel.text == text
    return novel
