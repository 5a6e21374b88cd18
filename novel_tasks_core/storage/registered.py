"""The file store as the engine uses it: each file also has a row, whose lock keeps the sweeper away.

Storing: lock or make the row, rename the file into place, commit. Sweeping: lock the row, look again
whether anything refers to it, remove the file, remove the row, commit. So whoever stores the same
bytes while they are swept waits, and then puts the file back.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from pathlib import Path

from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.files import FileStore, StagedFile
from novel_tasks_core.storage.queries import load_queries

_LOOKED_AT = 1000
"""Files that one statement of a sweep looks at."""


class RegisteredFiles:
    """A `FileStore` over another one that also keeps the table `files`."""

    def __init__(self, store: FileStore, database: Database) -> None:
        self._store = store
        self._database = database
        self._sql = load_queries("housekeeping")

    @property
    def staging_folder(self) -> Path:
        """The folder of staged files."""
        return self._store.staging_folder

    async def stage(self, data: AsyncIterable[bytes] | bytes | Path, *, folder: Path | None = None) -> StagedFile:
        """Write, hash and flush `data` under a temporary name."""
        return await self._store.stage(data, folder=folder)

    async def commit(self, staged: StagedFile) -> None:
        """Give a staged file its row and its final name; both or neither.

        Raises: FileStoreError, DatabaseUnavailableError.
        """
        async with self._database.transaction() as connection:
            await connection.fetchval(self._sql["touch_file"], bytes.fromhex(staged.sha256), staged.size)
            await self._store.commit(staged)

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
        """Remove what dead processes staged and never committed."""
        return await self._store.sweep_temporary(older_than_seconds=older_than_seconds)

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
