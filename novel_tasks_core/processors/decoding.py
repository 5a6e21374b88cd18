"""What the processors that read a novel share: the options that say how to read it, and what they tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import Attribute, field, frozen
from attrs.validators import and_, max_len, optional

from novel_tasks_core.errors import DecodingError, InvalidInputError
from novel_tasks_core.models import LogLevel
from novel_tasks_core.text.decoding import decode, known_codec
from novel_tasks_core.text.novel import Novel, Section
from novel_tasks_core.text.rule import LONGEST_RULE, check_rule

if TYPE_CHECKING:
    from novel_tasks_core.processors.base import ChildContext
    from novel_tasks_core.processors.manuscript import Manuscript

_TOLD_PLACES = 5


def _known_encoding(instance: object, attribute: Attribute[Any], value: str | None) -> None:
    if value is None:
        return
    try:
        known_codec(value)
    except InvalidInputError as exc:
        raise ValueError(exc.reason) from exc


def _usable_rule(instance: object, attribute: Attribute[Any], value: str) -> None:
    check_rule(value)


_DOUBTED_BYTES = 1 << 16
_SURE = 0.9
_CUT = 4  # the last character of what is read may be cut in two


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
    chapter_rule: str | None = field(
        default=None,
        validator=optional(and_(max_len(LONGEST_RULE), _usable_rule)),
        metadata={
            "description": (
                "A regular expression (Python's) for the lines that are headings, matched against the beginning"
                " of every line without the white space around it; a group named title gives the title."
                " Chapters are found by evidence when not given."
            )
        },
    )


def read_and_log(ctx: ChildContext, options: ReadingOptions) -> Novel:
    """Read the novel of an attempt into memory and log what was found out about it. Raises: DecodingError."""
    novel = ctx.read_novel(encoding=options.encoding, chapter_rule=options.chapter_rule)
    _log(ctx, novel, options)
    _doubt(ctx, options)
    return novel


def open_and_log(ctx: ChildContext, options: ReadingOptions) -> Manuscript:
    """Open the novel of an attempt piece by piece, and log what was found out about it. Raises: DecodingError."""
    novel = ctx.open_novel(encoding=options.encoding, chapter_rule=options.chapter_rule)
    _log(ctx, novel, options)
    _doubt(ctx, options)
    return novel


def _doubt(ctx: ChildContext, options: ReadingOptions) -> None:
    """Warn when the beginning of the file reads otherwise, and surely, than in the encoding that was named."""
    if options.encoding is None or ctx.source_path is None:
        return
    with ctx.source_path.open("rb") as file:
        beginning = file.read(_DOUBTED_BYTES)
    try:
        found = decode(beginning)
    except DecodingError:
        return
    named = beginning.decode(options.encoding, "replace").removeprefix("\ufeff")
    size = min(len(named), len(found.text)) - _CUT
    if found.confidence >= _SURE and named[:size] != found.text[:size]:
        ctx.log(
            f"the file was read as {options.encoding}, as was asked, but it looks like {found.encoding}"
            f" (confidence {found.confidence:.2f})",
            level=LogLevel.WARNING,
        )


def _log(ctx: ChildContext, novel: Novel | Manuscript, options: ReadingOptions) -> None:
    headed = sum(1 for section in _sections(novel) if section.line is not None)
    ctx.log(f"encoding {novel.encoding} (confidence {novel.encoding_confidence:.2f}), language {novel.language}")
    if novel.repaired_bytes:
        places = ", ".join(f"{place.offset}" for place in novel.damage[:_TOLD_PLACES])
        more = " ..." if len(novel.damage) > _TOLD_PLACES else ""
        ctx.log(f"{novel.repaired_bytes} damaged bytes were replaced, at byte {places}{more}", level=LogLevel.WARNING)
    missed = options.chapter_rule is not None and not headed
    level = LogLevel.WARNING if missed else LogLevel.INFO
    ctx.log(f"{headed} headings (confidence {novel.confidence:.2f}): {novel.reason}", level=level)


def _sections(novel: Novel | Manuscript) -> Sequence[Section]:
    return novel.chapters if isinstance(novel, Novel) else novel.sections


def summary(novel: Novel | Manuscript) -> dict[str, Any]:
    """Return the facts about a novel that every result begins with, as JSON; `damage` are [offset, length] in bytes."""
    return {
        "encoding": novel.encoding,
        "encoding_confidence": round(novel.encoding_confidence, 3),
        "repaired_bytes": novel.repaired_bytes,
        "damage": [[place.offset, place.length] for place in novel.damage],
        "language": novel.language,
        "confidence": round(novel.confidence, 3),
        "reason": novel.reason,
        "chapters": sum(1 for section in _sections(novel) if section.kind == "chapter"),
        "characters": len(novel.text) if isinstance(novel, Novel) else novel.characters,
    }
