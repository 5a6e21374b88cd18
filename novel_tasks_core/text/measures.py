"""The figures of a chapter and of a whole book. What a language does not allow to count is None, never a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs
from attrs import frozen

from novel_tasks_core.text.appearances import Attendance, Meeting, Person
from novel_tasks_core.text.blocks import at_paragraphs
from novel_tasks_core.text.names import Cast, NameEvidence
from novel_tasks_core.text.novel import Novel, Section
from novel_tasks_core.text.pace import PACE_POINTS, Pace, PacePoint, median
from novel_tasks_core.text.readability import Readability, readability, reading_minutes
from novel_tasks_core.text.sums import Sums
from novel_tasks_core.text.tokens import richness
from novel_tasks_core.text.toolkit import toolkit
from novel_tasks_core.text.written import WrittenWords

Record = dict[str, Any]
"""All that is measured of one section, as JSON: it can be stored, and added to another `Measuring`."""
_LEAST_PIECE, _MOST_PIECE = 5_000, 100_000
_SAMPLE = 200_000
_ENOUGH, _LEAST_PASSAGE = 2_000_000, 2_000


def _no_pause() -> None:
    """Go on."""


@frozen(kw_only=True)
class ChapterMeasures:
    """The figures of one section: `characters` are those that are not blank, `dialogue_share` is 0..1 of them.

    `sentence_words` is the median length of a sentence and `paragraph_words` the mean length of a paragraph, in
    words; `scenes` counts the stretches between lines of asterisks and the like.
    """

    title: str
    kind: str
    level: int
    start: int
    characters: int
    words: int | None
    sentences: int | None
    paragraphs: int
    scenes: int
    sentence_words: float | None
    paragraph_words: float | None
    reading_minutes: float | None
    dialogue_share: float | None
    readability: Readability | None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ChapterMeasures:
        """Read what `attrs.asdict` made of one."""
        score = value["readability"]
        return cls(**{**value, "readability": Readability(**score) if score else None})


@frozen(kw_only=True)
class BookMeasures:
    """The figures of a whole book. `people` is None for a language in which names cannot be told apart.

    `chapters` may be read anew, chapter by chapter, each time it is iterated: a book may have 100,000.
    `pace` has about a hundred points at equal distances.
    """

    characters: int
    words: int | None
    sentences: int | None
    paragraphs: int
    scenes: int
    sentence_words: float | None
    paragraph_words: float | None
    reading_minutes: float | None
    dialogue_share: float | None
    dialogue_marks: str | None
    readability: Readability | None
    different_words: int | None
    richness: float | None
    pace: tuple[PacePoint, ...]
    chapters: Collection[ChapterMeasures]
    people: tuple[Person, ...] | None
    meetings: tuple[Meeting, ...] | None


class MeasuredNovel(Protocol):
    """What is wanted of a novel: its language, its sections and their text, and a stretch from its middle."""

    @property
    def language(self) -> str:
        """A BCP 47 tag."""
        ...

    @property
    def sections(self) -> tuple[Section, ...]:
        """All sections."""
        ...

    def sample(self) -> str:
        """Return a stretch of the text."""
        ...

    def pieces(self, section: Section, *, characters: int) -> Iterator[str]:
        """Yield the text of a section, at most so many characters at once."""
        ...


class Measuring:
    """Measures a novel section by section, and sums up; memory does not grow with the text.

    A section becomes a record, which is then added and may be stored. Records that another `Measuring` of the
    same novel made may be added instead: the book comes out the same.
    """

    def __init__(self, novel: MeasuredNovel) -> None:
        self.language = novel.language
        self.sections = body_sections(novel.sections)
        self._tools = toolkit(novel.language, novel.sample(), lambda: stretches(novel, self.sections))
        self._length = max(1, sum(map(len, self.sections)))
        self._read = 0
        self._pace = Pace()
        self._sums = Sums()
        self._written = WrittenWords()
        self._names = NameEvidence()

    @property
    def piece_characters(self) -> int:
        """How large the pieces of a section should be, so that the pace has a point in each hundredth of the book."""
        return min(max(self._length // PACE_POINTS, _LEAST_PIECE), _MOST_PIECE)

    def section(self, section: Section, pieces: Iterable[str], *, pause: Callable[[], None] = _no_pause) -> Record:
        """Measure the next section, given in pieces. `pause` is called between them, and may raise to stop."""
        sums, pace, names = Sums(), Pace(), NameEvidence()
        written: Counter[str] = Counter()
        read, tools = self._read, self._tools
        for whole in at_paragraphs(pieces):
            if read > self._read:
                pause()
            text = tools.plain(whole)
            spans = tools.speech.spans(text) if tools.speech else []
            counts = tools.reader.read(text, begins=read == self._read)
            piece = Sums.of(text, spans, counts)
            sums.add(piece)
            pace.note(read * PACE_POINTS // self._length, piece.paces)
            written.update(counts.words)
            if tools.names:
                names.extend(tools.names.find(text, spans))
            read += len(whole)
        sums.scenes += 1
        return {
            "section": attrs.asdict(self._figures(section, sums)),
            "length": len(section),
            "sums": sums.as_json(),
            "pace": sorted(pace.parts.items()),
            "words": self._written.news(written),
            "names": names.as_json(),
        }

    def add(self, record: Record) -> None:
        """Add the record of the next section."""
        self._read += record["length"]
        self._sums.add(Sums.from_json(record["sums"]))
        self._written.add(record["words"])
        for point, part in record["pace"]:
            self._pace.note(point, part)
        self._names.add(NameEvidence.from_json(record["names"]))

    def _figures(self, section: Section, sums: Sums) -> ChapterMeasures:
        return ChapterMeasures(
            title=section.title, kind=section.kind, level=section.level, start=section.start, **self._shared(sums)
        )

    def _shared(self, sums: Sums) -> dict[str, Any]:
        """Return the figures that a chapter and a book have alike."""
        reader = self._tools.reader
        words = sums.words if reader.counts_words else None
        sentences = sums.sentences if reader.counts_sentences else None
        return {
            "characters": sums.characters,
            "words": words,
            "sentences": sentences,
            "paragraphs": sums.paragraphs,
            "scenes": sums.scenes,
            "sentence_words": median(sums.lengths) if words is not None else None,
            "paragraph_words": round(words / sums.paragraphs, 1) if words is not None and sums.paragraphs else None,
            "reading_minutes": _rounded(reading_minutes(words, sums.characters, self.language)),
            "dialogue_share": round(sums.spoken / max(1, sums.characters), 4) if self._tools.speech else None,
            "readability": readability(sums.weights, sentences or 0, self.language) if words is not None else None,
        }

    def book(self, records: Iterable[Record], chapters: Collection[ChapterMeasures]) -> BookMeasures:
        """Sum up the sections. `records` are all of them once more, in order, to find where the people are."""
        people, meetings = self._appearances(records)
        speech, reader = self._tools.speech, self._tools.reader
        return BookMeasures(
            **self._shared(self._sums),
            dialogue_marks=speech.marks if speech else None,
            different_words=self._written.different if reader.counts_words else None,
            richness=richness(self._sums.segments, self._sums.different) if reader.counts_words else None,
            pace=self._pace.points(
                dialogue=speech is not None, sentences=reader.counts_words and reader.counts_sentences
            ),
            chapters=chapters,
            people=people,
            meetings=meetings,
        )

    def _appearances(self, records: Iterable[Record]) -> tuple[tuple[Person, ...] | None, tuple[Meeting, ...] | None]:
        finder = self._tools.names
        attendance = Attendance(finder.cast(self._names, self._written.small) if finder else Cast())
        for number, record in enumerate(records):
            attendance.note(number, NameEvidence.from_json(record["names"]))
        return (attendance.people(), attendance.meetings()) if finder else (None, None)


def measure(novel: Novel) -> BookMeasures:
    """Measure a novel in memory."""
    measured = _InMemory(novel)
    measuring = Measuring(measured)
    records: list[Record] = []
    for section in measuring.sections:
        record = measuring.section(section, measured.pieces(section, characters=measuring.piece_characters))
        measuring.add(record)
        records.append(record)
    return measuring.book(records, tuple(ChapterMeasures.from_json(record["section"]) for record in records))


def stretches(novel: MeasuredNovel, sections: Sequence[Section]) -> Iterator[str]:
    """Yield the text in pieces of like size; of a very large novel passages, evenly spread, as many as tell."""
    length = max(1, sum(map(len, sections)))
    share = min(1.0, _ENOUGH / length)
    waiting: list[str] = []
    seen = taken = size = 0
    for section in sections:
        for piece in novel.pieces(section, characters=_MOST_PIECE if share == 1 else _LEAST_PIECE):
            seen += len(piece)
            room = round(seen * share) - taken
            least = _LEAST_PASSAGE + seen * 7919 % _LEAST_PASSAGE  # uneven steps: chapters may come round like a clock
            if room < least and share < 1:
                continue
            part = piece[:room]
            taken += len(part)
            waiting.append(part)
            size += len(part)
            if size >= _MOST_PIECE:
                yield "\n".join(waiting)
                waiting, size = [], 0
    if waiting:
        yield "\n".join(waiting)


def body_sections(sections: Sequence[Section]) -> Sequence[Section]:
    """Return the sections of the book proper: what has no heading beside others that do is title page or licence."""
    headed = [section for section in sections if section.line is not None]
    return headed or sections


@frozen
class _InMemory:
    """A novel in memory, as it is wanted here."""

    novel: Novel

    @property
    def language(self) -> str:
        return self.novel.language

    @property
    def sections(self) -> tuple[Section, ...]:
        return self.novel.chapters

    def pieces(self, section: Section, *, characters: int) -> Iterator[str]:
        for start in range(section.start, section.end, characters):
            yield self.novel.text[start : min(start + characters, section.end)]

    def sample(self) -> str:
        middle = len(self.novel.text) // 2
        return self.novel.text[max(0, middle - _SAMPLE // 2) : middle + _SAMPLE // 2]


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 1)
