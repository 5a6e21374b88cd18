"""`novel-tasks prune` deletes what finished long ago, after it has asked."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path

import asyncpg
import pytest

from novel_tasks_core import EngineConfig, Processors, TaskEngine, TaskId

from .conftest import Run
from .terminals import opened


@pytest.fixture
async def finished(database_url: str, tmp_path: Path) -> tuple[str, list[TaskId]]:
    """A database with a task that was cancelled just now and one that waits."""
    config = EngineConfig(database_url=database_url, data_dir=tmp_path / "data")
    async with TaskEngine.open(config, processors=Processors.builtin()) as engine:
        tasks = [await engine.submit(processor="external") for _ in range(2)]
        await engine.cancel(tasks[0].id)
    return database_url, [task.id for task in tasks]


async def left(database_url: str, tmp_path: Path) -> int:
    """Return how many tasks the database has."""
    async with TaskEngine.open(EngineConfig(database_url=database_url, data_dir=tmp_path / "data")) as engine:
        return (await engine.statistics()).total


async def prune(run: Run, url: str, *arguments: str, **more: object) -> tuple[int, str, str]:
    """Run the command on a database; return exit code, stdout and stderr."""
    done = await asyncio.to_thread(run, "prune", "--database-url", url, *arguments, **more)
    return done.returncode, done.stdout, done.stderr


async def test_it_counts_then_deletes_what_is_old(
    novel_tasks: Run, finished: tuple[str, list[TaskId]], tmp_path: Path
) -> None:
    """`--dry-run` deletes nothing, other statuses and younger tasks stay, `--yes` deletes; what waits stays."""
    url, _ = finished
    code, stdout, _ = await prune(novel_tasks, url, "--older-than", "0s", "--dry-run", "--json")
    assert (code, json.loads(stdout)) == (0, {"matched": 1, "deleted": 0})
    for choice in (("--older-than", "1d"), ("--older-than", "0s", "--status", "failed")):
        code, stdout, _ = await prune(novel_tasks, url, *choice, "--yes", "--json")
        assert (code, json.loads(stdout)["deleted"]) == (0, 0)
    assert await left(url, tmp_path) == 2
    code, stdout, stderr = await prune(novel_tasks, url, "--older-than", "0s", "--yes")
    assert (code, stdout, stderr) == (0, "", "Deleted 1 task that ended more than 0 days ago.\n")
    assert await left(url, tmp_path) == 1


async def test_the_retention_of_the_settings_is_the_default(
    novel_tasks: Run, finished: tuple[str, list[TaskId]], tmp_path: Path
) -> None:
    """Without `--older-than` each status has the retention of the settings, by which counting deletes nothing."""
    url, _ = finished
    env = {"RETENTION_DAYS_CANCELLED": "0.0000001"}
    connection = await asyncpg.connect(url)
    await connection.execute("update maintenance set next_at = now() where name = 'prune'")
    await connection.close()
    code, _, stderr = await prune(novel_tasks, url, "--dry-run", env=env)
    assert (code, stderr) == (0, "Would delete 1 task whose retention is over (cancelled after 1e-07 days).\n")
    assert await left(url, tmp_path) == 2
    code, _, stderr = await prune(novel_tasks, url, "--yes", env=env)
    assert (code, stderr) == (0, "Deleted 1 task whose retention is over (cancelled after 1e-07 days).\n")
    assert await left(url, tmp_path) == 1


async def test_nobody_to_ask_and_nothing_to_go_by_are_usage_errors(
    novel_tasks: Run, finished: tuple[str, list[TaskId]], tmp_path: Path
) -> None:
    """Without a terminal it wants `--yes`, without a retention an age; what is no age is told; nothing is deleted."""
    url, _ = finished
    for arguments, said in (
        (("--older-than", "0s"), "add --yes"),
        (("--yes",), "add --older-than 30d, or set RETENTION_DAYS"),
        (("--yes", "--older-than", "soon"), "'soon' is no age: write it as 12h, 30d or 8w."),
    ):
        code, stdout, stderr = await prune(novel_tasks, url, *arguments)
        assert (code, stdout) == (2, "")
        assert said in stderr
    assert await left(url, tmp_path) == 2


def test_a_folder_without_a_database_is_left_without(novel_tasks: Run, tmp_path: Path) -> None:
    """It makes no database only to find nothing in it."""
    done = novel_tasks("prune", "--older-than", "1d", "--yes", "--data-dir", tmp_path / "data")
    assert (done.returncode, "there is no database in" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
async def test_on_a_terminal_it_asks(finished: tuple[str, list[TaskId]], tmp_path: Path) -> None:
    """It says what it would delete; anything but yes deletes nothing, Ctrl-C too; yes deletes."""
    url, _ = finished
    await asyncio.to_thread(ask, url, tmp_path)
    assert await left(url, tmp_path) == 1


QUESTION = r"\ADelete 1 task that ended more than 0 days ago, for good\? \[y/N\]:\Z"


def ask(url: str, folder: Path) -> None:
    """Answer the question in three ways."""
    with opened(folder, environment={"DATABASE_URL": url}) as terminal:
        for answer, code, said in ((("n", "Enter"), 1, "Nothing was deleted."), (("C-c",), 130, "error: interrupted")):
            terminal.run("clear; novel-tasks prune --older-than 0s")
            terminal.wait_for(QUESTION)
            terminal.press(*answer)
            assert terminal.wait_until_done() == code
            assert said in terminal.screen()
        terminal.run("clear; novel-tasks prune --older-than 0s")
        terminal.wait_for(QUESTION)
        terminal.press("y", "Enter")
        assert terminal.wait_until_done() == 0
        assert re.search("^Deleted 1 task", "\n".join(terminal.screen()), re.MULTILINE)
