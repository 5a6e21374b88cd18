"""The tables of contents: nav.xhtml for readers of EPUB 3, toc.ncx for those before; written as streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from novel_tasks_core.processors.epub.markup import attribute, plain
from novel_tasks_core.processors.epub.pages import document
from novel_tasks_core.processors.epub.words import Words

LONGEST_LABEL = 300
"""Titles in the tables of contents are cut to so many characters; the page has them whole."""

_MARK = "\0"


@frozen
class Target:
    """A line of the table of contents: what it says, its page, and how deep it stands, from 1."""

    label: str
    page: str
    level: int


def label_of(title: str) -> str:
    """Return a title as a table of contents shows it."""
    return title if len(title) <= LONGEST_LABEL else title[: LONGEST_LABEL - 1].rstrip() + "…"


def _nested(targets: Iterable[Target]) -> Iterator[tuple[str, Target | None]]:
    """Yield the steps in, item, next and out, items with their target: each stands under the last shallower one."""
    open_levels: list[int] = []
    for target in targets:
        while open_levels and target.level < open_levels[-1] and len(open_levels) > 1:
            open_levels.pop()
            yield "out", None
        if not open_levels or target.level > open_levels[-1]:
            open_levels.append(target.level)
            yield "in", None
        else:
            open_levels[-1] = target.level
            yield "next", None
        yield "item", target
    for _ in open_levels:
        yield "out", None


def depth_of(targets: Iterable[Target]) -> int:
    """Return how many levels the table has."""
    depth = deepest = 0
    for step, _ in _nested(targets):
        depth += {"in": 1, "out": -1}.get(step, 0)
        deepest = max(deepest, depth)
    return deepest


def navigation(
    targets: Iterable[Target], *, title: str, language: str, words: Words, landmarks: Iterable[tuple[str, str, str]]
) -> Iterator[str]:
    """Yield nav.xhtml: the contents, and the landmarks, which are (type, page, label)."""
    head, tail = document(title=title, language=language, body=_MARK, partition="", depth="").split(_MARK)
    yield head
    yield f'<nav epub:type="toc" role="doc-toc" id="toc">\n<h1>{plain(words.contents)}</h1>\n'
    for step, target in _nested(targets):
        match step:
            case "in":
                yield "<ol>\n<li>"
            case "next":
                yield "</li>\n<li>"
            case "out":
                yield "</li>\n</ol>\n"
            case _ if target is not None:
                yield f'<a href="{attribute(target.page)}">{plain(target.label)}</a>'
    yield f'</nav>\n<nav epub:type="landmarks" id="landmarks" hidden="hidden">\n<h2>{plain(title)}</h2>\n<ol>\n'
    for kind, page, label in landmarks:
        yield f'<li><a epub:type="{kind}" href="{attribute(page)}">{plain(label)}</a></li>\n'
    yield "</ol>\n</nav>\n" + tail


def ncx(targets: Iterable[Target], *, identifier: str, title: str, author: str, depth: int) -> Iterator[str]:
    """Yield toc.ncx, the table of contents of EPUB 2."""
    yield (
        '<?xml version="1.0" encoding="utf-8"?>\n<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1">\n'
        f'<head><meta name="dtb:uid" content="{attribute(identifier)}"/><meta name="dtb:depth" content="{depth}"/>'
        '<meta name="dtb:totalPageCount" content="0"/><meta name="dtb:maxPageNumber" content="0"/></head>\n'
        f"<docTitle><text>{plain(title)}</text></docTitle>\n"
    )
    if author:
        yield f"<docAuthor><text>{plain(author)}</text></docAuthor>\n"
    yield "<navMap>\n"
    order = 0
    for step, target in _nested(targets):
        if step in ("next", "out"):
            yield "</navPoint>\n"
        if target is not None:
            order += 1
            yield (
                f'<navPoint id="n{order}" playOrder="{order}"><navLabel><text>{plain(target.label)}</text></navLabel>'
                f'<content src="{attribute(target.page)}"/>\n'
            )
    yield "</navMap>\n</ncx>\n"
