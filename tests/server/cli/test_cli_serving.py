"""`novel-tasks serve` and `worker` as processes that stay until they are told to go."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@contextmanager
def staying(*arguments: str | Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Start `novel-tasks` with its stderr readable; whatever happens, it is gone afterwards."""
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DATA_DIR")}
    command = [sys.executable, "-m", "novel_tasks_server", *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    """Read the process's stderr up to the line that holds `wanted`; return that line."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if wanted in line:
            return line
    pytest.fail(f"never said {wanted!r}: {''.join(seen)}")


def ends(pid: int) -> bool:
    """Say whether the process ends within a minute; nobody may have waited for it yet."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def test_as_many_connections_as_the_system_grants(open_folder: Path) -> None:
    """A shell that allows few open files does not bound the sockets of the server."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, most))
    try:
        with staying(
            "serve", "--port", "0", "--no-worker", "--data-dir", open_folder / "data", cwd=open_folder
        ) as process:
            read_until(process, "listens on")
            assert psutil.Process(process.pid).rlimit(psutil.RLIMIT_NOFILE) == (most, most)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_serve_says_where_it_listens_and_stops_in_good_order(open_folder: Path, number: int, code: int) -> None:
    """It tells its address on stderr; SIGTERM ends it with 0, one Ctrl-C with 130, and the database stops too."""
    with staying("serve", "--port", "0", "--data-dir", "data", cwd=open_folder) as process:
        assert "http://127.0.0.1:" in read_until(process, "http://127.0.0.1:")
        pid_file = open_folder / "data" / "postgres" / "postmaster.pid"
        postmaster = int(pid_file.read_text().split()[0])
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (code, "")
    assert not pid_file.exists()
    assert ends(postmaster)


def test_a_taken_port_is_one_line(open_folder: Path, server_url: str, novel_tasks: Run) -> None:
    """A port that somebody else has is a wrong setting: exit code 2 and a last line that names it."""
    port = server_url.rpartition(":")[2]
    done = novel_tasks("serve", "--port", port, "--data-dir", open_folder / "data")
    assert done.returncode == 2
    assert port in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_worker_runs_what_a_server_took(open_folder: Path, novel_tasks: Run, english: Path) -> None:
    """`serve --no-worker` accepts, `worker` on the same data directory runs, and stops at SIGTERM with 0."""
    with staying("serve", "--no-worker", "--port", "0", "--data-dir", "data", cwd=open_folder) as server:
        line = read_until(server, "http://127.0.0.1:")
        url = "http://127.0.0.1:" + line.partition("http://127.0.0.1:")[2].split()[0].strip(".,;/'\"")
        with staying("worker", "--data-dir", "data", cwd=open_folder) as worker:
            read_until(worker, "slots")
            done = novel_tasks("submit", english, "--wait", "--json", "--server", url)
            assert json.loads(done.stdout)["status"] == "completed", done.stderr
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=60)
            assert worker.returncode == 0
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
        assert server.returncode == 0


@pytest.mark.parametrize("installed", [True, False])
def test_the_event_loop_is_uvloop_where_it_is_installed(open_folder: Path, installed: bool) -> None:
    """The program says once which one it runs on, and needs no uvloop."""
    if not installed:
        (open_folder / "uvloop.py").write_text("raise ImportError('as if it were not there')")
    with staying("worker", "--data-dir", "data", cwd=open_folder) as process:
        line = read_until(process, "event_loop")
        assert ("uvloop" in line, "asyncio" in line) == (installed, not installed)
        read_until(process, "slots")
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "event_loop" not in rest


def test_a_worker_tells_what_it_waits_for(open_folder: Path) -> None:
    """SIGUSR1 does not end a worker: it logs what each of its asyncio tasks waits for, and goes on."""
    with staying("worker", "--data-dir", "data", cwd=open_folder) as process:
        read_until(process, "slots")
        process.send_signal(signal.SIGUSR1)
        read_until(process, "stacks_of_tasks")
        read_until(process, "services.py")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
