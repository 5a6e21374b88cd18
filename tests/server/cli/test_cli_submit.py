"""`novel-tasks submit` and `healthcheck` against a real server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_submit_prints_the_ids_of_the_tasks(novel_tasks: Run, server_url: str, english: Path, chinese: Path) -> None:
    """stdout holds one id per file and nothing else, so that it can be piped on."""
    done = novel_tasks("submit", english, chinese, "--server", server_url)
    assert done.returncode == 0, done.stderr
    ids = done.stdout.split()
    assert len(set(ids)) == 2
    assert all(task_id.startswith("task-") for task_id in ids)


def test_submit_wait_follows_to_the_end(novel_tasks: Run, server_url: str, english: Path) -> None:
    """`--wait --json` ends with the finished task, exit code 0."""
    done = novel_tasks("submit", english, "--wait", "--json", "--server", server_url)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["file"] == str(english)
    assert (found["status"], found["progress"], found["error_message"]) == ("completed", 100, None)


def test_submit_wait_exits_3_when_a_task_fails(
    novel_tasks: Run, server_url: str, english: Path, tmp_path: Path
) -> None:
    """A failed task is told in one line with its reason; exit code 3, the other file's task completes."""
    binary = tmp_path / "picture.txt"
    binary.write_bytes(bytes(range(256)) * 64)
    done = novel_tasks("submit", binary, english, "--wait", "--json", "--server", server_url)
    assert done.returncode == 3
    statuses = [json.loads(line)["status"] for line in done.stdout.splitlines()]
    assert statuses == ["failed", "completed"]
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "failed" in line


def test_a_file_that_the_server_does_not_take_is_told_with_the_reason(
    novel_tasks: Run, server_url: str, english: Path, tmp_path: Path
) -> None:
    """What the server would refuse and what cannot be read costs a line each and exit code 1; the rest is sent."""
    wrong = tmp_path / "novel.exe"
    wrong.write_bytes(b"MZ")
    done = novel_tasks("submit", wrong, "missing.txt", english, "--server", server_url)
    assert done.returncode == 1
    assert len(done.stdout.split()) == 1
    assert f"error: {wrong}: not sent: the server takes only .txt, .md" in done.stderr
    assert "error: missing.txt: No such file or directory" in done.stderr


def test_processor_and_options_travel_with_the_file(novel_tasks: Run, server_url: str, english: Path) -> None:
    """`-p` and `--option` reach the server, which refuses what the processor does not know."""
    assert novel_tasks("submit", english, "-p", "split", "--wait", "--server", server_url).returncode == 0
    wrong = novel_tasks("submit", english, "-p", "split", "--option", "nonsense=1", "--server", server_url)
    assert wrong.returncode == 1
    assert "(HTTP 422)" in wrong.stderr


def test_the_same_bytes_again_are_the_same_task(novel_tasks: Run, server_url: str, tmp_path: Path) -> None:
    """A file that the server has is told as a duplicate, unless another task is asked for."""
    novel = tmp_path / "第一章.txt"
    novel.write_text("第一章 夜\n\n水在流。\n", encoding="utf-8")
    first, again, other = (
        json.loads(novel_tasks("submit", novel, "--json", "--server", server_url, *more).stdout)
        for more in ((), (), ("--on-duplicate", "allow"))
    )
    assert (first["duplicate"], again["duplicate"], other["duplicate"]) == (False, True, False)
    assert first["task_id"] == again["task_id"] != other["task_id"]


def test_no_server_is_one_line(novel_tasks: Run, english: Path) -> None:
    """A server that is not there is told once per file, exit code 1."""
    done = novel_tasks("submit", english, "--server", "http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no server at http://127.0.0.1:1" in done.stderr


def test_healthcheck_tells_by_exit_code(novel_tasks: Run, server_url: str) -> None:
    """A healthy server is exit code 0 with its answer on stdout, a missing one exit code 1."""
    done = novel_tasks("healthcheck", "--url", server_url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "healthy"
    assert novel_tasks("healthcheck", "--url", "http://127.0.0.1:1").returncode == 1
