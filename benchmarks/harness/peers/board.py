"""What was found of all queues, as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import quantiles

from attrs import define, field

from benchmarks.harness.peers.rounds import Rounds
from benchmarks.harness.results import Table

RAW = "raw asyncpg"


@define(kw_only=True)
class Board:
    """Rates by what was measured, and latencies by queue. `queues` maps each queue to its version and settings.

    `missing` says of the peers that could not be had why.
    """

    queues: Mapping[str, str]
    missing: Sequence[str] = ()
    rates: dict[str, Rounds] = field(factory=dict)
    waited: dict[str, list[float]] = field(factory=dict)
    faults: list[str] = field(factory=list)

    def add(self, what: str, rounds: Rounds) -> Rounds:
        """Note what was measured."""
        self.rates[what] = rounds
        self.faults += [f"{name}, {what}: {fault}" for name, fault in rounds.faults.items()]
        return rounds

    def table(self, title: str, *, shared: Sequence[str]) -> Table:
        """Return the table. `shared` names what has a share of the bound that is shown: the last that is there."""
        rows = [self._row(name, shared) for name in (RAW, *self.queues)]
        settings = tuple(f"{name} {said}" for name, said in self.queues.items())
        absent = tuple(f"not measured: {reason}" for reason in (*self.missing, *self.faults))
        return Table(
            title=title,
            headings=("queue, per second", *self.rates, "of raw", "idle p50 ms", "idle p99 ms"),
            rows=tuple(rows),
            notes=(*settings, *absent),
        )

    def _row(self, name: str, shared: Sequence[str]) -> tuple[str, ...]:
        shares = [self.rates[what].of_bound(name) for what in shared if what in self.rates]
        share = next((one for one in reversed(shares) if one is not None), None)
        return (
            name,
            *(_rate(rounds.bound if name == RAW else rounds.rate(name)) for rounds in self.rates.values()),
            "1" if name == RAW else "-" if share is None else f"{share:.2g}",
            *_milliseconds(self.waited.get(name, [])),
        )


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.0f}"


def _milliseconds(waited: Sequence[float]) -> tuple[str, str]:
    if not waited:
        return "-", "-"
    percentiles = quantiles(waited, n=100, method="inclusive")
    return f"{percentiles[49] * 1000:.1f}", f"{percentiles[98] * 1000:.1f}"
