"""How tasks are submitted where it matters when, and how long they take to start.

All times are seconds of the monotonic clock, which processes of one machine share.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from benchmarks.harness.partners import Order

Submit = Callable[[float], Awaitable[object]]
"""Submits a task that is to say when it was meant to be submitted."""

_GAP_SECONDS = (0.03, 0.07)
_LONGEST_SECONDS = 60.0


def paces(submit: Submit) -> dict[str, Order]:
    """Return the orders of a partner that submits."""
    return {"one_by_one": partial(one_by_one, submit), "arrivals": partial(arrivals, submit)}


async def one_by_one(submit: Submit, *, tasks: int) -> None:
    """Submit a task, wait 30 to 70 ms, and so on: the queue is idle each time."""
    for _ in range(tasks):
        await submit(time.monotonic())
        await asyncio.sleep(random.uniform(*_GAP_SECONDS))


async def arrivals(submit: Submit, *, tasks: int, rate: float, seed: int) -> None:
    """Submit `rate` tasks a second at random moments (Poisson), which no answer delays.

    A task counts from its moment, even if it is submitted late because something stalled. Timers wake up
    to a millisecond late, which counts too.
    """
    moments, due = random.Random(seed), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            due += moments.expovariate(rate)
            while (wait := due - time.monotonic()) > 0:  # noqa: ASYNC110 - a timer may wake up a little early
                await asyncio.sleep(wait)
            group.create_task(_submitted(submit, due))


async def _submitted(submit: Submit, due: float) -> None:
    await submit(due)


class Starts:
    """How long tasks took until they started."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self._more = asyncio.Event()

    def note(self, submitted: float) -> None:
        """Note that a task starts now."""
        self._seconds.append(time.monotonic() - submitted)
        self._more.set()

    async def taken(self, *, tasks: int) -> list[float]:
        """Wait until so many tasks have started, return their seconds, and begin anew."""
        async with asyncio.timeout(_LONGEST_SECONDS):
            while len(self._seconds) < tasks:
                self._more.clear()
                await self._more.wait()
        seconds, self._seconds = self._seconds, []
        return seconds


def percentile(seconds: Sequence[float], percent: float) -> float:
    """Return the smallest of `seconds` that at least `percent` of them do not exceed."""
    ordered = sorted(seconds)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]
