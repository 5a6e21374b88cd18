"""The program as a real process, and a real server for it to talk to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .loaded import LoadedProgram, loaded_program

Run = Callable[..., "subprocess.CompletedProcess[str]"]

OWN_SETTINGS = (
    "DATABASE_URL",
    "DATA_DIR",
    "UPLOAD_DIR",
    "DEFAULT_PROCESSOR",
    "ENVIRONMENT",
    "NOVEL_TASKS_SERVER",
    "NOVEL_TASKS_TOKEN",
)
DATA = Path(__file__).resolve().parents[2] / "data"


def clean_environment() -> dict[str, str]:
    """Return this process's environment without settings of ours, and without colour or a terminal."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN_SETTINGS}
    return kept | {"NO_COLOR": "1", "TERM": "dumb"}


@pytest.fixture(scope="session")
def loaded() -> Iterator[LoadedProgram]:
    """`novel-tasks`, loaded once for all tests of this process."""
    with loaded_program(clean_environment()) as program:
        yield program


@pytest.fixture
def novel_tasks(loaded: LoadedProgram, tmp_path: Path) -> Run:
    """Run `novel-tasks` as a process in a folder of its own; its stdin is empty unless given."""

    def run(
        *arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return loaded.run([*map(str, arguments)], cwd=tmp_path, env=clean_environment() | (env or {}), stdin=stdin)

    return run


@pytest.fixture
def fresh_novel_tasks(tmp_path: Path) -> Run:
    """Run what `novel_tasks` runs, in a Python that is started anew."""

    def run(
        *arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "novel_tasks_server", *map(str, arguments)],
            cwd=tmp_path,
            env=clean_environment() | (env or {}),
            input=stdin,
            capture_output=True,
            timeout=240,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may pass through: tests run as root give their database to another one."""
    with tempfile.TemporaryDirectory(prefix="novel-tasks-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def english() -> Path:
    """A tale of five chapters in English, as Markdown."""
    return DATA / "the-salt-ledger.md"


@pytest.fixture(scope="session")
def chinese() -> Path:
    """A tale of five chapters in Chinese, as plain text."""
    return DATA / "渡口的灯.txt"


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """Where the server of the tests runs; it has its data in `data`."""
    with tempfile.TemporaryDirectory(prefix="novel-tasks-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def server_url(server_folder: Path) -> Iterator[str]:
    """A server with a worker and an embedded database, as a process; it must stop with exit code 0."""
    folder, log = server_folder, server_folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "novel_tasks_server", "serve", "--port", "0", "--data-dir", folder / "data"],
            cwd=folder,
            env=clean_environment(),
            stdout=output,
            stderr=output,
        )
    try:
        yield listening_url(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    assert code == 0, log.read_text()[-3000:]


def listening_url(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server says where it listens, and return that; fail with its log when it ends or takes long."""
    deadline = time.monotonic() + 240
    while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.05)
    return found[0]
