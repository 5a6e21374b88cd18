"""Books with misprinted headings, with lines between that look like headings, and without any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.harness.restyle import Layout, Style, roman
from benchmarks.harness.styles.pages import AIRY, HAN_LAYOUTS, JAPANESE_LAYOUTS, LATIN_LAYOUTS, insert, page_numbers
from benchmarks.harness.styles.western import (
    bare,
    cyrillic,
    misprinted,
    upper,
    western,
)
from benchmarks.harness.styles.words import (
    CHAPTER,
    EPIGRAPHS,
    GUTENBERG_BOTTOM,
    GUTENBERG_TOP,
    LATIN,
    TOPS,
)


def _nothing(number: int, title: str) -> str:
    return ""


def misprints() -> Iterator[Style]:
    """Yield books whose headings are lost, wrong or badly scanned."""
    yield from western("one-lost", "misprints", upper, lost=frozenset({3, 9}))
    yield from western("one-lost-bare", "misprints", lambda f: lambda n, t: roman(n), lost=frozenset({4}), layouts=AIRY)
    yield from western(
        "wrong-numeral",
        "misprints",
        lambda f: misprinted(upper(f), {4: lambda h: h.replace("IV", "VI"), 7: lambda h: h + "I"}),
    )
    yield from western("doubled-numeral", "misprints", lambda f: lambda n, t: upper(f)(n - 1 if n == 5 else n, t))
    yield from western("no-numeral", "misprints", lambda f: misprinted(upper(f), {5: lambda h: h.split()[0]}))
    yield from western(
        "ocr-roman",
        "misprints",
        lambda f: lambda n, t: upper(f)(n, t).replace("II", "Il") if n in (2, 3, 7) else upper(f)(n, t),
    )
    yield from western(
        "ocr-ones",
        "misprints",
        lambda f: lambda n, t: f"{CHAPTER[f]} {str(n).replace('1', 'l')}" if n > 9 else f"{CHAPTER[f]} {n}",
    )
    yield from western(
        "ocr-word",
        "misprints",
        lambda f: misprinted(upper(f), {2: lambda h: h.replace("A", "Λ"), 6: lambda h: h.replace("A", "\u0410")}),
        "en fr de es",
    )
    yield from western(
        "old-four", "misprints", lambda f: lambda n, t: f"{CHAPTER[f]} {roman(n).replace('IV', 'IIII')}."
    )
    yield from western("cyrillic-roman", "misprints", lambda f: lambda n, t: f"ГЛАВА {cyrillic(n)}", "ru")
    yield from western("cyrillic-roman-bare", "misprints", lambda f: lambda n, t: cyrillic(n), "ru", layouts=AIRY)


def traps() -> Iterator[Style]:
    """Yield books with lines that look like headings and are none."""
    pages = Layout(gap=1, width=70)
    yield from western(
        "running-heads",
        "traps",
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}\n\n{t}",
        running=lambda n, t: f"{n * 16 + 7}   {t.upper()}",
        layouts=(pages,),
    )
    yield from western(
        "running-chapters",
        "traps",
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}\n\n{t}",
        running={f: (lambda w: lambda n, t: f"{w.upper()} {roman(n)}")(CHAPTER[f]) for f in LATIN.split()},
        layouts=(pages,),
    )
    yield from western(
        "running-title",
        "traps",
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}\n\n{t}",
        running=lambda n, t: "THE HOUSE ON THE RIVER",
        layouts=(pages,),
    )
    yield from western("page-numbers", "traps", upper, change=page_numbers, layouts=(pages,))
    yield from western("page-numbers-bare", "traps", bare, change=page_numbers, layouts=(pages,))
    yield from western(
        "illustrated",
        "traps",
        upper,
        change=insert(25, "[Illustration]", "[Illustration: The mill]", "[Illustration: CHAPTER I]"),
    )
    yield from western(
        "illustrated-bare", "traps", bare, change=insert(25, "[Illustration]", "[Illustration: The mill]"), layouts=AIRY
    )
    yield from western("star-breaks", "traps", upper, change=insert(20, "* * * * *", "***", "* * *"))
    yield from western(
        "star-breaks-bare", "traps", lambda f: lambda n, t: str(n), change=insert(20, "* * * * *"), layouts=AIRY
    )
    lists = "1. The bread.\n2. The salt.\n3. The wine."
    yield from western(
        "lists-inside", "traps", upper, change=insert(40, lists, "I. Firstly.\nII. Secondly.\nIII. Lastly.")
    )
    yield from western(
        "verse-inside",
        "traps",
        bare,
        change=insert(
            30,
            "  The wind is low,\n  The tide is slow,\n\n  And none will go\n  Before the snow",
            "I\n\n  O wild wind\n  of the west\n\nII\n\n  Thou breath\n  of autumn",
        ),
        layouts=AIRY,
    )
    prose = {
        "en": "Chapter and verse he could not give me.\n\nPart of the wall was down.\n\nBook two of them, said she.",
        "fr": "Chapitre par chapitre, il lut tout.\n\nPartie de loin, elle arriva tard.\n\nLivre en main, il dormait.",
        "de": "Kapitel um Kapitel las er alles.\n\nTeil der Mauer war gefallen.\n\nBuch und Feder lagen da.",
        "es": "Capítulo por capítulo lo leyó todo.\n\nParte del muro había caído.\n\nLibro en mano dormía.",
        "ru": "Глава семьи молчал весь вечер.\n\nЧасть стены обвалилась.\n\nКнига лежала на столе.",
    }
    yield from western("prose-like", "traps", upper, change={f: insert(20, text) for f, text in prose.items()})
    yield from western("epigraphs", "traps", upper, epigraph=EPIGRAPHS)
    yield from western("epigraphs-bare", "traps", bare, epigraph=EPIGRAPHS, layouts=AIRY)
    yield from western("gutenberg", "traps", upper, top=GUTENBERG_TOP, bottom=GUTENBERG_BOTTOM, newline="\r\n")
    yield from western(
        "gutenberg-bare", "traps", bare, top=GUTENBERG_TOP, bottom=GUTENBERG_BOTTOM, newline="\r\n", layouts=AIRY
    )
    notes = (
        "FOOTNOTES:\n\n[1] Of the mill.\n\n[2] That is, of the river.\n\n[3] So in the manuscript.\n\n"
        "1. See above.\n\n2. See below."
    )
    yield from western("footnotes", "traps", bare, bottom=notes, layouts=AIRY)
    yield from western(
        "play-inside",
        "traps",
        upper,
        change=insert(40, "JOHN. I say no.\n\nMARY. And I say yes.\n\nJOHN. Never!\n\nSCENE II.\n\nJOHN alone."),
    )
    yield from western("old-mac", "traps", upper, newline="\r")
    yield from western(
        "no-blank",
        "traps",
        upper,
        layouts=(Layout(gap=0, width=72, before=0, after=0), Layout(gap=0, before=0, after=0)),
    )
    yield from western("few-chapters", "traps", upper, most=3)
    yield from western("few-bare", "traps", bare, most=3, layouts=AIRY)
    yield from western("inner-sections", "traps", upper, change=insert(16, "1", "2", "3"), layouts=AIRY)


def without_headings() -> Iterator[Style]:
    """Yield books of one piece."""
    for family, layouts in (
        *((f, LATIN_LAYOUTS) for f in LATIN.split()),
        ("zh", HAN_LAYOUTS),
        ("ja", JAPANESE_LAYOUTS),
    ):
        common: dict[str, Any] = {
            "group": "without headings",
            "families": family,
            "heading": _nothing,
            "headless": True,
        }
        yield Style(name="none", layouts=tuple(layout for layout in layouts if layout.before < 3), **common)
        yield Style(name="none-short", most=2, layouts=(Layout(gap=1, before=0, after=0),), top=TOPS[family], **common)
        yield Style(
            name="none-breaks", change=insert(22, "* * *"), layouts=(Layout(gap=1, before=0, after=0),), **common
        )
        yield Style(
            name="none-gutenberg",
            top=GUTENBERG_TOP,
            bottom=GUTENBERG_BOTTOM,
            layouts=(Layout(gap=1, before=0, after=0),),
            **common,
        )
        yield Style(name="one-line", one_line=True, layouts=(Layout(gap=0, before=0, after=0),), **common)
