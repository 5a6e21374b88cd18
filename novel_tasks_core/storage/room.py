"""How much room is left where we write: on the disk of the files, and on that of a private database."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import FileStoreError
from novel_tasks_core.health import Condition, ConditionCode
from novel_tasks_core.storage.threads import Job, Threads

SMALL_FILE_BYTES = 64 << 10
"""What a small novel takes: a disk on which it does not fit is full."""

LITTLE_ROOM_BYTES = 200 << 20
"""Twenty files of ten megabytes: a task takes a few times its file, for the original, what is made of it and what is on
its way there, and several tasks run at once."""

_SETTINGS = {"files": "UPLOAD_DIR", "database": "DATA_DIR"}


class RoomWatch:
    """Looks how much room is left, in a thread of its own; `close` ends it.

    A disk may take `patience_seconds` to tell. Of the disk of a database that is not private nobody here
    knows.
    """

    def __init__(self, config: EngineConfig, *, patience_seconds: float = 3.0) -> None:
        self._patience_seconds = patience_seconds
        self._folders = {"files": config.files.absolute()}
        if config.database_url is None:
            self._folders["database"] = (config.data_dir / "postgres").absolute()
        self._threads = Threads(1, name="novel-tasks-room")
        self._job: Job | None = None

    def close(self) -> None:
        """End the thread once it is idle."""
        self._threads.close()

    async def look(self, *, enough_bytes: int) -> tuple[Condition, ...]:
        """Return which disks have less free than `enough_bytes`, or do not tell in time.

        Whether files can be written shows when they are: only of a full disk of the database this raises.

        Raises: FileStoreError, EngineClosedError.
        """
        if self._job is None or self._job.ended:  # a disk that does not answer holds one thread, whoever asks
            self._job = self._threads.begin(_measure, self._folders)
        await asyncio.wait({self._job.waiting}, timeout=self._patience_seconds)
        if not self._job.waiting.done():
            told = f"room: a disk has not told within {self._patience_seconds:g} s how much is left"
            return (Condition(code=ConditionCode.ROOM_UNKNOWN, text=told, values={"seconds": self._patience_seconds}),)
        left: dict[int, tuple[int, list[str]]] = self._job.waiting.result()
        return tuple(_note(free, held) for free, held in left.values() if _is_little(free, held, enough_bytes))


def _measure(folders: Mapping[str, Path]) -> dict[int, tuple[int, list[str]]]:
    """Return for each disk how much is free, and what it holds; who writes to one that cannot be asked learns why."""
    disks: dict[int, tuple[int, list[str]]] = {}
    for held, folder in folders.items():
        with suppress(OSError):
            free = shutil.disk_usage(folder).free
            disks.setdefault(os.stat(folder).st_dev, (free, []))[1].append(held)
    return disks


def _is_little(free_bytes: int, held: list[str], enough_bytes: int) -> bool:
    """Raise FileStoreError for a database on a full disk."""
    if "database" in held and free_bytes < SMALL_FILE_BYTES:
        raise FileStoreError("the disk of the database is full: make room before its server stops", errno=errno.ENOSPC)
    return free_bytes < enough_bytes


def _note(free_bytes: int, held: list[str]) -> Condition:
    settings = " or ".join(_SETTINGS[one] for one in held)
    told = (
        f"room: {free_bytes / 1e6:,.0f} MB are left on the disk of the {' and the '.join(held)}:"
        f" make room, or set {settings} to a disk that has some"
    )
    values = {"megabytes": round(free_bytes / 1e6), "settings": " / ".join(_SETTINGS[one] for one in held)}
    return Condition(code=ConditionCode.LITTLE_ROOM, text=told, values=values)
