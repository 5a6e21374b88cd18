"""Books with contents lists and titles, prologues, letters and diaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.harness.restyle import Style, roman
from benchmarks.harness.styles.pages import AIRY
from benchmarks.harness.styles.western import (
    date,
    english_date,
    feminine,
    western,
)
from benchmarks.harness.styles.words import (
    CHAPTER,
    CONTENTS,
    LETTERS,
    TOPS,
)


def listed() -> Iterator[Style]:
    """Yield books with contents lists, with titles alone, and with prologues."""
    common: dict[str, Any] = {"contents_title": CONTENTS, "top": TOPS}
    for contents in ("front", "pages", "end"):
        yield from western(
            f"titles-listed-{contents}",
            "titles without numbers",
            lambda f: lambda n, t: t,
            contents=contents,
            layouts=AIRY,
            most=20,
            **common,
        )
    yield from western(
        "titles-listed-upper",
        "titles without numbers",
        lambda f: lambda n, t: t.upper(),
        contents="front",
        layouts=AIRY,
        most=20,
        **common,
    )
    yield from western(
        "titles-alone", "titles without numbers", lambda f: lambda n, t: t, layouts=AIRY, most=20, top=TOPS
    )
    yield from western(
        "titles-upper-alone",
        "titles without numbers",
        lambda f: lambda n, t: t.upper(),
        layouts=AIRY,
        most=20,
        top=TOPS,
    )
    for contents in ("front", "pages", "end"):
        yield from western(
            f"listed-chapters-{contents}",
            "contents lists",
            lambda f: lambda n, t: f"{CHAPTER[f]} {roman(n)}. {t}",
            contents=contents,
            **common,
        )
        yield from western(
            f"listed-roman-{contents}",
            "contents lists",
            lambda f: lambda n, t: f"{roman(n)}. {t}",
            contents=contents,
            layouts=AIRY,
            **common,
        )
        yield from western(
            f"listed-bare-{contents}",
            "contents lists",
            lambda f: lambda n, t: f"{n}\n\n{t}",
            contents=contents,
            layouts=AIRY,
            **common,
        )
    named = {
        "en": ("PREFACE", "PROLOGUE"), "fr": ("PRÉFACE", "PROLOGUE"), "de": ("Vorwort", "Prolog"),
        "es": ("PRÓLOGO", "INTRODUCCIÓN"), "ru": ("ПРЕДИСЛОВИЕ", "ПРОЛОГ"),
    }  # fmt: skip
    ends = {"en": ("EPILOGUE",), "fr": ("ÉPILOGUE",), "de": ("Epilog",), "es": ("EPÍLOGO",), "ru": ("ЭПИЛОГ",)}
    yield from western(
        "with-prologue",
        "front and back",
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}",
        before=named,
        after=ends,
        required_ends=True,
    )
    yield from western(
        "bare-with-prologue",
        "front and back",
        lambda f: lambda n, t: f"{n}",
        before=named,
        after=ends,
        required_ends=True,
        layouts=AIRY,
    )


def dated() -> Iterator[Style]:
    """Yield books of letters and diaries."""
    yield from western(
        "letters-roman", "letters and diaries", lambda f: lambda n, t: f"{LETTERS[f].upper()} {roman(n)}"
    )
    yield from western(
        "letters-to",
        "letters and diaries",
        lambda f: lambda n, t: f"{LETTERS[f].upper()} {roman(n)}.\n\n{t.upper()}",
        contents="front",
        contents_title=CONTENTS,
    )
    yield from western(
        "lettre-premiere", "letters and diaries", lambda f: lambda n, t: f"Lettre {feminine(n).lower()}", "fr"
    )
    yield from western("dated", "letters and diaries", date, layouts=AIRY)
    yield from western("dated-english", "letters and diaries", lambda f: english_date, "en", layouts=AIRY)
