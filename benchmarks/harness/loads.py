"""What servers do under load: how much a second, and how much CPU time of theirs each of it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter

from attrs import frozen

from benchmarks.harness.pairs import Pairs, turns
from benchmarks.harness.processes import cpu_seconds
from benchmarks.harness.results import Better, Result


@frozen
class Load:
    """What one server did once."""

    per_second: float
    cpu_microseconds: float


Loading = Callable[[], Awaitable[Load]]


@frozen
class Loads:
    """What ours did, and the bound before, between and after."""

    ours: tuple[Load, ...]
    bounds: tuple[Load, ...]

    def rate(self, metric: str, *, unit: str, reference: str, target: float | None = None) -> Result:
        """Return how much a second."""
        pairs = Pairs(tuple(one.per_second for one in self.ours), tuple(one.per_second for one in self.bounds))
        return pairs.result(metric, unit=f"{unit}s/s", reference=reference, target=target)

    def cpu(self, metric: str, *, unit: str, reference: str) -> Result:
        """Return the CPU time, which says more than the rate where others use the cores too."""
        pairs = Pairs(
            tuple(one.cpu_microseconds for one in self.ours), tuple(one.cpu_microseconds for one in self.bounds)
        )
        return pairs.result(metric, unit=f"us/{unit}", reference=reference, better=Better.LOWER)


async def loads_in_turns(bound: Loading, ours: Loading, *, pairs: int) -> Loads:
    """Run `bound` and `ours` in turns, as `in_turns` does."""
    measured, bounds = await turns(bound, ours, pairs=pairs)
    return Loads(measured, bounds)


async def load_of(pid: int, work: Awaitable[object], *, amount: int) -> Load:
    """Await work that makes a server do so much, and say what that took."""
    before, began = cpu_seconds(pid), perf_counter()
    await work
    seconds = perf_counter() - began
    return Load(amount / seconds, (cpu_seconds(pid) - before) / amount * 1e6)
