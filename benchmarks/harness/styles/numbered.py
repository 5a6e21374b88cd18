"""Books whose chapters have numbers, with or without a word for chapter, in parts or not."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness.ordinals import cardinal, ordinal
from benchmarks.harness.restyle import HeadingLines, Style, roman
from benchmarks.harness.styles.pages import AIRY, LATIN_LAYOUTS
from benchmarks.harness.styles.western import (
    book_roman,
    in_words,
    part_in_words,
    summary,
    western,
)
from benchmarks.harness.styles.words import (
    CHAPTER,
    CONTENTS,
    LATIN,
)


def numbered() -> Iterator[Style]:
    """Yield books whose chapters have a number in figures."""
    for name, make in {
        "upper-roman": lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}.",
        "upper-roman-title-below": lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}.\n\n{t.upper()}",
        "roman-title-next-line": lambda f: lambda n, t: f"{CHAPTER[f]} {roman(n)}\n{t}",
        "colon-title": lambda f: lambda n, t: f"{CHAPTER[f]} {n}: {t}",
        "dash-title": lambda f: lambda n, t: f"{CHAPTER[f]} {n} - {t}",
        "bracketed": lambda f: lambda n, t: f"[{CHAPTER[f]} {n}]",
        "spaced": lambda f: lambda n, t: f"                    {CHAPTER[f].upper()} {roman(n)}",
        "starred": lambda f: lambda n, t: f"* * * {CHAPTER[f]} {n} * * *",
    }.items():
        yield from western(name, "named and numbered", make)
    for name, make in {
        "dot-title": lambda f: lambda n, t: f"{n}. {t}",
        "roman-dot-title": lambda f: lambda n, t: f"{roman(n)}. {t.upper()}",
        "roman-dash-title": lambda f: lambda n, t: f"{roman(n)}.--{t.upper()}.",
        "bare-roman": lambda f: lambda n, t: roman(n),
        "bare-roman-dot": lambda f: lambda n, t: f"{roman(n)}.",
        "bare-arabic": lambda f: lambda n, t: str(n),
        "centred-dashes": lambda f: lambda n, t: f"          — {roman(n)} —",
        "hyphens": lambda f: lambda n, t: f"- {n} -",
        "bracket-number": lambda f: lambda n, t: f"[{n}]",
        "roman-title-below": lambda f: lambda n, t: f"{roman(n)}\n\n{t}",
        "arabic-title-below": lambda f: lambda n, t: f"{n}\n{t.upper()}",
    }.items():
        yield from western(
            name, "bare numbers", make, layouts=AIRY if "bare" in name or "below" in name else LATIN_LAYOUTS
        )
    yield from western("chap-abbreviated", "named and numbered", lambda f: lambda n, t: f"CHAP. {roman(n)}.", "en fr")
    yield from western("kapitel-ordinal", "named and numbered", lambda f: lambda n, t: f"{n}. Kapitel", "de")
    yield from western("kapitel-ordinal-title", "named and numbered", lambda f: lambda n, t: f"{n}. Kapitel: {t}", "de")
    yield from western("capitulo-plain", "named and numbered", lambda f: lambda n, t: f"CAPITULO {roman(n)}", "es")
    yield from western("capitulo-dash", "named and numbered", lambda f: lambda n, t: f"Capítulo {roman(n)}.-{t}", "es")
    yield from western("chapitre-dash", "named and numbered", lambda f: lambda n, t: f"{roman(n)}\n\n{t.upper()}", "fr")


def worded() -> Iterator[Style]:
    """Yield books whose chapters have a number in words."""
    yield from western("words", "in words", in_words)
    yield from western("words-title-below", "in words", lambda f: lambda n, t: f"{in_words(f)(n, t)}\n\n{t}")
    yield from western("words-title", "in words", lambda f: lambda n, t: f"{in_words(f)(n, t)}. {t}")
    yield from western("words-summary", "in words", lambda f: lambda n, t: f"{in_words(f)(n, t)}\n\n{summary(t, f)}")
    yield from western(
        "roman-summary",
        "in words",
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}.--{summary(t, f)}",
        layouts=AIRY,
    )
    yield from western(
        "the-first",
        "in words",
        lambda f: lambda n, t: f"CHAPTER THE {ordinal(n, 'en').upper()}\n{summary(t, 'en')}",
        "en",
        layouts=AIRY,
    )
    yield from western(
        "chapter-the-first",
        "in words",
        lambda f: lambda n, t: f"Chapter the {ordinal(n, 'en').capitalize()}. {t}",
        "en",
    )
    yield from western("bare-words", "in words", lambda f: lambda n, t: cardinal(n, f).capitalize(), layouts=AIRY)
    yield from western(
        "first-chapter",
        "in words",
        lambda f: (
            lambda n, t: (
                f"{ordinal(n, f).capitalize()} {CHAPTER[f].lower()}"
                if f != "ru"
                else f"{ordinal(n, f).capitalize()} глава"
            )
        ),
        "ru de",
    )
    yield from western(
        "das-erste", "in words", lambda f: lambda n, t: f"Das {ordinal(n, 'de')[:-1]} Kapitel\n\n{t}", "de"
    )
    yield from western("upper-words", "in words", lambda f: lambda n, t: in_words(f)(n, t).upper())


def in_parts() -> Iterator[Style]:
    """Yield books in parts, books and volumes."""
    for name, make in {
        "parts-chapters": lambda f: lambda n, t: f"{CHAPTER[f]} {roman(n)}",
        "parts-bare-roman": lambda f: lambda n, t: roman(n),
        "parts-bare-arabic": lambda f: lambda n, t: str(n),
        "parts-words": in_words,
    }.items():
        layouts = AIRY if "bare" in name else LATIN_LAYOUTS
        yield from western(
            name, "in parts", make, part={f: part_in_words(f) for f in LATIN.split()}, restarts=True, layouts=layouts
        )
        yield from western(
            f"{name}-through", "in parts", make, part={f: part_in_words(f) for f in LATIN.split()}, layouts=layouts
        )
    books: dict[str, HeadingLines] = {f: book_roman(f) for f in LATIN.split()}
    yield from western(
        "books-restart",
        "in parts",
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}\n\n{t}",
        part=books,
        restarts=True,
        contents="front",
        contents_title=CONTENTS,
    )
    yield from western(
        "volume-chapter",
        "in parts",
        lambda f: lambda n, t: f"Volume {roman((n - 1) // 6 + 1)}, Chapter {(n - 1) % 6 + 1}",
        "en",
    )
    yield from western(
        "volumes",
        "in parts",
        lambda f: lambda n, t: f"CHAPTER {roman(n)}.",
        "en",
        part={"en": lambda n, t: f"VOLUME {roman(n)}."},
        part_size=8,
        restarts=True,
    )
    yield from western(
        "the-first-book",
        "in parts",
        lambda f: lambda n, t: f"CHAPTER {roman(n)}\n{t}",
        "en",
        part={"en": lambda n, t: f"BOOK THE {ordinal(n, 'en').upper()}\n\n{t.upper()}"},
        restarts=True,
    )
