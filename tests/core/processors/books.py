"""Books for the tests of the report: figures made up, or measured in short texts."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from attrs import define, field, frozen

from novel_tasks_core.processors.decoding import summary
from novel_tasks_core.processors.report import render_report
from novel_tasks_core.text.appearances import Appearances, Meeting, Person
from novel_tasks_core.text.measures import BookMeasures, ChapterMeasures, measure
from novel_tasks_core.text.pace import PacePoint
from novel_tasks_core.text.readability import Readability
from novel_tasks_core.text.reading import read_novel

FLESCH = "Flesch 1948"
FACTS: dict[str, Any] = {
    "encoding": "utf-8",
    "encoding_confidence": 1.0,
    "repaired_bytes": 0,
    "language": "en",
    "confidence": 0.97,
    "reason": "9 headings of the form “chapter N”, counting without a gap",
}
NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "words", "sentences", "sentence_words", "paragraph_words", "reading_minutes", "dialogue_share",
        "dialogue_marks", "readability", "different_words", "richness", "people", "meetings",
    )
) | {"pace": ()}  # fmt: skip
"""A book in a language that allows to measure nothing but its characters."""
NOTHING_OF_A_CHAPTER: dict[str, Any] = dict.fromkeys(
    ("words", "sentences", "sentence_words", "paragraph_words", "reading_minutes", "dialogue_share", "readability")
)

_SPEECH = 'Mr. Holt came to the mill. "Good evening," said Holt. Anna looked up. "You are late," said Anna.\n\n'
_PLACE = "The river had risen in the night and nobody could say when it would fall again.\n\n"
ENGLISH = "".join(
    f"\n\nPART {part}\n\n" + "".join(f"\n\nCHAPTER {number}\n\n{_SPEECH * 20}{_PLACE * 15}" for number in numbers)
    for part, numbers in (("ONE", ("I", "II", "III")), ("TWO", ("IV", "V", "VI")))
)
CHINESE = "".join(
    f"\n\n第{number}回　山中来客\n\n" + "老人说：“请进来。”少年走了进去，山里的夜很长。\n" * 60
    for number in "一二三四五六"
)
ONE_PIECE = "It rained. " + "The rain fell on the roof and on the road, and nobody came. " * 100


def chapter(title: str, number: int = 0, **figures: Any) -> ChapterMeasures:
    """Return a chapter whose figures depend on its number."""
    made: dict[str, Any] = {
        "title": title,
        "kind": "chapter",
        "level": 2,
        "start": number * 9000,
        "characters": 5000 + number % 97 * 30,
        "words": 1000 + number % 97 * 6,
        "sentences": 60,
        "paragraphs": 9,
        "scenes": 1,
        "sentence_words": 14.5,
        "paragraph_words": 50.0,
        "reading_minutes": 4.4,
        "dialogue_share": (number * 7 % 97) / 100,
        "readability": Readability(60.0 + number % 30, FLESCH),
    }
    return ChapterMeasures(**(made | figures))


def part(title: str) -> ChapterMeasures:
    """Return the heading of a part."""
    return chapter(title, kind="part", level=1, characters=10, words=2)


def book(chapters: Any, **figures: Any) -> BookMeasures:
    """Return a book of these chapters."""
    made: dict[str, Any] = {
        "characters": sum(one.characters for one in chapters),
        "words": sum(one.words or 0 for one in chapters),
        "sentences": 5000,
        "paragraphs": 900,
        "scenes": 9,
        "sentence_words": 14.0,
        "paragraph_words": 50.0,
        "reading_minutes": 560.0,
        "dialogue_share": 0.31,
        "dialogue_marks": "“”",
        "readability": Readability(71.0, FLESCH),
        "different_words": 9000,
        "richness": 0.432,
        "pace": tuple(
            PacePoint(position=n / 100, characters=99, dialogue_share=n % 10 / 10, sentence_words=12.0 + n % 7)
            for n in range(100)
        ),
        "chapters": chapters,
        "people": (),
        "meetings": (),
    }
    return BookMeasures(**(made | figures))


def person(name: str, *pairs: tuple[int, int], aliases: tuple[str, ...] = ()) -> Person:
    """Return somebody who is named in these sections so often."""
    return Person(name, sum(count for _, count in pairs), Appearances.of(*pairs), aliases)


def meeting(first: str, second: str, scenes: int) -> Meeting:
    """Return a meeting in so many scenes."""
    return Meeting(first=first, second=second, chapters=1, scenes=scenes, by_chapter=Appearances.of((0, scenes)))


def measured(text: str, *, title: str = "The Mill", author: str = "") -> str:
    """Return the report of a text that is really read and measured."""
    novel = read_novel(text.encode())
    return render_report(measure(novel), summary(novel), title=title, author=author)


@frozen
class Many:
    """A great many chapters, made when they are looked at; `every` so many begin with a part."""

    count: int
    every: int = 0
    title: str = "A chapter of a very long book"

    def __len__(self) -> int:
        """Return how many."""
        return self.count

    def __contains__(self, other: object) -> bool:
        """Look for nothing."""
        return False

    def __iter__(self) -> Iterator[ChapterMeasures]:
        """Make them anew."""
        for number in range(self.count):
            yield part(f"Part {number}") if self.every and number % self.every == 0 else chapter(self.title, number)


_VOID = frozenset(("meta", "br", "hr", "img", "input", "link"))


@define
class Element:
    """An element of a page, with all the text in it."""

    name: str
    attributes: dict[str, str]
    parent: Element | None
    text: str = ""

    def within(self, name: str) -> bool:
        """Tell whether it is inside an element of this name."""
        above = self.parent
        return above is not None and (above.name == name or above.within(name))


@define(init=False, slots=False)
class Document(HTMLParser):
    """Reads a page and refuses one whose elements are not properly nested."""

    elements: list[Element] = field(init=False)

    def __init__(self, page: str) -> None:
        """Read a page. Raises: AssertionError, where it is not well-formed."""
        super().__init__()
        self.elements = []
        self._open: list[Element] = []
        self.feed(page)
        self.close()
        assert not self._open, [element.name for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open[-1] if self._open else None)
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open and close an element of SVG."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element opened last, and no other."""
        assert self._open, tag
        assert self._open[-1].name == tag, (tag, self._open[-1])
        self._open.pop()

    def handle_data(self, data: str) -> None:
        """Give the text to every element it is in."""
        for element in self._open:
            element.text += data

    def all(self, name: str) -> list[Element]:
        """Return the elements of this name."""
        return [element for element in self.elements if element.name == name]

    def with_class(self, name: str) -> list[Element]:
        """Return the elements of this class."""
        return [element for element in self.elements if name in element.attributes.get("class", "").split()]

    def by_id(self) -> dict[str, Element]:
        """Return the elements that have an id, and assert that no two share one."""
        named = [element for element in self.elements if "id" in element.attributes]
        found = {element.attributes["id"]: element for element in named}
        assert len(found) == len(named)
        return found
