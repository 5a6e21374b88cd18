"""Figures for found headings: F1 by the corpus's rules, Pk and WindowDiff of the cuts, what confidence is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from attrs import frozen

Truth = Mapping[str, Any]
"""An entry of a corpus's manifest: `chapters` with `line`, `line_end`, `required` and perhaps `alt_lines`."""

RIGHT = 0.95
"""The F1 from which on a book counts as right."""


@frozen
class Score:
    """How well the headings of a book were found: `missed` required ones, `wrong` lines that match nothing."""

    precision: float
    recall: float
    missed: int
    wrong: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def score(truth: Truth, lines: Iterable[int]) -> Score:
    """Compare found lines with the truth. Optional headings are neither missed nor wrong."""
    owner = _owners(truth)
    found = set(lines)
    hit = {owner[line] for line in found if line in owner}
    wrong = sum(line not in owner for line in found)
    required = {index for index, heading in enumerate(truth["chapters"]) if heading["required"]}
    precision = len(hit) / (len(hit) + wrong) if hit or wrong else 1.0
    recall = len(required & hit) / len(required) if required else 1.0
    return Score(precision, recall, len(required - hit), wrong)


def _owners(truth: Truth) -> dict[int, int]:
    owner: dict[int, int] = {}
    for index, heading in enumerate(truth["chapters"]):
        for line in (*range(heading["line"], heading["line_end"] + 1), *heading.get("alt_lines", ())):
            owner.setdefault(line, index)
    return owner


@frozen
class Cuts:
    """A book's lines cut at its required headings, and as they were found; found optional ones are left out."""

    true: list[int]
    found: list[int]
    window: int

    @classmethod
    def of(cls, truth: Truth, lines: Iterable[int], total: int) -> Cuts:
        """Count, for every line of `total`, the cuts up to it; the window is half the mean length of a chapter."""
        owner = _owners(truth)
        headings = truth["chapters"]
        required = [heading["line"] for heading in headings if heading["required"]]
        kept = {
            headings[owner[line]]["line"] if line in owner else line
            for line in lines
            if line not in owner or headings[owner[line]]["required"]
        }
        window = max(2, total // (2 * (len(required) + 1)))
        return cls(_up_to(required, total), _up_to(kept, total), window)

    @property
    def pk(self) -> float:
        """The share of windows whose ends are wrongly in one chapter, or wrongly in two (Beeferman et al., 1999)."""
        return self._share(lambda true, found: (true > 0) != (found > 0))

    @property
    def window_diff(self) -> float:
        """The share of windows with a wrong number of cuts (Pevzner and Hearst, 2002)."""
        return self._share(lambda true, found: true != found)

    def _share(self, differs: Any) -> float:
        places = range(len(self.true) - self.window)
        wrong = sum(
            differs(self.true[at + self.window] - self.true[at], self.found[at + self.window] - self.found[at])
            for at in places
        )
        return wrong / len(places) if places else 0.0


def _up_to(lines: Iterable[int], total: int) -> list[int]:
    cut = set(lines)
    return list(accumulate((line in cut for line in range(total + 1)), initial=0))


@frozen
class Trust:
    """Books whose confidence lies in a range: how many, their mean confidence, and the share that is right."""

    name: str
    books: int
    confidence: float
    right: float


def trust(judged: Sequence[tuple[float, float]]) -> list[Trust]:
    """Sort (confidence, F1) of books into ranges of confidence."""
    ranges = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01))
    return [
        Trust(f"{low:.1f} to {min(high, 1.0):.1f}", len(inside), _mean(c for c, _ in inside), _right(inside))
        for low, high in ranges
        if (inside := [(confidence, f1) for confidence, f1 in judged if low <= confidence < high])
    ]


def right_when_sure(judged: Sequence[tuple[float, float]], sure: float = 0.9) -> float:
    """Return the share of right books among those told with at least `sure` confidence; 1 without any."""
    return _right([(confidence, f1) for confidence, f1 in judged if confidence >= sure])


def _right(judged: Sequence[tuple[float, float]]) -> float:
    return sum(f1 >= RIGHT for _, f1 in judged) / len(judged) if judged else 1.0


def _mean(values: Iterable[float]) -> float:
    kept = list(values)
    return sum(kept) / len(kept) if kept else 0.0
