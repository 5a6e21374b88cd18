"""Analyze a novel: figures of every chapter and of the whole book, as JSON and as a page to look at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from novel_tasks_core.processors.base import ChildContext, Processor
from novel_tasks_core.processors.decoding import ReadingOptions, read_and_log, summary

if TYPE_CHECKING:
    from novel_tasks_core.text.measures import BookMeasures

SCHEMA = "novel-tasks/analysis/1"
"""The version of analysis.json."""


def analyze(ctx: ChildContext, options: ReadingOptions) -> dict[str, Any]:
    """Measure every chapter and the book into analysis.json and report.html: the same bytes for the same novel."""
    from novel_tasks_core.processors.report import render_report
    from novel_tasks_core.text.measures import Measuring

    novel = read_and_log(ctx, options)
    measuring = Measuring(novel)
    total = len(measuring.sections)
    for done, chapter in enumerate(measuring.measure(), start=1):
        ctx.progress(done, total=total + 1, stage=chapter.title)
    book = measuring.book()
    facts = summary(novel)
    document = _document(facts, book)
    ctx.save_artifact("analysis.json", _json(document), content_type="application/json")
    page = render_report(book, facts, title=_title(ctx.file_name))
    ctx.save_artifact("report.html", page.encode(), content_type="text/html; charset=utf-8")
    ctx.progress(total + 1, total=total + 1, stage="report")
    return _result(facts, book)


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False).encode()


def _title(file_name: str) -> str:
    stem, dot, _ = file_name.rpartition(".")
    return stem if dot and stem else file_name


def _document(facts: dict[str, Any], book: BookMeasures) -> dict[str, Any]:
    """Return analysis.json: null stands for what the language does not allow to measure."""
    measures = attrs.asdict(book)
    return {
        "schema": SCHEMA,
        **facts,
        "book": {name: value for name, value in measures.items() if name != "chapters"},
        "sections": measures["chapters"],
    }


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
    options_type=ReadingOptions,
    description="Measures a novel: chapters, length, reading time, dialogue, readability, people; with a report.",
)
"""The processor `analyze`, the default."""
