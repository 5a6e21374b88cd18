"""`make` is the first thing that people type: it must explain itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make at the top of the project."""
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def test_make_alone_lists_every_target() -> None:
    """Every target that can be called is documented, and `make` lists it."""
    done = make()
    assert (done.returncode, done.stderr) == (0, "")
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(re.findall(r"^  make ([a-z0-9-]+) ", done.stdout, re.MULTILINE)) == set(phony[1].split())


def test_setup_without_a_new_enough_python_says_what_to_do(tmp_path: Path) -> None:
    """Where no Python fits, set-up names the version, what was tried, and how to name another."""
    done = make("setup", f"VENV={tmp_path}/venv", "PYTHONS=false no-such-python")
    assert done.returncode == 2
    assert "needs Python 3.11 or newer; none of these is: false no-such-python" in done.stderr
    assert "make setup PYTHON=" in done.stderr


def test_check_runs_the_test_command_of_the_readme() -> None:
    """What CI runs includes `make test` as the README tells people to run it."""
    check = re.search(r"^check: (.*?) ##", MAKEFILE, re.MULTILINE)
    assert check is not None
    assert {"test", "test-pg15"} <= set(check[1].split())
    assert "exec make check" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
