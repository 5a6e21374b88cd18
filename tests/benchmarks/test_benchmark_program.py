"""`python -m benchmarks` as a program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from benchmarks.harness import gate
from benchmarks.harness.cli import NAMES, load, parse
from benchmarks.harness.novels import CORPUS_VARIABLE
from benchmarks.harness.run import DATABASE_VARIABLE, BenchmarkError, BenchmarkSkippedError, Run, server
from benchmarks.pipeline import Book

ROOT = Path(__file__).resolve().parents[2]


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def test_list_explains_every_benchmark() -> None:
    """Each benchmark is listed with what it measures and what --quick changes."""
    done = program("--list")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if line and not line.startswith(" ")] == list(NAMES)
    assert done.stdout.count("`--quick`:") == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_has_the_name_of_its_module(name: str) -> None:
    """A benchmark is found by its name."""
    assert load(name).name == name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "there is no benchmark 'nonsense': choose from pipeline, processing, quality, engine"),
        (["--fail-under", "0.5"], "--fail-under needs --compare"),
        (["--gate", "--save-baseline"], "not allowed with"),
    ],
)
def test_a_wrong_call_is_explained(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with the command line is said before anything runs."""
    with pytest.raises(SystemExit, match="2"):
        parse(arguments)
    assert said in capsys.readouterr().err


def test_a_comparison_with_a_missing_file_stops_before_anything_runs(tmp_path: Path) -> None:
    """A base that is not there is found out at once."""
    done = program("engine", "--compare", str(tmp_path / "no.json"))
    assert done.returncode == 2
    assert "no.json is no file that --json wrote" in done.stderr


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder that other users may pass through: as root, the database runs as one of them."""
    with TemporaryDirectory(prefix="nt-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_run_that_is_stopped_leaves_nothing_behind(scratch: Path) -> None:
    """SIGTERM ends the run in good order, also where SIGINT is ignored, as a shell does for background jobs."""
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "benchmarks", "submit", "--quick"]
    env = {name: value for name, value in os.environ.items() if name != DATABASE_VARIABLE} | {"TMPDIR": str(scratch)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        assert run.stderr.readline() == "submit ...\n"
        (folder,) = scratch.iterdir()
        server_pid = int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        run.terminate()
        said = run.stderr.read()
    assert (run.returncode, said) == (130, "benchmarks: interrupted\n")
    assert list(scratch.iterdir()) == []
    assert not psutil.pid_exists(server_pid) or psutil.Process(server_pid).status() == psutil.STATUS_ZOMBIE


def test_every_guarded_metric_has_a_baseline() -> None:
    """The committed baseline covers what the gate watches."""
    families = {metric.partition(".")[0] for metric in gate.read_baseline(gate.BASELINE)}
    assert families == {"engine", "submit", "bulk", "snapshot", "wal", "upload", "api"}


async def test_a_server_without_durability_is_refused(
    template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures of a server that does not flush its commits would mean nothing."""
    monkeypatch.setenv(DATABASE_VARIABLE, template)  # the tests' own server is so
    with pytest.raises(BenchmarkError, match="fsync is off"):
        async with server(tmp_path):
            pytest.fail("it was used")


@pytest.mark.parametrize("name", ["pipeline", "processing", "quality"])
async def test_what_wants_novels_is_skipped_without(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a corpus the benchmark says which variable names one."""
    monkeypatch.setenv(CORPUS_VARIABLE, str(tmp_path))
    with pytest.raises(BenchmarkSkippedError, match=CORPUS_VARIABLE):
        await load(name).measure(Run(quick=True, server_url="", folder=tmp_path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_copies_of_a_novel_differ_and_stay_readable(tmp_path: Path, encoding: str) -> None:
    """No two copies are the same file, and each still decodes."""
    path = tmp_path / "novel.txt"
    path.write_bytes("\ufeff雨。".encode(encoding))
    assert [Book(path, n).content().decode(encoding) for n in (1, 2)] == ["\ufeff雨。\n(1)\n", "\ufeff雨。\n(2)\n"]
