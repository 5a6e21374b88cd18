"""Files on their way into the store: written under a temporary name, hashed while written, flushed to disk.

Blocking and without asyncio, so that child processes can use it. What is staged becomes visible only
when the store commits it; until then it can be thrown away without a trace.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from attrs import frozen

from novel_tasks_core.errors import FileStoreError, InvalidInputError

BLOCK_BYTES = 1 << 20
"""How much is read or written at once."""

_SMALL_BYTES = 4096
"""Below this a piece of its own costs more than a copy."""


class Block:
    """Bytes as they came, to be written together: large pieces are not copied, small ones are joined."""

    def __init__(self) -> None:
        self.parts: list[bytes | bytearray] = []
        self.size = 0

    def add(self, data: bytes) -> None:
        """Append `data`."""
        self.size += len(data)
        if len(data) >= _SMALL_BYTES:
            self.parts.append(data)
        elif self.parts and isinstance(joined := self.parts[-1], bytearray):
            joined += data
        else:
            self.parts.append(bytearray(data))


@frozen
class StagedFile:
    """A whole file under the temporary `path`. `sha256` is 64 hex digits, `size` in bytes.

    `flushed` tells whether its bytes are safely on disk; if not, committing it begins with that.
    """

    sha256: str
    size: int
    path: Path
    flushed: bool = True


def temporary_name(kind: str) -> str:
    """Make a name that nobody else uses; it tells the sweeper which process it belongs to."""
    return f"{kind}-{os.getpid()}-{secrets.token_hex(8)}"


def refused(exc: OSError) -> FileStoreError:
    """Translate what the operating system said; the path stays out of it."""
    return FileStoreError(f"the file store failed: {exc.strerror or exc}", errno=exc.errno)


class StagingFile:
    """One file being staged. A context manager: leaving it without `finish` removes the file.

    Raises: FileStoreError from every method when the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(f"{folder}/{temporary_name('file')}")
        self.size = 0
        self._hash = hashlib.sha256()
        self._finished = False
        try:
            self._file = _create(self.path)
        except OSError as exc:
            raise refused(exc) from exc

    def __enter__(self) -> StagingFile:
        """Return the open file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the file unless it was finished."""
        if not self._finished:
            self.abandon()

    def write(self, data: bytes | Block) -> None:
        """Append `data`."""
        for part in (data,) if isinstance(data, bytes) else data.parts:
            rest = memoryview(part)
            try:
                while rest:
                    rest = rest[self._file.write(rest) :]
            except OSError as exc:
                raise refused(exc) from exc
            self._hash.update(part)
            self.size += len(part)

    def finish(self, last: bytes | Block = b"", *, flush: bool = True) -> StagedFile:
        """Append what is left, flush to disk and close. The bytes then survive a power cut, but not yet their name.

        Without `flush` whoever commits the file waits for the disk.
        """
        self.write(last)
        try:
            if flush:
                os.fsync(self._file.fileno())
            self._file.close()
        except OSError as exc:
            raise refused(exc) from exc
        self._finished = True
        return StagedFile(self._hash.hexdigest(), self.size, self.path, flush)

    def abandon(self) -> None:
        """Close and remove the file; what the disk says to that no longer matters."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _create(path: Path) -> io.FileIO:
    """Open a new file for writing, its folder made on first use; only its owner may read it."""
    try:
        return open(path, "xb", buffering=0, opener=_private)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(path, "xb", buffering=0, opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def adopt_work(folder: Path, attempt: int) -> Path:
    """Return the folder of an attempt inside its task's, made with a copy of what the attempt before left there.

    A copy, because that one may be a zombie that still writes to its own.

    Raises: FileStoreError when the disk refuses.
    """
    mine = folder / str(attempt)
    try:
        if not mine.is_dir():
            _copy_newest(folder, mine, attempt)
    except OSError as exc:
        raise refused(exc) from exc
    return mine


def _copy_newest(folder: Path, mine: Path, attempt: int) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / temporary_name("part")
    older = [number for number in _attempts(folder) if number < attempt]
    if older:
        shutil.copytree(folder / str(older[-1]), part)
    else:
        part.mkdir(mode=0o700)
    part.rename(mine)
    for number in older:
        shutil.rmtree(folder / str(number), ignore_errors=True)


def flush_file(path: Path) -> None:
    """Wait until the bytes of a file are on disk. Raises: OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stage(folder: Path, data: bytes | Block | Path, *, flush: bool = True) -> StagedFile:
    """Stage bytes, or a copy of a file, in `folder`, which is made if it is missing; see `StagingFile.finish`.

    Raises: FileStoreError when the disk refuses; InvalidInputError when the given file cannot be read.
    """
    with StagingFile(folder) as staging:
        for block in read_blocks(data) if isinstance(data, Path) else (data,):
            staging.write(block)
        return staging.finish(flush=flush)


def read_blocks(path: Path) -> Iterator[bytes]:
    """Yield the content of a file. Raises: InvalidInputError naming the file when it cannot be read."""
    try:
        with path.open("rb", buffering=0) as source:
            while block := source.read(BLOCK_BYTES):
                yield block
    except OSError as exc:
        raise InvalidInputError("path", f"cannot read {path.name!r}: {exc.strerror}") from exc


def sweep(folder: Path, *, older_than_seconds: float) -> int:
    """Remove what dead processes left in a staging folder; returns how many entries went.

    Entries of living processes stay, whatever their age, and so do younger ones: the folder may be
    shared with machines whose processes cannot be seen from here.
    """
    return sum(_remove(entry) for entry in _abandoned(folder, time.time() - older_than_seconds))


def remove_work(folder: Path, up_to_attempt: int | None) -> None:
    """Remove a task's folder, or the folders of its attempts up to one."""
    if up_to_attempt is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for number in _attempts(folder):
        if number <= up_to_attempt:
            shutil.rmtree(folder / str(number), ignore_errors=True)
    with suppress(OSError):  # a later attempt's folder is in it, or somebody else has removed it
        folder.rmdir()


def _attempts(folder: Path) -> list[int]:
    """Return which attempts have a folder in their task's, in order."""
    with suppress(FileNotFoundError):
        return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal())
    return []


def unchanged(folder: Path, *, older_than_seconds: float) -> list[str]:
    """Return the names of the folders in `folder` in which nothing was made, written or removed for so long."""
    before = time.time() - older_than_seconds
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if _last_change(entry.path) < before)
    return []


def _last_change(folder: str) -> float:
    times = [0.0]
    for path, _, files in os.walk(folder):
        for name in (path, *(os.path.join(path, file) for file in files)):
            with suppress(FileNotFoundError):
                times.append(os.lstat(name).st_mtime)
    return max(times)


def _abandoned(folder: Path, before: float) -> Iterable[Path]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < before and not _owner_lives(entry.name):
                    yield Path(entry.path)


def _owner_lives(name: str) -> bool:
    parts = name.split("-")
    if len(parts) != 3 or not parts[1].isdecimal():
        return False
    try:
        os.kill(int(parts[1]), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _remove(path: Path) -> bool:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return False
    return True
