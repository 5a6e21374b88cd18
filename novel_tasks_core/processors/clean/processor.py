"""Clean a novel: UTF-8 with plain line ends, no junk, whole paragraphs; and a log of every change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from zlib import crc32

from attrs import asdict, evolve

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.errors import InvalidOptionsError
from novel_tasks_core.processors.base import ChildContext, Processor
from novel_tasks_core.processors.clean.changes import MEANINGS, ChangeLog
from novel_tasks_core.processors.clean.options import Chinese, CleanOptions, Unwrap
from novel_tasks_core.processors.decoding import open_and_log, summary
from novel_tasks_core.processors.journal import Journal

if TYPE_CHECKING:
    from novel_tasks_core.processors.clean.characters import Mending
    from novel_tasks_core.processors.clean.cleaning import Cleaner, Convert, Manner, Part
    from novel_tasks_core.processors.clean.repetition import Repeated
    from novel_tasks_core.processors.manuscript import Manuscript
    from novel_tasks_core.text.layout import Layout
    from novel_tasks_core.text.novel import Section

SCHEMA = "novel-tasks/changes/1"
"""The version of changes.json."""
VERSION = "1"
NOVEL = "novel.txt"

_BLOCK = 1 << 20
_SECTIONS_MEASURED = 3
_SHARE_WRAPPED = 0.5
_WRITTEN = {Chinese.SIMPLIFIED: "zh-Hans", Chinese.TRADITIONAL: "zh-Hant"}
_CONFIGURATIONS = {Chinese.SIMPLIFIED: "t2s", Chinese.TRADITIONAL: "s2t"}


def clean(ctx: ChildContext, options: CleanOptions) -> dict[str, Any]:
    """Write novel.txt, the clean text, and changes.json, which lists every kind of change with examples."""
    from novel_tasks_core.text.markdown import is_markdown

    convert = _converter(options.chinese)
    novel = open_and_log(ctx, options)
    total = len(novel.sections) + 1
    ctx.progress(0, total=total, stage="looking for repeated lines")
    markdown = is_markdown(ctx.file_name)
    manner = _manner(novel, options, convert, markdown=markdown)
    found = _repeated(ctx, novel, manner) if options.repeated else []
    manner = evolve(manner, repeated=frozenset(one.line for one in found if one.dropped))
    if options.unwrap is not Unwrap.NEVER and not markdown:
        manner = evolve(manner, layout=_layout(novel, manner, always=options.unwrap is Unwrap.ALWAYS))
    path = ctx.work_folder / NOVEL
    log = _written(ctx, novel, manner, path, key=_key(ctx, options), total=total)
    ctx.save_artifact(NOVEL, path, content_type=f"text/{'markdown' if markdown else 'plain'}; charset=utf-8")
    facts = summary(novel)
    document = _document(facts, novel, log, found)
    ctx.save_artifact(
        "changes.json", json.dumps(document, ensure_ascii=False, indent=1).encode(), content_type="application/json"
    )
    ctx.progress(total, total=total, stage="changes")
    return {**facts, "changes": dict(sorted(log.counts.items())), "rules": dict(sorted(log.rules.items()))}


def _written(ctx: ChildContext, novel: Manuscript, manner: Manner, path: Path, *, key: str, total: int) -> ChangeLog:
    """Write the clean text to `path`, going on where an earlier attempt stopped, and return the log of all changes."""
    from novel_tasks_core.processors.clean.cleaning import Cleaner

    path.touch(mode=0o600)
    log = ChangeLog()
    for name in (key, f"{key} again"):
        log = ChangeLog()
        cleaner = Cleaner(manner, log=ChangeLog(earlier=log))
        with Journal(ctx, "clean", key=name) as journal, path.open("r+b") as file:
            done = _taken_up(journal, cleaner, log, file)
            if done is None:
                continue
            for number, section in enumerate(novel.sections[done:], start=done):
                pieces = _followed(ctx, novel, section, done=number, total=total)
                _write_section(cleaner, pieces, _part(novel, section), file)
                _record(journal, cleaner, log, file)
        break
    return log


def _taken_up(journal: Journal, cleaner: Cleaner, log: ChangeLog, file: BinaryIO) -> int | None:
    """Go to where an earlier attempt stopped and return how many sections it finished.

    None when the file is not what the journal says, as after a power cut: all must begin anew.
    """
    done = size = 0
    for kept in journal.finished():
        log.merge(kept["log"])
        cleaner.line, cleaner.blank, cleaner.open = kept["line"], kept["blank"], kept["open"]
        cleaner.licence, cleaner.checksum, size = kept["licence"], kept["checksum"], kept["bytes"]
        done += 1
    found = _checksum(file, size)
    file.truncate(size)
    return done if found == cleaner.checksum else None


def _checksum(file: BinaryIO, size: int) -> int:
    """Return the CRC-32 of the first `size` bytes, or of all there are, and stop behind them."""
    checksum = 0
    while size and (block := file.read(min(size, _BLOCK))):
        checksum = crc32(block, checksum)
        size -= len(block)
    return checksum if not size else -1


def _write_section(cleaner: Cleaner, pieces: Iterator[str], part: Part, file: BinaryIO) -> None:
    for text in cleaner.cleaned(pieces, part=part):
        data = text.encode("utf-8", "replace")
        file.write(data)
        cleaner.checksum = crc32(data, cleaner.checksum)
    file.flush()


def _record(journal: Journal, cleaner: Cleaner, log: ChangeLog, file: BinaryIO) -> None:
    """Note that a section is finished, with all that the next one begins from."""
    part = cleaner.log.document()
    log.merge(part)
    cleaner.log = ChangeLog(earlier=log)
    journal.append(
        {
            "bytes": file.tell(),
            "checksum": cleaner.checksum,
            "line": cleaner.line,
            "blank": cleaner.blank,
            "open": cleaner.open,
            "licence": cleaner.licence,
            "log": part,
        }
    )


def _part(novel: Manuscript, section: Section) -> Part:
    """Say what a section is. What stands before the first heading or after the last is not the author's text."""
    from novel_tasks_core.processors.clean.cleaning import Part

    if section.line is not None:
        return Part.CHAPTER
    return Part.BODY if len(novel.sections) == 1 else Part.MATTER


def _followed(ctx: ChildContext, novel: Manuscript, section: Section, *, done: int, total: int) -> Iterator[str]:
    """Yield the pieces of a section, telling before each how far the work is; that is where a cancellation stops it."""
    read = 0
    for piece in novel.pieces(section):
        ctx.progress(done + read / max(1, len(section)), total=total, stage=section.title)
        read += len(piece)
        yield piece


def _key(ctx: ChildContext, options: CleanOptions) -> str:
    """Name what a partial result depends on; the source of a task never changes."""
    return json.dumps([VERSION, dict(ctx.options), ctx.file_name], sort_keys=True, default=str)


def _converter(chinese: Chinese) -> Convert | None:
    """Return what converts the characters. Raises: InvalidOptionsError when the extra is not installed."""
    if chinese is Chinese.KEEP:
        return None
    try:
        from opencc import OpenCC
    except ImportError as exc:
        problem = "converting Chinese characters needs OpenCC: pip install novel-tasks[zh]"
        complaint = Complaint(problem, FaultCode.EXTRA_MISSING, extra="zh")
        raise InvalidOptionsError("clean", [("/chinese", complaint)]) from exc
    convert: Convert = OpenCC(_CONFIGURATIONS[chinese]).convert
    return convert


def _mending(language: str, options: CleanOptions, *, markdown: bool) -> Mending:
    """Say which characters are mended; Markdown has entities of its own, and Japanese sets full-width on purpose."""
    from novel_tasks_core.processors.clean.characters import Mending

    primary = language.partition("-")[0]
    return Mending(
        widths=options.widths and primary != "ja",
        wide_language=primary in ("zh", "ja", "ko"),
        entities=not markdown,
    )


def _manner(novel: Manuscript, options: CleanOptions, convert: Convert | None, *, markdown: bool) -> Manner:
    """Say how a book is cleaned, as far as its options and its language tell."""
    from novel_tasks_core.processors.clean.cleaning import Manner
    from novel_tasks_core.processors.clean.rules import chosen_rules

    return Manner(
        mending=_mending(novel.language, options, markdown=markdown),
        rules=chosen_rules(options.rules, options.without, novel.language, markdown=markdown),
        convert=_conversion(convert, novel.language, options.chinese),
        markdown=markdown,
    )


def _conversion(convert: Convert | None, language: str, chinese: Chinese) -> Convert | None:
    """Return how the characters of a book are converted.

    In a book that has the wanted ones already, only lines with one that is not: others would be spoilt, because
    some characters have two originals.
    """
    if convert is None or not language.startswith("zh"):
        return None
    if language != _WRITTEN[chinese]:
        return convert
    from novel_tasks_core.text.hanvariants import SIMPLIFIED, TRADITIONAL

    foreign = re.compile(f"[{''.join(SIMPLIFIED if chinese is Chinese.TRADITIONAL else TRADITIONAL)}]")
    return partial(_foreign_lines, convert, foreign)


def _foreign_lines(convert: Convert, foreign: re.Pattern[str], text: str) -> str:
    if not foreign.search(text):
        return text
    return "\n".join(convert(line) if foreign.search(line) else line for line in text.split("\n"))


def _repeated(ctx: ChildContext, novel: Manuscript, manner: Manner) -> list[Repeated]:
    """Look through the whole book for lines that come again and again."""
    from novel_tasks_core.processors.clean.repetition import Repetition

    seen = Repetition(manner.mending, manner.rules)
    for section in novel.sections:
        for piece in _followed(ctx, novel, section, done=0, total=1 << 40):
            seen.piece(piece)
        seen.end_section()
    return seen.found()


def _layout(novel: Manuscript, manner: Manner, *, always: bool) -> Layout | None:
    """Return the layout of a book whose lines were wrapped, as it shows when all else is clean; None for any other.

    With `always` the user says that they were, and the longest of them show where.
    """
    from novel_tasks_core.processors.clean.cleaning import Cleaner, Part
    from novel_tasks_core.text.layout import WIDEST_WRAP, measure_layout

    largest = sorted(novel.sections, key=len, reverse=True)[:_SECTIONS_MEASURED]
    first = [next(novel.pieces(section), "") for section in largest]
    sample = "\n\n".join("".join(Cleaner(manner).cleaned([piece], part=Part.CHAPTER)) for piece in first)
    lines = [line for line in sample.split("\n") if line.strip()]
    layout = measure_layout(sample)
    if always:
        short = sorted(len(line) for line in lines if len(line) <= WIDEST_WRAP)
        return evolve(layout, width=layout.width or short[len(short) * 19 // 20]) if short else None
    if layout.width is None or sum(len(line) <= WIDEST_WRAP for line in lines) < _SHARE_WRAPPED * len(lines):
        return None
    breaks = sum(bool(one.strip() and other.strip()) for one, other in pairwise(sample.split("\n")))
    return layout if breaks >= _SHARE_WRAPPED * len(lines) else None


def _document(facts: dict[str, Any], novel: Manuscript, log: ChangeLog, found: list[Repeated]) -> dict[str, Any]:
    """Return changes.json. `dropped` and `suspects` are the repeated lines; only the former were dropped."""
    told = log.document()
    return {
        "schema": SCHEMA,
        **facts,
        "damage": [asdict(place) for place in novel.damage],
        "changes": [
            {
                "kind": kind,
                "meaning": meaning,
                "count": log.counts.get(kind, 0),
                "examples": told["examples"].get(kind, []),
            }
            for kind, meaning in MEANINGS.items()
        ],
        "rules": dict(sorted(log.rules.items())),
        "dropped": [asdict(one) for one in found if one.dropped],
        "suspects": [asdict(one) for one in found if not one.dropped],
    }


PROCESSOR = Processor(
    name="clean",
    function=clean,
    version=VERSION,
    options_type=CleanOptions,
    description="Cleans a novel: UTF-8, plain line ends, whole paragraphs, no advertising; with a log of every change.",
)
"""The processor `clean`."""
