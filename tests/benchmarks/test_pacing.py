"""When tasks are submitted, and how their starts are counted."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from benchmarks.harness.pacing import Starts, arrivals, one_by_one, percentile


async def test_no_answer_delays_an_arrival() -> None:
    """All tasks are submitted although none is answered before the last: the loop is open."""
    moments: list[float] = []
    last = asyncio.Event()

    async def submit(at: float) -> None:
        moments.append(at)
        if len(moments) == 20:
            last.set()
        await last.wait()

    async with asyncio.timeout(60):
        await arrivals(submit, tasks=20, rate=1000.0, seed=1)
    assert len(moments) == 20


async def test_arrivals_follow_the_same_plan_in_every_run() -> None:
    """One seed makes the same gaps whatever the submits take, about as long as the rate says."""
    runs: list[list[float]] = [[], []]
    for moments in runs:

        async def submit(at: float, moments: list[float] = moments) -> None:
            moments.append(at)

        await arrivals(submit, tasks=200, rate=2000.0, seed=7)
    first, second = ([after - before for before, after in pairwise(moments)] for moments in runs)
    assert first == pytest.approx(second, abs=1e-6)
    assert sum(first) == pytest.approx(0.1, rel=0.3)


async def test_tasks_one_by_one_wait_for_each_other() -> None:
    """Never are two under way."""
    under_way = 0

    async def submit(_: float) -> None:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        await asyncio.sleep(0)
        under_way -= 1

    await one_by_one(submit, tasks=3)


async def test_starts_are_waited_for_and_taken_once() -> None:
    """Who asks for three starts gets them when there are three, and later ones only the next time."""
    starts = Starts()
    waiting = asyncio.create_task(starts.taken(tasks=3))
    for _ in range(3):
        await asyncio.sleep(0)
        assert not waiting.done()
        starts.note(time.monotonic() - 5.0)
    seconds = await waiting
    assert len(seconds) == 3
    assert min(seconds) >= 5.0
    starts.note(time.monotonic())
    assert len(await starts.taken(tasks=1)) == 1


@pytest.mark.parametrize(
    ("values", "percent", "wanted"),
    [(range(1, 101), 99, 99), (range(1, 101), 100, 100), (range(1, 1001), 99, 990), ([7], 99, 7), ([2, 1], 50, 1)],
)
def test_percentiles_are_values_that_were_measured(values: list[int], percent: float, wanted: float) -> None:
    """Of a hundred values the 99th is the 99th percentile."""
    assert percentile(values, percent) == wanted
