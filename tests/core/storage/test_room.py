"""How much room is left on the disks where we write, and what is said of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import attrs
import pytest

from novel_tasks_core import EngineConfig, TaskEngine
from novel_tasks_core.storage.room import RoomWatch

from ..support import eventually

ROOT = Path(__file__).parents[3]
MOUNTED = 'mount -t tmpfs -o size=4m none "$0" && exec "$@"'


def _with_small_disk(folder: Path, *program: str) -> list[str]:
    """Return the command that runs a program for which, and for nobody else, a small disk is mounted at the folder."""
    apart = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    return [*apart, "sh", "-c", MOUNTED, str(folder), *program]


def _may_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(_with_small_disk(folder, "true"), capture_output=True, check=False).returncode == 0


async def _said_while_filling(folder: Path, database_url: str) -> list[list[Any]]:
    program = [sys.executable, "-m", f"{__package__}.full_disk", str(folder), database_url]
    child = await asyncio.create_subprocess_exec(
        *_with_small_disk(folder, *program), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await child.communicate()
    assert child.returncode == 0
    return [json.loads(line) for line in printed.splitlines()]


async def test_a_full_disk_is_unhealthy(tmp_path: Path, database_url: str) -> None:
    """No room for a small file is a problem of the storage, though a few bytes would fit; with room all is well."""
    if not await asyncio.to_thread(_may_mount, tmp_path):
        pytest.skip("needs unshare, and the right to mount a disk of its own")
    said = await _said_while_filling(tmp_path, database_url)
    assert [storage for storage, *_ in said] == [True, False, True]
    (_, none, well, little, of_both), (_, [problem], _, _, [full]), after = said
    assert (none, well, of_both) == ([], [], [])
    [note] = little
    assert note.startswith("room: 4 MB are left on the disk of the files: make room, or set UPLOAD_DIR ")
    assert "No space left on device" in problem
    assert full == "the disk of the database is full: make room before its server stops"
    assert after == said[0]


async def test_little_room_is_noted(engine: TaskEngine) -> None:
    """Less room than is asked for is a note beside good health; nobody is told where the folder is."""
    health = await engine.health(room_bytes=1 << 62)
    assert health.healthy
    [note] = [note for note in health.notes if note.startswith("room: ")]
    assert str(engine.config.data_dir) not in note
    assert not (await engine.health(room_bytes=1)).notes


async def test_a_disk_that_does_not_answer_is_noted(
    engine_config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for within bounds, and holds one thread however often anybody asks; it may come back."""
    asked, answers = [], threading.Event()

    def stuck(folder: Path) -> Any:
        asked.append(folder)
        answers.wait()
        return usage

    engine_config.files.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(engine_config.files)
    monkeypatch.setattr(shutil, "disk_usage", stuck)
    watch = RoomWatch(engine_config, patience_seconds=0.05)
    for _ in range(3):
        [note] = await watch.look(enough_bytes=1)
        assert note.text == "room: a disk has not told within 0.05 s how much is left"
    answers.set()
    await eventually(lambda: _tells_nothing(watch))
    assert len(asked) == 1
    watch.close()


async def _tells_nothing(watch: RoomWatch) -> bool:
    return await watch.look(enough_bytes=1) == ()


async def test_a_private_database_needs_room_too(engine_config: EngineConfig) -> None:
    """What is on one disk is noted once; the disk of another machine's database is none of ours."""
    config = attrs.evolve(engine_config, database_url=None)
    for folder in (config.files, config.data_dir / "postgres"):
        folder.mkdir(parents=True, exist_ok=True)
    private, other = RoomWatch(config), RoomWatch(engine_config)
    [of_both], [of_files] = [await watch.look(enough_bytes=1 << 62) for watch in (private, other)]
    assert "on the disk of the files and the database: make room, or set UPLOAD_DIR or DATA_DIR " in of_both.text
    assert "on the disk of the files: make room, or set UPLOAD_DIR " in of_files.text
    for watch in (private, other):
        watch.close()
