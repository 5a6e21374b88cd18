"""Bytes in, novel out: decode, name the language, split into chapters."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import asdict

from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.text.chapters import find_outline
from novel_tasks_core.text.decoding import decode
from novel_tasks_core.text.language import detect_language
from novel_tasks_core.text.markdown import is_markdown
from novel_tasks_core.text.novel import Chapter, Novel, Section
from novel_tasks_core.text.outline import Outline
from novel_tasks_core.text.passages import Text
from novel_tasks_core.text.rule import check_rule


def read_novel(
    data: bytes, *, file_name: str = "", encoding: str | None = None, chapter_rule: str | None = None
) -> Novel:
    """Decode a file and split it into chapters.

    A name that ends in .md makes it Markdown. `encoding` names the encoding; None finds it out. A
    `chapter_rule`, a regular expression, names the lines that are headings. Text before the first heading,
    and a distributor's licence after the last, are sections without heading.

    Raises: DecodingError when the bytes are not text, or not in the named encoding; InvalidInputError
    for an unknown encoding name, and for a rule that cannot be used.
    """
    if chapter_rule is not None:
        _check_rule(chapter_rule)
    decoded = decode(data, encoding=encoding)
    text = decoded.text
    outline = outline_of(text, file_name=file_name, chapter_rule=chapter_rule)
    return Novel(
        text=text,
        encoding=decoded.encoding,
        encoding_confidence=decoded.confidence,
        repaired_bytes=decoded.repaired_bytes,
        damage=decoded.damage,
        language=detect_language(text),
        confidence=outline.confidence,
        reason=outline.reason,
        chapters=tuple(
            Chapter(**asdict(section), text=text[section.start : section.end])
            for section in sections(outline, len(text))
        ),
    )


def _check_rule(rule: str) -> None:
    try:
        check_rule(rule)
    except ValueError as exc:
        raise InvalidInputError("chapter_rule", exc.args[0]) from exc


def outline_of(text: Text, *, file_name: str, chapter_rule: str | None = None) -> Outline:
    """Find the headings of a text, as Markdown when the name of its file says so."""
    return find_outline(text, markdown=is_markdown(file_name), rule=chapter_rule)


def sections(outline: Outline, length: int) -> Iterator[Section]:
    """Cut a text of `length` characters at its headings; joined together the sections are the text."""
    headings = outline.headings
    if not headings:
        yield _without_heading(0, length, "chapter")
        return
    if headings[0].top > 0:
        yield _without_heading(0, headings[0].top, "front")
    end = outline.end if outline.end > headings[-1].end else length
    for heading, stop in zip(headings, [*(later.top for later in headings[1:]), end], strict=True):
        yield Section(
            title=heading.title,
            kind=heading.kind,
            level=heading.level,
            offset=heading.start,
            line=heading.line,
            start=heading.top,
            end=stop,
        )
    if end < length:
        yield _without_heading(end, length, "back")


def _without_heading(start: int, end: int, kind: str) -> Section:
    return Section(title="", kind=kind, level=2, offset=start, line=None, start=start, end=end)
