"""A novel that a processor reads piece by piece, so that its memory does not grow with the novel."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from novel_tasks_core.errors import DecodingError, DecodingProblem
from novel_tasks_core.processors.spool import Spool, spool_source
from novel_tasks_core.text.language import detect_language
from novel_tasks_core.text.novel import Section
from novel_tasks_core.text.passages import PASSAGE_CHARACTERS
from novel_tasks_core.text.reading import outline_of, sections

_SENTENCE_END = re.compile(r"(?:[.!?…][\"'”’»)\]]*\s+|[。！？…][」』”’）]*)(?=\S)")
_NEAR_END = 2000


class Manuscript:
    """A decoded and split novel; what it says of itself is as in `Novel`. Its sections joined are the text.

    `damage` says where the first hundred damaged places of the file are, `evidence` what speaks for the
    headings. The text stays on disk.
    """

    def __init__(self, spool: Spool, *, file_name: str = "", chapter_rule: str | None = None) -> None:
        outline = outline_of(spool.text, file_name=file_name, chapter_rule=chapter_rule)
        self._text = spool.text
        self.encoding = spool.encoding
        self.encoding_confidence = spool.confidence
        self.repaired_bytes = spool.repaired_bytes
        self.damage = spool.damage
        self.language = detect_language(spool.text)
        self.confidence = outline.confidence
        self.reason = outline.reason
        self.evidence = outline.evidence
        self.sections: tuple[Section, ...] = tuple(sections(outline, len(spool.text)))

    @property
    def characters(self) -> int:
        """How many characters the decoded text has."""
        return len(self._text)

    def text(self, section: Section) -> str:
        """Return the whole text of a section. One without headings may be as large as the novel: see `pieces`."""
        return self._text[section.start : section.end]

    def pieces(self, section: Section, *, characters: int = PASSAGE_CHARACTERS) -> Iterator[str]:
        """Yield the text of a section, at most so many characters at once.

        A piece ends with a line where it has one, else with a sentence, so that few words are cut.
        """
        start = section.start
        while start < section.end:
            piece = self._text[start : min(start + characters, section.end)]
            if start + len(piece) < section.end:
                piece = piece[: _end_of_piece(piece)]
            yield piece
            start += len(piece)

    def head(self, characters: int) -> str:
        """Return so many characters from the beginning of the text, where title and author stand."""
        return self._text[:characters]

    def sample(self, characters: int = 200_000) -> str:
        """Return so many characters from the middle of the text, where no preface or licence reaches."""
        start = max(0, len(self._text) // 2 - characters // 2)
        return self._text[start : start + characters]


def _end_of_piece(piece: str) -> int:
    end = piece.rfind("\n") + 1
    if not end:
        for match in _SENTENCE_END.finditer(piece, max(0, len(piece) - _NEAR_END)):
            end = match.end()
    return end or len(piece)


def open_manuscript(
    path: Path | None,
    folder: Callable[[], Path],
    *,
    file_name: str = "",
    encoding: str | None = None,
    chapter_rule: str | None = None,
) -> Manuscript:
    """Decode and split the file of a task; what has to be written goes into `folder`, which is only asked for then.

    Raises: as `spool_source`; DecodingError for a task without a file.
    """
    if path is None:
        raise DecodingError("the file is empty", kind=DecodingProblem.EMPTY)
    return Manuscript(spool_source(path, folder, encoding=encoding), file_name=file_name, chapter_rule=chapter_rule)
