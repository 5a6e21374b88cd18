"""A program that prints what an engine says of its health while its disk fills up.

Arguments: a folder on a disk that may be filled, and the URL of the database.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

from novel_tasks_core import EngineConfig, TaskEngine
from novel_tasks_core.errors import NovelTasksError
from novel_tasks_core.storage.room import RoomWatch

LEFT_BYTES = 16 << 10
"""Enough for a few words, not for a novel."""


async def _main(folder: Path, database_url: str) -> None:
    (folder / "postgres").mkdir()
    private = RoomWatch(EngineConfig(data_dir=folder, files_dir=folder / "files"))
    async with TaskEngine.open(EngineConfig(database_url=database_url, data_dir=folder)) as engine:
        await _tell(engine, private)
        filler = folder / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(folder).free - LEFT_BYTES))
        await _tell(engine, private)
        filler.unlink()
        await _tell(engine, private)
    private.close()


async def _tell(engine: TaskEngine, private: RoomWatch) -> None:
    """Print the engine's health, and what is thought of the disk if a private database were on it too."""
    health = await engine.health(room_bytes=1 << 20)
    little = await engine.health()
    try:
        database = [one.text for one in await private.look(enough_bytes=1 << 20)]
    except NovelTasksError as exc:
        database = [str(exc)]
    said = [health.storage, health.problems, health.notes, little.notes, database]
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2]))
