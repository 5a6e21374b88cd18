"""How the program behaves towards people and scripts, whatever the command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from novel_tasks_core import TaskEngine

from .conftest import clean_environment

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMANDS = (
    "serve",
    "worker",
    "process",
    "submit",
    "list",
    "show",
    "logs",
    "result",
    "retry",
    "cancel",
    "why",
    "migrate",
    "prune",
    "doctor",
    "openapi",
    "token",
    "healthcheck",
    "completion",
)


def one_error_line(stderr: str) -> str:
    """Return the only line of stderr, which must be an error and no traceback."""
    lines = stderr.splitlines()
    assert len(lines) == 1, stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def test_help_lists_every_command_on_stdout(fresh_novel_tasks: Run) -> None:
    """`--help` goes to stdout, names every command, and shows examples before the usage."""
    done = fresh_novel_tasks("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"  {command} " in done.stdout for command in COMMANDS)
    assert done.stdout.index("Examples:") < done.stdout.index("Usage:")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_begins_with_examples(novel_tasks: Run, command: str) -> None:
    """Each command's help says what `--help` alone says of it, then how it is used, then lists options."""
    done = novel_tasks(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    summary = done.stdout[: done.stdout.index("Examples:")].strip()
    assert f"  {command:<11}  {summary}\n" in novel_tasks("--help").stdout
    assert f"novel-tasks {command}" in done.stdout[: done.stdout.index("Usage:")]
    assert "Options:" in done.stdout


def test_version_is_data(fresh_novel_tasks: Run) -> None:
    """`--version` prints the program and its version on stdout."""
    done = fresh_novel_tasks("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("novel-tasks, version ")


def test_no_command_shows_help_and_is_a_usage_error(fresh_novel_tasks: Run) -> None:
    """Without a command the help goes to stderr and the exit code is 2."""
    done = fresh_novel_tasks()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Examples:" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("completion", "csh"),
        ("prune", "--older-than", "soon"),
        ("process",),
        ("process", "--nonsense"),
        ("serve", "--port", "many"),
        ("submit", "--priority", "high"),
        ("list", "--since", "yesterday"),
        ("list", "--limit", "-1"),
        ("show",),
        ("logs", "--level", "loud", "task-1"),
        ("result", "task-1", "--all"),
        ("retry",),
        ("cancel",),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(novel_tasks: Run, arguments: tuple[str, ...]) -> None:
    """A usage error is one line on stderr, nothing on stdout, exit code 2."""
    done = novel_tasks(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--help" in one_error_line(done.stderr)


def test_a_bad_setting_names_its_variable(novel_tasks: Run) -> None:
    """A setting that cannot be used is one line that names the variable, and exit code 2."""
    done = novel_tasks("serve", env={"API_PORT": "many"})
    assert (done.returncode, done.stdout) == (2, "")
    assert one_error_line(done.stderr) == "error: API_PORT: must be a whole number"


def test_flags_win_over_the_environment_and_that_over_dotenv(novel_tasks: Run, tmp_path: Path) -> None:
    """A flag beats the environment, which beats .env, which beats the default."""
    (tmp_path / ".env").write_text("NOVEL_TASKS_SERVER=http://127.0.0.1:1\n")
    from_environment = {"NOVEL_TASKS_SERVER": "http://127.0.0.1:2"}
    assert ":1:" in novel_tasks("healthcheck").stderr
    assert ":2:" in novel_tasks("healthcheck", env=from_environment).stderr
    assert ":3:" in novel_tasks("healthcheck", "--url", "http://127.0.0.1:3", env=from_environment).stderr


def test_migrate_can_print_its_sql(novel_tasks: Run) -> None:
    """`migrate --sql` prints the migrations and needs no database."""
    done = novel_tasks("migrate", "--sql")
    assert (done.returncode, done.stderr) == (0, "")
    assert "CREATE TABLE" in done.stdout.upper()


def test_migrate_says_that_the_schema_is_up_to_date(fresh_novel_tasks: Run, open_folder: Path) -> None:
    """`migrate` says what it would apply, brings a new embedded database up to date, and can be repeated."""
    names = [f"{one.number:04}_{one.name}.\n" for one in TaskEngine.migrations()]
    up_to_date = "The schema is up to date.\n"
    for arguments, said in (
        (["--dry-run"], "".join(f"Would apply {name}" for name in names)),
        ([], "".join(f"Applied {name}" for name in names) + up_to_date),
        ([], up_to_date),
        (["--dry-run"], up_to_date),
    ):
        done = fresh_novel_tasks("migrate", *arguments, env={"DATA_DIR": str(open_folder / "data")})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", said)


def test_an_unreachable_database_is_one_line(novel_tasks: Run) -> None:
    """A database that is not there is exit code 1 and one line, without the password."""
    done = novel_tasks("migrate", "--database-url", "postgresql://me:secret@127.0.0.1:1/novels")
    assert (done.returncode, done.stdout) == (1, "")
    assert "secret" not in one_error_line(done.stderr)


def test_ctrl_c_while_the_program_loads_is_no_traceback(fresh_novel_tasks: Run, tmp_path: Path) -> None:
    """A KeyboardInterrupt that comes while libraries are imported ends it with exit code 130, and says nothing."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
    done = fresh_novel_tasks("--help", env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize(("typed", "meant"), [("lst", "list"), ("heathcheck", "healthcheck"), ("token-list", "token")])
def test_a_command_that_there_is_not_is_told_with_what_may_be_meant(novel_tasks: Run, typed: str, meant: str) -> None:
    """A slip of the finger is answered with the command that comes nearest."""
    assert f"Did you mean {meant}" in one_error_line(novel_tasks(typed).stderr)


@pytest.mark.parametrize("command", [(), *((command,) for command in COMMANDS), ("token", "create")])
def test_help_fits_into_eighty_columns(novel_tasks: Run, command: tuple[str, ...]) -> None:
    """No line of any help is wider than a terminal is by default, and what stands before `Usage:` is short."""
    done = novel_tasks(*command, "-h", env={"COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []
    assert done.stdout[: done.stdout.index("Usage:")].count("\n") <= 14


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_empty_ones(tmp_path: Path, closed: str) -> None:
    """Whoever closes stdin, stdout or stderr gets neither a traceback nor our files in their place."""
    line = f"{sys.executable} -m novel_tasks_server process - {closed}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=clean_environment(), input=b"Once upon a time.", capture_output=True,
        timeout=240, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr.decode()
    assert "unexpected" not in done.stderr.decode()
    assert done.returncode == (3 if "<" in closed else 0), "without stdin the novel is empty"


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    """When stdout cannot take the data that is told, with exit code 1."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "novel_tasks_server", "openapi"], cwd=tmp_path, env=clean_environment(), stdout=full,
            stderr=subprocess.PIPE, timeout=240, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"error: No space left on device\n")


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """When nobody reads stdout any more, as after `| head`, the program ends in silence."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "novel_tasks_server", "openapi"], cwd=tmp_path, env=clean_environment(), stdout=writing,
        stderr=subprocess.PIPE, timeout=240, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("env", [{"LC_ALL": "C", "LANG": "C"}, {"TERM": "dumb"}, {"TERM": ""}, {"FORCE_COLOR": "1"}])
def test_what_is_no_terminal_gets_no_control_codes(
    fresh_novel_tasks: Run, english: Path, chinese: Path, env: Any
) -> None:
    """Piped output is plain lines, whatever the locale and the terminal are said to be; names stay readable."""
    done = fresh_novel_tasks("process", "-p", "split", english, chinese, env={"NO_COLOR": "", **env})
    assert done.returncode == 0, done.stderr
    colour = re.compile(r"\x1b\[[0-9;]*m") if "FORCE_COLOR" in env else re.compile("(?!)")
    assert not [c for c in colour.sub("", done.stdout + done.stderr) if not c.isprintable() and c != "\n"]
    assert "渡口的灯.txt: completed in " in done.stderr
    assert "渡口的灯.txt\n  encoding " in done.stdout


def test_the_log_level_is_written_as_in_the_settings(novel_tasks: Run) -> None:
    """`--log-level info` is what LOG_LEVEL=info is."""
    assert "[debug|info|warning|error|critical]" in novel_tasks("serve", "--help").stdout
