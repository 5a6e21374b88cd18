"""The figures of a chapter and of a whole book. What a language does not allow to count is None, never a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from attrs import frozen

from novel_tasks_core.text.dialogue import DialogueStyle, dialogue_characters, dialogue_style
from novel_tasks_core.text.novel import Chapter, Novel
from novel_tasks_core.text.people import NameEvidence, Person, find_names, find_people, knows_names
from novel_tasks_core.text.readability import Readability, readability, reading_minutes
from novel_tasks_core.text.tokens import (
    WordCounter,
    count_characters,
    count_lowered,
    count_sentences,
    has_spaced_words,
)

_MEETING = 2
_MOST_MEETINGS = 100


@frozen(kw_only=True)
class ChapterMeasures:
    """The figures of one section: `characters` are those that are not blank, `dialogue_share` is 0..1 of them."""

    title: str
    kind: str
    level: int
    start: int
    characters: int
    words: int | None
    sentences: int | None
    reading_minutes: float | None
    dialogue_share: float | None
    readability: Readability | None


@frozen(kw_only=True)
class Meeting:
    """Two people who both appear in the same chapters, and in how many."""

    first: str
    second: str
    chapters: int


@frozen(kw_only=True)
class BookMeasures:
    """The figures of a whole book. `people` is None for a language in which names cannot be told apart."""

    characters: int
    words: int | None
    sentences: int | None
    reading_minutes: float | None
    dialogue_share: float | None
    dialogue_marks: str | None
    readability: Readability | None
    different_words: int | None
    richness: float | None
    chapters: tuple[ChapterMeasures, ...]
    people: tuple[Person, ...] | None
    meetings: tuple[Meeting, ...] | None


class Measuring:
    """Measures a novel chapter by chapter: each is tokenised once, and what the whole book needs is kept."""

    def __init__(self, novel: Novel) -> None:
        self.language = novel.language
        self.sections = body_sections(novel)
        self._style: DialogueStyle | None = dialogue_style(novel.text, novel.language)
        self._words: Counter[str] = Counter()
        self._counter = WordCounter()
        self._spoken = 0
        self._richness: list[tuple[float, int]] = []
        self._names: list[NameEvidence] = []
        self._chapters: list[ChapterMeasures] = []

    def measure(self) -> Iterator[ChapterMeasures]:
        """Yield the figures of one section after the other."""
        for section in self.sections:
            measured = self._section(section)
            self._chapters.append(measured)
            yield measured

    def _section(self, section: Chapter) -> ChapterMeasures:
        text, language = section.text, self.language
        characters = count_characters(text)
        sentences = count_sentences(text, language)
        words, score = self._count_words(text, sentences)
        share: float | None = None
        if self._style is not None:
            spoken = dialogue_characters(text, self._style)
            self._spoken += spoken
            share = round(spoken / characters, 4) if characters else 0.0
        if knows_names(language):
            self._names.append(find_names(text, language))
        return ChapterMeasures(
            title=section.title,
            kind=section.kind,
            level=section.level,
            start=section.start,
            characters=characters,
            words=words,
            sentences=sentences,
            reading_minutes=_rounded(reading_minutes(words, characters, language)),
            dialogue_share=share,
            readability=score,
        )

    def _count_words(self, text: str, sentences: int | None) -> tuple[int | None, Readability | None]:
        if not has_spaced_words(self.language):
            return None, None
        found = self._counter.count(text)
        self._words.update(found.counts)
        if found.richness is not None:
            self._richness.append((found.richness, found.total))
        return found.total, readability(found.counts, sentences or 0, self.language)

    def book(self) -> BookMeasures:
        """Sum up the sections measured so far."""
        chapters = self._chapters
        characters = sum(chapter.characters for chapter in chapters)
        spaced = has_spaced_words(self.language)
        words = sum(chapter.words or 0 for chapter in chapters) if spaced else None
        counted = [chapter.sentences for chapter in chapters if chapter.sentences is not None]
        sentences = sum(counted) if counted else None
        people = self._people()
        weight = sum(count for _, count in self._richness)
        return BookMeasures(
            characters=characters,
            words=words,
            sentences=sentences,
            reading_minutes=_rounded(reading_minutes(words, characters, self.language)),
            dialogue_share=round(self._spoken / characters, 4) if self._style and characters else None,
            dialogue_marks=self._style.marks if self._style else None,
            readability=readability(self._words, sentences or 0, self.language) if spaced else None,
            different_words=len(count_lowered(self._words)) if spaced else None,
            richness=round(sum(value * count for value, count in self._richness) / weight, 4) if weight else None,
            chapters=tuple(chapters),
            people=people,
            meetings=meetings(people) if people is not None else None,
        )

    def _people(self) -> tuple[Person, ...] | None:
        if not knows_names(self.language):
            return None
        small = {word: count for word, count in self._words.items() if word.islower()}
        return tuple(find_people(self._names, small, self.language))


def body_sections(novel: Novel) -> list[Chapter]:
    """Return the sections of the book proper: what has no heading beside others that do is title page or licence."""
    headed = [chapter for chapter in novel.chapters if chapter.line is not None]
    return headed or list(novel.chapters)


def meetings(people: Sequence[Person]) -> tuple[Meeting, ...]:
    """Return who appears with whom, most often first: both named at least twice in the same chapter."""
    present = [
        (person, {n for n, count in enumerate(person.by_chapter) if count >= _MEETING}) for person in people[:40]
    ]
    found = [
        Meeting(first=one.name, second=other.name, chapters=len(here & there))
        for (one, here), (other, there) in combinations(present, 2)
        if here & there
    ]
    found.sort(key=lambda meeting: (-meeting.chapters, meeting.first, meeting.second))
    return tuple(found[:_MOST_MEETINGS])


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 1)
