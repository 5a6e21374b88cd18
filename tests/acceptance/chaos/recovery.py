"""How long tasks of dead holders waited: from the holder's last sign of life to the next start."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from .evidence import AttemptRow, Evidence
from .plan import LEASE_SECONDS, POLL_SECONDS, SCAN_SECONDS

PROMISE_SECONDS = LEASE_SECONDS + SCAN_SECONDS + POLL_SECONDS
_SLACK_SECONDS = 4.0
_SLACK_STARTS = 8.0
"""What lost connections, a full queue and a busy machine may add: the latter by how long processes take to start."""

_LATE_CLAIM_SECONDS = 1.0
"""A claim that was on its way when its worker died is committed a moment later."""


@frozen
class Recovery:
    """A task whose holder was killed or stopped `at`: it waited again after `rescued` seconds, ran after `seconds`."""

    task: str
    killed: bool
    at: float
    rescued: float
    seconds: float

    def is_slow(self, outages: Sequence[tuple[float, float]], *, start_seconds: float) -> bool:
        """Say whether this took longer than promised, the time apart in which the database was away."""
        end = self.at + self.seconds
        away = sum(max(0.0, min(end, to) - max(self.at, begin)) for begin, to in outages)
        return self.seconds - away > PROMISE_SECONDS + _SLACK_SECONDS + _SLACK_STARTS * start_seconds


def recoveries(
    evidence: Evidence, *, kills: Mapping[int, float], stops: Sequence[tuple[int, float, float]]
) -> Iterator[Recovery]:
    """Yield the recoveries of all attempts that were lost by a kill or a stop; `kills` and `stops` by process id."""
    process_of = {line.values[0]: line.pid for line in evidence.said("worker")}
    starts: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for line in evidence.said("ran"):
        starts[line.values[0]].append((line.values[1], line.at))
    for attempt in evidence.attempts:
        if attempt.outcome != "lost" or attempt.worker not in process_of:
            continue
        cause = _cause(attempt, process_of[attempt.worker], kills, stops)
        again = min((at for number, at in starts[attempt.task] if number > attempt.attempt), default=None)
        if cause is not None and again is not None:
            at, killed = cause
            yield Recovery(attempt.task, killed, at, attempt.ended - at, again - at)


def _cause(
    attempt: AttemptRow, pid: int, kills: Mapping[int, float], stops: Sequence[tuple[int, float, float]]
) -> tuple[float, bool] | None:
    """Return when the holder last lived and whether it was killed; None when it lost its lease in another way."""
    moments = [(began, False) for stopped, began, _ in stops if stopped == pid]
    moments += [(kills[pid], True)] if pid in kills else []
    fitting = [m for m in moments if attempt.began - _LATE_CLAIM_SECONDS <= m[0] <= attempt.ended]
    return max(fitting, default=None)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
