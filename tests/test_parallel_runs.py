"""Many processes test faster than one only as long as what is costly is made once."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from .conftest import TOGETHER

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("shared", TOGETHER)
def test_what_is_kept_together_is_there(shared: str) -> None:
    """Each place is that of tests, a folder or a file."""
    assert (ROOT / shared).is_dir() == shared.endswith("/")
    assert (ROOT / shared).exists()


def test_what_is_kept_together_runs_in_one_process_and_the_rest_in_all() -> None:
    """Of a run in two processes one does all of a shared folder, and both do the other tests."""
    files = (
        "tests/server/cli/test_cli_fitting.py",  # the first, and done before the others are
        "tests/core/test_retries.py",
        "tests/core/test_states.py",
        "tests/core/text/test_numerals.py",
        "tests/core/text/test_headings.py",
        "tests/core/text/test_bookinfo.py",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-vv", "-p", "no:cacheprovider", *files],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    processes = defaultdict(set)
    for process, file in re.findall(r"^\[(gw\d)\] .* PASSED (\S+?)::", done.stdout, re.MULTILINE):
        processes[file == files[0]].add(process)
    assert (len(processes[True]), len(processes[False])) == (1, 2), done.stdout
