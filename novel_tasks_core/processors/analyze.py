"""Analyze a novel: figures of every chapter and of the whole book, as JSON and as a page to look at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from novel_tasks_core.processors.base import ChildContext, Processor
from novel_tasks_core.processors.decoding import ReadingOptions, open_and_log, summary
from novel_tasks_core.processors.journal import Journal

if TYPE_CHECKING:
    from novel_tasks_core.processors.manuscript import Manuscript
    from novel_tasks_core.text.measures import BookMeasures, ChapterMeasures, Measuring

SCHEMA = "novel-tasks/analysis/2"
"""The version of analysis.json; `schemas/analysis-2.json` beside this module describes it."""
_VERSION = "2"
_JOURNAL = "analysis"
_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def analyze(ctx: ChildContext, options: ReadingOptions) -> dict[str, Any]:
    """Measure every chapter and the book into analysis.json and report.html: the same bytes for the same novel.

    What a chapter gave is kept in the task's work folder, so that an attempt after a crash goes on behind the
    last finished one. Memory grows neither with the novel nor with its chapters.
    """
    from novel_tasks_core.processors.report import render_report
    from novel_tasks_core.text.measures import Measuring

    novel = open_and_log(ctx, options)
    measuring = Measuring(novel)
    key = _key(ctx, options, novel)
    total = len(measuring.sections)
    with Journal(ctx, _JOURNAL, key=key) as journal:
        _measure_all(ctx, novel, measuring, journal)
    with Journal(ctx, _JOURNAL, key=key) as journal:
        book = _book(measuring, journal, ctx.work_folder / "sections.jsonl")
    facts = summary(novel)
    ctx.save_artifact(
        "analysis.json",
        _write_document(ctx.work_folder / "analysis.json", facts, book),
        content_type="application/json",
    )
    title, author = _titled(ctx, novel)
    page = render_report(book, facts, title=title, author=author)
    ctx.save_artifact("report.html", page.encode(), content_type="text/html; charset=utf-8")
    ctx.progress(total + 1, total=total + 1, stage="report")
    return _result(facts, book)


def _key(ctx: ChildContext, options: ReadingOptions, novel: Manuscript) -> str:
    """Name all that the records depend on; the source of a task never changes."""
    sections = hashlib.sha256()
    for section in novel.sections:
        sections.update(f"{section.start}-{section.end}:{section.title}\n".encode("utf-8", "surrogatepass"))
    return f"{_VERSION} {options} {novel.language} {novel.characters} {sections.hexdigest()}"


def _measure_all(ctx: ChildContext, novel: Manuscript, measuring: Measuring, journal: Journal) -> None:
    done = 0
    for record in journal.finished():
        measuring.add(record)
        done += 1
    total = len(measuring.sections)
    for number, section in enumerate(measuring.sections[done:], start=done + 1):
        pieces = novel.pieces(section, characters=measuring.piece_characters)

        def pause(before: int = number - 1, title: str = section.title) -> None:
            ctx.progress(before, total=total + 1, stage=title)

        record = measuring.section(section, pieces, pause=pause)
        measuring.add(record)
        journal.append(record)
        ctx.progress(number, total=total + 1, stage=section.title)


def _book(measuring: Measuring, journal: Journal, path: Path) -> BookMeasures:
    """Read all records once more, and leave the figures of each section in a line of a file."""
    with path.open("wb") as lines:
        return measuring.book(_kept(journal, lines), StoredChapters(path, len(measuring.sections)))


def _kept(journal: Journal, lines: BinaryIO) -> Iterator[dict[str, Any]]:
    for record in journal.finished():
        lines.write(_line(record["section"]).encode("utf-8", "surrogatepass") + b"\n")
        yield record
    lines.flush()


class StoredChapters:
    """The figures of all sections in a file with a line for each, read anew whenever they are iterated."""

    def __init__(self, path: Path, count: int) -> None:
        self.path = path
        self._count = count

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __iter__(self) -> Iterator[ChapterMeasures]:
        """Yield the figures of one section after the other."""
        from novel_tasks_core.text.measures import ChapterMeasures

        with self.path.open("rb") as lines:
            for line in lines:
                yield ChapterMeasures.from_json(json.loads(line.decode("utf-8", "surrogatepass")))

    def __contains__(self, chapter: object) -> bool:
        """Tell whether a section has these figures."""
        return any(chapter == one for one in self)


def _titled(ctx: ChildContext, novel: Manuscript) -> tuple[str, str]:
    """Return (title, author) as the text or the file name tells them, "" for what neither does."""
    from novel_tasks_core.text.bookinfo import HEAD_CHARACTERS, read_bookinfo
    from novel_tasks_core.text.markdown import is_markdown

    info = read_bookinfo(
        novel.head(HEAD_CHARACTERS), file_name=ctx.file_name, given={}, markdown=is_markdown(ctx.file_name)
    )
    return info.title, info.author


def _write_document(path: Path, facts: dict[str, Any], book: BookMeasures) -> Path:
    """Write analysis.json piece by piece: null stands for what the language does not allow to measure."""
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as out:
        for part in _document(facts, book):
            out.write(part)
    return path


def _document(facts: dict[str, Any], book: BookMeasures) -> Iterator[str]:
    yield "{\n" + f'"schema": {_line(SCHEMA)}'
    for name, value in facts.items():
        yield f",\n{_line(name)}: {_line(value)}"
    figures = ",\n".join(f"{_line(name)}: {_line(value)}" for name, value in _figures(book).items())
    yield f',\n"book": {{\n{figures}'
    yield from _list("people", None if book.people is None else (person.as_json() for person in book.people))
    yield from _list("meetings", None if book.meetings is None else (one.as_json() for one in book.meetings))
    yield "\n}"
    yield from _list("sections", (attrs.asdict(chapter) for chapter in book.chapters))
    yield "\n}\n"


def _figures(book: BookMeasures) -> dict[str, Any]:
    """Return the figures of the book that are small."""
    return attrs.asdict(book, filter=lambda attribute, _: attribute.name not in ("chapters", "people", "meetings"))


def _list(name: str, values: Iterable[dict[str, Any]] | None) -> Iterator[str]:
    """Write a member of the document that is a list, a line for each value; or null."""
    yield f",\n{_line(name)}: "
    if values is None:
        yield "null"
        return
    opening = "["
    for value in values:
        yield f"{opening}\n{_line(value)}"
        opening = ","
    yield "[]" if opening == "[" else "\n]"


def _result(facts: dict[str, Any], book: BookMeasures) -> dict[str, Any]:
    return {
        **facts,
        "characters": book.characters,
        "words": book.words,
        "sentences": book.sentences,
        "reading_minutes": book.reading_minutes,
        "dialogue_share": book.dialogue_share,
        "readability": book.readability.score if book.readability else None,
        "people": [person.name for person in book.people[:10]] if book.people is not None else None,
    }


PROCESSOR = Processor(
    name="analyze",
    function=analyze,
    version=_VERSION,
    options_type=ReadingOptions,
    description="Measures a novel: chapters, length, reading time, dialogue, readability, people; with a report.",
)
"""The processor `analyze`, the default."""
