"""`novel-tasks doctor` finds what keeps the service from running, and says how to mend it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from novel_tasks_core import DatabaseFacts, EngineConfig, TaskEngine
from novel_tasks_server import checks
from novel_tasks_server.config import ServerConfig
from novel_tasks_server.findings import Verdict

Run = Callable[..., Any]
FACTS = DatabaseFacts(
    version="18.1", version_number=180_001, encoding="UTF8", is_standby=False, unsafe=(), connections=1000, processes=1,
    clock_seconds=0.01, answer_seconds=0.001, pending=(),
)  # fmt: skip


def found(done: Any) -> dict[str, list[str]]:
    """Return the verdicts of a report in JSON, by check."""
    verdicts: dict[str, list[str]] = {}
    for one in json.loads(done.stdout)["checks"]:
        assert one.keys() == {"check", "verdict", "found", "mend", "why"}
        verdicts.setdefault(one["check"], []).append(one["verdict"])
    return verdicts


def test_a_fresh_machine_is_well_and_stays_as_it_is(novel_tasks: Run, tmp_path: Path, server_url: str) -> None:
    """Nothing needs to be set; it tells each check in a line and leaves nothing behind, not even a folder."""
    done = novel_tasks("doctor", env={"API_PORT": "0"})
    assert (done.returncode, done.stderr) == (0, "")
    *report, empty, conclusion = done.stdout.splitlines()
    assert {line.split()[0] for line in report} <= {"ok", "warning", "why", "fix"}
    assert (empty, conclusion.endswith("the service can run.") or conclusion == "All is well.") == ("", True)
    assert "a private one will be made" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_database_is_looked_at(novel_tasks: Run, database_url: str) -> None:
    """Version, schema, connections and clock of the database that the settings name are told."""
    done = novel_tasks("doctor", "--json", "--database-url", database_url, env={"API_PORT": "0"})
    assert done.returncode == 0
    verdicts = found(done)
    assert {verdicts[check][0] for check in ("database", "schema", "clock", "processors", "folder")} == {"ok"}
    assert verdicts["durability"] == ["warning"], "the tests' server need not survive a power cut"


def test_a_database_without_the_schema(novel_tasks: Run, empty_database: str) -> None:
    """What a migration would do is a warning, for starting does it."""
    done = novel_tasks("doctor", "--json", "--database-url", empty_database, env={"API_PORT": "0"})
    assert (done.returncode, found(done)["schema"]) == (0, ["warning"])
    assert "0001_initial" in done.stdout


@pytest.mark.parametrize(
    ("env", "check"),
    [
        ({"API_PORT": "http"}, "settings"),
        ({"DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/d"}, "database"),
        ({"ENVIRONMENT": "production"}, "settings"),
        ({"DEFAULT_PROCESSOR": "no-such"}, "processors"),
        ({"DATA_DIR": "/proc/novels"}, "folder"),
        ({"UPLOAD_DIR": "/etc/passwd/files"}, "upload folder"),
        ({"API_HOST": "203.0.113.7"}, "port"),
    ],
)
def test_what_cannot_work_is_a_problem(novel_tasks: Run, env: dict[str, str], check: str) -> None:
    """It exits with 1, says which check failed and how to mend it, and never tells a password."""
    done = novel_tasks("doctor", "--json", env={"API_PORT": "0", **env})
    assert (done.returncode, done.stderr) == (1, "")
    assert "problem" in found(done)[check]
    problems = [one for one in json.loads(done.stdout)["checks"] if one["verdict"] == "problem"]
    assert [one["check"] for one in problems] == [check]
    assert all(one["mend"] and one["why"] for one in problems)
    assert "hunter2" not in done.stdout


def test_the_port_is_free_ours_or_somebody_elses(novel_tasks: Run, server_url: str) -> None:
    """Our own running server is no problem, another program is."""
    ours = novel_tasks("doctor", env={"API_PORT": server_url.rpartition(":")[2]})
    assert (ours.returncode, "a server of ours listens" in ours.stdout) == (0, True)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = novel_tasks("doctor", "--json", env={"API_PORT": str(other.getsockname()[1])})
    assert (taken.returncode, found(taken)["port"]) == (1, ["problem"])


def test_an_old_dotenv_is_warned_about(novel_tasks: Run, tmp_path: Path) -> None:
    """Settings without effect are a warning, which leaves the exit code at 0."""
    (tmp_path / ".env").write_text("REDIS_URL=redis://localhost\nAPI_PORT=0\n")
    done = novel_tasks("doctor", "--json")
    assert (done.returncode, found(done)["settings"], found(done)["old settings"]) == (0, ["ok"], ["warning"])


@pytest.mark.parametrize(
    ("change", "check", "verdict"),
    [
        ({}, "database", Verdict.OK),
        ({"version_number": 140_010}, "database", Verdict.PROBLEM),
        ({"encoding": "SQL_ASCII"}, "database", Verdict.PROBLEM),
        ({"is_standby": True}, "database", Verdict.PROBLEM),
        ({"unsafe": ("fsync=off",)}, "durability", Verdict.WARNING),
        ({"pending": TaskEngine.migrations()}, "schema", Verdict.WARNING),
        ({"processes": 20}, "connections", Verdict.WARNING),
        ({"connections": 60}, "connections", Verdict.WARNING),
        ({"clock_seconds": -3600.0}, "clock", Verdict.WARNING),
        ({"clock_seconds": 2.5, "answer_seconds": 10.0}, "clock", Verdict.OK),
    ],
)
def test_what_is_thought_of_a_database(change: dict[str, Any], check: str, verdict: Verdict) -> None:
    """Too old, a standby, another encoding: a problem. Unsafe, behind, too small, another clock: a warning."""
    findings = {one.check: one for one in checks.judge_database(evolve(FACTS, **change), ServerConfig())}
    assert findings[check].verdict is verdict
    assert bool(findings[check].mend) is bool(findings[check].why) is (verdict is not Verdict.OK)
    assert all(one.verdict is Verdict.OK for name, one in findings.items() if name != check)


@pytest.mark.parametrize(("free", "verdict"), [(50 << 20, "problem"), (500 << 20, "warning"), (2 << 30, "ok")])
def test_what_is_thought_of_a_disk(free: int, verdict: str) -> None:
    """A full disk is a problem before it is full."""
    assert checks.judge_space(free, where="here", name="DATA_DIR").verdict == verdict


def test_each_trouble_is_told_with_why_and_what_mends_it(novel_tasks: Run, tmp_path: Path) -> None:
    """Below a problem stand why it matters and the command that mends it; the last line says what all of it means."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = novel_tasks("doctor", env={"API_PORT": str(port)})
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.split()[:2] == ["problem", "port"])
    assert lines[at + 1].split(maxsplit=1) == ["why", "`serve` would end at once"]
    assert lines[at + 2].split(maxsplit=1)[1].startswith(f"novel-tasks serve --port {port + 1}, or end what uses it")
    assert lines[-1].endswith("the service cannot run like this.")


def test_secrets_that_others_can_read_are_warned_about(novel_tasks: Run, tmp_path: Path) -> None:
    """A .env that holds a secret and is open to others is a warning that names it; the same closed is none."""
    (tmp_path / ".env").write_text("SECRET_KEY=hunter2hunter2\nDATA_DIR=data\nAPI_PORT=0\n")
    for mode, expected in ((0o644, ["warning"]), (0o600, [])):
        (tmp_path / ".env").chmod(mode)
        done = novel_tasks("doctor", "--json")
        assert found(done).get("secrets", []) == expected
        assert "hunter2" not in done.stdout


def test_a_dotenv_that_cannot_be_read_is_a_finding(novel_tasks: Run, tmp_path: Path) -> None:
    """What keeps every other command from starting is explained like any other trouble."""
    (tmp_path / ".env").write_bytes(b"\xff")
    done = novel_tasks("doctor", "--json")
    assert (done.returncode, done.stderr, found(done)["settings"]) == (1, "", ["problem"])


def test_large_files_need_a_large_disk(tmp_path: Path) -> None:
    """A disk that has room for few of the largest files is warned about, however much it has."""
    config = ServerConfig(engine=EngineConfig(data_dir=tmp_path), max_file_size=1 << 40)
    [folder] = [finding for finding in checks.check_folders(config) if finding.check == "folder"]
    assert folder.verdict is Verdict.WARNING
