"""The commands that look at the tasks of a server and change them, against a real one."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Run, clean_environment

UNKNOWN = "task-" + "0" * 32


@pytest.fixture
def finished(novel_tasks: Run, server_url: str, english: Path) -> str:
    """The id of a completed task of `split`."""
    done = novel_tasks("submit", english, "-p", "split", "--wait", "--on-duplicate", "allow", "--server", server_url)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def failed(novel_tasks: Run, server_url: str, tmp_path: Path) -> str:
    """The id of a failed task."""
    binary = tmp_path / "picture.txt"
    binary.write_bytes(bytes(range(256)) * 64)
    done = novel_tasks("submit", binary, "--wait", "--on-duplicate", "allow", "--server", server_url)
    assert done.returncode == 3, done.stderr
    return done.stdout.strip()


@pytest.fixture
def waiting(novel_tasks: Run, server_url: str, english: Path) -> str:
    """The id of a task that waits for an outside service."""
    done = novel_tasks("submit", english, "-p", "external", "--on-duplicate", "allow", "--server", server_url)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_list_shows_a_table(novel_tasks: Run, server_url: str, finished: str, english: Path) -> None:
    """stdout has headings and a line per task, the newest first; how many there are goes to stderr."""
    done = novel_tasks("list", "--server", server_url)
    assert done.returncode == 0, done.stderr
    headings, first, *_ = done.stdout.splitlines()
    assert headings.split() == ["TASK", "STATUS", "DONE", "PROCESSOR", "UPLOADED", "FILE"]
    assert first.split()[:4] == [finished, "completed", "100%", "split"]
    assert first.endswith(f"Z  {english.name}")
    assert re.search(r"of \d+ tasks$", done.stderr.strip())


def test_list_filters_and_prints_json(novel_tasks: Run, server_url: str, finished: str, failed: str) -> None:
    """Filters reach the server; `--json` prints an object per task, and nothing on stderr."""
    filters = ("--status", "failed", "--search", "pict", "--since", "1h", "-n", "1")
    done = novel_tasks("list", *filters, "--json", "--server", server_url)
    assert (done.returncode, done.stderr) == (0, "")
    [line] = done.stdout.splitlines()
    found = json.loads(line)
    assert (found["id"], found["status"], found["file_name"]) == (failed, "failed", "picture.txt")
    assert found["uploaded_at"].endswith("Z")
    nothing = novel_tasks("list", "--until", "2001-01-01", "--server", server_url)
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "no tasks\n")


@pytest.mark.parametrize("sort", ["uploaded_at", "file_name"])
def test_list_goes_through_all_pages(novel_tasks: Run, server_url: str, finished: str, failed: str, sort: str) -> None:
    """`--limit 0` prints every task once, whatever the order."""
    done = novel_tasks("list", "-n", "0", "--sort", sort, "--reverse", "--json", "--server", server_url)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {finished, failed} <= {task["id"] for task in found}
    assert len({task["id"] for task in found}) == len(found)
    assert [task[sort] for task in found] == sorted(task[sort] for task in found)


def test_show_tells_what_became_of_tasks(novel_tasks: Run, server_url: str, finished: str, failed: str) -> None:
    """A task's file, attempts, artifacts or error are shown, each task by itself."""
    done = novel_tasks("show", finished, failed, "--server", server_url)
    assert done.returncode == 0, done.stderr
    first, second = re.split(r"\n(?=task-)", done.stdout)
    assert first.startswith(finished)
    assert re.search(r"attempt 1 +completed after", first)
    assert re.search(r"artifact +chapters\.json \([\d,]+ bytes, application/json\)", first)
    assert re.search(r"status +failed", second)
    assert re.search(r"error +\S", second)


def test_show_json_holds_all(novel_tasks: Run, server_url: str, finished: str) -> None:
    """`--json` prints the task with its attempts and artifacts."""
    found = json.loads(novel_tasks("show", finished, "--json", "--server", server_url).stdout)
    assert (found["id"], found["attempts"][0]["outcome"]) == (finished, "completed")
    assert "chapters.json" in {artifact["name"] for artifact in found["artifacts"]}


def test_an_id_may_be_abbreviated(novel_tasks: Run, server_url: str, finished: str) -> None:
    """The beginning of an id will do, with or without `task-`, as long as it is that of one task."""
    for text in (finished[:-6], finished.removeprefix("task-")[:-6], finished.upper()):
        done = novel_tasks("show", text, "--server", server_url)
        assert done.stdout.startswith(finished), done.stderr


def test_an_ambiguous_abbreviation_is_refused(
    novel_tasks: Run, server_url: str, finished: str, failed: str, english: Path, tmp_path: Path
) -> None:
    """Several tasks, or none, that begin so are told apart; a file that is called so is no task."""
    prefix = re.match(r"task-0*.", finished)
    assert prefix
    several = novel_tasks("cancel", prefix[0], "--server", server_url)
    assert (several.returncode, several.stdout) == (1, "")
    assert "several tasks have an id that begins with" in several.stderr
    decoy = tmp_path / "task-ffff.txt"
    decoy.write_text("Called like a task.")
    assert novel_tasks("submit", decoy, "-p", "external", "--server", server_url).returncode == 0
    none = novel_tasks("show", "task-ffff", "--server", server_url)
    assert (none.returncode, none.stdout) == (1, "")
    assert "no task has an id that begins with task-ffff" in none.stderr


def test_logs_prints_the_log(novel_tasks: Run, server_url: str, finished: str) -> None:
    """A line per entry with time and level; `--level` leaves out what matters less; `--json` prints objects."""
    done = novel_tasks("logs", finished, "--server", server_url)
    assert done.returncode == 0, done.stderr
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  info     uploaded the-salt-ledger\.md", done.stdout)
    assert novel_tasks("logs", finished, "--level", "error", "--server", server_url).stdout == ""
    first = json.loads(novel_tasks("logs", finished, "--json", "--server", server_url).stdout.splitlines()[0])
    assert (first["seq"], first["level"]) == (1, "info")


def test_logs_follow_ends_with_the_task(novel_tasks: Run, server_url: str, waiting: str) -> None:
    """`logs -f` prints what is there, stays while the task waits, and ends when it is cancelled."""
    command = [sys.executable, "-m", "novel_tasks_server", "logs", "-f", waiting, "--server", server_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=clean_environment(), text=True) as process:
        try:
            assert process.stdout is not None
            assert "uploaded" in process.stdout.readline()
            assert process.poll() is None
            assert novel_tasks("cancel", waiting, "--server", server_url).returncode == 0
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_logs_follow_is_left_by_ctrl_c(server_url: str, waiting: str) -> None:
    """One Ctrl-C ends it with exit code 130 and one line."""
    command = [sys.executable, "-m", "novel_tasks_server", "logs", "-f", waiting, "--server", server_url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=clean_environment(), text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, stderr) == (130, "error: interrupted\n")


def test_result_prints_json(novel_tasks: Run, server_url: str, finished: str, tmp_path: Path) -> None:
    """The result goes to stdout as JSON, or into a file."""
    done = novel_tasks("result", finished, "--server", server_url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["chapters"]
    kept = novel_tasks("result", finished, "-o", tmp_path / "result.json", "--server", server_url)
    assert (kept.returncode, kept.stdout) == (0, "")
    assert (tmp_path / "result.json").read_text(encoding="utf-8") == done.stdout


def test_result_gets_artifacts(novel_tasks: Run, server_url: str, finished: str, tmp_path: Path) -> None:
    """One artifact goes to stdout or into a file byte for byte, all of them into a folder, and nothing else is left."""
    shown = json.loads(novel_tasks("show", finished, "--json", "--server", server_url).stdout)["artifacts"]
    digests = {artifact["name"]: artifact["sha256"] for artifact in shown}
    one = novel_tasks("result", finished, "--artifact", "chapters.json", "--server", server_url)
    assert hashlib.sha256(one.stdout.encode()).hexdigest() == digests["chapters.json"]
    folder = tmp_path / "all"
    every = novel_tasks("result", finished, "--all", "-o", folder, "--server", server_url)
    assert every.returncode == 0, every.stderr
    assert {Path(line).name for line in every.stdout.splitlines()} == set(digests)
    assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()} == digests


def test_without_a_result_the_reason_is_told(novel_tasks: Run, server_url: str, failed: str, waiting: str) -> None:
    """Exit code 3 for a task that failed, with its error; 1 for one that has not finished; nothing on stdout."""
    lost = novel_tasks("result", failed, "--server", server_url)
    assert (lost.returncode, lost.stdout) == (3, "")
    assert re.fullmatch(f"error: {failed} failed: .+\n", lost.stderr)
    early = novel_tasks("result", waiting, "--server", server_url)
    assert (early.returncode, early.stdout) == (1, "")
    assert "it has no result (HTTP 409)" in early.stderr
    nothing = novel_tasks("result", failed, "--all", "-o", "folder", "--server", server_url)
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", f"{failed} has made no files\n")
    missing = novel_tasks("result", failed, "--artifact", "absent.txt", "--server", server_url)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "(HTTP 404)" in missing.stderr


def test_retry_and_cancel_print_what_they_changed(novel_tasks: Run, server_url: str, failed: str, waiting: str) -> None:
    """Each takes several tasks; one that is refused costs a line and exit code 1, the others are changed."""
    again = novel_tasks("retry", waiting, failed, "--server", server_url)
    assert (again.returncode, again.stdout) == (1, f"{failed}\n")
    assert len(again.stderr.splitlines()) == 1
    assert re.match(f"error: .*{waiting}.*HTTP 409", again.stderr)
    stopped = novel_tasks("cancel", UNKNOWN, "novel.txt", waiting, "--json", "--server", server_url)
    assert stopped.returncode == 1
    assert json.loads(stopped.stdout)["status"] == "cancelled"
    first, second = stopped.stderr.splitlines()
    assert re.match(f"error: .*{UNKNOWN}.*HTTP 404", first)
    assert second == "error: Task novel.txt not found"


@pytest.mark.parametrize("command", ["list", "show", "logs", "result", "retry", "cancel", "why"])
def test_a_server_that_is_not_there_is_one_line(novel_tasks: Run, command: str) -> None:
    """Every command says in one line that nobody answers, at once, and exits 1."""
    arguments = () if command == "list" else (UNKNOWN,)
    done = novel_tasks(command, *arguments, "--server", "http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "no server at http://127.0.0.1:1" in line


def test_a_token_that_cannot_be_sent_is_a_usage_error(novel_tasks: Run, server_url: str) -> None:
    """A token with a line break in it is told, without being shown."""
    done = novel_tasks("list", "--server", server_url, env={"NOVEL_TASKS_TOKEN": "se\ncret"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: NOVEL_TASKS_TOKEN: must be one word of ASCII characters\n"


def test_quiet_list_is_ids_alone(novel_tasks: Run, server_url: str, finished: str) -> None:
    """`list -q` prints what other commands take, for `xargs`."""
    done = novel_tasks("list", "-qn", "1", "--server", server_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{finished}\n", "")
