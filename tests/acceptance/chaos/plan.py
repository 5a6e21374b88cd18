"""The plan of a chaos run: which fault comes when. Pure, and the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from enum import StrEnum

from attrs import frozen

WORKERS = 6
LEASE_SECONDS = 1.5
SCAN_SECONDS = 0.3
"""Both how often workers beat and how often rescuers look."""
POLL_SECONDS = 0.2

_FIRST_SECONDS = 1.0
_MEAN_GAP_SECONDS = 0.45
_CRASH_EVERY_SECONDS = 12.0
_MOST_ANSWERS = 3


class Kind(StrEnum):
    """What can go wrong; `replace` is a worker that ends in peace, as at a new release."""

    KILL = "kill"
    STOP = "stop"
    PAUSE = "pause"
    KILL_CHILD = "kill_child"
    KILL_CLIENT = "kill_client"
    REPLACE = "replace"
    TERMINATE = "terminate"
    LOSE = "lose"
    CUT = "cut"
    BLACK_HOLE = "black_hole"
    CRASH = "crash"
    RESTART = "restart"


_WEIGHTS = {
    Kind.KILL: 6,
    Kind.STOP: 5,
    Kind.PAUSE: 2,
    Kind.KILL_CHILD: 3,
    Kind.KILL_CLIENT: 1,
    Kind.REPLACE: 2,
    Kind.TERMINATE: 4,
    Kind.LOSE: 9,
    Kind.CUT: 2,
    Kind.BLACK_HOLE: 2,
}


@frozen(kw_only=True)
class Fault:
    """One fault, `at` seconds after the start.

    `place` says to which of the processes it happens, `dice` (0..1) which of several things there is hit, `length`
    for how many seconds it lasts, `times` how often.
    """

    at: float
    kind: Kind
    place: int
    dice: float
    length: float
    times: int


def make_plan(seed: int, seconds: float) -> tuple[Fault, ...]:
    """Return the faults of a run in their order; a run of 12 s and more has a crash of the database."""
    dice = random.Random(seed)
    faults = [*_small_faults(dice, seconds), *_crashes(dice, seconds)]
    return tuple(sorted(faults, key=lambda fault: fault.at))


def _small_faults(dice: random.Random, seconds: float) -> Iterator[Fault]:
    at = _FIRST_SECONDS
    while at < seconds:
        [kind] = dice.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))
        yield _fault(dice, at, kind)
        at += dice.expovariate(1 / _MEAN_GAP_SECONDS)


def _crashes(dice: random.Random, seconds: float) -> Iterator[Fault]:
    """Kill a backend of PostgreSQL, which takes the others down with it, and the whole server, by turns."""
    for nth in range(int(seconds // _CRASH_EVERY_SECONDS)):
        at = (nth + dice.uniform(0.4, 0.8)) * _CRASH_EVERY_SECONDS
        yield _fault(dice, at, Kind.RESTART if nth % 2 else Kind.CRASH)


def _fault(dice: random.Random, at: float, kind: Kind) -> Fault:
    return Fault(
        at=round(at, 3),
        kind=kind,
        place=dice.randrange(WORKERS),
        dice=dice.random(),
        length=round(_length(dice, kind), 3),
        times=dice.randint(1, _MOST_ANSWERS),
    )


def _length(dice: random.Random, kind: Kind) -> float:
    match kind:
        case Kind.STOP:  # until the others have taken over for certain
            return LEASE_SECONDS + SCAN_SECONDS + dice.uniform(0.3, 1.5)
        case Kind.PAUSE:
            return dice.uniform(0.05, LEASE_SECONDS / 2)
        case Kind.BLACK_HOLE:
            return dice.uniform(0.1, LEASE_SECONDS * 1.5)
        case _:
            return 0.0
