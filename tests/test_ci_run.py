"""`.ci/run` finds or installs PostgreSQL 15 and a browser, or says why not; what it calls are stand-ins here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
INSTALL = 'case "$1" in install) mkdir -p $PG15_BIN && touch $PG15_BIN/initdb;; esac'


def ci_run(folder: Path, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `.ci/run` with these shell scripts in place of what it calls; `make` and `apt-get` print their arguments."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(parents=True)
    for name, script in {"make": "", "id": "echo 0", **programs}.items():
        file = bin_folder / name
        tell = "" if name == "id" else f'echo "{name} $*"\n'
        file.write_text(f"#!/bin/sh\n{tell}{script}\n")
        file.chmod(0o755)
    for tool in ("bash", "sh", "dirname", "mkdir", "touch"):
        (bin_folder / tool).symlink_to(f"/bin/{tool}" if Path(f"/bin/{tool}").exists() else f"/usr/bin/{tool}")
    env = {"PATH": str(bin_folder), "PG15_BIN": str(folder / "pg15")}
    return subprocess.run([ROOT / ".ci" / "run"], env=env, capture_output=True, text=True, timeout=240, check=False)


def test_what_is_there_is_used(tmp_path: Path) -> None:
    """Nothing is installed where PostgreSQL 15 is, and the tests against it are then required."""
    (tmp_path / "pg15").mkdir()
    (tmp_path / "pg15" / "initdb").touch(mode=0o755)
    done = ci_run(tmp_path, {"id": "echo 1000"})
    assert (done.returncode, done.stdout) == (0, "make check PG15=--required\n")


def test_root_installs_it(tmp_path: Path) -> None:
    """On a new machine it comes from the distribution, and the tests against it are then required."""
    done = ci_run(tmp_path, {"apt-get": INSTALL, "apt-cache": "exit 0"})
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["apt-get update -qq", "make check PG15=--required"]
    assert (tmp_path / "pg15" / "initdb").exists()


def test_tools_that_cannot_be_had_are_done_without(tmp_path: Path) -> None:
    """The tests that use them are skipped, and the run says so."""
    no_tools = f'case "$*" in *strace*) exit 100;; esac\n{INSTALL}'
    done = ci_run(tmp_path, {"apt-get": no_tools, "apt-cache": "exit 0"})
    assert done.stdout.splitlines()[-1] == "make check PG15=--required"
    assert re.search(r"\bstrace tmux\b.* cannot be installed; the tests that use them are skipped", done.stderr)


def test_a_browser_that_is_there_has_to_be_used(tmp_path: Path) -> None:
    """Where Chromium is, or was installed, its tests may not be skipped; elsewhere they may."""
    tell = 'echo "browser: $NOVEL_TASKS_BROWSER"'
    pg15 = tmp_path / "pg15"
    pg15.mkdir()
    (pg15 / "initdb").touch(mode=0o755)
    assert "browser: required" in ci_run(tmp_path, {"make": tell, "chromium": ""}).stdout
    done = ci_run(tmp_path / "without", {"make": tell, "apt-get": "exit 100"})
    assert "browser: \n" in done.stdout


@pytest.mark.parametrize(
    ("programs", "reason"),
    [
        ({"id": "echo 1000", "apt-get": INSTALL}, "only root could install it"),
        ({}, "there is no apt-get"),
        ({"apt-get": "exit 100"}, "the package lists cannot be fetched"),
        ({"apt-get": INSTALL, "apt-cache": "exit 100"}, "apt does not know postgresql-15"),
    ],
)
def test_where_it_cannot_be_had_all_else_is_checked(tmp_path: Path, programs: dict[str, str], reason: str) -> None:
    """An ordinary user, another system, no network or no such package: it says so and goes on without."""
    done = ci_run(tmp_path, programs)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "make check"
    assert reason in done.stderr
    assert "skipped" in done.stderr


def test_an_install_that_fails_fails_the_run(tmp_path: Path) -> None:
    """What apt knows but cannot install is an error, not a reason to check less."""
    done = ci_run(tmp_path, {"apt-get": 'case "$1" in install) exit 100;; esac', "apt-cache": "exit 0"})
    assert done.returncode == 100
    assert "make check" not in done.stdout


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--required",), 1)])
def test_the_tests_against_it_say_when_they_are_skipped(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    """Without PostgreSQL 15 they say that, and fail only where they are required."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "checks" / "postgres15.py", *arguments],
        env={**os.environ, "PG15_BIN": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        code,
        f"SKIPPED: the tests against PostgreSQL 15, which is not installed in {tmp_path}.",
    )
