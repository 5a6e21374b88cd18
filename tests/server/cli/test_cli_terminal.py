"""The program in a real terminal: what a person sees while many files are on their way."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from .terminals import opened

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
LONG = "一部名字长得无论如何也放不进一行里面去的小说之"


def write_novels(folder: Path, count: int) -> None:
    """Write small novels whose long Chinese names differ in their ends."""
    for number in range(count):
        text = f"Chapter 1\n\nOnce upon a time, {number}.\n\nChapter 2\n\nThe end.\n"
        (folder / f"{LONG}{number:02}.txt").write_text(text, encoding="utf-8")


class Watch:
    """Looks at every screen: the foot stands there once at most, in one line, and what has ended stays one line."""

    def __init__(self, files: int) -> None:
        self.feet: list[str] = []
        self._files = files

    def __call__(self, lines: list[str]) -> None:
        feet = [line for line in lines if re.search(rf"\d+ of {self._files} f", line)]
        assert len(feet) <= 1, lines
        assert not [line for line in lines if re.match(r"\d+:\d\d$|\d+ s$", line.strip())], lines
        self.feet += [foot for foot in feet if foot not in self.feet[-1:]]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (44, 12), (200, 50)])
def test_many_files_fit_into_any_terminal(tmp_path: Path, server_url: str, columns: int, rows: int) -> None:
    """A bar for all and a line for each that runs, gone at the end; a line for each that has ended, never wrapped."""
    write_novels(tmp_path, 30)
    watch = Watch(30)
    with opened(tmp_path, columns=columns, rows=rows, environment={"NOVEL_TASKS_SERVER": server_url}) as terminal:
        terminal.run("clear; novel-tasks submit --wait -p split --on-duplicate allow *.txt")
        assert terminal.wait_until_done(look=watch) == 0
        lines = terminal.scrolled()
    assert watch.feet
    ended = [line for line in lines if line.startswith("✓ ")]
    assert len(ended) == 30
    assert all(re.search(r"(…|之)\d\d\.txt .*\d s$", line) for line in ended), ended
    assert [line for line in lines if re.fullmatch(r"30 files in .* s: 30 completed", line)]
    assert not [line for line in lines if "of 30" in line]


def test_a_file_that_fails_says_why_where_the_eye_is(tmp_path: Path, server_url: str) -> None:
    """Its line tells the whole reason, between words, and is told again at the end once others have followed."""
    write_novels(tmp_path, 14)
    (tmp_path / "0-picture.txt").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "0-program.exe").write_bytes(b"MZ")
    with opened(tmp_path, environment={"NOVEL_TASKS_SERVER": server_url}) as terminal:
        terminal.run("clear; novel-tasks submit --wait -p split 0-missing.txt 0-* *.txt")
        assert terminal.wait_until_done() == 3
        lines = terminal.scrolled()
    foot = next(number for number, line in enumerate(lines) if line.startswith("18 files in "))
    assert {"2 not sent", "2 failed"} <= set(re.split(r": |, ", lines[foot]))
    for part in (lines[:foot], lines[foot:]):
        told = " ".join(part)
        assert re.search(r"✗ 0-missing\.txt +No such file or directory", told)
        assert re.search(r"✗ 0-program\.exe +not sent: the server takes only \.txt, \.md", told)
    assert "the file is not text" in re.sub(r"\s+", " ", " ".join(lines))


def test_process_tells_each_file_in_a_line(tmp_path: Path) -> None:
    """A terminal gets chapters, length and seconds of each file instead of its table; one alone gets the table."""
    write_novels(tmp_path, 3)
    with opened(tmp_path) as terminal:
        terminal.run("clear; novel-tasks process *.txt -o out")
        assert terminal.wait_until_done(look=Watch(3)) == 0
        lines = terminal.screen()
        terminal.run("clear; novel-tasks process *00.txt")
        assert terminal.wait_until_done() == 0
        alone = terminal.screen()
    ended = [line for line in lines if line.startswith("✓ ")]
    assert [bool(re.search(r"\d\d\.txt +2 chapters, \d+ words +\d.* s$", line)) for line in ended] == [True] * 3
    assert not [line for line in lines if line.strip().startswith("encoding")]
    assert "What was made is in out, in a folder for each file." in lines
    assert [line for line in alone if line.strip().startswith("encoding")]


def test_one_ctrl_c_says_what_was_done_and_what_goes_on(tmp_path: Path, server_url: str) -> None:
    """One Ctrl-C while tasks are followed takes the foot away, counts, says that the tasks go on; exit code 130."""
    write_novels(tmp_path, 3)
    with opened(tmp_path, environment={"NOVEL_TASKS_SERVER": server_url}) as terminal:
        terminal.run("clear; novel-tasks submit --wait -p external --on-duplicate allow *.txt")
        terminal.wait_for("0 of 3 files, 3 to come")
        terminal.press("C-c")
        assert terminal.wait_until_done() == 130
        lines = terminal.screen()
    assert "What was sent goes on without us: `novel-tasks list` shows it." in lines
    assert [line for line in lines if re.fullmatch(r"3 files in .* s: 3 not finished", line)]
    assert "error: interrupted" in lines
    assert not [line for line in lines if "of 3 files" in line]


def test_a_table_of_tasks_is_one_line_a_task(tmp_path: Path, server_url: str) -> None:
    """In a terminal of 80 columns ids are told by beginnings that commands take, times as ages, long names cut."""
    write_novels(tmp_path, 3)
    with opened(tmp_path, environment={"NOVEL_TASKS_SERVER": server_url}) as terminal:
        terminal.run("clear; novel-tasks submit -q --wait -p split --on-duplicate allow *.txt > /dev/null")
        terminal.wait_until_done()
        terminal.run(
            "clear; novel-tasks list -n 3; novel-tasks show $(novel-tasks list -n 1 | tail -n 1 | cut -c 1-22)"
        )
        assert terminal.wait_until_done() == 0
        lines = terminal.screen()
    headings, *rows = lines[:4]
    assert headings.split() == ["TASK", "STATUS", "PROCESSOR", "UPLOADED", "FILE"]
    assert all(
        re.fullmatch(r"task-[0-9a-f]{17}  completed  split      \d+ s ago +一.*…之\d\d\.txt", row) for row in rows
    ), rows
    assert [line for line in lines if re.fullmatch("task-[0-9a-f]{32}", line)]


_STARTED = {
    "bash": ('eval "$(novel-tasks completion bash)"',),
    "zsh": ("exec zsh -f", "autoload -Uz compinit; compinit -u", 'eval "$(novel-tasks completion zsh)"'),
    "fish": ("exec fish --no-config --private", "novel-tasks completion fish | source"),
}
"""What makes each shell complete, from the bash that the terminal begins with."""


@pytest.mark.parametrize("shell", _STARTED)
def test_shells_complete_commands_options_values_and_files(tmp_path: Path, shell: str) -> None:
    """Once a shell has read what `completion` prints, Tab completes in it as people expect."""
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    (tmp_path / "salt-ledger.txt").write_text("Once.")
    typed = {
        "novel-tasks proc": "novel-tasks process ",
        "novel-tasks token cre": "novel-tasks token create ",
        "novel-tasks list --stat": "novel-tasks list --status ",
        "novel-tasks list --status comp": "novel-tasks list --status completed ",
        "novel-tasks process -p spl": "novel-tasks process -p split ",
        "novel-tasks process salt": "novel-tasks process salt-ledger.txt ",
    }
    with opened(tmp_path, columns=120, rows=40) as terminal:
        for line in (*_STARTED[shell], "echo it comp''letes"):
            terminal.run(line)
        terminal.wait_for("^it completes$")
        for beginning, whole in typed.items():
            terminal.run("clear")
            terminal.type(beginning)
            terminal.press("Tab")
            terminal.type("!")
            terminal.wait_for(rf"{whole}!$")
            terminal.press("C-u")
        if shell == "bash":
            return  # which shows no descriptions
        terminal.type("novel-tasks p")
        terminal.press("Tab", "Tab")
        terminal.wait_for("Process files here and now: no server, no database, any size")
