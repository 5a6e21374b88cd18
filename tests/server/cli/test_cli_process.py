"""`novel-tasks process`: files here and now."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def documents(stdout: str) -> list[dict[str, Any]]:
    """Read JSON Lines."""
    return [json.loads(line) for line in stdout.splitlines()]


def test_json_tells_of_encoding_language_and_chapters(novel_tasks: Run, chinese: Path, tmp_path: Path) -> None:
    """`--json` names the codec that decodes the file, and chapters whose offsets and lines hold in its text."""
    novel = tmp_path / "novel.txt"
    novel.write_bytes(chinese.read_text(encoding="utf-8").encode("gb18030"))
    done = novel_tasks("process", novel, "--json")
    assert done.returncode == 0, done.stderr
    [found] = documents(done.stdout)
    assert set(found) == {"file", "encoding", "language", "confidence", "chapters", "result", "artifacts"}
    text = novel.read_bytes().decode(found["encoding"])
    assert (found["file"], found["language"], found["artifacts"]) == (str(novel), "zh-Hans", {})
    chapters = [chapter for chapter in found["chapters"] if chapter["kind"] == "chapter"]
    assert [chapter["title"] for chapter in chapters] == [
        *("第一章 夜渡", "第二章 来客", "第三章 断弦", "第四章 大水", "第五章 桥上"),
    ]
    for chapter in chapters:
        assert set(chapter) == {"title", "kind", "level", "offset", "line"}
        assert text[chapter["offset"] :].startswith(chapter["title"])
        assert text.count("\n", 0, chapter["offset"]) + 1 == chapter["line"]


def test_artifacts_go_where_asked(fresh_novel_tasks: Run, english: Path, tmp_path: Path) -> None:
    """`-o DIR` keeps the report in DIR, and stdout names its path."""
    done = fresh_novel_tasks("process", english, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    report = tmp_path / "out" / "report.html"
    assert report.is_file()
    assert str(report) in done.stdout
    assert "completed in" in done.stderr


def test_several_files_get_a_folder_each(novel_tasks: Run, english: Path, tmp_path: Path) -> None:
    """With several files, artifacts do not overwrite each other, not even for files of one name."""
    (tmp_path / "a").mkdir()
    twin = tmp_path / "a" / english.name
    twin.write_bytes(english.read_bytes())
    done = novel_tasks("process", english, twin, "-p", "split", "--json", "-o", "out")
    assert done.returncode == 0, done.stderr
    folders = [Path(found["artifacts"]["chapters.json"]).parent.name for found in documents(done.stdout)]
    assert folders == [english.stem, f"{english.stem}-2"]
    assert all((tmp_path / "out" / folder / "chapters.json").is_file() for folder in folders)


def test_stdin_is_a_file_called_dash(fresh_novel_tasks: Run, english: Path) -> None:
    """`-` reads stdin."""
    done = fresh_novel_tasks("process", "-", "--json", stdin=english.read_bytes())
    assert done.returncode == 0, done.stderr
    [found] = documents(done.stdout)
    assert found["file"] == "-"
    assert found["chapters"]


def test_a_failing_file_does_not_stop_the_others(novel_tasks: Run, english: Path, tmp_path: Path) -> None:
    """A missing file and one that is no text cost a line each; the rest is done; the worst exit code wins."""
    binary = tmp_path / "picture.txt"
    binary.write_bytes(bytes(range(256)) * 64)
    done = novel_tasks("process", "missing.txt", binary, english, "--json")
    missing, picture, tale = documents(done.stdout)
    assert done.returncode == 3
    assert missing["error"]["message"] == "No such file or directory"
    assert picture["error"]["type"] == "DecodingError"
    assert tale["chapters"]
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 2
    assert "error: missing.txt: No such file or directory" in errors


def test_a_file_that_cannot_be_read_is_a_failure(novel_tasks: Run, tmp_path: Path) -> None:
    """Nothing readable is exit code 1, not 3: no task failed."""
    done = novel_tasks("process", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "it is a folder: --recursive takes the novels in it" in done.stderr


def test_the_encoding_can_be_named(novel_tasks: Run, english: Path) -> None:
    """A named encoding is used; one that does not fit fails the file with the reason."""
    done = novel_tasks("process", english, "--json", "--encoding", "latin-1")
    assert documents(done.stdout)[0]["encoding"] in ("latin-1", "iso8859-1"), done.stderr
    wrong = novel_tasks("process", "-", "--encoding", "ascii", stdin="A naïve tale of some length.\n".encode())
    assert wrong.returncode == 3
    assert wrong.stderr.startswith("error: -: the file is not ascii: ")
    assert "at byte 4" in wrong.stderr


def test_wrong_processors_and_options_are_usage_errors(novel_tasks: Run, english: Path) -> None:
    """An unknown processor names the known ones; a wrong option is refused before any file is touched."""
    unknown = novel_tasks("process", english, "-p", "nonsense")
    assert unknown.returncode == 2
    assert "analyze" in unknown.stderr
    wrong = novel_tasks("process", english, "--option", "nonsense=1")
    assert wrong.returncode == 2
    assert "nonsense" in wrong.stderr
    assert novel_tasks("process", english, "--option", "nonsense").returncode == 2


def test_quiet_leaves_only_data(novel_tasks: Run, english: Path) -> None:
    """`--quiet` writes nothing to stderr when all goes well."""
    done = novel_tasks("process", english, "-p", "split", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(str(english))


def test_file_names_cannot_drive_the_terminal(novel_tasks: Run, english: Path, tmp_path: Path) -> None:
    """Control characters and bytes that are no UTF-8 in a name are shown escaped, and survive as JSON."""
    name = os.fsdecode(b"evil\x1b[2J\xff.txt")
    (tmp_path / name).write_bytes(english.read_bytes())
    done = novel_tasks("process", name, "-p", "split", "--json")
    assert done.returncode == 0, done.stderr
    assert documents(done.stdout)[0]["file"] == name
    assert "\x1b" not in done.stderr


def test_a_reader_that_leaves_is_no_error_message(english: Path, tmp_path: Path) -> None:
    """`process ... | head` ends without a traceback."""
    command = [sys.executable, "-m", "novel_tasks_server", "process", str(english), "--quiet"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_work_and_leaves_nothing(tmp_path: Path, english: Path, number: int, code: int) -> None:
    """Ctrl-C and SIGTERM in the middle of a book end the child too, and remove every temporary file."""
    novel = tmp_path / "long.txt"
    novel.write_bytes(english.read_bytes() * 2000)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "novel_tasks_server", "process", str(novel), "-o", "out"]
    env = os.environ | {"TMPDIR": str(scratch)}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        children = wait_for_children(process.pid)
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (code, b"")
    assert psutil.wait_procs(children, timeout=60)[1] == []
    assert list(scratch.iterdir()) == []
    assert not list(tmp_path.glob("out/*"))


def wait_for_children(pid: int) -> list[psutil.Process]:
    """Return the children of a process, once there are any that run our code."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = psutil.Process(pid).children(recursive=True)
        if any("novel_tasks_core.execution.child" in child.cmdline() for child in found):
            return found
        time.sleep(0.02)
    pytest.fail("no child was started")


def test_ctrl_c_while_reading_ends_it_with_130(tmp_path: Path) -> None:
    """SIGINT while a pipe has nothing to say is one line and exit code 130."""
    pipe = tmp_path / "never.txt"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "novel_tasks_server", "process", str(pipe)]
    with (
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        pipe.open("wb"),  # returns once the program has opened its end
    ):
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, b"")
    assert stderr.splitlines() == [b"error: interrupted"]
