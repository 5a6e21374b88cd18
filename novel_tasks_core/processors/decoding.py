"""What the processors that read a novel share: the option that names its encoding, and what they tell of it."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

from attrs import Attribute, field, frozen

if TYPE_CHECKING:
    from novel_tasks_core.processors.base import ChildContext
    from novel_tasks_core.text.novel import Novel


def _known_encoding(instance: object, attribute: Attribute[Any], value: str | None) -> None:
    if value is None:
        return
    try:
        codecs.lookup(value)
    except (LookupError, ValueError) as exc:
        raise ValueError(f"unknown encoding {value[:100]!r}") from exc


@frozen(kw_only=True)
class ReadingOptions:
    """How to read the source."""

    encoding: str | None = field(
        default=None,
        validator=_known_encoding,
        metadata={
            "description": "The encoding of the file, such as gb18030 or windows-1252; found out when not given."
        },
    )


def read_and_log(ctx: ChildContext, options: ReadingOptions) -> Novel:
    """Read the novel of an attempt and log what was found out about it. Raises: DecodingError."""
    novel = ctx.read_novel(encoding=options.encoding)
    headed = sum(1 for chapter in novel.chapters if chapter.line is not None)
    ctx.log(f"encoding {novel.encoding} (confidence {novel.encoding_confidence:.2f}), language {novel.language}")
    if novel.repaired_bytes:
        ctx.log(f"{novel.repaired_bytes} damaged bytes were replaced")
    ctx.log(f"{headed} headings (confidence {novel.confidence:.2f}): {novel.reason}")
    return novel


def summary(novel: Novel) -> dict[str, Any]:
    """Return the facts about a novel that every result begins with, as JSON."""
    chapters = [chapter for chapter in novel.chapters if chapter.kind == "chapter"]
    return {
        "encoding": novel.encoding,
        "encoding_confidence": round(novel.encoding_confidence, 3),
        "repaired_bytes": novel.repaired_bytes,
        "language": novel.language,
        "confidence": round(novel.confidence, 3),
        "reason": novel.reason,
        "chapters": len(chapters),
        "characters": len(novel.text),
    }
