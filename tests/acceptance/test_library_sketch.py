"""The library as the README shows it: the example runs as a program and passes the strictest typing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def example(open_folder: Path) -> Path:
    """The README's example as a file, beside the novel that it reads."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"^<!-- example: library -->\n```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    tale = ROOT / "tests" / "data" / "the-salt-ledger.md"
    (open_folder / "novel.txt").write_bytes(tale.read_bytes().replace(b"## ", b"").replace(b"# ", b""))
    path = open_folder / "example.py"
    path.write_text(code, encoding="utf-8")
    return path


def test_the_example_runs(example: Path) -> None:
    """It reads, analyzes, submits, follows and prints the result, with a database of its own."""
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "UPLOAD_DIR")}
    done = subprocess.run(
        [sys.executable, "-W", "error", example.name],
        cwd=example.parent,
        env=env | {"DATA_DIR": str(example.parent / "data")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "100% Chapter 5. Paid in Full" in done.stdout
    assert "{'title': 'Chapter 5. Paid in Full', 'characters': " in done.stdout.splitlines()[-1]


def test_the_example_is_typed(example: Path) -> None:
    """mypy in strict mode finds nothing to say about it."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "", example.name],
        cwd=example.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
