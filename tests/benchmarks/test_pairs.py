"""Paired measurements."""

from __future__ import annotations

import pytest

from benchmarks.harness.pairs import Pairs, Timed, in_turns
from benchmarks.harness.results import Better


async def test_the_bound_runs_before_between_and_after() -> None:
    """What is measured has the bound on both sides, each time."""
    order: list[str] = []

    def timed(name: str, rate: float) -> Timed:
        async def run() -> float:
            order.append(name)
            return rate

        return run

    pairs = await in_turns(timed("bound", 100.0), timed("ours", 50.0), pairs=2)
    assert order == ["bound", "ours", "bound", "ours", "bound"]
    assert pairs.ratios == (0.5, 0.5)


def test_each_measurement_is_compared_with_its_neighbours() -> None:
    """A machine that grows slower all the while changes no ratio, but shows in the noise."""
    pairs = Pairs(ours=(45.0, 35.0), bounds=(100.0, 80.0, 60.0))
    assert pairs.ratios == (0.5, 0.5)
    assert pairs.noise == (0.75, 0.8)


def test_the_result_says_how_far_measurements_lie_apart() -> None:
    """A result carries the medians, the spread of its ratios and the noise of the bound."""
    result = Pairs(ours=(50.0, 60.0, 90.0), bounds=(100.0, 100.0, 100.0, 100.0)).result(
        "engine.drain", unit="tasks/s", reference="raw", target=0.7
    )
    assert (result.value, result.reference_value, result.ratio) == (60.0, 100.0, 0.6)
    assert (result.spread, result.noise, result.met) == ((0.5, 0.9), (1.0, 1.0), False)


def test_times_that_are_too_long_miss_their_target() -> None:
    """Of times the lower ones are better."""
    times = Pairs(ours=(3.0,), bounds=(2.0, 2.0))
    for better, met in ((Better.LOWER, False), (Better.HIGHER, True)):
        result = times.result("latency.idle_p50", unit="ms", reference="floor", target=1.4, better=better)
        assert (result.ratio, result.met) == (1.5, met)


def test_unpaired_measurements_are_refused() -> None:
    """A measurement without a bound after it is no pair."""
    with pytest.raises(ValueError, match="before and after"):
        Pairs(ours=(1.0, 2.0), bounds=(1.0, 2.0))
