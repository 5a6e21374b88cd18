"""Files of many callers get their names and rows together, and none suffers from another."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from novel_tasks_core.errors import DatabaseUnavailableError, EngineClosedError, FileStoreError
from novel_tasks_core.execution.services import Services
from novel_tasks_core.storage import files, registered
from novel_tasks_core.storage.database import Database
from novel_tasks_core.storage.files import LocalFiles, StagedFile
from novel_tasks_core.storage.registered import RegisteredFiles

from .bench import spoil


class CountedFiles(LocalFiles):
    """A store that remembers which files were committed together, and may be held before it does."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.batches: list[int] = []
        self.reached = asyncio.Event()
        self.may_commit = asyncio.Event()
        self.may_commit.set()

    async def commit(self, *staged: StagedFile) -> None:
        """Note how many, wait, and commit."""
        self.batches.append(len(staged))
        self.reached.set()
        await self.may_commit.wait()
        await super().commit(*staged)


class Registry:
    """Registered files whose batches a test can see and hold."""

    def __init__(self, database: Database, root: Path) -> None:
        self.database = database
        self.local = CountedFiles(root)
        self.files = RegisteredFiles(self.local, database)
        self.services = Services()

    async def start(self) -> None:
        """Begin to commit."""
        await self.services.__aenter__()
        for name, loop in self.files.loops().items():
            self.services.start(name, loop)

    async def staged(self, count: int) -> list[StagedFile]:
        """Stage so many files, each different."""
        return list(await asyncio.gather(*(self.files.stage(b"%d" % number) for number in range(count))))

    async def held(self) -> asyncio.Task[None]:
        """Hold the first batch, a single file, inside its transaction; whatever comes now waits behind it."""
        self.local.may_commit.clear()
        first = asyncio.create_task(self.files.commit(await self.files.stage(b"first")))
        await self.local.reached.wait()
        return first

    def commits(self, staged: list[StagedFile]) -> list[asyncio.Task[None]]:
        """Begin to commit each file by a call of its own."""
        return [asyncio.create_task(self.files.commit(one)) for one in staged]

    async def rows(self) -> set[str]:
        """Return the hashes that have a row."""
        return {row["sha256"].hex() for row in await self.database.fetch("select sha256 from files")}

    def names(self) -> set[str]:
        """Return the hashes that have a file under their name."""
        return {path.name for path in self.local.staging_folder.parent.glob("??/??/*")}

    def leftovers(self) -> list[Path]:
        """Return what is still staged."""
        return list(self.local.staging_folder.iterdir())


@pytest.fixture
async def registry(database: Database, tmp_path: Path) -> AsyncIterator[Registry]:
    """An empty store whose commits run."""
    made = Registry(database, tmp_path / "files")
    await made.start()
    yield made
    await made.services.stop()
    made.local.close()


async def test_files_that_wait_at_one_moment_are_committed_together(registry: Registry) -> None:
    """However many callers: what arrives during one commit makes the next one."""
    first = await registry.held()
    waiting = registry.commits(await registry.staged(20))
    await asyncio.sleep(0)
    registry.local.may_commit.set()
    await asyncio.gather(first, *waiting)
    assert registry.local.batches == [1, 20]
    assert len(registry.names()) == 21
    assert await registry.rows() == registry.names()
    assert registry.leftovers() == []


async def test_the_same_bytes_of_many_callers_are_one_file(registry: Registry) -> None:
    """Equal files in one batch get one row and one name."""
    staged = [await registry.files.stage(b"same") for _ in range(5)]
    await asyncio.gather(*registry.commits(staged))
    assert registry.names() == {staged[0].sha256} == await registry.rows()
    assert registry.leftovers() == []


def put_in_the_way(registry: Registry, staged: StagedFile) -> None:
    """Make it impossible to give this file its name: its folder cannot be made."""
    (registry.local.staging_folder.parent / staged.sha256[:2]).write_text("in the way")


async def commit_with_a_bad_one(registry: Registry) -> list[BaseException | None]:
    """Commit eight files together of which one cannot get its name; return what each caller got, that one first."""
    first = await registry.held()
    bad, *good = await registry.staged(8)
    assert all(one.sha256[:2] != bad.sha256[:2] for one in good)
    put_in_the_way(registry, bad)
    waiting = registry.commits([*good[:3], bad, *good[3:]])
    await asyncio.sleep(0)
    registry.local.may_commit.set()
    await first
    got = await asyncio.gather(*waiting, return_exceptions=True)
    return [got.pop(3), *got]


async def test_a_file_that_cannot_be_committed_fails_alone(registry: Registry) -> None:
    """Its caller hears what the disk said and no row is left of it; the others of its batch are stored."""
    refused, *others = await commit_with_a_bad_one(registry)
    assert isinstance(refused, FileStoreError)
    assert refused.errno == errno.ENOTDIR
    assert others == [None] * 7
    assert await registry.rows() == registry.names()
    assert len(registry.names()) == 8


async def test_a_batch_that_is_not_split_fails_whole(registry: Registry) -> None:
    """The mutant: without the split, one file that the disk refuses takes all others along."""
    registry.files._commits._single = ()
    assert all(isinstance(got, FileStoreError) for got in await commit_with_a_bad_one(registry))


async def commit_beside_a_locked_row(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[BaseException | None]:
    """Commit four files of which somebody holds the row of the first; return what each caller got."""
    monkeypatch.setattr(registered, "_LOCK_MILLISECONDS", "100")
    await asyncio.gather(*registry.commits(await registry.staged(1)))
    async with asyncio.timeout(60), registry.database.transaction() as frozen:
        await frozen.execute("select 1 from files for update")
        waiting = registry.commits(await registry.staged(4))
        return list(await asyncio.gather(*waiting, return_exceptions=True))


async def test_a_row_that_somebody_holds_delays_the_others_only_shortly(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen sweeper has one file's row: whoever stores the same bytes is told to try again, all others go on."""
    locked, *others = await commit_beside_a_locked_row(registry, monkeypatch)
    assert isinstance(locked, DatabaseUnavailableError)
    assert others == [None] * 3
    assert await registry.rows() == registry.names()
    assert len(registry.names()) == 4


async def test_without_the_limit_on_locks_everybody_waits_for_the_frozen_one(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: the batch waits as long as the row is held."""
    spoil(registry.files, "touch_files", "set_config('lock_timeout', $3, true)", "$3::text")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await commit_beside_a_locked_row(registry, monkeypatch)


async def test_a_caller_that_goes_away_while_it_waits_leaves_nothing(registry: Registry) -> None:
    """Its file is discarded before its turn comes, and the others of the batch do not notice."""
    first = await registry.held()
    gone, *others = await registry.staged(3)
    leaving, *waiting = registry.commits([gone, *others])
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    await registry.files.discard(gone)
    registry.local.may_commit.set()
    await asyncio.gather(first, *waiting)
    assert leaving.cancelled()
    assert registry.local.batches == [1, 2]
    assert gone.sha256 not in registry.names()
    assert await registry.rows() == registry.names()


async def test_a_caller_that_goes_away_during_its_commit_leaves_nothing(registry: Registry) -> None:
    """Its file is discarded under the batch: the rows of the others are stored, its own is not."""
    first = await registry.held()
    gone, *others = await registry.staged(3)
    leaving, *waiting = registry.commits([gone, *others])
    registry.local.reached.clear()
    await asyncio.sleep(0)
    registry.local.may_commit.set()
    await first
    registry.local.may_commit.clear()
    await registry.local.reached.wait()
    leaving.cancel()
    await asyncio.wait([leaving])
    await registry.files.discard(gone)
    registry.local.may_commit.set()
    await asyncio.gather(*waiting)
    assert registry.local.batches[:2] == [1, 3]
    assert gone.sha256 not in registry.names()
    assert await registry.rows() == registry.names()


async def test_who_waits_when_the_store_closes_is_told(registry: Registry) -> None:
    """Nobody is left waiting, and nobody can begin to."""
    first = await registry.held()
    [staged] = await registry.staged(1)
    [waiting] = registry.commits([staged])
    await asyncio.sleep(0)
    await registry.services.stop()
    for task in (first, waiting):
        with pytest.raises(EngineClosedError):
            await task
    with pytest.raises(EngineClosedError):
        await registry.files.commit(staged)
    assert await registry.rows() == set()


async def test_a_full_disk_fails_everybody_and_keeps_nothing(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no folder can be made every caller hears of it, no row is stored, and it works again once there is room."""
    staged = await registry.staged(6)

    def full(path: object, *arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", full)
        got = await asyncio.gather(*registry.commits(staged), return_exceptions=True)
    assert [exc.errno for exc in got if isinstance(exc, FileStoreError)] == [errno.ENOSPC] * 6
    assert await registry.rows() == registry.names() == set()
    await asyncio.gather(*registry.commits(staged))
    assert await registry.rows() == registry.names() == {one.sha256 for one in staged}


def _fail(folder: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


async def test_a_file_whose_name_is_not_durable_loses_it_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that got its name, but no row because its folder could not be flushed, does not stay behind."""
    [staged] = await registry.staged(1)
    monkeypatch.setattr(files, "_flush_folder", _fail)
    with pytest.raises(FileStoreError):
        await registry.files.commit(staged)
    assert await registry.rows() == registry.names() == set()
    assert registry.leftovers() == []


async def test_what_somebody_else_stored_is_not_taken_back(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name belongs to whoever has a row for it, however another one's commit of the same bytes ended."""
    mine, other = [await registry.files.stage(b"same") for _ in range(2)]
    await registry.files.commit(other)
    monkeypatch.setattr(files, "_flush_folder", _fail)
    with pytest.raises(FileStoreError):
        await registry.files.commit(mine)
    assert await registry.rows() == registry.names() == {other.sha256}
    assert registry.leftovers() == []
