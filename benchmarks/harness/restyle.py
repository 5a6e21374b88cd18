"""Set the bodies of real novels anew under headings of many styles, so that every book has known chapters.

`sources(folder)` takes the chapters' texts out of a corpus, without headings and contents lists; `restyled`
sets one of them in a `Style`. The same source and style always give the same book.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

from attrs import field, frozen

HeadingLines = Callable[[int, str], str]
"""Makes the lines of a heading, joined by newlines, from its number and a title."""

_LEAST_BODY = 1200
_MOST_BODY = 9000
_MOST_CHAPTERS = 24
_MARKUP = re.compile(r"［＃[^］\n]*］")


@frozen(kw_only=True)
class Source:
    """A novel without its headings: the paragraphs of every chapter, each in one line."""

    name: str
    language: str
    bodies: tuple[tuple[str, ...], ...]

    @property
    def family(self) -> str:
        """The language without its script."""
        return self.language.partition("-")[0]


@frozen(kw_only=True)
class Layout:
    """How prose is set: how many blank lines part paragraphs, where lines are wrapped (0: not at all), the indent."""

    gap: int
    width: int = 0
    indent: str = ""
    before: int = 2
    after: int = 1


@frozen(kw_only=True)
class Style:
    """How a book is set.

    `heading` makes a chapter's lines; `part` those of a part of `part_size` chapters, whose chapters
    count anew if `restarts`. `contents` is where the list of chapters stands: "", "front", "pages" or "end".
    `before` and `after` are headings around the chapters that may be found but need not, unless
    `required_ends`. `running` stands on top of every page, `inner` over the sections of a chapter. `epigraph`
    follows each heading. `change` makes the lines of a body into others. `most` bounds the chapters; `lost`
    are those without a heading; `headless` books have none at all.
    """

    name: str
    group: str
    families: str
    heading: HeadingLines
    layouts: tuple[Layout, ...] = ()
    part: HeadingLines | None = None
    part_size: int = 6
    restarts: bool = False
    contents: str = ""
    contents_title: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    required_ends: bool = False
    running: HeadingLines | None = None
    inner: HeadingLines | None = None
    epigraph: str = ""
    change: Callable[[list[str], Random], list[str]] | None = None
    top: str = ""
    bottom: str = ""
    suffix: str = "txt"
    newline: str = "\n"
    most: int = _MOST_CHAPTERS
    headless: bool = False
    one_line: bool = False
    lost: frozenset[int] = frozenset()


@frozen(kw_only=True)
class Restyled:
    """A book made so. `truth` has the form of an entry of the corpus's manifest, as far as scoring asks."""

    name: str
    style: Style
    source: str
    language: str
    text: str
    truth: dict[str, Any]

    @property
    def file_name(self) -> str:
        """What the file would be called."""
        return f"{self.name}.{self.style.suffix}"


def sources(folder: Path) -> list[Source]:
    """Read every novel of a corpus that has at least two chapters."""
    entries: list[dict[str, Any]] = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    found = [_source(folder, entry) for entry in entries]
    return [source for source in found if len(source.bodies) >= 2]


def _source(folder: Path, entry: dict[str, Any]) -> Source:
    text = (folder / entry["name"]).read_bytes().decode(entry["encoding"])
    headings = entry["chapters"]
    ends = [*(heading["line_start"] for heading in headings[1:]), entry["body"][1]]
    bodies = [
        _paragraphs(text[heading["end"] : end])
        for heading, end in zip(headings, ends, strict=False)
        if heading["required"] and heading["kind"] == "chapter"
    ]
    kept = [_shortened(body) for body in bodies]
    return Source(
        name=entry["name"].partition(".")[0],
        language=entry["language"],
        bodies=tuple(body for body in kept if sum(map(len, body)) >= _LEAST_BODY),
    )


def _paragraphs(text: str) -> list[str]:
    plain = _MARKUP.sub("", text.replace("\r\n", "\n"))
    blank = plain.count("\n\n") * 8 > plain.count("\n")
    blocks = re.split(r"\n\s*\n", plain) if blank else plain.split("\n")
    joined = [" ".join(block.split()) for block in blocks]
    return [block for block in joined if len(block) > 40 or (block and block[-1] in '.。」?!»”"')]


def _shortened(body: Sequence[str]) -> tuple[str, ...]:
    kept: list[str] = []
    size = 0
    for paragraph in body:
        if size + len(paragraph) > _MOST_BODY and kept:
            break
        kept.append(paragraph)
        size += len(paragraph)
    return tuple(kept)


@frozen
class _Setter:
    """Lines of a book as they are set, and where its headings stand among them."""

    lines: list[str] = field(factory=list)
    headings: list[dict[str, Any]] = field(factory=list)

    def blank(self, count: int) -> None:
        self.lines.extend([""] * count)

    def heading(self, text: str, *, kind: str = "chapter", required: bool = True) -> None:
        first = len(self.lines) + 1
        self.lines.extend(text.split("\n"))
        self.headings.append({"kind": kind, "required": required, "line": first, "line_end": len(self.lines)})


def restyled(source: Source, style: Style, titles: Sequence[str], layouts: Sequence[Layout]) -> Restyled:
    """Set a source in a style, in one of the layouts, its chapters called by `titles`."""
    random = Random(crc32(f"{source.name} {style.name}".encode()))
    layout = random.choice(style.layouts or tuple(layouts))
    bodies = _chosen(source, style, random)
    names = _titles(titles, len(bodies), random)
    book = _Setter()
    _set_top(book, style, names)
    for index, body in enumerate(bodies):
        _set_part(book, style, layout, index, names, body)
        number = index % style.part_size + 1 if style.restarts else index + 1
        book.blank(layout.before)
        if not style.headless and index + 1 not in style.lost:
            book.heading(style.heading(number, names[index]))
            book.blank(layout.after)
            if style.epigraph:
                book.lines.extend([*style.epigraph.split("\n"), ""])
        _set_prose(book, style, layout, body, random, number, names[index])
    _set_bottom(book, style, layout, names, bodies, random)
    text = style.newline.join(book.lines) + style.newline
    if style.one_line:
        text = " ".join(text.split())
    truth = {
        "chapters": [] if style.one_line else book.headings,
        "expected_chapters": sum(heading["required"] for heading in book.headings),
    }
    return Restyled(
        name=f"{source.name}_{style.name}",
        style=style,
        source=source.name,
        language=source.language,
        text=text,
        truth=truth,
    )


def _chosen(source: Source, style: Style, random: Random) -> list[tuple[str, ...]]:
    most = min(style.most, len(source.bodies))
    count = random.randint(min(most, 7), most)
    if style.part is not None:
        count = max(min(most, 2 * style.part_size), count)
    first = random.randint(0, len(source.bodies) - count)
    return list(source.bodies[first : first + count])


def _titles(titles: Sequence[str], count: int, random: Random) -> list[str]:
    kept = random.sample(list(titles), min(count, len(titles)))
    return [kept[index % len(kept)] for index in range(count)]


def _entries(style: Style, names: Sequence[str]) -> Iterator[str]:
    for index, name in enumerate(names):
        if style.part is not None and index % style.part_size == 0:
            yield " ".join(style.part(index // style.part_size + 1, name).split())
        number = index % style.part_size + 1 if style.restarts else index + 1
        yield " ".join(style.heading(number, name).split())


def _set_contents(book: _Setter, style: Style, names: Sequence[str]) -> None:
    book.lines.extend([style.contents_title, ""])
    page = 5
    for entry in _entries(style, names):
        plain = entry.strip("#* ")
        book.lines.append(f"{plain} {'.' * max(3, 50 - len(plain))} {page}" if style.contents == "pages" else plain)
        page += 13
    book.blank(2)


def _set_top(book: _Setter, style: Style, names: Sequence[str]) -> None:
    if style.top:
        book.lines.extend(style.top.split("\n"))
        book.blank(1)
    if style.contents in ("front", "pages"):
        _set_contents(book, style, names)


def _set_part(
    book: _Setter, style: Style, layout: Layout, index: int, names: Sequence[str], body: Sequence[str]
) -> None:
    if index == 0:
        for name in style.before:
            _set_named(book, layout, name, style, "front")
            _set_prose(book, style, layout, body[:4], Random(0), 1, names[0])
    if style.part is not None and index % style.part_size == 0:
        book.blank(layout.before)
        book.heading(style.part(index // style.part_size + 1, names[-1 - index]), kind="part", required=False)


def _set_named(book: _Setter, layout: Layout, name: str, style: Style, kind: str) -> None:
    book.blank(layout.before)
    book.heading(name, kind=kind, required=style.required_ends)
    book.blank(layout.after)


def _set_prose(
    book: _Setter, style: Style, layout: Layout, body: Sequence[str], random: Random, number: int, name: str
) -> None:
    lines: list[str] = []
    sections = 0
    for index, paragraph in enumerate(body):
        if style.inner is not None and index % 7 == 0 and len(body) > 7:
            sections += 1
            book.lines.extend(lines)
            lines = [""]
            book.lines.extend([""] * layout.after)
            book.heading(style.inner(sections, name), kind="section", required=False)
        text = layout.indent + paragraph
        lines.extend(textwrap.wrap(text, layout.width, break_on_hyphens=False) if layout.width else [text])
        lines.extend([""] * layout.gap)
    if style.change is not None:
        lines = style.change(lines, random)
    if style.running is not None:
        lines = _paged(lines, style.running, number, name)
    book.lines.extend(lines)


def _paged(lines: list[str], running: HeadingLines, number: int, name: str) -> list[str]:
    paged: list[str] = []
    for start in range(0, len(lines), 36):
        if start:
            paged.extend(["", running(number, name), ""])
        paged.extend(lines[start : start + 36])
    return paged


def _set_bottom(
    book: _Setter,
    style: Style,
    layout: Layout,
    names: Sequence[str],
    bodies: Sequence[Sequence[str]],
    random: Random,
) -> None:
    for name in style.after:
        _set_named(book, layout, name, style, "back")
        _set_prose(book, style, layout, bodies[0][:4], random, 1, names[0])
    if style.contents == "end":
        book.blank(2)
        _set_contents(book, style, names)
    if style.bottom:
        book.lines.extend(["", *style.bottom.split("\n")])


@cache
def roman(number: int) -> str:
    """Write a number below 100 in Roman numerals."""
    tens, ones = divmod(number, 10)
    return ("", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC")[tens] + (
        "",
        "I",
        "II",
        "III",
        "IV",
        "V",
        "VI",
        "VII",
        "VIII",
        "IX",
    )[ones]


def han(number: int) -> str:
    """Write a number below 100 in Chinese."""
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    return ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones or not tens else "")
