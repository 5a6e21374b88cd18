"""What outlives an attempt: taken over by copy, removed when the task ends, swept when nobody did that."""

from __future__ import annotations

import os
import time
from pathlib import Path

from novel_tasks_core.storage.staging import adopt_work, remove_work, unchanged


def test_an_attempt_takes_over_what_the_one_before_left(tmp_path: Path) -> None:
    """The newest older attempt's files are there, and its own folder is gone."""
    first = adopt_work(tmp_path / "task", 1)
    (first / "part").write_text("one")
    (adopt_work(tmp_path / "task", 3) / "more").write_text("two")

    second = adopt_work(tmp_path / "task", 4)

    assert {path.name: path.read_text() for path in second.iterdir()} == {"part": "one", "more": "two"}
    assert [path.name for path in (tmp_path / "task").iterdir()] == ["4"]
    assert adopt_work(tmp_path / "task", 4) == second


def test_a_zombie_does_not_write_into_what_was_taken_over(tmp_path: Path) -> None:
    """It keeps writing to its own file, which nobody reads any more."""
    with (adopt_work(tmp_path, 1) / "part").open("a") as zombie:
        zombie.write("whole ")
        zombie.flush()
        second = adopt_work(tmp_path, 2)
        zombie.write("late")
        zombie.flush()

    assert (second / "part").read_text() == "whole "


def test_what_a_later_attempt_uses_is_not_removed(tmp_path: Path) -> None:
    """The end of an attempt that lost its lease leaves the folder of the one that runs."""
    later = adopt_work(tmp_path / "task", 2)
    adopt_work(tmp_path / "task", 1)

    remove_work(tmp_path / "task", 1)

    assert later.is_dir()
    remove_work(tmp_path / "task", 2)
    assert not (tmp_path / "task").exists()


def test_folders_are_private(tmp_path: Path) -> None:
    """Only their owner may look into them."""
    folder = adopt_work(tmp_path / "task", 1)

    assert folder.stat().st_mode & 0o077 == 0
    assert folder.parent.stat().st_mode & 0o077 == 0


def test_a_folder_counts_as_unchanged_when_nothing_in_it_was_written(tmp_path: Path) -> None:
    """A file that grows keeps its task's folder young, although the folder itself does not change."""
    for name in ("quiet", "busy"):
        (adopt_work(tmp_path / name, 1) / "part").write_text("x")
        for path in (tmp_path / name / "1" / "part", tmp_path / name / "1", tmp_path / name):
            os.utime(path, (time.time() - 7200,) * 2)
    with (tmp_path / "busy" / "1" / "part").open("a") as part:
        part.write("more")

    assert unchanged(tmp_path, older_than_seconds=3600) == ["quiet"]
    assert unchanged(tmp_path / "missing", older_than_seconds=0) == []
