"""Paired measurements: a bound and what is measured against it, in turns.

Machines drift and are shared. So the bound runs before and after every measurement (A B A B A), each
measurement is compared with its two neighbours, and the bound against itself tells how much of a
difference is noise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise
from statistics import median
from typing import TypeVar

from attrs import frozen

from benchmarks.harness.results import Better, Result

Figure = TypeVar("Figure")

Timed = Callable[[], Awaitable[float]]
"""One measurement: returns a rate, or a time."""


@frozen
class Pairs:
    """Figures of what was measured, and of the bound before, between and after."""

    ours: tuple[float, ...]
    bounds: tuple[float, ...]

    def __attrs_post_init__(self) -> None:
        if not self.ours or len(self.bounds) != len(self.ours) + 1:
            raise ValueError("the bound must have run before and after each measurement")

    @property
    def ratios(self) -> tuple[float, ...]:
        """Each measurement against the mean of the bounds beside it."""
        beside = [(before + after) / 2 for before, after in pairwise(self.bounds)]
        return tuple(ours / bound for ours, bound in zip(self.ours, beside, strict=True))

    @property
    def noise(self) -> tuple[float, float]:
        """The lowest and highest ratio of a bound to the one before it: A against A."""
        ratios = [after / before for before, after in pairwise(self.bounds)]
        return min(ratios), max(ratios)

    def result(
        self,
        metric: str,
        *,
        unit: str,
        reference: str,
        target: float | None = None,
        better: Better = Better.HIGHER,
    ) -> Result:
        """Return the medians as a result."""
        return Result(
            metric=metric,
            value=median(self.ours),
            unit=unit,
            better=better,
            reference=reference,
            reference_value=median(self.bounds),
            ratio=median(self.ratios),
            target=target,
            spread=(min(self.ratios), max(self.ratios)),
            noise=self.noise,
        )


async def turns(
    bound: Callable[[], Awaitable[Figure]], ours: Callable[[], Awaitable[Figure]], *, pairs: int
) -> tuple[tuple[Figure, ...], tuple[Figure, ...]]:
    """Run `bound` and `ours` in turns, `pairs` times, and `bound` once more at the end; return ours and theirs."""
    bounds, measured = [await bound()], []
    for _ in range(pairs):
        measured.append(await ours())
        bounds.append(await bound())
    return tuple(measured), tuple(bounds)


async def in_turns(bound: Timed, ours: Timed, *, pairs: int) -> Pairs:
    """Run `bound` and `ours` in turns, `pairs` times, and `bound` once more at the end."""
    return Pairs(*await turns(bound, ours, pairs=pairs))
