"""Split a novel into chapters, and tell how sure that is."""

from __future__ import annotations

import json
from typing import Any

from novel_tasks_core.processors.base import ChildContext, Processor
from novel_tasks_core.processors.decoding import ReadingOptions, read_and_log, summary

SCHEMA = "novel-tasks/chapters/1"
"""The version of chapters.json."""


def split(ctx: ChildContext, options: ReadingOptions) -> dict[str, Any]:
    """Find the chapters; the artifact chapters.json lists them with offsets into the decoded text."""
    novel = read_and_log(ctx, options)
    rows: list[dict[str, Any]] = []
    for done, chapter in enumerate(novel.chapters, start=1):
        rows.append(
            {
                "title": chapter.title,
                "kind": chapter.kind,
                "level": chapter.level,
                "line": chapter.line,
                "offset": chapter.offset,
                "start": chapter.start,
                "end": chapter.end,
            }
        )
        ctx.progress(done, total=len(novel.chapters), stage=chapter.title)
    facts = summary(novel)
    document = {"schema": SCHEMA, **facts, "sections": rows}
    ctx.save_artifact(
        "chapters.json", json.dumps(document, ensure_ascii=False, indent=1).encode(), content_type="application/json"
    )
    return {**facts, "sections": len(rows)}


PROCESSOR = Processor(
    name="split",
    function=split,
    options_type=ReadingOptions,
    description="Finds the chapters of a novel, with confidence and reason.",
)
"""The processor `split`."""
