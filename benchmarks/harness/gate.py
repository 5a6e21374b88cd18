"""Judges results: counts against the committed baseline, ratios against an earlier run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from benchmarks.harness.results import Better, Earlier, Report, Result, ResultsError, rounded

BASELINE = Path(__file__).resolve().parents[1] / "baseline.json"
TOLERANCE = 0.03
"""By how much a count may exceed its baseline."""


@frozen
class Pinned:
    """A count of the baseline, and the facts of the machine that it was taken under."""

    value: float
    unit: str
    facts: Mapping[str, str]


def read_baseline(path: Path) -> dict[str, Pinned]:
    """Read the baseline, empty where there is none yet. Raises: ResultsError when it is damaged."""
    if not path.exists():
        return {}
    try:
        rows: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return {metric: Pinned(row["value"], row["unit"], row["facts"]) for metric, row in rows.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ResultsError(f"{path} is damaged: {exc!r}") from exc


def write_baseline(path: Path, reports: Iterable[Report]) -> None:
    """Write the counts of `reports` into the baseline; the others that stand there stay."""
    baseline = read_baseline(path)
    for report in reports:
        for result in report.results:
            if result.is_count:
                value = rounded(result.value)
                assert value is not None
                baseline[result.metric] = Pinned(value, result.unit, facts_of(result, report))
    rows = {
        metric: {"value": one.value, "unit": one.unit, "facts": dict(one.facts)}
        for metric, one in sorted(baseline.items())
    }
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def facts_of(result: Result, report: Report) -> dict[str, str]:
    """Return what a count depends on, as it is on this machine: versions without their last part."""
    return {name: _line(str(report.machine[name])) for name in result.pinned or ()}


def _line(version: str) -> str:
    """Return 18 of 18.6 and 3.11 of 3.11.9."""
    return version.rpartition(".")[0] or version


def with_baseline(report: Report, baseline: Mapping[str, Pinned]) -> Report:
    """Compare the counts of a report with their baseline, where the facts are the same."""

    def compared(result: Result) -> Result:
        pinned = baseline.get(result.metric)
        if not result.is_count or pinned is None or pinned.facts != facts_of(result, report):
            return result
        return result.against("baseline", pinned.value, target=1 + TOLERANCE)

    return evolve(report, results=tuple(compared(result) for result in report.results))


def gate_faults(reports: Iterable[Report], baseline: Mapping[str, Pinned]) -> list[str]:
    """Say which counts grew, and which have no baseline; counts taken under other facts are let pass."""
    faults = []
    for report in reports:
        for result in report.results:
            if not result.is_count:
                continue
            if result.metric not in baseline:
                faults.append(f"{result.metric} has no baseline: run with --save-baseline and commit it")
            elif result.met is False and result.ratio is not None:
                faults.append(
                    f"{result.metric} grew by {result.ratio - 1:.1%}, from {result.reference_value:g} "
                    f"to {result.value:.5g} {result.unit}; {TOLERANCE:.0%} are allowed"
                )
    return faults


def gate_notes(reports: Iterable[Report], baseline: Mapping[str, Pinned]) -> list[str]:
    """Say which counts shrank, so that the baseline can follow, and which could not be compared."""
    notes = []
    for report in reports:
        if report.skipped is not None:
            notes.append(f"{report.benchmark} was skipped: {report.skipped}")
        for result in report.results:
            pinned = baseline.get(result.metric)
            if not result.is_count or pinned is None:
                continue
            if result.ratio is None:
                notes.append(f"{result.metric} was not compared: its baseline is for {dict(pinned.facts)}")
            elif result.ratio < 1 - TOLERANCE:
                notes.append(f"{result.metric} shrank by {1 - result.ratio:.1%}: renew it with --save-baseline")
    return notes


def comparison_faults(reports: Iterable[Report], earlier: Mapping[str, Earlier], *, fail_under: float) -> list[str]:
    """Say which ratios are less than `fail_under` times as good as they were: those of costs are turned round."""
    faults = []
    for report in reports:
        for result in report.results:
            change = change_of(result, earlier.get(result.metric))
            if change is not None and change < fail_under:
                before = earlier[result.metric].ratio
                allowed = f"{fail_under:g} is the least"
                if result.better is Better.LOWER:
                    change, allowed = 1 / change, f"{1 / fail_under:.3g} is the most"
                faults.append(
                    f"{result.metric} is {change:.2f} of what it was: {result.ratio:.3g} against {before:.3g}, "
                    f"and {allowed}"
                )
    return faults


def change_of(result: Result, earlier: Earlier | None) -> float | None:
    """Return by what factor a result improved, None where either has no ratio."""
    if earlier is None or not earlier.ratio or not result.ratio:
        return None
    return result.ratio / earlier.ratio if result.better is Better.HIGHER else earlier.ratio / result.ratio
