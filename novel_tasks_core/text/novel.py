"""A decoded and split novel: the value that processors work on."""

from __future__ import annotations

from attrs import frozen

from novel_tasks_core.text.damage import Damage


@frozen(kw_only=True)
class Section:
    """One section of a novel, without its text: from its heading up to the next one's.

    `title` has its whitespace collapsed and is "" for a section without a heading of its own (the text
    before the first one, a novel with none). `kind` is part, chapter, section, front or back; `level`
    1 (parts, volumes) to 3 (sections of a chapter). `offset` is in characters of the decoded text and
    points at the heading's first character or, without one, at the section's; `start` and `end` bound
    the section: all sections joined are the text. `line` is that of the heading, counting "\\n"
    from 1, None without one.
    """

    title: str
    kind: str
    level: int
    offset: int
    line: int | None
    start: int
    end: int

    def __len__(self) -> int:
        """Return how many characters the section has."""
        return self.end - self.start


@frozen(kw_only=True)
class Chapter(Section):
    """A section of a novel in memory, with its text."""

    text: str


@frozen(kw_only=True)
class Novel:
    """A whole novel.

    `encoding` is the Python codec that decodes the whole file; `repaired_bytes` counts the damaged ones
    that were replaced by U+FFFD, `damage` says where, for the first hundred places. `language` is a
    BCP 47 tag such as en, ja or zh-Hans, "und" when unknown.
    `confidence` 0..1 is that of the chapters, `reason` says in a sentence why they were chosen.
    The chapters' texts joined equal `text`.
    """

    text: str
    encoding: str
    encoding_confidence: float
    repaired_bytes: int
    damage: tuple[Damage, ...] = ()
    language: str
    confidence: float
    reason: str
    chapters: tuple[Chapter, ...]
