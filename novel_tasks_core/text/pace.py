"""The pace of a book: how its hundredths differ in dialogue and in the length of sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, field, frozen

PACE_POINTS = 100
"""Into how many stretches a book is cut for its pace."""


@frozen(kw_only=True)
class PacePoint:
    """One stretch of a book: where it begins (0..1), its share of dialogue, the mean words of its sentences."""

    position: float
    characters: int
    dialogue_share: float | None
    sentence_words: float | None


@define
class Pace:
    """Sums up stretches of a book: characters, spoken ones, words and sentences of each."""

    parts: dict[int, list[int]] = field(factory=dict)

    def note(self, point: int, part: Iterable[int]) -> None:
        """Add a piece of text to a stretch."""
        sums = self.parts.setdefault(point, [0, 0, 0, 0])
        for place, value in enumerate(part):
            sums[place] += value

    def points(self, *, dialogue: bool, sentences: bool) -> tuple[PacePoint, ...]:
        """Return the stretches that have text, in order; what cannot be measured is None."""
        return tuple(
            PacePoint(
                position=point / PACE_POINTS,
                characters=characters,
                dialogue_share=round(spoken / characters, 4) if dialogue else None,
                sentence_words=round(words / count, 1) if sentences and count else None,
            )
            for point, (characters, spoken, words, count) in sorted(self.parts.items())
            if characters
        )


def median(counts: Mapping[int, int]) -> float | None:
    """Return the median of values that are given with how often each occurs, None without any."""
    total = sum(counts.values())
    middle, seen, lower = total / 2, 0, None
    for value, count in sorted(counts.items()):
        if lower is not None:
            return (lower + value) / 2
        seen += count
        if seen > middle:
            return float(value)
        lower = value if seen == middle else None
    return None if lower is None else float(lower)
