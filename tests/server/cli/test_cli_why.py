"""`novel-tasks why` says in a sentence why a task is where it is, by a server or by the database itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from novel_tasks_core import EngineConfig, TaskEngine, format_task_id

Run = Callable[..., Any]


def test_a_server_is_asked(novel_tasks: Run, server_url: str, english: Path) -> None:
    """By default the running server answers: with a sentence, or with every fact as JSON."""
    task_id = novel_tasks("submit", english, "--wait", "--server", server_url).stdout.strip()
    done = novel_tasks("why", task_id, "--server", server_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{task_id} completed: It was completed by attempt 1 at 20")
    facts = json.loads(novel_tasks("why", task_id, "--json", "--server", server_url).stdout)
    assert (facts["reason"], facts["status"], facts["attempt"]) == ("completed", "completed", 1)


async def test_the_database_is_asked(novel_tasks: Run, engine: TaskEngine, engine_config: EngineConfig) -> None:
    """With --database no server needs to run."""
    task = await engine.submit(processor="split")
    await engine.submit(processor="split", priority=9)
    await engine.pause("split")
    env = {"DATABASE_URL": engine_config.database_url, "DATA_DIR": str(engine_config.data_dir)}
    done = novel_tasks("why", format_task_id(task.id), "--database", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert "The processor split is paused; one task is before it when it is resumed." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("task-nonsense", "--server", "{server}"), 1, "not found"),
        ((f"task-{uuid4().hex}", "--server", "{server}"), 1, "not found"),
        (("task-1", "--server", "http://127.0.0.1:1"), 1, "no server at"),
        (("task-1", "--database", "--server", "x"), 2, "exclude each other"),
        ((f"task-{uuid4().hex}", "--database"), 2, "there is no database in"),
        (("task-1", "--database"), 1, "not found"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    novel_tasks: Run, server_url: str, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """A task that is unknown, a server that is away, a database that there is not: one line each, nothing made."""
    done = novel_tasks("why", *(word.replace("{server}", server_url) for word in arguments))
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
