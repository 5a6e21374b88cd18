"""Results for people: a table for the terminal, and Markdown for the summary of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from unicodedata import east_asian_width

from benchmarks.harness.gate import change_of
from benchmarks.harness.results import Better, Earlier, Report, Result, Table

_HEADINGS = ("metric", "value", "reference", "ratio", "spread", "A/A", "target")


def as_text(reports: Sequence[Report], earlier: Mapping[str, Earlier]) -> str:
    """Return an aligned table, with a line for each benchmark that was skipped."""
    parts = [
        (*_aligned(_rows(reports, earlier)), *_skipped(reports)),
        *((f"{table.title}:", *_aligned([table.headings, *table.rows]), *table.notes) for table in _tables(reports)),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts)


def as_markdown(reports: Sequence[Report], earlier: Mapping[str, Earlier], faults: Sequence[str]) -> str:
    """Return a section for the summary of a job, what failed on top."""
    machine = next((report.machine for report in reports), {})
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    failed = [f"**{fault}**" for fault in faults]
    parts = ["## Benchmarks", *failed, _piped(_rows(reports, earlier)), *_skipped(reports)]
    for table in _tables(reports):
        parts += [f"### {table.title}", _piped([table.headings, *table.rows]), *table.notes]
    return "\n\n".join((*parts, facts)) + "\n"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (w - _width(cell)) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _piped(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def _tables(reports: Sequence[Report]) -> list[Table]:
    return [table for report in reports for table in report.tables]


def _skipped(reports: Sequence[Report]) -> list[str]:
    return [f"{report.benchmark}: skipped, {report.skipped}" for report in reports if report.skipped is not None]


def _rows(reports: Sequence[Report], earlier: Mapping[str, Earlier]) -> list[tuple[str, ...]]:
    results = [result for report in reports for result in report.results]
    if not earlier:
        return [_HEADINGS, *map(_row, results)]
    changes = [change_of(result, earlier.get(result.metric)) for result in results]
    rows = [(*_row(r), "" if c is None else f"x{c:.2f}") for r, c in zip(results, changes, strict=True)]
    return [(*_HEADINGS, "change"), *rows]


def _row(result: Result) -> tuple[str, ...]:
    reference = "" if result.reference_value is None else f"{_number(result.reference_value)} ({result.reference})"
    return (
        result.metric,
        f"{_number(result.value)} {result.unit}",
        reference,
        "" if result.ratio is None else f"{result.ratio:.3f}",
        _range(result.spread),
        _range(result.noise),
        _target(result),
    )


def _target(result: Result) -> str:
    if result.met is None:
        return ""
    bound = ">=" if result.better is Better.HIGHER else "<="
    return f"{bound} {result.target:g} {'met' if result.met else 'MISSED'}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _range(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{ends[0]:.2f}..{ends[1]:.2f}"


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
