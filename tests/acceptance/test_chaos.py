"""Everything goes wrong at once, with real processes: every promise is kept, and without its guard it would not be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from novel_tasks_core.storage.queries import load_queries

from .chaos.mutants import unfenced

ROOT = Path(__file__).resolve().parents[2]


def chaos(path: Path, *arguments: str) -> tuple[int, str, dict[str, Any]]:
    """Do a run as `make chaos` does; return the exit code, what it printed, and the figures."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.chaos", *arguments, "--json", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert path.exists(), done.stderr
    [board] = json.loads(path.read_text(encoding="utf-8"))
    return done.returncode, done.stdout, board


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_promise_is_kept_whatever_goes_wrong(tmp_path: Path) -> None:
    """26 s of kills, stops, lost answers and crashes of the database: nothing lost, doubled, skipped or forgotten."""
    code, printed, board = chaos(tmp_path / "board.json", "--seconds", "26", "--seed", "7")
    assert (code, board["broken"]) == (0, {}), printed
    faults = board["faults"]
    assert min(faults["kill"], faults["stop"], faults["replies_dropped"], faults["crash"], faults["restart"]) > 0
    assert board["tasks"] > 100
    assert min(board["rescued"], board["watched"]) > 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_without_the_fence_tasks_are_completed_twice(tmp_path: Path) -> None:
    """The mutant: the same run, where the end of an attempt does not ask whose it is."""
    code, printed, board = chaos(tmp_path / "board.json", "--seconds", "14", "--seed", "3", "--mutant", "unfenced")
    assert code == 1
    assert len(board["broken"]["doubled"]) > 0
    assert "BROKEN doubled" in printed


def test_the_mutant_finds_the_fence() -> None:
    """What it takes out is there, and all that is left of the condition is the task."""
    whole = load_queries("queue")
    spoilt = unfenced(whole)["finish"]
    assert "attempt = d.attempt - 1" in whole["finish"]
    assert "attempt = d.attempt - 1" not in spoilt
    assert "worker_id = $1" not in spoilt
