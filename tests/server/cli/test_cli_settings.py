"""Settings as a person meets them: an old `.env` works, and what is wrong is one line and exit code 2."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from novel_tasks_core import EngineConfig, TaskStatus
from novel_tasks_server.cli.settings import for_one_question

from .conftest import clean_environment

Run = Callable[..., Any]

OLD_DOTENV = """\
# Database Configuration
DATABASE_URL={url}
DATABASE_SYNC_URL=postgresql://postgres:password@localhost:5432/novel_task_manager

# Redis Configuration (for task queue)
REDIS_URL=redis://localhost:6379/0

# API Configuration
API_HOST=127.0.0.1
API_PORT=0
API_RELOAD=true

# CORS Configuration
CORS_ORIGINS=["http://localhost:5173", "http://localhost:3000"]

# File Storage
UPLOAD_DIR=./uploads
MAX_FILE_SIZE=10485760  # 10MB in bytes
ALLOWED_EXTENSIONS=[".txt", ".md"]

# Task Processing
MAX_CONCURRENT_TASKS=3
TASK_TIMEOUT_SECONDS=300

# Security
SECRET_KEY=your-secret-key-here-change-in-production
ALGORITHM=HS256
ACCESS_TOKEN_EXPIRE_MINUTES=30
"""


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_an_old_dotenv_starts_with_one_warning(tmp_path: Path, database_url: str, command: str) -> None:
    """The service before this one was set up so: it starts, and one line names what has no effect any more."""
    old_url = database_url.replace("postgresql://", "postgresql+asyncpg://")
    (tmp_path / ".env").write_text(OLD_DOTENV.format(url=old_url))
    env = clean_environment() | {"LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"}
    started = "listening" if command == "serve" else "worker_running"
    with subprocess.Popen(
        [sys.executable, "-m", "novel_tasks_server", command],
        cwd=tmp_path,
        env=env,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if started in line:
                break
        process.send_signal(signal.SIGTERM)
        lines += process.stderr
        assert process.wait(60) == 0, "".join(lines)
    warnings = [json.loads(line) for line in lines if '"warning"' in line]
    assert [warning["event"] for warning in warnings] == ["settings_ignored"]
    for name in ("REDIS_URL", "ALGORITHM", "API_RELOAD", "DATABASE_SYNC_URL", "ACCESS_TOKEN_EXPIRE_MINUTES"):
        assert name in warnings[0]["names"]
    assert (tmp_path / "uploads").is_dir()


@pytest.mark.parametrize(
    ("command", "env"),
    [
        ("serve", {"API_PORT": "http"}),
        ("serve", {"LOG_LEVEL": "loud"}),
        ("serve", {"ENVIRONMENT": "production"}),
        ("serve", {"RATE_LIMIT": "many"}),
        ("worker", {"DATABASE_POOL_SIZE": "1"}),
        ("worker", {"HEARTBEAT_SECONDS": "20"}),
        ("migrate", {"DATABASE_URL": "sqlite+aiosqlite:///./test.db"}),
        ("serve", {"DATABASE_URL": "postgresql://u:hunter2@h:port/d"}),
    ],
)
def test_a_wrong_value_stops_the_program(novel_tasks: Run, tmp_path: Path, command: str, env: dict[str, str]) -> None:
    """One line on stderr that names the variable, never its value, and exit code 2; nothing has been made."""
    [(variable, value)] = env.items()
    done = novel_tasks(command, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    known = variable if variable != "ENVIRONMENT" else "DATABASE_URL"
    assert line.startswith(f"error: {known}: must ")
    assert "hunter2" not in line
    assert value not in line or len(value) < 3 or variable == "ENVIRONMENT"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("variable", "value"), [("API_HOST", "203.0.113.1"), ("DEFAULT_PROCESSOR", "no-such")])
def test_what_only_starting_finds_out_is_one_line_too(
    novel_tasks: Run, database_url: str, variable: str, value: str
) -> None:
    """An address of another machine, a processor that nobody registered: the last line names the variable."""
    done = novel_tasks("serve", "--port", "0", "--database-url", database_url, env={variable: value})
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: {variable}: ")
    assert "Traceback" not in done.stderr


def test_a_dotenv_that_is_no_text_is_one_line(novel_tasks: Run, tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused by the name of the file."""
    (tmp_path / ".env").write_bytes(b"API_TITLE=\xff\xfe\n")
    done = novel_tasks("worker")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("error: .env: cannot be read")


def test_flags_win_over_the_environment_and_that_over_the_file(novel_tasks: Run, tmp_path: Path) -> None:
    """Each is seen by what it breaks."""
    (tmp_path / ".env").write_text("DATABASE_URL=from-the-file\n")
    good = "postgresql://127.0.0.1:1/d"
    assert "DATABASE_URL: must" in novel_tasks("migrate").stderr
    assert "database unavailable" in novel_tasks("migrate", env={"DATABASE_URL": good}).stderr
    assert "DATABASE_URL: must" in novel_tasks("migrate", "--database-url", "x", env={"DATABASE_URL": good}).stderr


def test_an_engine_for_one_question_deletes_nothing() -> None:
    """With retention an engine would delete by it as soon as it is open."""
    kept = {f"retention_days{part}": 1.0 for part in ("", "_completed", "_failed", "_cancelled")}
    config = for_one_question(EngineConfig(**kept))  # type: ignore[arg-type]
    assert {config.retention_of(status) for status in TaskStatus if status.is_final} == {None}
