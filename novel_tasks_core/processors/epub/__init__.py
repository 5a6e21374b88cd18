"""Make a novel an EPUB 3 book: the same bytes for the same source and options, whoever makes it and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import Attribute, asdict, field, frozen

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.models import LogLevel
from novel_tasks_core.processors.base import ChildContext, Processor
from novel_tasks_core.processors.decoding import ReadingOptions, open_and_log, summary

if TYPE_CHECKING:
    from novel_tasks_core.processors.epub.making import Made
    from novel_tasks_core.processors.epub.package import Metadata
    from novel_tasks_core.processors.manuscript import Manuscript
    from novel_tasks_core.text.bookinfo import BookInfo

VERSION = "1"

UNKNOWN_MODIFIED = "2000-01-01T00:00:00Z"
"""The time of change of a book whose source names no date: a constant, for the clock must not be in its bytes."""

_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _language_tag(instance: object, attribute: Attribute[Any], value: str | None) -> None:
    if value is not None and not _TAG.fullmatch(value):
        said = f"not a language tag such as en, ja or zh-Hans: {value[:100]!r}"
        raise ValueError(Complaint(said, FaultCode.LANGUAGE))


def _moment(instance: object, attribute: Attribute[Any], value: str | None) -> None:
    if value is not None:
        _utc(value)


def _utc(value: str) -> str:
    """Return an ISO 8601 date or time as UTC, to the second. Raises: ValueError."""
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ValueError(Complaint(f"not an ISO 8601 date or time: {value[:100]!r}", FaultCode.DATE)) from exc
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


@frozen(kw_only=True)
class EpubOptions(ReadingOptions):
    """How to make the book; what is blank or not given is taken from the front matter, the text or the file name."""

    title: str | None = field(
        default=None,
        metadata={"description": "The title of the book; found in the text or the file name when not given."},
    )
    author: str | None = field(
        default=None,
        metadata={"description": "The author; found in the text or the file name when not given."},
    )
    publisher: str | None = field(default=None, metadata={"description": "The publisher."})
    language: str | None = field(
        default=None,
        validator=_language_tag,
        metadata={"description": "The language as a BCP 47 tag, such as en or zh-Hans; recognised when not given."},
    )
    modified: str | None = field(
        default=None,
        validator=_moment,
        metadata={
            "description": "When the book was last changed, as an ISO 8601 date or time; without one the date that"
            " the text names, else 2000-01-01: never the time of making, so that the same source gives the same bytes."
        },
    )
    cover: bool = field(
        default=True, metadata={"description": "Whether the book gets a cover with its title and author."}
    )


def epub(ctx: ChildContext, options: EpubOptions) -> dict[str, Any]:
    """Write novel.epub; an attempt after a crash goes on behind the last section that was written."""
    from novel_tasks_core.processors.epub.making import Maker, result_of
    from novel_tasks_core.processors.epub.reading import Notation
    from novel_tasks_core.processors.epub.ruby import uses_notation
    from novel_tasks_core.text.bookinfo import HEAD_CHARACTERS, read_bookinfo
    from novel_tasks_core.text.layout import measure_layout
    from novel_tasks_core.text.markdown import is_markdown

    novel = open_and_log(ctx, options)
    head, sample = novel.head(HEAD_CHARACTERS), novel.sample()
    markdown = is_markdown(ctx.file_name)
    given = {name: getattr(options, name) for name in ("title", "author", "publisher", "language")}
    info = read_bookinfo(head, file_name=ctx.file_name, given=given, markdown=markdown)
    metadata, sources = _metadata(ctx, options, novel, info)
    notation = Notation(
        layout=measure_layout(sample.replace("\r\n", "\n").replace("\r", "\n")),
        markdown=markdown,
        aozora=not markdown and uses_notation(head, sample if novel.language == "ja" else ""),
    )
    key = f"{VERSION} {asdict(options)} {metadata} {notation} {novel.characters} {len(novel.sections)}"
    maker = Maker(ctx=ctx, novel=novel, metadata=metadata, notation=notation, cover=options.cover, key=_printable(key))
    made = maker.make()
    _warn(ctx, made)
    ctx.save_artifact("novel.epub", made.path, content_type="application/epub+zip")
    return {**summary(novel), **result_of(made, metadata, sources)}


def _printable(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def _metadata(
    ctx: ChildContext, options: EpubOptions, novel: Manuscript, info: BookInfo
) -> tuple[Metadata, dict[str, str]]:
    """Return what the book says of itself, and where each fact was found."""
    from novel_tasks_core.processors.epub.making import identifier_of
    from novel_tasks_core.processors.epub.markup import allowed
    from novel_tasks_core.processors.epub.package import Metadata
    from novel_tasks_core.processors.epub.words import words_of

    sources = dict(info.sources)
    language = info.language
    if sources.get("language") not in ("options", "front matter"):
        if novel.language != "und":
            language, sources["language"] = novel.language, "recognised"
        elif not language:
            language, sources["language"] = "und", "none"
    title = allowed(info.title)[0]
    if not title.strip():
        title, sources["title"] = words_of(language).untitled, "none"
    if options.modified:
        modified = _utc(options.modified)
    else:
        modified = f"{info.date}T00:00:00Z" if _is_day(info.date) else UNKNOWN_MODIFIED
    return (
        Metadata(
            identifier=identifier_of(ctx.source_path),
            title=title,
            author=allowed(info.author)[0],
            language=language,
            publisher=allowed(info.publisher)[0],
            date=info.date,
            modified=modified,
        ),
        sources,
    )


def _is_day(date: str) -> bool:
    try:
        return bool(_DAY.fullmatch(date)) and bool(datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC))
    except ValueError:
        return False


def _warn(ctx: ChildContext, made: Made) -> None:
    if made.replaced:
        ctx.log(f"{made.replaced} characters that no page can hold were replaced by U+FFFD", level=LogLevel.WARNING)
    if made.long_titles:
        ctx.log(f"{made.long_titles} titles were cut in the table of contents", level=LogLevel.WARNING)


PROCESSOR = Processor(
    name="epub",
    function=epub,
    version=VERSION,
    options_type=EpubOptions,
    description="Makes an EPUB 3 book with a cover, a table of contents, and metadata from the text or its name.",
)
"""The processor `epub`."""
