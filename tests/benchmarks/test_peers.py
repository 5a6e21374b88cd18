"""Peers: their environments, their programs, and what becomes of those that are missing or break their word."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import peers
from benchmarks.harness import bounds
from benchmarks.harness.cli import ASKED_FOR, NAMES, parse
from benchmarks.harness.pairs import Timed
from benchmarks.harness.peers import environments, floor
from benchmarks.harness.peers.board import RAW, Board
from benchmarks.harness.peers.entries import installed
from benchmarks.harness.peers.environments import FOLDER_VARIABLE, Environment, PeerMissingError, said
from benchmarks.harness.peers.peer import Peer
from benchmarks.harness.peers.process import PeerError, answer_in, program
from benchmarks.harness.peers.rounds import Rounds, in_rounds
from benchmarks.harness.results import Report, to_json
from benchmarks.harness.run import BenchmarkSkippedError, Run
from benchmarks.harness.tables import as_markdown, as_text

SMALL_QUEUE = Path(__file__).with_name("small_queue.py")


def small_queue(**settings: Any) -> Peer:
    """Return the small queue with these settings."""
    return Peer(
        name="small",
        command=(sys.executable, str(SMALL_QUEUE)),
        settings=settings,
        unfinished="select count(*) from jobs",
    )


@pytest.fixture
def run(postgres_url: str, tmp_path: Path) -> Run:
    """A run on the server of the tests."""
    return Run(quick=True, server_url=postgres_url, folder=tmp_path)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for environments, on a machine with neither npm nor a Python to make one with."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "peers"))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    return tmp_path / "peers"


# -- environments ---------------------------------------------------------------------------------------------


class Making:
    """Makes environments, and counts them."""

    def __init__(self, folder: Path) -> None:
        self.made = 0
        self.fault: str | None = None
        self.versions = folder / "versions.txt"
        self.versions.write_text("queue==1.0\n")
        self._folder = folder / "environment"

    async def ready(self, made_with: str = "3.11") -> Path:
        """Ask for the environment."""
        return await Environment(self._folder, self.versions, made_with, self._make).ready()

    async def _make(self, folder: Path) -> None:
        assert list(folder.iterdir()) == []
        (folder / "something").touch()
        if self.fault is not None:
            raise PeerMissingError(self.fault)
        self.made += 1


async def test_an_environment_is_made_once(tmp_path: Path) -> None:
    """A second run finds what the first installed."""
    making = Making(tmp_path)
    assert await making.ready() == await making.ready()
    assert making.made == 1


async def test_other_versions_make_an_environment_anew(tmp_path: Path) -> None:
    """Neither another list of versions nor another interpreter is served with what is there."""
    making = Making(tmp_path)
    await making.ready()
    making.versions.write_text("queue==1.1\n")
    await making.ready()
    assert making.made == 2
    await making.ready(made_with="3.12")
    assert making.made == 3


async def test_what_was_made_by_half_is_made_anew(tmp_path: Path) -> None:
    """An installation that failed leaves nothing that a later run would take for whole."""
    making = Making(tmp_path)
    making.fault = "the registry is silent"
    with pytest.raises(PeerMissingError, match="the registry is silent"):
        await making.ready()
    making.fault = None
    await making.ready()
    assert making.made == 1


async def test_environments_are_below_the_folder_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable names the folder; without it, it is in the user's cache."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "named"))
    assert environments.base_folder() == tmp_path / "named"
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert environments.base_folder() == tmp_path / "novel-tasks-peers"


async def test_an_installer_that_fails_is_quoted() -> None:
    """The reason of a skip has the last lines of the program that failed, whole ones."""
    complains = "import sys; sys.exit('x' * 300 + '\\nlooked\\n\\nno such version')"
    with pytest.raises(PeerMissingError, match=r"-c .* failed: looked no such version$"):
        await said(sys.executable, "-c", complains)


def test_versions_are_exact() -> None:
    """Nothing is installed whose version the committed lists leave open, and no registry is named."""
    wanted = [line for line in environments.REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    package = json.loads(environments.PACKAGE.read_text())
    assert [line for line in wanted if not re.fullmatch(r"[\w\-]+(\[[\w,]+\])?==[\d.]+", line)] == []
    assert [v for v in package["dependencies"].values() if not re.fullmatch(r"[\d.]+", v)] == []


# -- what cannot be had ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nowhere")
async def test_without_any_peer_the_benchmark_is_skipped(run: Run) -> None:
    """The reason names every peer, and what it wants."""
    with pytest.raises(BenchmarkSkippedError) as caught:
        await peers.measure(run)
    assert str(caught.value) == (
        "pgqueuer, procrastinate, SAQ: python -m venv does not run: No such file or directory; "
        "graphile-worker: npm is not installed"
    )


async def test_a_peer_that_is_missing_does_not_keep_others_from_running(run: Run, nowhere: Path) -> None:
    """With an environment where two programs of three start, these two are found, and the reasons of the others."""
    folder = nowhere / "python"
    (folder / "bin").mkdir(parents=True)
    (folder / "made-from").write_text(f"{sys.version}\n{environments.REQUIREMENTS.read_text()}")
    interpreter = folder / "bin" / "python"
    interpreter.write_text("""#!/bin/sh\ncase "$3" in *saq) echo "no module" >&2; exit 1;; esac
read -r opening; echo '{"version": "9.9"}'; read -r rest\n""")
    interpreter.chmod(0o755)
    found, missing = await installed(run)
    assert {peer.name: version for peer, version in found.items()} == {"pgqueuer": "9.9", "procrastinate": "9.9"}
    assert missing == ["SAQ: ended: no module", "graphile-worker: npm is not installed"]


# -- programs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [b"deprecated!\n", b"[1]\n", b"3\n", b"\xff\n"])
def test_a_line_that_is_no_answer_is_quoted(line: bytes) -> None:
    """Anything but a JSON object is refused, since figures must not be guessed."""
    with pytest.raises(PeerError, match=r"^said .* where a JSON object must be$"):
        answer_in(line)


def test_an_answer_is_an_object() -> None:
    """A line of JSON is read."""
    assert answer_in(b'{"seconds": 1.5}\n') == {"seconds": 1.5}


async def test_a_program_that_ends_is_quoted(tmp_path: Path) -> None:
    """The last words of a program that ended are in the error."""
    with pytest.raises(PeerError, match=r"^ended: out of order$"):
        async with program((sys.executable, "-c", "exit('out of order')"), log=tmp_path / "log") as told:
            await told.ask(do="submit")


async def test_a_queue_is_measured_by_its_rows(run: Run) -> None:
    """Submits, bulk and drains have rates, and each task of the latency has a time."""
    queue = small_queue()
    assert await queue.version(run) == pytest.__version__
    assert await queue.submit(run, tasks=20, callers=5) > 0
    assert await queue.bulk(run, tasks=20) > 0
    assert await queue.drain(run, tasks=20) > 0
    waited = await queue.latency(run, tasks=3, gap_seconds=0.001)
    assert len(waited) == 3
    assert all(0 < seconds < 60 for seconds in waited)


async def test_a_queue_that_loses_tasks_has_no_figure(run: Run) -> None:
    """What was not stored is not counted as submitted."""
    with pytest.raises(PeerError, match="has 18 unfinished tasks in the database where 20 must be"):
        await small_queue(loses=2).bulk(run, tasks=20)


async def test_a_queue_that_runs_tasks_twice_has_no_figure(run: Run) -> None:
    """The handler must have been called exactly once a task."""
    with pytest.raises(PeerError, match="called the handler 40 times for 20 tasks"):
        await small_queue(calls=2).drain(run, tasks=20)


async def test_a_program_that_does_not_start_is_quoted(run: Run) -> None:
    """What a program says as it dies is the reason."""
    with pytest.raises(PeerError, match=r"ended: .*out of order"):
        await small_queue(silent=True).drain(run, tasks=20)


async def test_the_floor_claims_each_task(run: Run) -> None:
    """The floor of the latency has a time for each task."""
    async with run.database() as url:
        await bounds.create(url)
        assert len(await floor.latency(url, tasks=3, gap_seconds=0.001)) == 3


# -- rounds and the table -------------------------------------------------------------------------------------


async def test_queues_take_turns_between_bounds() -> None:
    """Every round has a bound before and after, every other goes backwards, and some queues run once."""
    order: list[str] = []

    def timed(name: str) -> Timed:
        async def run() -> float:
            order.append(name)
            return 1.0

        return run

    await in_rounds(timed("raw"), {name: timed(name) for name in "abc"}, rounds=2, once={"b"})
    assert "".join(order).replace("raw", "-") == "-abc-ca-"


async def test_a_queue_that_fails_runs_no_more() -> None:
    """It has a fault and no rates, and the others go on."""
    calls = 0

    async def broken() -> float:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise PeerError("lost a task")
        return 5.0

    async def sound() -> float:
        return 1.0

    found = await in_rounds(sound, {"a": broken, "b": sound}, rounds=3)
    assert (found.faults, calls) == ({"a": "lost a task"}, 2)
    assert (found.rate("a"), found.rates["b"]) == (None, {0: 1.0, 1: 1.0, 2: 1.0})


ROUNDS = Rounds(bounds=[100.0, 80.0, 60.0], rates={"ours": {0: 45.0, 1: 70.0}, "a": {0: 15.0, 1: 35.0}, "b": {0: 20.0}})


def test_queues_are_compared_round_by_round() -> None:
    """The ratio is that of single rounds, so that a machine that grows slower changes none."""
    result = ROUNDS.compared("peers.drain", "ours", "a", unit="tasks/s", called="a 1.0", target=2.0)
    assert result is not None
    assert (result.ratio, result.spread, result.noise, result.met) == (2.5, (2.0, 3.0), (0.75, 0.8), True)
    assert (result.value, result.reference, result.reference_value) == (57.5, "a 1.0", 25.0)
    assert (ROUNDS.of_bound("ours"), ROUNDS.best(but="ours")) == (0.75, "a")


def test_a_queue_without_rates_is_compared_with_none() -> None:
    """Where a peer did not run, there is no result to report."""
    assert ROUNDS.compared("peers.drain", "ours", "c", unit="tasks/s", called="c", target=2.0) is None
    assert (ROUNDS.of_bound("c"), Rounds().best(but="ours")) == (None, None)


def test_the_table_has_a_row_for_every_queue() -> None:
    """Each row has what was measured of a queue; the notes have versions, settings and what is missing."""
    board = Board(queues={"ours": "2.0: slots=3", "b": "1.0: batch=5"}, missing=["c: npm is not installed"])
    board.add("drain 5k", ROUNDS)
    board.add("bulk", Rounds(bounds=[7.0, 7.0], rates={"ours": {0: 1234.5}}, faults={"b": "lost a task"}))
    board.waited = {RAW: [0.001, 0.001], "ours": [0.001, 0.003]}
    table = board.table("Side by side", shared=["drain 5k"])
    assert table.headings == ("queue, per second", "drain 5k", "bulk", "of raw", "idle p50 ms", "idle p99 ms")
    assert table.rows == (
        (RAW, "80", "7", "1", "1.0", "1.0"),
        ("ours", "58", "1,234", "0.75", "2.0", "3.0"),
        ("b", "20", "-", "0.22", "-", "-"),
    )
    assert table.notes == (
        "ours 2.0: slots=3",
        "b 1.0: batch=5",
        "not measured: c: npm is not installed",
        "not measured: b, bulk: lost a task",
    )


def test_tables_are_printed_and_written() -> None:
    """The terminal, Markdown and the file of results all have the table."""
    board = Board(queues={"ours": "2.0: slots=3"})
    board.add("bulk", ROUNDS)
    report = Report(benchmark="peers", machine={}, tables=(board.table("Side by side", shared=[]),))
    assert "\n\nSide by side:\nqueue, per second  bulk  of raw" in as_text([report], {})
    assert "### Side by side\n\n| queue, per second | bulk | of raw |" in as_markdown([report], {}, [])
    (written,) = json.loads(to_json([report]))
    assert written["tables"][0]["rows"][1][:2] == ["ours", "58"]


def test_peers_run_only_when_they_are_named() -> None:
    """A run of everything needs no registry."""
    assert parse([]).names == [name for name in NAMES if name != "peers"]
    assert parse(["peers"]).names == ["peers"]
    assert frozenset({NAMES[-1]}) == ASKED_FOR
