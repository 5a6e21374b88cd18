"""Bytes in, novel out: decode, name the language, split into chapters."""

from __future__ import annotations

from pathlib import PurePath

from novel_tasks_core.text.boilerplate import body_span
from novel_tasks_core.text.chapters import find_outline
from novel_tasks_core.text.decoding import Decoded, decode
from novel_tasks_core.text.language import detect_language
from novel_tasks_core.text.novel import Chapter, Novel
from novel_tasks_core.text.outline import FoundHeading, Outline

_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd"})


def read_novel(data: bytes, *, file_name: str = "", encoding: str | None = None) -> Novel:
    """Decode a file and split it into chapters.

    A name that ends in .md makes it Markdown. `encoding` names the encoding; None finds it out. Text
    before the first heading, and a distributor's licence after the last, are sections without heading.

    Raises: DecodingError when the bytes are not text, or not in the named encoding; InvalidInputError
    for an unknown encoding name.
    """
    decoded = decode(data, encoding=encoding)
    outline = find_outline(decoded.text, markdown=PurePath(file_name).suffix.lower() in _MARKDOWN)
    return _novel(decoded, outline)


def _novel(decoded: Decoded, outline: Outline) -> Novel:
    return Novel(
        text=decoded.text,
        encoding=decoded.encoding,
        encoding_confidence=decoded.confidence,
        repaired_bytes=decoded.repaired_bytes,
        language=detect_language(decoded.text),
        confidence=outline.confidence,
        reason=outline.reason,
        chapters=sections(decoded.text, outline.headings),
    )


def sections(text: str, headings: tuple[FoundHeading, ...]) -> tuple[Chapter, ...]:
    """Cut a text at its headings; joined together the sections are the text."""
    if not headings:
        return (_without_heading(text, 0, len(text), "chapter"),)
    starts = [text.rfind("\n", 0, heading.start) + 1 for heading in headings]
    end = _licence_start(text, headings[-1])
    made: list[Chapter] = []
    if starts[0] > 0:
        made.append(_without_heading(text, 0, starts[0], "front"))
    line, counted = 1, 0
    for heading, start, stop in zip(headings, starts, [*starts[1:], end], strict=True):
        line += text.count("\n", counted, start)
        counted = start
        made.append(
            Chapter(
                title=heading.title,
                kind=heading.kind,
                level=heading.level,
                offset=heading.start,
                line=line,
                start=start,
                end=stop,
                text=text[start:stop],
            )
        )
    if end < len(text):
        made.append(_without_heading(text, end, len(text), "back"))
    return tuple(made)


def _without_heading(text: str, start: int, end: int, kind: str) -> Chapter:
    return Chapter(title="", kind=kind, level=2, offset=start, line=None, start=start, end=end, text=text[start:end])


def _licence_start(text: str, last: FoundHeading) -> int:
    _, end = body_span(text)
    return end if end > last.end else len(text)
