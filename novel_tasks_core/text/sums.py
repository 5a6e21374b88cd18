"""What is summed up of the pieces of a section, and of the sections of a book."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, astuple, define, field

from novel_tasks_core.text.blocks import count_paragraphs, count_scene_breaks
from novel_tasks_core.text.readability import ReadingWeights
from novel_tasks_core.text.tokens import TextCounts, count_characters


@define
class Sums:
    """Counts of a stretch of text; those that its language does not allow are 0."""

    characters: int = 0
    spoken: int = 0
    words: int = 0
    sentences: int = 0
    paragraphs: int = 0
    scenes: int = 0
    segments: int = 0
    different: int = 0
    lengths: Counter[int] = field(factory=Counter)
    weights: ReadingWeights = field(factory=ReadingWeights)

    @classmethod
    def of(cls, text: str, spoken: Sequence[tuple[int, int]], counts: TextCounts) -> Sums:
        """Return the counts of a piece of text, of which these spans are spoken."""
        return cls(
            characters=count_characters(text),
            spoken=count_characters("".join([text[start:end] for start, end in spoken])),
            words=counts.total,
            sentences=counts.sentences,
            paragraphs=count_paragraphs(text),
            scenes=count_scene_breaks(text),
            segments=counts.segments,
            different=counts.different,
            lengths=Counter(counts.lengths),
            weights=counts.weights,
        )

    def add(self, other: Sums) -> None:
        """Add those of another stretch of text."""
        self.characters += other.characters
        self.spoken += other.spoken
        self.words += other.words
        self.sentences += other.sentences
        self.paragraphs += other.paragraphs
        self.scenes += other.scenes
        self.segments += other.segments
        self.different += other.different
        self.lengths.update(other.lengths)
        self.weights = self.weights.plus(other.weights)

    @property
    def paces(self) -> tuple[int, int, int, int]:
        """What the pace of the book is made of: characters, spoken ones, words and sentences."""
        return self.characters, self.spoken, self.words, self.sentences

    def as_json(self) -> dict[str, Any]:
        """Return the sums as JSON."""
        return {
            **asdict(self, recurse=False),
            "lengths": sorted(self.lengths.items()),
            "weights": astuple(self.weights),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Sums:
        """Read what `as_json` returned."""
        lengths = Counter(dict(value["lengths"]))
        return cls(**{**value, "lengths": lengths, "weights": ReadingWeights(*value["weights"])})
