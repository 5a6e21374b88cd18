"""The book itself, section by section into the archive, to be taken up again where a killed attempt stopped."""

from __future__ import annotations

import hashlib
import uuid
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from novel_tasks_core.processors.base import ChildContext
from novel_tasks_core.processors.epub.archive import Archive, Entry
from novel_tasks_core.processors.epub.contents import (
    LONGEST_LABEL,
    Target,
    depth_of,
    label_of,
    navigation,
    ncx,
)
from novel_tasks_core.processors.epub.cover import cover_svg, plain_words
from novel_tasks_core.processors.epub.package import CONTAINER, Metadata, package, page_name
from novel_tasks_core.processors.epub.pages import cover_page, document, section_frame, style_sheet, title_page
from novel_tasks_core.processors.epub.reading import Notation, Reader
from novel_tasks_core.processors.epub.words import Words, words_of
from novel_tasks_core.processors.journal import Journal
from novel_tasks_core.processors.manuscript import Manuscript
from novel_tasks_core.text.novel import Section

_NAMESPACE = uuid.UUID("5b0e1c8a-6b1f-5e0b-9d0a-2f6c1a7f4e3d")
_BODY = "\0"
_HEADING_ENDS = (b"</h1>\n", b"</h2>\n", b"</h3>\n")
_READ = 1 << 20


def identifier_of(source: Path | None) -> str:
    """Return the identifier of the book made from a source: the same for the same bytes, wherever it is made."""
    digest = hashlib.sha256()
    if source is not None:
        with source.open("rb") as file:
            while block := file.read(_READ):
                digest.update(block)
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, digest.hexdigest())}"


@frozen(kw_only=True)
class Made:
    """A finished book: its file, how many pages of text it has, and what had to be changed to hold the text."""

    path: Path
    pages: int
    replaced: int
    long_titles: int


@define
class Maker:
    """Writes one book. `key` names all that its bytes depend on; a journal under another one is not taken up."""

    ctx: ChildContext
    novel: Manuscript
    metadata: Metadata
    notation: Notation
    cover: bool
    key: str
    _reader: Reader = field(init=False)
    _words: Words = field(init=False)
    _pages: int = field(init=False, default=0)
    _firsts: array[int] = field(init=False, factory=lambda: array("L"))

    def __attrs_post_init__(self) -> None:
        """Prepare what all pages share."""
        self._reader = Reader(self.notation)
        self._words = words_of(self.metadata.language)

    def make(self) -> Made:
        """Write the book, or what a former attempt left to be written. Raises: CancelledError as the context does."""
        path = self.ctx.work_folder / "novel.epub"
        for key in (self.key, self.key + " again"):
            with Archive(path) as archive, Journal(self.ctx, "epub", key=key) as journal:
                if self._take_up(archive, journal):
                    self._write(archive, journal)
                    break
        tally = self._reader.tally
        return Made(path=path, pages=self._pages, replaced=tally.replaced, long_titles=tally.long_titles)

    def _take_up(self, archive: Archive, journal: Journal) -> bool:
        """Go to where the journal ends; False when the file is not what the journal says, and all begins anew."""
        self._pages, self._firsts = 0, array("L")
        size = checksum = 0
        for number, record in enumerate(journal.finished()):
            for name, *numbers in record["entries"]:
                offset, crc, packed, length, method = numbers
                archive.remember(Entry(name=name, offset=offset, crc=crc, packed=packed, size=length, method=method))
            if number:
                self._count(len(record["entries"]))
            self._reader.tally.replaced, self._reader.tally.long_titles = record["tally"]
            size, checksum = record["size"], record["checksum"]
        return archive.take_up(size=size, checksum=checksum)

    def _count(self, pages: int) -> None:
        """Note the first page of one more section; 0 for one without pages."""
        self._firsts.append(self._pages + 1 if pages else 0)
        self._pages += pages

    def _write(self, archive: Archive, journal: Journal) -> None:
        if not archive.size:
            self._record(archive, journal, list(self._beginning(archive)))
        total = len(self.novel.sections) + 1
        done = len(self._firsts)
        for number, section in enumerate(self.novel.sections[done:], start=done + 1):
            entries = [archive.add(name, page) for name, page in self._section(section, number, total)]
            self._count(len(entries))
            self._record(archive, journal, entries)
            self.ctx.progress(number, total=total, stage=section.title)
        self._end(archive)
        self.ctx.progress(total, total=total, stage="contents")

    def _record(self, archive: Archive, journal: Journal, entries: list[Entry]) -> None:
        archive.flush()
        tally = self._reader.tally
        journal.append(
            {
                "entries": [[e.name, e.offset, e.crc, e.packed, e.size, e.method] for e in entries],
                "size": archive.size,
                "checksum": archive.checksum,
                "tally": [tally.replaced, tally.long_titles],
            }
        )

    def _beginning(self, archive: Archive) -> Iterator[Entry]:
        data, language = self.metadata, self.metadata.language
        yield archive.add("mimetype", b"application/epub+zip", stored=True)
        yield archive.add("META-INF/container.xml", CONTAINER.encode())
        yield archive.add("EPUB/style.css", style_sheet(language).encode())
        if self.cover:
            yield archive.add("EPUB/cover.svg", cover_svg(data.title, data.author, language).encode())
            body = cover_page(plain_words(data.title, data.author))
            page = document(title=self._words.cover, language=language, body=body, partition="frontmatter")
            yield archive.add("EPUB/text/cover.xhtml", page.encode())
        body = title_page(title=data.title, author=data.author, publisher=data.publisher, date=data.date)
        page = document(title=data.title, language=language, body=body, partition="frontmatter")
        yield archive.add("EPUB/text/title.xhtml", page.encode())

    def _section(self, section: Section, number: int, total: int) -> Iterator[tuple[str, bytes]]:
        """Yield the pages of a section with their names."""
        length = max(len(section), 1)

        def on_piece(read: int) -> None:
            self.ctx.progress(number - 1 + read / length, total=total, stage=section.title)

        if len(section.title) > LONGEST_LABEL:
            self._reader.tally.long_titles += 1
        label = self._label(section)
        partition, opening, closing = section_frame(kind=section.kind, title=section.title)
        body = f"{opening}{_BODY}{closing}"
        framed = document(title=label, language=self.metadata.language, body=body, partition=partition)
        head, tail = (part.encode() for part in framed.split(_BODY))
        bodies = self._reader.bodies(section, self.novel.pieces(section), on_piece=on_piece)
        for page, content in enumerate(bodies, start=self._pages + 1):
            alone = content.endswith(_HEADING_ENDS)
            top = head.replace(b"<section", b'<section class="alone"', 1) if alone else head
            yield f"EPUB/text/{page_name(page)}.xhtml", top + content + tail

    def _label(self, section: Section) -> str:
        unnamed = {"front": self._words.front, "back": self._words.back}.get(section.kind)
        return label_of(section.title.strip() or unnamed or self.metadata.title)

    def _targets(self) -> Iterator[Target]:
        shallowest = min((section.level for section in self.novel.sections), default=1)
        for section, page in zip(self.novel.sections, self._firsts, strict=True):
            if page:
                level = section.level if section.title else shallowest
                yield Target(self._label(section), f"text/{page_name(page)}.xhtml", level)
        if not self._pages:
            yield Target(self.metadata.title, "text/title.xhtml", 1)

    def _landmarks(self) -> Iterator[tuple[str, str, str]]:
        if self.cover:
            yield "cover", "text/cover.xhtml", self._words.cover
        yield "titlepage", "text/title.xhtml", self._words.title_page
        for section, page in zip(self.novel.sections, self._firsts, strict=True):
            if page and section.kind != "front":
                yield "bodymatter", f"text/{page_name(page)}.xhtml", self._words.text
                return

    def _end(self, archive: Archive) -> None:
        data, scratch = self.metadata, self.ctx.work_folder / "novel.epub.part"
        depth = depth_of(self._targets())
        contents = ncx(self._targets(), identifier=data.identifier, title=data.title, author=data.author, depth=depth)
        archive.add_stream("EPUB/toc.ncx", contents, scratch)
        pages = navigation(
            self._targets(),
            title=data.title,
            language=data.language,
            words=self._words,
            landmarks=self._landmarks(),
        )
        archive.add_stream("EPUB/nav.xhtml", pages, scratch)
        front = ("cover", "title") if self.cover else ("title",)
        archive.add_stream("EPUB/package.opf", package(data, front=front, pages=self._pages, cover=self.cover), scratch)
        archive.finish()


def result_of(made: Made, metadata: Metadata, sources: dict[str, str]) -> dict[str, Any]:
    """Return what the result says of the book beside the facts about the novel; null for what is not known."""
    return {
        "title": metadata.title,
        "author": metadata.author or None,
        "publisher": metadata.publisher or None,
        "date": metadata.date or None,
        "book_language": metadata.language,
        "metadata_sources": sources,
        "identifier": metadata.identifier,
        "modified": metadata.modified,
        "pages": made.pages,
        "bytes": made.path.stat().st_size,
        "replaced_characters": made.replaced,
    }
