"""What a run came to, in figures: for people, for a summary, and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from attrs import asdict, frozen

from .evidence import Evidence
from .faults import Injector
from .judge import judge
from .plan import Kind
from .recovery import Recovery, percentile, recoveries

_SHOWN = 5


@frozen(kw_only=True)
class Scoreboard:
    """The figures of a run, and `broken`: by the name of a promise, who broke it."""

    seed: int
    seconds: float
    mutant: str
    tasks: int
    attempts: int
    faults: Mapping[str, int]
    outages: Sequence[float]
    start_seconds: float
    rescued: int
    refused: int
    watched: int
    unavailable: int
    promises: Sequence[str]
    recoveries: Mapping[str, Sequence[float]]
    broken: Mapping[str, Sequence[str]]

    def count(self, promise: str) -> int:
        """Return how often a promise was broken."""
        return len(self.broken.get(promise, ()))


def make_scoreboard(evidence: Evidence, injector: Injector, *, seed: int, seconds: float, mutant: str) -> Scoreboard:
    """Judge the evidence and count."""
    fleet = injector.fleet
    found = list(recoveries(evidence, kills=fleet.kills, stops=fleet.stops))
    verdicts = judge(evidence)
    verdicts["errors"] += fleet.deaths
    start = percentile(fleet.starts, 0.5)
    slow = [one for one in found if one.is_slow(injector.outages, start_seconds=start)]
    verdicts["slow"] = [f"{one.task}: {one.seconds:.1f} s" for one in slow]
    outcomes = Counter(row.outcome for row in evidence.attempts)
    return Scoreboard(
        seed=seed,
        seconds=seconds,
        mutant=mutant,
        tasks=len({line.values[0] for line in evidence.said("submitted")}),
        attempts=len(evidence.said("ran")),
        faults={kind.value: injector.done[kind] for kind in Kind if kind is not Kind.LOSE}
        | {"replies_dropped": injector.replies_dropped},
        outages=[round(to - began, 2) for began, to in injector.outages],
        start_seconds=round(start, 2),
        rescued=outcomes["lost"],
        refused=len(evidence.said("refused")),
        watched=len(evidence.said("watched")),
        unavailable=len(evidence.said("unavailable")),
        promises=sorted(verdicts),
        recoveries=_recoveries(found),
        broken={name: faults for name, faults in verdicts.items() if faults},
    )


def _recoveries(found: Sequence[Recovery]) -> dict[str, tuple[float, ...]]:
    """Return how many, and p50, p95 and maximum in seconds, after kills and after stops."""
    samples = {
        "waits again after kill": [one.rescued for one in found if one.killed],
        "runs again after kill": [one.seconds for one in found if one.killed],
        "waits again after stop": [one.rescued for one in found if not one.killed],
        "runs again after stop": [one.seconds for one in found if not one.killed],
    }
    return {
        name: (len(seconds), *(round(percentile(seconds, share), 2) for share in (0.5, 0.95, 1)))
        for name, seconds in samples.items()
    }


def as_json(boards: Sequence[Scoreboard]) -> str:
    """Return everything, for programs."""
    return json.dumps([asdict(board) for board in boards], indent=1)


def as_text(boards: Sequence[Scoreboard]) -> str:
    """Return an aligned table with a column for each run, and who broke a promise."""
    table = _table(boards)
    widths = [max(len(row[column]) for row in table) for column in range(len(boards) + 1)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([*lines, *_offenders(boards)])


def as_markdown(boards: Sequence[Scoreboard]) -> str:
    """Return a table for the summary of a job."""
    rows = ["| " + " | ".join(row) + " |" for row in _table(boards)]
    rows.insert(1, "| --- |" + " ---: |" * len(boards))
    return "\n".join(["## Chaos", "", *rows, "", *_offenders(boards)]) + "\n"


def _table(boards: Sequence[Scoreboard]) -> list[list[str]]:
    columns = [_column(board) for board in boards]
    return [[name, *(column[name] for column in columns)] for name in columns[0]]


def _column(board: Scoreboard) -> dict[str, str]:
    faults = {name.replace("_", " "): f"{times}" for name, times in board.faults.items()}
    away = " + ".join(f"{seconds:.1f}" for seconds in board.outages) or "0"
    return {
        "seed": f"{board.seed}",
        "engine": f"without {board.mutant}" if board.mutant else "as it is",
        "seconds of faults": f"{board.seconds:g}",
        **faults,
        "database away, s": away,
        "start of a process, p50, s": f"{board.start_seconds:.2f}",
        "tasks acknowledged": f"{board.tasks:,}",
        "attempts run": f"{board.attempts:,}",
        "attempts rescued": f"{board.rescued:,}",
        "late ends refused": f"{board.refused:,}",
        "tasks watched": f"{board.watched:,}",
        "calls told: unavailable": f"{board.unavailable:,}",
        **{name: f"{board.count(name):,}" for name in board.promises},
        **{f"{name}, p50 p95 max, s": _recovery(figures) for name, figures in board.recoveries.items()},
    }


def _recovery(figures: Sequence[float]) -> str:
    return " ".join(f"{seconds:.2f}" for seconds in figures[1:])


def _offenders(boards: Sequence[Scoreboard]) -> list[str]:
    lines = []
    for board in boards:
        for promise, offenders in board.broken.items():
            rest = f" and {len(offenders) - _SHOWN} more" if len(offenders) > _SHOWN else ""
            lines.append(f"BROKEN {promise}: {'; '.join(offenders[:_SHOWN])}{rest}")
    return lines
