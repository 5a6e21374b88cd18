"""The pages of a book in XHTML, and their style."""

from __future__ import annotations

from novel_tasks_core.processors.epub.markup import attribute, plain

RTL_LANGUAGES = frozenset({"ar", "fa", "he", "ur", "yi", "ps", "ckb"})
"""Languages that are written from right to left."""

_WITH_ROLE = "chapter part preface foreword introduction prologue epilogue afterword appendix dedication epigraph"
_ROLES = frozenset(_WITH_ROLE.split())
_TYPES = {
    "preface": "preface", "foreword": "foreword", "introduction": "introduction", "prologue": "prologue",
    "epilogue": "epilogue", "afterword": "afterword", "appendix": "appendix", "dedication": "dedication",
    "epigraph": "epigraph", "préface": "preface", "avant-propos": "foreword", "prologo": "prologue",
    "prólogo": "prologue", "epílogo": "epilogue", "vorwort": "preface", "nachwort": "afterword",
    "einleitung": "introduction", "prolog": "prologue", "epilog": "epilogue", "пролог": "prologue",
    "эпилог": "epilogue", "предисловие": "preface", "послесловие": "afterword", "序": "preface", "序言": "preface",
    "前言": "preface", "自序": "preface", "序章": "prologue", "楔子": "prologue", "引子": "prologue",
    "引言": "introduction",
    "后记": "afterword", "後記": "afterword", "尾声": "epilogue", "尾聲": "epilogue",
    "终章": "epilogue", "終章": "epilogue",
    "附录": "appendix", "附錄": "appendix", "まえがき": "preface", "あとがき": "afterword", "プロローグ": "prologue",
    "エピローグ": "epilogue",
}  # fmt: skip
_PARTITIONS = {"front": "frontmatter", "back": "backmatter"}

_STYLE = """\
body { margin: 0; padding: 0; line-height: 1.45; }
p { margin: 0; text-indent: 1.3em; text-align: justify; hyphens: auto; widows: 2; orphans: 2; }
h1 + p, h2 + p, h3 + p, p.gap, p.scene + p, p.more { text-indent: 0; }
p.gap { margin-top: 1.2em; }
p.scene { margin: 1.2em 0; text-align: center; text-indent: 0; }
p.verse { margin: 0.8em 0 0.8em 1.5em; text-indent: 0; text-align: start; hyphens: none; }
p.end { text-indent: 0; text-align: end; }
h1, h2, h3, h4 { line-height: 1.3; text-align: center; hyphens: none; font-weight: bold; break-after: avoid; \
page-break-after: avoid; }
h1 { font-size: 1.6em; margin: 3em 0 2em; }
h2 { font-size: 1.4em; margin: 2.5em 0 1.5em; }
h3 { font-size: 1.15em; margin: 2em 0 1em; }
h4 { font-size: 1em; margin: 1.5em 0 0.8em; }
blockquote { margin: 1em 1.5em; }
pre { white-space: pre-wrap; font-size: 0.9em; }
em.dots { font-style: normal; -epub-text-emphasis-style: filled sesame; text-emphasis-style: filled sesame; }
em.rule { font-style: normal; text-decoration: underline; }
small.note { font-size: 0.75em; }
aside { margin: 0.8em 0; font-size: 0.9em; }
hr { width: 20%; margin: 1.5em auto; border: 0; border-top: 1px solid; }
section.alone { margin-top: 25%; }
section.title { margin-top: 25%; text-align: center; }
section.title p { margin: 1.5em 0; text-align: center; text-indent: 0; }
nav ol { padding-inline-start: 1.2em; list-style: none; }
nav li { margin: 0.3em 0; }
nav a { text-decoration: none; color: inherit; }
div.cover { margin: 0; padding: 0; text-align: center; }
div.cover img { max-width: 100%; max-height: 100vh; }
"""
_EAST_ASIAN = """\
body { line-height: 1.75; }
p { hyphens: none; line-break: strict; overflow-wrap: break-word; }
h1 + p, h2 + p, h3 + p, p, p.gap, p.scene + p { text-indent: INDENT; }
p.more, p.scene, p.verse, p.end { text-indent: 0; }
"""


def style_sheet(language: str) -> str:
    """Return the style of a book in a language: it names no font, size of text or colour, which are the reader's.

    Chinese paragraphs are indented by two characters, Japanese ones by one.
    """
    primary = language.split("-")[0].lower()
    if primary not in ("zh", "ja"):
        return _STYLE
    return _STYLE + _EAST_ASIAN.replace("INDENT", "2em" if primary == "zh" else "1em")


def document(*, title: str, language: str, body: str, partition: str = "bodymatter", depth: str = "../") -> str:
    """Return a whole XHTML page; `title` is plain text, `body` markup, `depth` leads to the folder of the style."""
    tag = attribute(language)
    direction = ' dir="rtl"' if language.split("-")[0].lower() in RTL_LANGUAGES else ""
    kind = f' epub:type="{partition}"' if partition else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'
        f' lang="{tag}" xml:lang="{tag}"{direction}>\n'
        f'<head><title>{plain(title)}</title><link rel="stylesheet" type="text/css" href="{depth}style.css"/></head>\n'
        f"<body{kind}>\n{body}</body>\n</html>\n"
    )


def section_frame(*, kind: str, title: str) -> tuple[str, str, str]:
    """Return (partition, opening tag, closing tag) of the pages of a section of a kind with a title."""
    name = _type_of(kind, title)
    partition = _PARTITIONS.get(kind, "bodymatter")
    attributes = f' epub:type="{name}"' if name else ""
    if name in _ROLES:
        attributes += f' role="doc-{name}"'
    return partition, f"<section{attributes}>\n", "</section>\n"


def _type_of(kind: str, title: str) -> str:
    known = _TYPES.get(title.strip(" .:：。").casefold())
    if known or kind in ("part", "chapter"):
        return known or kind
    return ""


def heading_tag(level: int) -> str:
    """Return the element of a heading: h1 for volumes, h2 for chapters, h3 for what they are made of."""
    return f"h{min(max(level, 1), 3)}"


def title_page(*, title: str, author: str, publisher: str, date: str) -> str:
    """Return the body of the title page."""
    lines = "".join(
        f'<p class="{name}">{plain(value)}</p>\n'
        for name, value in (("author", author), ("publisher", publisher), ("date", date))
        if value
    )
    return f'<section class="title" epub:type="titlepage">\n<h1>{plain(title)}</h1>\n{lines}</section>\n'


def cover_page(alternative: str) -> str:
    """Return the body of the page that shows the cover."""
    return f'<div class="cover"><img src="../cover.svg" alt="{attribute(alternative)}"/></div>\n'
