"""A section of a novel as the bodies of pages: heading, paragraphs, cut where a page would grow too large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from attrs import define, field, frozen

from novel_tasks_core.processors.epub.heads import head_of
from novel_tasks_core.processors.epub.markdown import markdown_blocks, without_note_links
from novel_tasks_core.processors.epub.markup import allowed, blocks, escaped, with_italics
from novel_tasks_core.processors.epub.pages import heading_tag
from novel_tasks_core.processors.epub.ruby import with_ruby
from novel_tasks_core.text.bookinfo import front_matter_span
from novel_tasks_core.text.layout import Layout, agrees, measure_layout
from novel_tasks_core.text.novel import Section
from novel_tasks_core.text.paragraphs import whole_paragraphs

LONGEST_BODY = 225_000
"""Bytes of a page's body: with all around it a page stays below 240 KB, which old readers can bear."""

_MEASURED = 12_000
_LINES_TO_MEASURE = 60


@frozen(kw_only=True)
class Notation:
    """How the text of a book is written: its layout as a whole, and whether it is Markdown or Aozora's notation."""

    layout: Layout
    markdown: bool = False
    aozora: bool = False


@define
class Tally:
    """What had to be changed so that a page can hold it."""

    replaced: int = 0
    long_titles: int = 0


@define
class Reader:
    """Turns sections into bodies of pages; counts in `tally` what had to be replaced."""

    notation: Notation
    tally: Tally = field(factory=Tally)

    def bodies(self, section: Section, pieces: Iterable[str], *, on_piece: Callable[[int], None]) -> Iterator[bytes]:
        """Yield the bodies of a section's pages; none for one that is blank.

        `on_piece` hears how many characters have been read, and may raise to stop.
        """
        waiting = b""
        several = False
        for markup in self._markup(section, pieces, on_piece):
            waiting += markup.encode()
            while len(waiting) > LONGEST_BODY:
                cut = (waiting.rfind(b"\n", 0, LONGEST_BODY) + 1) or (waiting.find(b"\n", LONGEST_BODY) + 1)
                if not cut or (cut == len(waiting) and len(waiting) <= LONGEST_BODY):
                    break
                several = True
                yield self._finished(waiting[:cut], several)
                waiting = waiting[cut:]
        if waiting:
            yield self._finished(waiting, several)

    def _finished(self, body: bytes, several: bool) -> bytes:
        """Return a body; notes of a section of several pages may stand on another one and are not led to."""
        if several and self.notation.markdown and b'epub:type="noteref"' in body:
            return without_note_links(body.decode()).encode()
        return body

    def _markup(self, section: Section, pieces: Iterable[str], on_piece: Callable[[int], None]) -> Iterator[str]:
        source = self._heard(pieces, on_piece)
        first = next(source, "")
        head = head_of(first, section.title, markdown=self.notation.markdown)
        start = head.end
        if self.notation.markdown and section.start == 0 and not start:
            start = front_matter_span(first)[2]
        if head.lines:
            yield self._heading(head.lines, section)
        rest = first[start:].lstrip("\r\n")
        layout = self._layout(rest)
        for text in whole_paragraphs(chain((rest,), source), layout):
            yield self._blocks(text, layout)

    def _heard(self, pieces: Iterable[str], on_piece: Callable[[int], None]) -> Iterator[str]:
        read = 0
        for piece in pieces:
            on_piece(read)
            read += len(piece)
            text, replaced = allowed(piece)
            self.tally.replaced += replaced
            yield text

    def _heading(self, lines: tuple[str, ...], section: Section) -> str:
        tag = heading_tag(section.level)
        if self.notation.markdown:
            lines = (section.title,)
        shown = "<br/>".join(escaped(allowed(" ".join(line.split()))[0]) for line in lines)
        return f"<{tag}>{self._inline(shown)}</{tag}>\n"

    def _layout(self, text: str) -> Layout:
        """Return the book's layout, or the section's own where it is plainly another."""
        own, book = text[:_MEASURED], self.notation.layout
        if own.count("\n") < _LINES_TO_MEASURE or agrees(own, book):
            return book
        measured = measure_layout(own[: own.rfind("\n") + 1])
        return book if measured.width == book.width else measured

    def _blocks(self, text: str, layout: Layout) -> str:
        if self.notation.markdown:
            return markdown_blocks(text, layout)
        return blocks(text, layout, self._inline)

    def _inline(self, markup: str) -> str:
        return with_ruby(markup) if self.notation.aozora else with_italics(markup)
