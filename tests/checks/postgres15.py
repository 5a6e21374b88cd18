"""Run the engine's tests against PostgreSQL 15 as Debian packages it: `postgres15.py [--required] [PYTEST ARGUMENTS]`.

The server is private to the run: a new data directory, a socket in it, no port. Where PostgreSQL 15 is
not installed this says so and succeeds, unless it is `--required`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from novel_tasks_core.storage.postgres_programs import PostgresPrograms

PROGRAMS = Path(os.environ.get("PG15_BIN", "/usr/lib/postgresql/15/bin"))
ROOT = Path(__file__).resolve().parents[2]
TESTS = (
    "tests/core/engine",
    "tests/core/storage",
    "tests/core/worker",
    "tests/core/test_maintenance.py",
    "tests/plans",
    "tests/adversity/test_doorbell.py",
    "tests/adversity/test_lost_answers.py",
)
"""What says the same whatever the server is, such as the rest of tests/adversity, is not tried twice."""
ELSEWHERE = ("--ignore=tests/core/storage/test_embedded.py", "--ignore=tests/core/storage/test_files.py")
"""What brings a server of its own or needs none."""
FORGETFUL = {"synchronous_commit": "off", "fsync": "off", "full_page_writes": "off"}
SETTINGS = {"listen_addresses": "", "max_connections": "400", **FORGETFUL}


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run PostgreSQL 15 in `folder` for the length of the block; yields its URL."""
    data = folder / "postgres"
    programs = PostgresPrograms.in_folder(PROGRAMS, major=15, directory=data)
    programs.give(data)
    programs.initdb(data)
    settings = {**SETTINGS, "unix_socket_directories": str(data)}
    programs.start(data, settings=settings, log="server.log", timeout_seconds=60)
    try:
        yield f"postgresql://postgres@/postgres?host={quote(str(data), safe='')}"
    finally:
        programs.stop(data, mode="immediate", timeout_seconds=30)


def run_tests(url: str, arguments: Sequence[str]) -> int:
    """Run pytest on the server; returns its exit code."""
    command = [sys.executable, "-m", "pytest", *(arguments or ("-n", "2", *TESTS, *ELSEWHERE))]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NOVEL_TASKS_TEST_DATABASE_URL": url}, check=False
    ).returncode


def main(arguments: list[str]) -> int:
    """Run all; returns the exit code of the program."""
    required = "--required" in arguments
    if not (PROGRAMS / "initdb").exists():
        sys.stdout.write(f"SKIPPED: the tests against PostgreSQL 15, which is not installed in {PROGRAMS}.\n")
        sys.stdout.write("Debian and its kin: apt-get install postgresql-15\n")
        return int(required)
    version = subprocess.run([PROGRAMS / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    sys.stdout.write(f"Testing against {version}")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="novel-tasks-pg15-") as folder:
        Path(folder).chmod(0o755)
        with server(Path(folder)) as url:
            return run_tests(url, [one for one in arguments if one != "--required"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
