"""Where originals and artifacts live: files named by the SHA-256 of their content.

`FileStore` is what the engine needs of a store; `LocalFiles` keeps them in a folder of this machine::

    root/tmp/...                 staged files and the folders of running attempts
    root/work/TASK/ATTEMPT/...   what attempts leave for the next one of their task
    root/ab/cd/abcd...           committed files, 64 hex digits

A file is durable once `commit` returns: its bytes were flushed when it was staged, or are now, and then its name.
Which files are still wanted is the database's knowledge; the store only keeps and removes.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.storage import staging
from novel_tasks_core.storage.room import SMALL_FILE_BYTES
from novel_tasks_core.storage.staging import BLOCK_BYTES, Block, StagedFile, StagingFile, refused
from novel_tasks_core.storage.threads import Threads

__all__ = ["FileStore", "LocalFiles", "StagedFile"]

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_THREADS = 8  # several flushes at once share one commit of the file system's journal

T = TypeVar("T")


class FileStore(Protocol):
    """What the engine needs of a place for files. Every method raises FileStoreError when the disk refuses."""

    @property
    def staging_folder(self) -> Path:
        """The folder in which attempts may make folders of their own for what they stage."""
        ...

    @property
    def work_folder(self) -> Path:
        """The folder in which every task may have one, named by its id in hex, for what outlives an attempt."""
        ...

    async def stage(self, data: AsyncIterable[bytes] | bytes | Path, *, folder: Path | None = None) -> StagedFile:
        """Write, hash and flush `data` under a temporary name. If it raises or is cancelled nothing is left.

        `folder` is one of an attempt inside `staging_folder`; it is made if it is missing.
        """
        ...

    async def commit(self, *staged: StagedFile) -> None:
        """Give staged files their final names, durably; harmless when files of the same content are there."""
        ...

    async def discard(self, staged: StagedFile) -> None:
        """Throw a staged file away; harmless after `commit` or another `discard`."""
        ...

    def path_of(self, sha256: str) -> Path:
        """Return where the file is or would be. Raises: InvalidInputError unless given 64 hex digits."""
        ...

    async def exists(self, sha256: str) -> bool:
        """Say whether the file is there."""
        ...

    async def unlink(self, sha256: str) -> None:
        """Remove the file; harmless when it is not there."""
        ...

    async def check(self) -> None:
        """Write, flush and remove a small file, to prove that the store works."""
        ...

    async def sweep_temporary(self, *, older_than_seconds: float) -> int:
        """Remove what dead processes staged and never committed; returns how many entries went."""
        ...

    async def old_work(self, *, older_than_seconds: float) -> list[str]:
        """Return the names of tasks' work folders that have not changed for so long."""
        ...

    async def remove_work(self, name: str, *, up_to_attempt: int | None = None) -> None:
        """Remove a task's work folder, or what its attempts up to one have there; harmless when it is not there."""
        ...


class LocalFiles:
    """A `FileStore` in the folder `root`, made on first use.

    Disk work runs in threads of its own, so that a slow disk blocks neither the event loop nor other
    users of asyncio's default threads. A call that is cancelled waits for the system call under way and
    cleans up before the cancellation goes on. `close` ends the threads.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._threads = Threads(_THREADS, name="novel-tasks-files")
        self._anchored: set[str] = set()  # folders, as ab or abcd, whose own names are on disk for all we know

    @property
    def staging_folder(self) -> Path:
        """The folder of staged files: `root`/tmp."""
        return self._root / "tmp"

    @property
    def work_folder(self) -> Path:
        """The folder of tasks' work folders: `root`/work."""
        return self._root / "work"

    def close(self) -> None:
        """End the threads once they are idle; the store cannot be used afterwards."""
        self._threads.close()

    async def stage(self, data: AsyncIterable[bytes] | bytes | Path, *, folder: Path | None = None) -> StagedFile:
        """Write, hash and flush `data` under a temporary name in `folder`, by default the staging folder.

        Small data takes one trip to a thread. Large data takes one for each megabyte, which is written while the
        next one comes. If the iterable raises, or the caller is cancelled, nothing is left and the error goes on.

        Raises: FileStoreError; InvalidInputError when a given path cannot be read.
        """
        target = folder or self.staging_folder
        if isinstance(data, bytes | Path):
            return await self._staged(staging.stage, target, data)
        block, rest = Block(), aiter(data)
        async for chunk in rest:
            block.add(chunk)
            if block.size >= BLOCK_BYTES:
                return await self._stage_large(target, block, rest)
        return await self._staged(staging.stage, target, block)

    async def _stage_large(self, folder: Path, block: Block, rest: AsyncIterator[bytes]) -> StagedFile:
        opened: list[StagingFile] = []
        try:
            await self._blocking(lambda: opened.append(StagingFile(folder)))
            target = opened[0]
            writing = self._threads.begin(target.write, block)
            try:
                block = Block()
                async for chunk in rest:
                    block.add(chunk)
                    if block.size >= BLOCK_BYTES:
                        await writing.waiting
                        writing = self._threads.begin(target.write, block)
                        block = Block()
                await writing.waiting
            finally:
                await writing.end()
            return await self._staged(target.finish, block)
        except BaseException:
            for unfinished in opened:
                await self._blocking(unfinished.abandon)
            raise

    async def _staged(self, work: Callable[..., StagedFile], *arguments: Any) -> StagedFile:
        """Run `work` in a thread; its file does not outlive a cancellation that comes meanwhile."""
        made: list[StagedFile] = []
        try:
            await self._blocking(lambda: made.append(work(*arguments)))
        except asyncio.CancelledError:
            for staged in made:
                await self.discard(staged)
            raise
        return made[0]

    async def commit(self, *staged: StagedFile) -> None:
        """Rename staged files to their contents' names and flush the folders; the last wins among equals.

        Several threads share the work, so that the disk can make one commit of what they flush at the same time.
        If one file cannot be committed others may have got their names, not yet durably; committing them again is
        harmless.

        Raises: FileStoreError.
        """
        groups: dict[int, list[StagedFile]] = {}
        for one in staged:  # files that share a folder stay together: it is flushed once
            groups.setdefault(int(one.sha256[:2], 16) % _THREADS, []).append(one)
        jobs = [self._threads.begin(self._commit, group) for group in groups.values()]
        try:
            for job in jobs:
                await job.waiting
        except OSError as exc:
            raise refused(exc) from exc
        finally:
            for job in jobs:
                await job.end()

    def _commit(self, staged: Sequence[StagedFile]) -> None:
        for one in staged:
            if not one.flushed:
                staging.flush_file(one.path)
            self._rename(one)
        self._flush_folders({one.sha256[:4] for one in staged})

    def _rename(self, staged: StagedFile) -> None:
        target = self._name_of(staged.sha256)
        try:
            os.replace(staged.path, target)
        except FileNotFoundError:
            if not staged.path.exists() and os.path.exists(target):
                return  # committed before
            folder = os.path.dirname(target)
            self._anchored.discard(staged.sha256[:4])
            if not os.path.isdir(os.path.dirname(folder)):
                self._anchored.discard(staged.sha256[:2])
            os.makedirs(folder, exist_ok=True)
            os.replace(staged.path, target)

    def _flush_folders(self, places: Collection[str]) -> None:
        """Make names durable in the folders of these places, the first four digits of the files they hold.

        The folders above may have been made just now, also by somebody who has not flushed them yet: so each is
        flushed until we have done that once. The deepest go first: that commits the others along.
        """
        for place in places:
            _flush_folder(f"{self._root}/{place[:2]}/{place[2:]}")
        made = set(places) - self._anchored
        for above in {place[:2] for place in made}:
            _flush_folder(f"{self._root}/{above}")
        tops = {place[:2] for place in made} - self._anchored
        if tops:
            _flush_folder(str(self._root))
        self._anchored |= made | tops

    async def discard(self, staged: StagedFile) -> None:
        """Remove a staged file; harmless after `commit`. Raises: FileStoreError."""
        await self._blocking(lambda: staged.path.unlink(missing_ok=True))

    def path_of(self, sha256: str) -> Path:
        """Return where the file with this SHA-256 is or would be.

        Raises: InvalidInputError unless given 64 lower-case hex digits, so that no path can be smuggled in.
        """
        if _SHA256.fullmatch(sha256) is None:
            raise InvalidInputError("sha256", "must be 64 hex digits in lower case")
        return Path(self._name_of(sha256))

    def _name_of(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256[2:4]}/{sha256}"

    async def exists(self, sha256: str) -> bool:
        """Say whether the file is there."""
        return await self._blocking(self.path_of(sha256).is_file)

    async def unlink(self, sha256: str) -> None:
        """Remove the file; harmless when it is not there. Raises: FileStoreError."""
        path = self.path_of(sha256)
        await self._blocking(lambda: path.unlink(missing_ok=True))

    async def check(self) -> None:
        """Write, flush and remove a small file. Raises: FileStoreError saying why the store does not work.

        It is as large as a small novel, and nothing that a file system could make smaller.
        """
        await self.discard(await self.stage(os.urandom(SMALL_FILE_BYTES)))

    async def sweep_temporary(self, *, older_than_seconds: float) -> int:
        """Remove what dead processes left in the staging folder; returns how many entries went.

        Raises: FileStoreError.
        """
        return await self._blocking(lambda: staging.sweep(self.staging_folder, older_than_seconds=older_than_seconds))

    async def old_work(self, *, older_than_seconds: float) -> list[str]:
        """Return the names of tasks' work folders that have not changed for so long. Raises: FileStoreError."""
        return await self._blocking(lambda: staging.unchanged(self.work_folder, older_than_seconds=older_than_seconds))

    async def remove_work(self, name: str, *, up_to_attempt: int | None = None) -> None:
        """Remove a task's work folder, or what its attempts up to one have there: not what a later one is using.

        What cannot be removed now is left to the sweeper.
        """
        await self._blocking(staging.remove_work, self.work_folder / name, up_to_attempt)

    async def _blocking(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run `work` in a thread. A cancellation waits for it, since a system call cannot be stopped."""
        try:
            return await self._threads.run(work, *arguments)
        except OSError as exc:
            raise refused(exc) from exc


def _flush_folder(folder: str) -> None:
    """Make renames and new folders in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
