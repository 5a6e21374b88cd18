"""What a benchmark found, as values, and their JSON.

Two kinds of results: a speed is a ratio against a bound that was measured in the same run; a count does
not depend on the machine and is compared with the committed baseline.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen

Facts = Mapping[str, str | float]
"""What figures were measured on."""


class Better(StrEnum):
    """In which direction a figure improves."""

    HIGHER = "higher"
    LOWER = "lower"


class ResultsError(Exception):
    """A file of results cannot be used; says why."""


@frozen(kw_only=True)
class Result:
    """One figure.

    `ratio` is what targets and comparisons are about: `value` against `reference_value`, None where there
    is nothing to compare with. `spread` is the lowest and highest ratio of the run, `noise` those of the
    bound against itself (A/A). `pinned` marks a count and names the facts of the machine that it
    depends on; a speed has None.
    """

    metric: str
    value: float
    unit: str
    better: Better = Better.HIGHER
    reference: str | None = None
    reference_value: float | None = None
    ratio: float | None = None
    target: float | None = None
    spread: tuple[float, float] | None = None
    noise: tuple[float, float] | None = None
    pinned: tuple[str, ...] | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one, or without a ratio."""
        if self.target is None or self.ratio is None:
            return None
        return self.ratio >= self.target if self.better is Better.HIGHER else self.ratio <= self.target

    @property
    def is_count(self) -> bool:
        """Whether this is a count, which the gate watches."""
        return self.pinned is not None

    def against(self, reference: str, value: float, *, target: float | None) -> Result:
        """Return the result compared with `value`."""
        ratio = self.value / value if value else None
        return evolve(self, reference=reference, reference_value=value, ratio=ratio, target=target)


def count(metric: str, value: float, *, unit: str, depends_on: Sequence[str] = ()) -> Result:
    """Make a count. `depends_on` names facts of the machine ("postgresql", "python") that change it."""
    return Result(metric=metric, value=value, unit=unit, better=Better.LOWER, pinned=tuple(depends_on))


def limited(metric: str, value: float, *, unit: str, limit: float) -> Result:
    """Make a figure that is to stay within `limit`, which is in the same unit: its ratio is the share of it."""
    return Result(metric=metric, value=value, unit=unit, better=Better.LOWER).against("limit", limit, target=1.0)


@frozen(kw_only=True)
class Table:
    """Figures side by side, for people. `notes` stand below."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@frozen(kw_only=True)
class Report:
    """The results of one benchmark on one machine; `skipped` says why there are none."""

    benchmark: str
    machine: Facts
    results: tuple[Result, ...] = ()
    tables: tuple[Table, ...] = ()
    skipped: str | None = None


def to_json(reports: Iterable[Report]) -> str:
    """Write reports as a JSON list."""
    return json.dumps([_report_json(report) for report in reports], indent=1, ensure_ascii=False) + "\n"


def _report_json(report: Report) -> dict[str, Any]:
    said: dict[str, Any] = {
        "benchmark": report.benchmark,
        "machine": dict(report.machine),
        "results": [_result_json(result) for result in report.results],
    }
    if report.tables:
        said["tables"] = [asdict(table) for table in report.tables]
    return said if report.skipped is None else {**said, "skipped": report.skipped}


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "metric": result.metric,
        "value": rounded(result.value),
        "unit": result.unit,
        "reference": result.reference,
        "reference_value": rounded(result.reference_value),
        "ratio": rounded(result.ratio),
        "target": result.target,
        "met": result.met,
        "better": result.better.value,
        "spread": None if result.spread is None else [rounded(end) for end in result.spread],
        "noise": None if result.noise is None else [rounded(end) for end in result.noise],
        "count": result.is_count,
    }


def rounded(value: float | None) -> float | None:
    """Round to five significant digits."""
    return None if value is None else float(f"{value:.5g}")


@frozen
class Earlier:
    """A figure of an earlier run."""

    ratio: float | None
    better: Better


def read_earlier(path: Path) -> dict[str, Earlier]:
    """Read the figures of an earlier `--json` file by metric.

    Raises: ResultsError when it is missing or is not such a file.
    """
    try:
        reports = json.loads(path.read_text(encoding="utf-8"))
        return {
            result["metric"]: Earlier(result["ratio"], Better(result.get("better", "higher")))
            for report in reports
            for result in report["results"]
        }
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise ResultsError(f"{path} is no file that --json wrote: {exc!r}") from exc
