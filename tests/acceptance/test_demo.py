"""`make demo` from end to end: real processes, and none of them left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path) -> subprocess.Popen[str]:
    """Start the demo as `make demo` does, with its temporary files and reports in `folder`."""
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "benchmarks.demo"],
        cwd=folder,
        env=env | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def running_in(folder: Path) -> list[str]:
    """Return the command lines of all processes that work in `folder` or name it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(str(folder) in part for part in (process.cwd(), *process.cmdline())):
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_the_demo_processes_the_tales_and_leaves_only_the_reports(open_folder: Path) -> None:
    """It shows live progress of every tale, exits 0, stops everything, and ends with the reports' paths."""
    demo = start(open_folder)
    stdout, stderr = demo.communicate(timeout=240)
    assert (demo.returncode, stderr) == (0, "")
    for name in ("the-salt-ledger.md", "渡口的灯.txt", "渡口的灯-gb18030.txt"):
        assert re.search(rf"^  {re.escape(name)} +completed +100 %$", stdout, re.MULTILINE), stdout
    reports = [open_folder / line for line in stdout.splitlines()[-3:]]
    assert all(path.suffix == ".html" and path.is_file() for path in reports)
    assert running_in(open_folder) == []
    assert [path.name for path in open_folder.iterdir()] == ["novel-tasks-data"]


def test_an_interrupted_demo_leaves_nothing_running(open_folder: Path) -> None:
    """Ctrl-C while the server works stops the server and its database; exit code 130."""
    demo = start(open_folder)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "It listens on" in line:
            break
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=240)
    assert demo.returncode == 130
    assert running_in(open_folder) == []
    assert not list(open_folder.glob("novel-tasks-demo-*"))
