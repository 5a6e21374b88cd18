"""Results, their files, and what is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve

from benchmarks.harness.cli import conclude, parse
from benchmarks.harness.gate import (
    Pinned,
    change_of,
    comparison_faults,
    gate_faults,
    gate_notes,
    read_baseline,
    with_baseline,
    write_baseline,
)
from benchmarks.harness.results import (
    Better,
    Earlier,
    Facts,
    Report,
    Result,
    ResultsError,
    count,
    limited,
    read_earlier,
    to_json,
)
from benchmarks.harness.tables import as_markdown, as_text

MACHINE: Facts = {"cores": 2, "postgresql": "18.6", "python": "3.11.7"}
SPEED = Result(
    metric="engine.drain", value=10.0, unit="tasks/s", reference="raw", reference_value=20.0, ratio=0.5, target=0.3
)
STATEMENTS = count("engine.statements", 3.0, unit="statements/task")
LOGGED = count("engine.wal_bytes", 1900.0, unit="B/task", depends_on=["postgresql"])


def report(*results: Result) -> Report:
    """Return a report of these results."""
    return Report(benchmark="engine", machine=MACHINE, results=results)


def judged(*results: Result, baseline: dict[str, Pinned]) -> list[str]:
    """Return what the gate has against these results."""
    return gate_faults([with_baseline(report(*results), baseline)], baseline)


def test_the_file_has_one_entry_a_benchmark_and_one_a_metric() -> None:
    """What other programs read has the agreed names, always in a list."""
    (written,) = json.loads(to_json([report(SPEED)]))
    assert (written["benchmark"], written["machine"]["cores"]) == ("engine", 2)
    (row,) = written["results"]
    agreed = ("metric", "value", "unit", "reference", "reference_value", "ratio", "target", "met")
    assert [row[name] for name in agreed] == ["engine.drain", 10.0, "tasks/s", "raw", 20.0, 0.5, 0.3, True]


def test_a_skipped_benchmark_says_why_in_the_file() -> None:
    """A benchmark that could not run has no results, and a reason."""
    (written,) = json.loads(to_json([Report(benchmark="pipeline", machine=MACHINE, skipped="no novels")]))
    assert (written["results"], written["skipped"]) == ([], "no novels")


@pytest.mark.parametrize(
    ("better", "ratio", "met"),
    [(Better.HIGHER, 0.7, True), (Better.HIGHER, 0.69, False), (Better.LOWER, 0.7, True), (Better.LOWER, 0.71, False)],
)
def test_a_target_is_met_from_the_better_side(better: Better, ratio: float, met: bool) -> None:
    """Speeds must reach their target, costs must stay below it."""
    assert evolve(SPEED, better=better, ratio=ratio, target=0.7).met is met


def test_the_gate_names_what_grew() -> None:
    """A count that exceeds its baseline by more than the tolerance fails, and only that."""
    baseline = {
        "engine.statements": Pinned(2.9, "statements/task", {}),
        "engine.wal_bytes": Pinned(1890.0, "B/task", {"postgresql": "18"}),
    }
    (fault,) = judged(STATEMENTS, LOGGED, SPEED, baseline=baseline)
    assert fault.startswith("engine.statements grew by 3.4%, from 2.9 to 3 statements/task")


def test_a_count_without_a_baseline_fails() -> None:
    """A new count must be committed with its baseline, or it would guard nothing."""
    (fault,) = judged(STATEMENTS, baseline={})
    assert "engine.statements has no baseline" in fault


def test_a_baseline_of_another_postgresql_judges_nothing() -> None:
    """Bytes of log depend on the server's version: under another one they are not compared, and that is said."""
    baseline = {"engine.wal_bytes": Pinned(10.0, "B/task", {"postgresql": "15"})}
    compared = with_baseline(report(LOGGED), baseline)
    assert gate_faults([compared], baseline) == []
    assert gate_notes([compared], baseline) == [
        "engine.wal_bytes was not compared: its baseline is for {'postgresql': '15'}"
    ]


def test_a_count_that_shrank_asks_for_a_new_baseline() -> None:
    """An improvement passes, with a hint, so that it is not lost again unnoticed."""
    baseline = {"engine.statements": Pinned(4.0, "statements/task", {})}
    compared = with_baseline(report(STATEMENTS), baseline)
    assert gate_faults([compared], baseline) == []
    (note,) = gate_notes([compared], baseline)
    assert note.startswith("engine.statements shrank by 25.0%")


def test_a_saved_baseline_keeps_the_counts_of_other_benchmarks(tmp_path: Path) -> None:
    """Renewing one benchmark's counts touches neither others' counts nor takes in speeds."""
    path = tmp_path / "baseline.json"
    write_baseline(path, [report(STATEMENTS)])
    write_baseline(path, [report(LOGGED, SPEED)])
    assert read_baseline(path) == {
        "engine.statements": Pinned(3.0, "statements/task", {}),
        "engine.wal_bytes": Pinned(1900.0, "B/task", {"postgresql": "18"}),
    }


def test_a_damaged_baseline_is_refused(tmp_path: Path) -> None:
    """A baseline that cannot be read must not pass for an empty one."""
    path = tmp_path / "baseline.json"
    path.write_text('{"engine.statements": 3}')
    with pytest.raises(ResultsError, match="damaged"):
        read_baseline(path)


def test_a_written_file_can_be_compared_with(tmp_path: Path) -> None:
    """What one run writes another one reads."""
    path = tmp_path / "base.json"
    path.write_text(to_json([report(SPEED, STATEMENTS)]))
    assert read_earlier(path) == {
        "engine.drain": Earlier(0.5, Better.HIGHER),
        "engine.statements": Earlier(None, Better.LOWER),
    }


@pytest.mark.parametrize("content", [None, "nonsense", '{"a": 1}', '[{"results": [{}]}]'])
def test_a_file_that_is_no_results_is_refused(tmp_path: Path, content: str | None) -> None:
    """Comparing with a wrong file is an error that names it."""
    path = tmp_path / "base.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ResultsError, match=r"base\.json"):
        read_earlier(path)


def test_a_ratio_that_fell_fails_the_comparison() -> None:
    """A ratio below the given share of the earlier one is named; new metrics and better ones pass."""
    earlier = {"engine.drain": Earlier(1.0, Better.HIGHER)}
    (fault,) = comparison_faults([report(SPEED, STATEMENTS)], earlier, fail_under=0.8)
    assert fault.startswith("engine.drain is 0.50 of what it was")
    assert comparison_faults([report(SPEED)], earlier, fail_under=0.5) == []


def test_a_cost_improves_downwards() -> None:
    """Half the cost is twice as good."""
    assert change_of(evolve(STATEMENTS, ratio=0.5), Earlier(1.0, Better.LOWER)) == 2.0


def test_a_cost_that_grew_fails_the_comparison() -> None:
    """Where less is better, growth is the fault, and shrinking is none."""
    held = limited("memory.growth", 8.0, unit="MB", limit=10.0)
    (fault,) = comparison_faults([report(held)], {"memory.growth": Earlier(0.4, Better.LOWER)}, fail_under=0.8)
    assert fault == "memory.growth is 2.00 of what it was: 0.8 against 0.4, and 1.25 is the most"
    assert comparison_faults([report(held)], {"memory.growth": Earlier(1.6, Better.LOWER)}, fail_under=0.8) == []


@pytest.mark.parametrize(("value", "met"), [(0.0, True), (10.0, True), (10.1, False)])
def test_a_limit_is_met_from_below(value: float, met: bool) -> None:
    """A figure with a limit may reach it, and nothing above."""
    held = limited("memory.growth", value, unit="MB", limit=10.0)
    assert (held.met, held.ratio) == (met, value / 10.0)


def test_a_growth_of_nothing_is_compared_with_nothing() -> None:
    """From and to zero there is no factor."""
    nothing, some = (limited("memory.growth", value, unit="MB", limit=10.0) for value in (0.0, 5.0))
    assert change_of(nothing, Earlier(0.5, Better.LOWER)) is None
    assert change_of(some, Earlier(0.0, Better.LOWER)) is None


def test_tables_say_in_which_direction_a_target_lies() -> None:
    """A reader sees whether a ratio must be at least or at most the target."""
    shown = as_text([report(SPEED, limited("memory.growth", 12.0, unit="MB", limit=10.0))], {})
    assert ">= 0.3 met" in shown
    assert "<= 1 MISSED" in shown


def test_tables_show_every_result() -> None:
    """Terminal and job summary show the same figures, and what was skipped."""
    reports = [report(SPEED, STATEMENTS), Report(benchmark="pipeline", machine=MACHINE, skipped="no novels")]
    for shown in (as_text(reports, {}), as_markdown(reports, {}, ["engine.drain fell"])):
        assert all(said in shown for said in ("engine.drain", "20 (raw)", "0.3 met", "pipeline: skipped"))
    assert "**engine.drain fell**" in as_markdown(reports, {}, ["engine.drain fell"])


def test_the_exit_code_tells_a_failed_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A count that grew makes the program fail, after all files are written."""
    options = parse(["--gate", "--json", str(tmp_path / "out.json"), "--markdown", str(tmp_path / "out.md")])
    baseline = {"engine.statements": Pinned(2.0, "statements/task", {})}
    assert conclude(options, [report(STATEMENTS)], baseline=baseline, earlier={}) == 1
    assert "FAILED: engine.statements grew by 50.0%" in capsys.readouterr().err
    assert json.loads((tmp_path / "out.json").read_text())[0]["results"][0]["met"] is False
    assert "engine.statements grew" in (tmp_path / "out.md").read_text()


def test_the_exit_code_tells_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    """A missed target alone is no failure: it is reported."""
    options = parse(["engine"])
    assert conclude(options, [report(evolve(SPEED, target=0.9))], baseline={}, earlier={}) == 0
    assert "0.9 MISSED" in capsys.readouterr().out
