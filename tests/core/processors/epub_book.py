"""Reads an EPUB file with parsers that are not ours: the library's ZIP and XML."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from novel_tasks_core.processors.epub import EpubOptions, epub

from .recorder import Recorder
from .recorder import ran as recorded

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
TYPE = "{http://www.idpf.org/2007/ops}type"


class Book:
    """An opened book; every XML file in it is parsed when it is asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.zip = zipfile.ZipFile(io.BytesIO(data))
        assert self.zip.testzip() is None
        self.names = self.zip.namelist()

    def xml(self, name: str) -> Element:
        """Parse a file of the book."""
        return ElementTree.fromstring(self.zip.read(name))

    def spine(self) -> list[str]:
        """Return the names of the pages in reading order."""
        package = self.xml("EPUB/package.opf")
        files = {item.get("id"): item.get("href") for item in package.iter(f"{OPF}item")}
        return [f"EPUB/{files[reference.get('idref')]}" for reference in package.iter(f"{OPF}itemref")]

    def pages(self) -> list[str]:
        """Return the names of the pages that hold the novel."""
        return [name for name in self.spine() if name.startswith("EPUB/text/p")]

    def text(self) -> str:
        """Return all that the pages of the novel say, without white space; readings of ruby are left out."""
        return squeezed("".join(part for name in self.pages() for part in _words(self._body(name))))

    def markup(self, number: int = 0) -> str:
        """Return the source of a page of the novel."""
        return self.zip.read(self.pages()[number]).decode()

    def contents(self) -> list[tuple[int, str]]:
        """Return depth and label of every line of nav.xhtml."""
        nav = next(iter(self.xml("EPUB/nav.xhtml").iter(f"{XHTML}nav")))
        return list(_lines(nav.find(f"{XHTML}ol"), 1))

    def fact(self, name: str) -> str | None:
        """Return a fact of the Dublin Core."""
        return self.xml("EPUB/package.opf").findtext(f".//{DC}{name}")

    def _body(self, name: str) -> Element:
        body = self.xml(name).find(f"{XHTML}body")
        assert body is not None
        return body


def squeezed(text: str) -> str:
    """Return a text without white space and without the mark of byte order, to be compared."""
    return "".join(text.replace("\ufeff", "").split())


def made(text: str | bytes, options: EpubOptions | None = None, **more: Any) -> tuple[Book, dict[str, Any], Recorder]:
    """Make a book of a text; return it with the processor's result and context."""
    recorder, result = recorded(epub, text, options or EpubOptions(), **more)
    return Book(recorder.artifacts["novel.epub"]), result, recorder


def _words(element: Element) -> list[str]:
    words = [element.text or ""]
    for child in element:
        if child.tag not in (f"{XHTML}rt", f"{XHTML}rp"):
            words += _words(child)
        words.append(child.tail or "")
    return words


def _lines(ol: Element | None, depth: int) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    for li in ol if ol is not None else ():
        lines.append((depth, li.findtext(f"{XHTML}a") or ""))
        lines += _lines(li.find(f"{XHTML}ol"), depth + 1)
    return lines
