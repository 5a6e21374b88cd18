"""Split a novel into chapters, and tell how sure that is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from attrs import asdict, field, frozen

from novel_tasks_core.processors.base import ChildContext, Processor
from novel_tasks_core.processors.decoding import ReadingOptions, open_and_log, summary
from novel_tasks_core.processors.manuscript import Manuscript
from novel_tasks_core.text.novel import Section

SCHEMA = "novel-tasks/chapters/2"
"""The version of chapters.json."""

_SHOWN = 200
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


@frozen(kw_only=True)
class SplitOptions(ReadingOptions):
    """How to read the source, and what to tell of it."""

    preview: bool = field(
        default=False,
        metadata={"description": f"Show the first {_SHOWN} headings in the result, to try a chapter_rule out."},
    )


def split(ctx: ChildContext, options: SplitOptions) -> dict[str, Any]:
    """Find the chapters; the artifact chapters.json lists them with offsets into the decoded text.

    Beside `summary` it has `evidence`, in the shape of `Evidence`; `damage`, the first hundred repaired
    places, in the shape of `Damage`; and every section with its `title`, `kind`, `level`, `line`, `offset`,
    `start`, `end` and `characters`, in the meaning of `Section`.
    """
    novel = open_and_log(ctx, options)
    path = ctx.work_folder / "chapters.json"
    with path.open("w", encoding="utf-8", errors="surrogatepass") as file:
        file.writelines(_document(ctx, novel))
    ctx.save_artifact("chapters.json", path, content_type="application/json")
    path.unlink()
    result = {**summary(novel), "sections": len(novel.sections)}
    return {**result, **_preview(novel)} if options.preview else result


def _document(ctx: ChildContext, novel: Manuscript) -> Iterator[str]:
    """Yield chapters.json in parts, one section a line: there may be a hundred thousand."""
    facts = {
        "schema": SCHEMA,
        **summary(novel),
        "evidence": asdict(novel.evidence),
        "damage": [asdict(place) for place in novel.damage],
    }
    yield _encode(facts)[:-1] + ', "sections": ['
    separator = "\n"
    for done, section in enumerate(novel.sections, start=1):
        yield separator + _encode(_row(section))
        separator = ",\n"
        ctx.progress(done, total=len(novel.sections), stage=section.title)
    yield "\n]}\n"


def _row(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "kind": section.kind,
        "level": section.level,
        "line": section.line,
        "offset": section.offset,
        "start": section.start,
        "end": section.end,
        "characters": len(section),
    }


def _preview(novel: Manuscript) -> dict[str, Any]:
    """Return how many headings there are, and the first of them."""
    headed = [section for section in novel.sections if section.line is not None]
    shown = [
        {
            "title": section.title,
            "line": section.line,
            "level": section.level,
            "offset": section.offset,
            "characters": len(section),
        }
        for section in headed[:_SHOWN]
    ]
    return {"headings": shown, "headings_total": len(headed)}


PROCESSOR = Processor(
    name="split",
    function=split,
    version="2",
    options_type=SplitOptions,
    description="Finds the chapters of a novel, with confidence and reason.",
)
"""The processor `split`."""
