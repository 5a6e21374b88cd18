"""Several queues in turns: a bound, then each queue, and so on, so that a machine that drifts is unfair to none.

Every other round goes through the queues backwards. A queue is compared with another in the same round, and
with the mean of the bounds before and after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from statistics import mean, median

import asyncpg
from attrs import define, field

from benchmarks.harness.pairs import Timed
from benchmarks.harness.peers.process import PeerError
from benchmarks.harness.results import Result


@define
class Rounds:
    """Rates of the bound, before, between and after the rounds, and those of each queue by round."""

    bounds: list[float] = field(factory=list)
    rates: dict[str, dict[int, float]] = field(factory=dict)
    faults: dict[str, str] = field(factory=dict)

    @property
    def bound(self) -> float:
        """The median rate of the bound."""
        return median(self.bounds)

    def rate(self, name: str) -> float | None:
        """Return the median rate of a queue, None where it has none."""
        return median(self.rates[name].values()) if self.rates.get(name) else None

    def of_bound(self, name: str) -> float | None:
        """Return the median ratio of a queue to the bounds beside it."""
        beside = [mean(pair) for pair in pairwise(self.bounds)]
        ratios = [rate / beside[number] for number, rate in self.rates.get(name, {}).items()]
        return median(ratios) if ratios else None

    def best(self, *, but: str) -> str | None:
        """Return the name of the fastest queue but one."""
        others = {name: self.rate(name) or 0.0 for name in self.rates if name != but}
        return max(others, key=lambda name: others[name], default=None)

    def compared(self, metric: str, name: str, other: str, *, unit: str, called: str, target: float) -> Result | None:
        """Return a queue against another as a result; None unless both have run in one round.

        `called` is the other with its version. The noise is that of the bound against itself.
        """
        ours, theirs = self.rates.get(name, {}), self.rates.get(other, {})
        ratios = [rate / theirs[number] for number, rate in ours.items() if number in theirs]
        if not ratios:
            return None
        noise = [after / before for before, after in pairwise(self.bounds)]
        return Result(
            metric=metric,
            value=median(ours.values()),
            unit=unit,
            reference=called,
            reference_value=median(theirs.values()),
            ratio=median(ratios),
            target=target,
            spread=(min(ratios), max(ratios)),
            noise=(min(noise), max(noise)),
        )


async def in_rounds(bound: Timed, queues: Mapping[str, Timed], *, rounds: int, once: Collection[str] = ()) -> Rounds:
    """Run the bound and every queue in turns; those of `once` in the first round only.

    A queue that fails runs no more and has no rates, but a fault.
    """
    found = Rounds(bounds=[await bound()])
    for number in range(rounds):
        names = [name for name in queues if number == 0 or name not in once]
        for name in names if number % 2 == 0 else reversed(names):
            if name not in found.faults:
                await _measure(found, name, queues[name], number)
        found.bounds.append(await bound())
    return found


async def _measure(found: Rounds, name: str, timed: Timed, number: int) -> None:
    try:
        rate = await timed()
    except (PeerError, asyncpg.PostgresError) as exc:
        found.faults[name] = str(exc)
        found.rates.pop(name, None)
    else:
        found.rates.setdefault(name, {})[number] = rate
