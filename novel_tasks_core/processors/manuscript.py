"""A novel that a processor reads piece by piece, so that its memory does not grow with the novel."""

from __future__ import annotations

from collections.abc import Iterator

from novel_tasks_core.text.novel import Novel, Section

PIECE_CHARACTERS = 100_000
"""How much of a section a processor takes at once."""


class Manuscript:
    """A decoded and split novel; what it says of itself is as in `Novel`. Its sections joined are the text."""

    def __init__(self, novel: Novel) -> None:
        self._text = novel.text
        self.encoding = novel.encoding
        self.encoding_confidence = novel.encoding_confidence
        self.repaired_bytes = novel.repaired_bytes
        self.language = novel.language
        self.confidence = novel.confidence
        self.reason = novel.reason
        self.sections: tuple[Section, ...] = novel.chapters

    @property
    def characters(self) -> int:
        """How many characters the decoded text has."""
        return len(self._text)

    def text(self, section: Section) -> str:
        """Return the whole text of a section. One without headings may be as large as the novel: see `pieces`."""
        return self._text[section.start : section.end]

    def pieces(self, section: Section, *, characters: int = PIECE_CHARACTERS) -> Iterator[str]:
        """Yield the text of a section, at most so many characters at once, cut after a newline where there is one."""
        start = section.start
        while start < section.end:
            stop = min(start + characters, section.end)
            if stop < section.end:
                stop = self._text.rfind("\n", start, stop) + 1 or stop
            yield self._text[start:stop]
            start = stop

    def sample(self, characters: int = 200_000) -> str:
        """Return so many characters from the middle of the text, where no preface or licence reaches."""
        start = max(0, len(self._text) // 2 - characters // 2)
        return self._text[start : start + characters]
