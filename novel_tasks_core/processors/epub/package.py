"""The package document: what the book is, what files it has, in which order they are read; written as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from novel_tasks_core.processors.epub.markup import attribute, plain
from novel_tasks_core.processors.epub.pages import RTL_LANGUAGES

CONTAINER = """\
<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
"""META-INF/container.xml: where the package document is."""

_XHTML = "application/xhtml+xml"


@frozen(kw_only=True)
class Metadata:
    """What the package document says of a book; "" for what is not known. `modified` is a UTC time, to the second."""

    identifier: str
    title: str
    author: str
    language: str
    publisher: str
    date: str
    modified: str


def page_name(number: int) -> str:
    """Return the name, without folder and ending, of a page of the text, counted from 1."""
    return f"p{number:05d}"


def package(metadata: Metadata, *, front: Sequence[str], pages: int, cover: bool) -> Iterator[str]:
    """Yield package.opf; `front` are the names of the pages before the text, `pages` counts those of the text."""
    yield (
        '<?xml version="1.0" encoding="utf-8"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="3.0"'
        f' unique-identifier="id" xml:lang="{attribute(metadata.language)}">\n'
    )
    yield from _metadata(metadata, cover=cover)
    yield (
        f'<manifest>\n<item id="nav" href="nav.xhtml" media-type="{_XHTML}" properties="nav"/>\n'
        '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>\n'
        '<item id="style" href="style.css" media-type="text/css"/>\n'
    )
    if cover:
        yield '<item id="cover-image" href="cover.svg" media-type="image/svg+xml" properties="cover-image"/>\n'
    for name in _names(front, pages):
        yield f'<item id="{name}" href="text/{name}.xhtml" media-type="{_XHTML}"/>\n'
    direction = ' page-progression-direction="rtl"' if metadata.language.split("-")[0] in RTL_LANGUAGES else ""
    yield f'</manifest>\n<spine toc="ncx"{direction}>\n'
    for name in _names(front, pages):
        yield f'<itemref idref="{name}"/>\n'
    yield "</spine>\n</package>\n"


def _names(front: Sequence[str], pages: int) -> Iterator[str]:
    yield from front
    yield from map(page_name, range(1, pages + 1))


def _metadata(metadata: Metadata, *, cover: bool) -> Iterator[str]:
    yield (
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<dc:identifier id="id">{plain(metadata.identifier)}</dc:identifier>\n'
        f"<dc:title>{plain(metadata.title)}</dc:title>\n<dc:language>{plain(metadata.language)}</dc:language>\n"
    )
    if metadata.author:
        yield (
            f'<dc:creator id="creator">{plain(metadata.author)}</dc:creator>\n'
            '<meta refines="#creator" property="role" scheme="marc:relators">aut</meta>\n'
        )
    if metadata.publisher:
        yield f"<dc:publisher>{plain(metadata.publisher)}</dc:publisher>\n"
    if metadata.date:
        yield f"<dc:date>{plain(metadata.date)}</dc:date>\n"
    yield f'<meta property="dcterms:modified">{metadata.modified}</meta>\n'
    for name, value in (
        ("accessMode", "textual"),
        ("accessModeSufficient", "textual"),
        ("accessibilityFeature", "tableOfContents"),
        ("accessibilityFeature", "readingOrder"),
        ("accessibilityFeature", "structuralNavigation"),
        ("accessibilityHazard", "none"),
    ):
        yield f'<meta property="schema:{name}">{value}</meta>\n'
    if cover:
        yield '<meta name="cover" content="cover-image"/>\n'
    yield "</metadata>\n"
