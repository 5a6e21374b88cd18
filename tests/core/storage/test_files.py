"""The local file store: durable, content-addressed, and clean after every failure."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from novel_tasks_core.errors import FileStoreError, InvalidInputError
from novel_tasks_core.storage import staging
from novel_tasks_core.storage.files import LocalFiles, StagedFile


@pytest.fixture
def files(tmp_path: Path) -> Iterator[LocalFiles]:
    """A store in a folder that does not exist yet."""
    store = LocalFiles(tmp_path / "deep" / "files")
    yield store
    store.close()


def folder_of_all(files: LocalFiles) -> Path:
    """Return the root of a store."""
    return files.staging_folder.parent


def everything_under(store: LocalFiles) -> list[Path]:
    """List the files of a store, staged ones included."""
    return [path for path in folder_of_all(store).rglob("*") if path.is_file()]


async def chunks_of(data: bytes, size: int) -> AsyncIterator[bytes]:
    """Yield `data` piece by piece, as a network would."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [0, 1, 10_000, staging.BLOCK_BYTES, 3 * staging.BLOCK_BYTES + 17])
async def test_staged_chunks_come_back_unchanged(files: LocalFiles, size: int) -> None:
    """What was streamed in is found, whole, under its SHA-256."""
    data = os.urandom(size)
    staged = await files.stage(chunks_of(data, 8192))
    assert (staged.sha256, staged.size) == (hashlib.sha256(data).hexdigest(), size)
    await files.commit(staged)
    assert files.path_of(staged.sha256).read_bytes() == data
    assert everything_under(files) == [files.path_of(staged.sha256)]


async def test_bytes_and_paths_are_staged_alike(files: LocalFiles, tmp_path: Path) -> None:
    """Bytes and a file of the same content stage to the same SHA-256, and the given file stays."""
    (tmp_path / "novel.txt").write_bytes(b"Once")
    first, second = await files.stage(b"Once"), await files.stage(tmp_path / "novel.txt")
    assert first.sha256 == second.sha256
    assert first.path != second.path
    assert (tmp_path / "novel.txt").exists()


async def test_nothing_is_visible_before_commit(files: LocalFiles) -> None:
    """A staged file does not exist for readers until it is committed."""
    staged = await files.stage(b"data")
    assert not await files.exists(staged.sha256)
    await files.commit(staged)
    assert await files.exists(staged.sha256)


async def test_identical_bytes_are_stored_once(files: LocalFiles) -> None:
    """Committing the same content many times at once leaves one file."""
    staged = await asyncio.gather(*(files.stage(b"same") for _ in range(20)))
    await asyncio.gather(*(files.commit(one) for one in staged))
    assert everything_under(files) == [files.path_of(staged[0].sha256)]


async def test_committing_again_is_harmless(files: LocalFiles) -> None:
    """A commit whose reply was lost can be repeated."""
    staged = await files.stage(b"data")
    await files.commit(staged)
    await files.commit(staged)
    assert files.path_of(staged.sha256).read_bytes() == b"data"


async def test_a_commit_repairs_a_damaged_file(files: LocalFiles) -> None:
    """Uploading the same content again replaces a file that the disk has damaged."""
    staged = await files.stage(b"whole")
    await files.commit(staged)
    files.path_of(staged.sha256).write_bytes(b"")
    await files.commit(await files.stage(b"whole"))
    assert files.path_of(staged.sha256).read_bytes() == b"whole"


async def test_committing_what_was_discarded_is_an_error(files: LocalFiles) -> None:
    """A staged file that is gone cannot be committed silently."""
    staged = await files.stage(b"data")
    await files.discard(staged)
    await files.discard(staged)
    with pytest.raises(FileStoreError) as caught:
        await files.commit(staged)
    assert caught.value.errno == errno.ENOENT


@pytest.mark.parametrize("after", [0, 100, 3 * staging.BLOCK_BYTES])
async def test_a_broken_stream_leaves_nothing(files: LocalFiles, after: int) -> None:
    """When the sender breaks off, its error goes on and no file is left."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * after
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.stage(broken())
    assert everything_under(files) == []


@pytest.mark.parametrize("size", [10, 3 * staging.BLOCK_BYTES])
async def test_a_cancellation_at_any_step_leaves_nothing(files: LocalFiles, size: int) -> None:
    """Cancelled at any turn of the event loop, staging cleans up behind itself."""
    for turns in range(40):
        work = asyncio.create_task(files.stage(chunks_of(b"x" * size, staging.BLOCK_BYTES)))
        for _ in range(turns):
            await asyncio.sleep(0)
        if work.done():
            await files.discard(work.result())
            continue
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert everything_under(files) == []


async def test_a_cancellation_while_the_disk_works_waits_for_it(files: LocalFiles, tmp_path: Path) -> None:
    """Staging a pipe nobody writes to, then cancelled: the file is gone when the cancellation arrives."""
    os.mkfifo(tmp_path / "pipe")
    work = asyncio.create_task(files.stage(tmp_path / "pipe"))
    writer = await asyncio.to_thread(open, tmp_path / "pipe", "wb")  # returns once the other end is being read
    work.cancel()
    work.cancel()
    await asyncio.to_thread(writer.write, b"late")
    await asyncio.to_thread(writer.close)
    with pytest.raises(asyncio.CancelledError):
        await work
    assert everything_under(files) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("size", [4, staging.BLOCK_BYTES, 3 * staging.BLOCK_BYTES + 17])
async def test_a_full_disk_is_told_with_its_number(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """A disk without room raises FileStoreError with ENOSPC, at whichever write it is."""
    monkeypatch.setattr(staging, "_private", lambda path, flags: os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(FileStoreError) as caught:
        await files.stage(chunks_of(b"x" * size, 100_000))
    assert caught.value.errno == errno.ENOSPC


class StuckDisk:
    """A place for files whose writes never end, until it goes away."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        os.mkfifo(path)
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        monkeypatch.setattr(staging, "_private", lambda _, flags: os.open(path, os.O_WRONLY))
        self.blocks = 0
        self.ahead = asyncio.Event()

    def go_away(self) -> None:
        """Let all writes fail."""
        os.close(self._end)

    async def upload(self, *, breaks: bool = False) -> AsyncIterator[bytes]:
        """Yield five blocks, counting what was asked for; or break off in the second."""
        for self.blocks in range(1, 6):
            if self.blocks == 2:
                self.ahead.set()
                if breaks:
                    raise ConnectionResetError
            yield b"x" * staging.BLOCK_BYTES


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StuckDisk:
    """A disk that does not answer."""
    return StuckDisk(tmp_path / "disk", monkeypatch)


async def test_the_next_megabyte_is_read_while_the_disk_works(files: LocalFiles, stuck: StuckDisk) -> None:
    """A large upload does not stand still until each block is written, and runs ahead by one block only."""
    work = asyncio.create_task(files.stage(stuck.upload()))
    try:
        async with asyncio.timeout(60):
            await stuck.ahead.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        assert (stuck.blocks, work.done()) == (2, False)
    finally:
        stuck.go_away()
    with pytest.raises(FileStoreError) as caught:
        await work
    assert caught.value.errno == errno.EPIPE


async def test_a_file_is_not_closed_while_it_is_written(files: LocalFiles, stuck: StuckDisk) -> None:
    """The sender breaks off during a write: its file goes only afterwards, lest another one gets its descriptor."""
    work = asyncio.create_task(files.stage(stuck.upload(breaks=True)))
    try:
        async with asyncio.timeout(60):
            await stuck.ahead.wait()
        assert not (await asyncio.wait([work], timeout=0.2))[0]
    finally:
        stuck.go_away()
    with pytest.raises(ConnectionResetError):
        await work


def test_large_pieces_are_kept_as_they_came_and_small_ones_joined() -> None:
    """A client that sends byte by byte costs no object for each; one that sends much costs no copy."""
    block, large = staging.Block(), b"L" * 100_000
    for piece in (*[b"s"] * 5000, large, b"s", b"s"):
        block.add(piece)
    assert [bytes(part[:1]) + b"%d" % len(part) for part in block.parts] == [b"s5000", b"L100000", b"s2"]
    assert block.parts[1] is large
    assert block.size == 105_002


async def test_check_fails_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A root that cannot be a folder makes `check` say why."""
    (tmp_path / "file").write_text("in the way")
    store = LocalFiles(tmp_path / "file")
    with pytest.raises(FileStoreError) as caught:
        await store.check()
    assert caught.value.errno == errno.ENOTDIR
    store.close()


async def test_check_leaves_nothing(files: LocalFiles) -> None:
    """A passed check leaves the store as it was."""
    await files.check()
    assert everything_under(files) == []


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
async def test_only_a_sha256_names_a_file(files: LocalFiles, name: str) -> None:
    """Anything but 64 hex digits is refused, so no path can be smuggled in."""
    with pytest.raises(InvalidInputError):
        files.path_of(name)


async def test_unlink_removes_and_forgives(files: LocalFiles) -> None:
    """A file can be removed twice."""
    staged = await files.stage(b"data")
    await files.commit(staged)
    await files.unlink(staged.sha256)
    await files.unlink(staged.sha256)
    assert not await files.exists(staged.sha256)


async def test_an_unreadable_path_is_the_callers_mistake(files: LocalFiles, tmp_path: Path) -> None:
    """Staging a missing file or a folder raises InvalidInputError naming it, and leaves nothing."""
    for path in (tmp_path / "missing.txt", tmp_path):
        with pytest.raises(InvalidInputError, match=path.name):
            await files.stage(path)
    assert everything_under(files) == []


async def test_the_sweeper_takes_only_what_the_dead_left(files: LocalFiles) -> None:
    """Old entries of dead processes go, folders included; those of the living and young ones stay."""
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await dead.wait()
    dead_pid = dead.pid
    tmp = files.staging_folder
    mine = (await files.stage(b"mine")).path
    (tmp / f"attempt-{dead_pid}-aa").mkdir()
    (tmp / f"attempt-{dead_pid}-aa" / "part").write_text("x")
    (tmp / f"file-{dead_pid}-bb").write_text("x")
    young = tmp / f"file-{dead_pid}-cc"
    young.write_text("x")
    for path in (mine, tmp / f"attempt-{dead_pid}-aa", tmp / f"file-{dead_pid}-bb"):
        os.utime(path, (time.time() - 7200,) * 2)
    assert await files.sweep_temporary(older_than_seconds=3600) == 2
    assert sorted(tmp.iterdir()) == sorted([mine, young])


async def test_sweeping_an_unused_store_finds_nothing(files: LocalFiles) -> None:
    """A store whose folders do not exist yet has nothing to sweep."""
    assert await files.sweep_temporary(older_than_seconds=0) == 0


async def test_stored_files_are_private(files: LocalFiles) -> None:
    """Only their owner can read stored files and the folder they are staged in."""
    staged = await files.stage(b"data")
    await files.commit(staged)
    assert files.path_of(staged.sha256).stat().st_mode & 0o077 == 0
    assert files.staging_folder.stat().st_mode & 0o077 == 0


class Flushes:
    """Which files and folders were flushed, by inode."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._inodes: list[int] = []
        self._flush = os.fsync
        monkeypatch.setattr(os, "fsync", self._note)

    def _note(self, descriptor: int) -> None:
        self._inodes.append(os.fstat(descriptor).st_ino)
        self._flush(descriptor)

    def taken(self, *paths: Path) -> list[int]:
        """Return how often each path was flushed, and forget all."""
        inodes, self._inodes = self._inodes, []
        return [inodes.count(path.stat().st_ino) for path in paths]


async def test_the_folders_of_a_commit_are_flushed_once(files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """New names and the folders made for them survive a power cut; what files share is not flushed for each."""
    staged = [await files.stage(b"%d" % number) for number in range(40)]
    flushes = Flushes(monkeypatch)
    await files.commit(*staged)
    folders = {files.path_of(one.sha256).parent for one in staged}
    above = {folder.parent for folder in folders}
    assert len(above) < len(folders)
    *each, root = flushes.taken(*folders, *above, folder_of_all(files))
    assert each == [1] * len(each)
    assert 1 <= root <= 8


async def test_a_new_folder_in_a_known_one_is_flushed_with_that(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root is left alone once the names in it are on disk."""
    staged: dict[str, StagedFile] = {}
    for number in count():
        second = await files.stage(b"%d" % number)
        first = staged.setdefault(second.sha256[:2], second)
        if first.sha256[:4] != second.sha256[:4]:
            break
    await files.commit(first)
    flushes = Flushes(monkeypatch)
    await files.commit(second)
    folder = files.path_of(second.sha256).parent
    assert flushes.taken(folder, folder.parent, folder_of_all(files)) == [1, 1, 0]


async def test_folders_whose_own_names_are_on_disk_are_not_flushed_again(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second file of a folder needs that folder only."""
    await files.commit(await files.stage(b"data"))
    again = await files.stage(b"data")
    folder = files.path_of(again.sha256).parent
    flushes = Flushes(monkeypatch)
    await files.commit(again)
    assert flushes.taken(folder, folder.parent, folder_of_all(files)) == [1, 0, 0]


async def test_a_folder_that_was_made_again_is_flushed_with_those_above(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we knew of a folder that somebody has removed counts no more."""
    await files.commit(await files.stage(b"data"))
    again = await files.stage(b"data")
    folder = files.path_of(again.sha256).parent
    shutil.rmtree(folder.parent)
    flushes = Flushes(monkeypatch)
    await files.commit(again)
    assert flushes.taken(folder, folder.parent, folder_of_all(files)) == [1, 1, 1]


async def test_a_folder_that_could_not_be_flushed_is_flushed_by_the_next_try(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has its name already; that it is durable is only known once the flush has worked."""
    staged = await files.stage(b"data")

    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(FileStoreError) as caught:
            await files.commit(staged)
    assert caught.value.errno == errno.EIO
    folder = files.path_of(staged.sha256).parent
    flushes = Flushes(monkeypatch)
    await files.commit(staged)
    assert flushes.taken(folder, folder.parent, folder_of_all(files)) == [1, 1, 1]


async def test_what_was_staged_without_a_flush_is_flushed_by_the_commit(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it gets its name: a child does not wait for the disk, but nothing is committed that is not on it."""
    flushes = Flushes(monkeypatch)
    staged = staging.stage(files.staging_folder, b"data", flush=False)
    assert flushes.taken(staged.path) == [0]

    await files.commit(staged)

    assert flushes.taken(files.path_of(staged.sha256)) == [1]
