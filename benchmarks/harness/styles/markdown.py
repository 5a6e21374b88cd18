"""Books in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.harness.restyle import Layout, Style, roman
from benchmarks.harness.styles.pages import insert
from benchmarks.harness.styles.western import (
    western,
)
from benchmarks.harness.styles.words import (
    CHAPTER,
    LATIN,
    PART,
)


def markdown() -> Iterator[Style]:
    """Yield books whose headings are marked, in every way, or are not."""
    flat = (Layout(gap=1), Layout(gap=1, before=1, after=1))
    common: dict[str, Any] = {"suffix": "md", "layouts": flat}
    for name, make in {
        "md-hash-2": lambda f: lambda n, t: f"## {CHAPTER[f]} {n}: {t}",
        "md-hash-1": lambda f: lambda n, t: f"# {CHAPTER[f]} {n}",
        "md-hash-title": lambda f: lambda n, t: f"## {t}",
        "md-setext": lambda f: lambda n, t: f"{CHAPTER[f]} {n}\n---------",
        "md-setext-equals": lambda f: lambda n, t: f"{t}\n=====",
        "md-bold": lambda f: lambda n, t: f"**{CHAPTER[f]} {n}**",
        "md-bold-title": lambda f: lambda n, t: f"**{n}. {t}**",
        "md-plain": lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}",
        "md-roman": lambda f: lambda n, t: f"### {roman(n)}",
        "md-anchor": lambda f: lambda n, t: f'## <a id="c{n}"></a>{t} {{#c{n}}}',
        "md-closed": lambda f: lambda n, t: f"## {roman(n)}. {t} ##",
    }.items():
        yield from western(name, "markdown", make, **common)
    yield from western(
        "md-titled", "markdown", lambda f: lambda n, t: f"## {t}", top="# The House\n\nby A. N. Other\n\n---", **common
    )
    yield from western(
        "md-front-matter",
        "markdown",
        lambda f: lambda n, t: f"# {t}",
        top="---\ntitle: The House\nauthor: A. N. Other\nlang: en\n---",
        **common,
    )
    yield from western(
        "md-parts",
        "markdown",
        lambda f: lambda n, t: f"### {n}. {t}",
        part={f: (lambda w: lambda n, t: f"## {w} {n}")(PART[f]) for f in LATIN.split()},
        top="# The House",
        **common,
    )
    yield from western(
        "md-parts-only",
        "markdown",
        lambda f: lambda n, t: f"{CHAPTER[f].upper()} {roman(n)}",
        part={f: (lambda w: lambda n, t: f"# {w} {n}")(PART[f]) for f in LATIN.split()},
        part_size=7,
        restarts=True,
        **common,
    )
    yield from western(
        "md-code",
        "markdown",
        lambda f: lambda n, t: f"## {t}",
        change=insert(20, "```\n# not a heading\n## nor this\n```", "1. one\n2. two\n3. three", "> ## quoted"),
        **common,
    )
    yield from western(
        "md-contents",
        "markdown",
        lambda f: lambda n, t: f"## {CHAPTER[f]} {n}. {t}",
        contents="front",
        contents_title="## Contents",
        **common,
    )
    yield from western(
        "md-notes",
        "markdown",
        lambda f: lambda n, t: f"## {roman(n)}",
        bottom="## Footnotes\n\n1. See above.\n\n2. See below.",
        **common,
    )
    yield from western(
        "md-no-blank",
        "markdown",
        lambda f: lambda n, t: f"## {t}",
        suffix="md",
        layouts=(Layout(gap=0, before=0, after=0), Layout(gap=0, before=1, after=0)),
    )
