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
MANY_STOPS = 2035
"""The seed of a plan that soon and often stops a worker for longer than its lease."""


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


LONGER = (1, 2, 4)
"""How often as long a run may be, on a machine that is too busy for everything to go wrong in a short one."""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_promise_is_kept_whatever_goes_wrong(tmp_path: Path) -> None:
    """24 s of kills, stops, lost answers and crashes of the database: nothing lost, doubled, skipped or forgotten."""
    for times in LONGER:
        arguments = ("--seconds", str(24 * times), "--seed", "7", "--rate", "50")
        code, printed, board = chaos(tmp_path / "board.json", *arguments)
        assert (code, board["broken"]) == (0, {}), printed
        if _says_something(board):
            return
    pytest.fail(f"too little went wrong:\n{printed}")


def _says_something(board: dict[str, Any]) -> bool:
    """Say whether everything went wrong that should, and there was enough to lose."""
    happened = [board["faults"][name] for name in ("kill", "stop", "replies_dropped", "crash", "restart")]
    return bool(min(*happened, board["rescued"], board["watched"]) > 0 and board["tasks"] > 100)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_without_the_fence_tasks_are_completed_twice(tmp_path: Path) -> None:
    """The mutant: the same run, where the end of an attempt does not ask whose it is."""
    for times in LONGER:
        seconds = str(8 * times)
        arguments = ("--seconds", seconds, "--seed", str(MANY_STOPS), "--rate", "80", "--mutant", "unfenced")
        code, printed, board = chaos(tmp_path / "board.json", *arguments)
        if board["broken"].get("doubled"):
            break
    assert code == 1
    assert "BROKEN doubled" in printed


def test_the_mutant_finds_the_fence() -> None:
    """What it takes out is there, and all that is left of the condition is the task."""
    whole = load_queries("queue")
    spoilt = unfenced(whole)["finish"]
    assert "attempt = d.attempt - 1" in whole["finish"]
    assert "attempt = d.attempt - 1" not in spoilt
    assert "worker_id = $1" not in spoilt
