"""The file store as the engine uses it: each file also has a row, whose lock keeps the sweeper away.

Storing: lock or make the rows of all that wait, rename the files into place, commit. Sweeping: lock the row, look again
whether anything refers to it, remove the file, remove the row, commit. So whoever stores the same
bytes while they are swept waits, and then puts the file back.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from novel_tasks_core.errors import FileStoreError, StorageError
from novel_tasks_core.storage.coalescing import Coalescer
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.faults import RowLockedError
from novel_tasks_core.storage.files import FileStore, StagedFile
from novel_tasks_core.storage.queries import load_queries

_TASK = re.compile("[0-9a-f]{32}", re.ASCII)
_LOOKED_AT = 1000
"""Files that one statement of a sweep looks at."""

_BATCH = 256
"""Calls of `commit` in one transaction."""

_LOCK_MILLISECONDS = "2000"
"""How long a commit waits for a row: a sweeper needs a moment, a frozen one must not hold up everybody's files."""


class RegisteredFiles:
    """A `FileStore` over another one that also keeps the table `files`. `commit` waits for its `loops`."""

    def __init__(self, store: FileStore, database: Database) -> None:
        self._store = store
        self._database = database
        self._sql = load_queries("housekeeping")
        self._commits: Coalescer[Sequence[StagedFile], None] = Coalescer(
            self._register, name="commit of files", most=_BATCH, single=(FileStoreError, RowLockedError)
        )

    def loops(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """Return what has to run for `commit`, by name: for ever, cancelled at the end."""
        return {"files": self._commits.run}

    @property
    def staging_folder(self) -> Path:
        """The folder of staged files."""
        return self._store.staging_folder

    @property
    def work_folder(self) -> Path:
        """The folder of tasks' work folders."""
        return self._store.work_folder

    async def stage(self, data: AsyncIterable[bytes] | bytes | Path, *, folder: Path | None = None) -> StagedFile:
        """Write, hash and flush `data` under a temporary name."""
        return await self._store.stage(data, folder=folder)

    async def commit(self, *staged: StagedFile) -> None:
        """Give staged files their rows and their final names; rows only with the names.

        Together with what others commit at the moment, none of which can fail because of these. A caller that is
        cancelled may discard the files, and may find them committed all the same. If it raises FileStoreError the
        files that had got their names have lost them again.

        Raises: FileStoreError, DatabaseUnavailableError, EngineClosedError.
        """
        try:
            await self._commits.add(staged)
        except FileStoreError:
            with suppress(StorageError):  # the first fault is the one to tell of
                await self._take_names_back(staged)
            raise

    async def _take_names_back(self, staged: Sequence[StagedFile]) -> None:
        """Remove those that got their names, but no rows, unless somebody else has stored the same."""
        sizes = {bytes.fromhex(one.sha256): one.size for one in staged}
        async with self._database.transaction() as connection:
            for row in await self._touch(connection, sizes):
                if row["made"]:
                    await self._store.unlink(row["sha256"].hex())
                    await connection.execute(self._sql["forget_file"], row["sha256"])

    async def _register(self, calls: Sequence[Sequence[StagedFile]]) -> Sequence[None]:
        staged = [one for call in calls for one in call]
        sizes = {bytes.fromhex(one.sha256): one.size for one in staged}
        async with self._database.transaction() as connection:
            await self._touch(connection, sizes)
            await self._store.commit(*staged)
        return [None] * len(calls)

    async def _touch(self, connection: Any, sizes: Mapping[bytes, int]) -> Sequence[Any]:
        """Make or touch the rows of files, and hold them to the end of the transaction."""
        return await connection.fetch(  # type: ignore[no-any-return]
            self._sql["touch_files"], list(sizes), list(sizes.values()), _LOCK_MILLISECONDS
        )

    async def discard(self, staged: StagedFile) -> None:
        """Throw a staged file away; harmless after `commit`."""
        await self._store.discard(staged)

    def path_of(self, sha256: str) -> Path:
        """Return where the file is or would be."""
        return self._store.path_of(sha256)

    async def exists(self, sha256: str) -> bool:
        """Say whether the file is there."""
        return await self._store.exists(sha256)

    async def unlink(self, sha256: str) -> None:
        """Remove the file only; `sweep` is what keeps the table true."""
        await self._store.unlink(sha256)

    async def check(self) -> None:
        """Prove that the store works."""
        await self._store.check()

    async def sweep_temporary(self, *, older_than_seconds: float) -> int:
        """Remove what dead processes staged and never committed, and the work of tasks that have ended."""
        removed = await self._store.sweep_temporary(older_than_seconds=older_than_seconds)
        names = await self._store.old_work(older_than_seconds=older_than_seconds)
        ended = await self._ended(names)
        for name in ended:
            await self._store.remove_work(name)
        return removed + len(ended)

    async def _ended(self, names: Sequence[str]) -> list[str]:
        """Return those work folders whose task is gone or at its end; what no task's name is, is none of ours."""
        tasks = {UUID(name): name for name in names if _TASK.fullmatch(name)}
        if not tasks:
            return []
        rows = await self._database.fetch(self._sql["unfinished_tasks"], list(tasks))
        return [name for id_, name in tasks.items() if id_ not in {row["id"] for row in rows}]

    async def old_work(self, *, older_than_seconds: float) -> list[str]:
        """Return the names of work folders that have not changed for so long."""
        return await self._store.old_work(older_than_seconds=older_than_seconds)

    async def remove_work(self, name: str, *, up_to_attempt: int | None = None) -> None:
        """Remove a task's work folder, or what its attempts up to one have there."""
        await self._store.remove_work(name, up_to_attempt=up_to_attempt)

    async def sweep(self, *, unused_seconds: float) -> int:
        """Remove files that nothing refers to and nobody has stored for `unused_seconds`; returns how many."""
        removed = 0
        last: bytes | None = b""
        while last is not None:
            [row] = await self._database.fetch(self._sql["unused_files"], unused_seconds, last, _LOOKED_AT)
            for sha256 in row["unused"]:
                removed += await self._sweep_one(sha256, unused_seconds)
            last = row["last"]
        return removed

    async def _sweep_one(self, sha256: bytes, unused_seconds: float) -> bool:
        async with self._database.transaction() as connection:
            if await connection.fetchval(self._sql["lock_unused_file"], sha256, unused_seconds) is None:
                return False
            # Looked at again under the lock, by a statement of its own: only so does it see what committed meanwhile.
            if await connection.fetchval(self._sql["file_in_use"], sha256):
                return False
            await connection.execute(self._sql["forget_file"], sha256)
            await self._store.unlink(sha256.hex())
            return True
