"""The page of the report: what stands where."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from attrs import frozen

from novel_tasks_core.processors.report.chinese import CHINESE
from novel_tasks_core.processors.report.contents import Contents, columns
from novel_tasks_core.processors.report.english import ENGLISH
from novel_tasks_core.processors.report.extremes import Extremes, compared
from novel_tasks_core.processors.report.figures import key_figures, lede
from novel_tasks_core.processors.report.markup import foreign, text
from novel_tasks_core.processors.report.notes import notes
from novel_tasks_core.processors.report.over import charts
from novel_tasks_core.processors.report.reading import how_it_was_read, warnings
from novel_tasks_core.processors.report.shape import Shape, shape_of
from novel_tasks_core.processors.report.style import style
from novel_tasks_core.processors.report.who import people_section
from novel_tasks_core.processors.report.words import Words
from novel_tasks_core.text.measures import BookMeasures
from novel_tasks_core.text.tags import base_language

_LONGEST_HEADING = 300


@frozen(kw_only=True)
class _Section:
    name: str
    heading: str
    body: str


def render_report(book: BookMeasures, facts: Mapping[str, Any], *, title: str, author: str = "") -> str:
    """Return the page: in Chinese for a Chinese novel, else in English. The same analysis gives the same bytes.

    `facts` are those of the result: encoding, encoding_confidence, repaired_bytes, language, confidence, reason and,
    where it is known, damage: the places [offset, length] in bytes.
    The page stays below a megabyte for any book; what has no room in it is in analysis.json.
    """
    language = str(facts["language"])
    words = CHINESE if base_language(language) == "zh" else ENGLISH
    shape = shape_of(book, language)
    sections = [section for section in _sections(book, facts, shape, words) if section.body]
    head = _head(title, author, language, words) + f'<p class="lede">{escape(lede(book, shape, words))}</p>'
    return (
        f'<!doctype html>\n<html lang="{words.lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{text(title) or words.untitled}</title><style>{style()}</style></head><body>"
        f"<header>{head}{_navigation(sections, words)}{warnings(facts, words)}</header>"
        f"<main>{''.join(map(_render, sections))}</main>"
        f"<footer><p>{escape(words.made_by)}</p></footer></body></html>\n"
    )


def _head(title: str, author: str, language: str, words: Words) -> str:
    shown = text(title, _LONGEST_HEADING)
    attributes = foreign(language, words) if shown else ""
    by = f'<p class="author"{foreign(language, words)}>{text(author)}</p>' if author else ""
    return f'<p class="kicker">{escape(words.report)}</p><h1{attributes}>{shown or words.untitled}</h1>{by}'


def _sections(book: BookMeasures, facts: Mapping[str, Any], shape: Shape, words: Words) -> list[_Section]:
    """Read the chapters once more: the rows depend on their shape."""
    language = str(facts["language"])
    contents = Contents(columns(book, shape, words), shape, language, words)
    extremes = Extremes(compared(book, words), shape)
    dots: list[tuple[float, float]] = []
    read = 0
    for number, section in enumerate(book.chapters):
        contents.add(number, section)
        extremes.add(number, section)
        if section.readability is not None:
            dots.append(((read + section.characters / 2) / max(1, shape.characters), section.readability.score))
        read += section.characters
    several = len(shape) > 1
    found = (
        ("figures", words.figures, key_figures(book, shape, language, words)),
        ("reading", words.reading, how_it_was_read(facts, words)),
        ("course", words.course, charts(book, contents, dots, language, words)),
        ("standing-out", words.extremes, extremes.render(contents, language, words)),
        ("people", words.people, people_section(book, contents, language, words)),
        ("contents", words.contents, scrolled("contents", contents.render()) if several else ""),
        ("notes", words.notes, notes(book, facts, shape, words)),
    )
    return [_Section(name=name, heading=heading, body=body) for name, heading, body in found]


def _render(section: _Section) -> str:
    return f'<section><h2 id="{section.name}">{escape(section.heading)}</h2>{section.body}</section>'


def _navigation(sections: list[_Section], words: Words) -> str:
    links = "".join(f'<a href="#{section.name}">{escape(section.heading)}</a>' for section in sections)
    return f'<nav aria-label="{escape(words.navigation)}">{links}</nav>'


def scrolled(identifier: str, table: str) -> str:
    """Return a table that may be wider than the page, reachable by keyboard; its name is the heading with this id."""
    return f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{identifier}">{table}</div>'
