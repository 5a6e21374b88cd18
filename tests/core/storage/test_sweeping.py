"""Sweeping files that nobody needs, never one that somebody stores at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from novel_tasks_core.config import EngineConfig
from novel_tasks_core.errors import InvalidInputError, SourceNotFoundError
from novel_tasks_core.execution.services import Services
from novel_tasks_core.models import Completed, NewArtifact, Source, new_task_id
from novel_tasks_core.storage.files import LocalFiles, StagedFile
from novel_tasks_core.storage.registered import RegisteredFiles
from novel_tasks_core.storage.staging import adopt_work

from ..support import eventually
from .bench import Bench, open_bench, spoil


class GatedFiles(LocalFiles):
    """A store whose renames or removals wait for the test."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reached = asyncio.Event()
        self.may_commit = asyncio.Event()
        self.may_unlink = asyncio.Event()
        self.may_commit.set()
        self.may_unlink.set()

    async def commit(self, *staged: StagedFile) -> None:
        """Wait, then give the name."""
        if not self.may_commit.is_set():
            self.reached.set()
        await self.may_commit.wait()
        await super().commit(*staged)

    async def unlink(self, sha256: str) -> None:
        """Wait, then remove."""
        if not self.may_unlink.is_set():
            self.reached.set()
        await self.may_unlink.wait()
        await super().unlink(sha256)


class Store:
    """Files with their rows, on a bench."""

    def __init__(self, bench: Bench, root: Path) -> None:
        self.bench = bench
        self.gates = GatedFiles(root)
        self.files = RegisteredFiles(self.gates, bench.database)

    async def put(self, data: bytes) -> str:
        """Store bytes and return their hash."""
        staged = await self.files.stage(data)
        await self.files.commit(staged)
        return staged.sha256

    async def put_old(self, data: bytes) -> str:
        """Store bytes that nobody has touched for two hours."""
        sha256 = await self.put(data)
        await self.bench.other.execute("update files set touched_at = now() - interval '2 hours'")
        return sha256

    async def is_whole(self, sha256: str) -> bool:
        """Say whether there are both a row and a file."""
        row = await self.bench.database.fetchval("select true from files where sha256 = $1", bytes.fromhex(sha256))
        return bool(row) and await self.files.exists(sha256)

    def spoil(self, query: str, guard: str, instead: str) -> None:
        """Replace a part of a statement, which must be there."""
        spoil(self.files, query, guard, instead)


@pytest.fixture
async def store(database_url: str, engine_config: EngineConfig, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    async for bench in open_bench(database_url, engine_config):
        made = Store(bench, tmp_path / "files")
        async with Services() as services:
            for name, loop in made.files.loops().items():
                services.start(name, loop)
            yield made
        made.gates.close()


async def test_only_old_files_that_nothing_refers_to_are_swept(store: Store) -> None:
    """Sources and artifacts stay, young ones stay; of the rest neither file nor row remains."""
    unused, source, artifact = [await store.put_old(name) for name in (b"unused", b"source", b"artifact")]
    young = await store.put(b"young")
    task_id = await store.bench.submit(source=Source(source, 6, "n"))
    await store.bench.other.execute(
        "insert into artifacts values ($1, 1, 'a', 't', 8, $2)", task_id, bytes.fromhex(artifact)
    )
    assert await store.files.sweep(unused_seconds=3600) == 1
    assert [await store.is_whole(s) for s in (unused, source, artifact, young)] == [False, True, True, True]
    assert not await store.files.exists(unused)
    assert await store.files.sweep(unused_seconds=3600) == 0


async def stored_while_swept(store: Store) -> bool:
    """The sweeper has the row and is about to remove the file when somebody stores the same bytes."""
    sha256 = await store.put_old(b"same")
    store.gates.may_unlink.clear()
    sweeping = asyncio.create_task(store.files.sweep(unused_seconds=3600))
    await store.gates.reached.wait()
    staged = await store.files.stage(b"same")
    try:
        storing = await store.bench.blocked(store.files.commit(staged))
    except AssertionError:
        storing = None  # it did not wait
    store.gates.may_unlink.set()
    assert await sweeping == 1
    if storing is not None:
        await storing
    return await store.is_whole(sha256)


async def swept_while_stored(store: Store) -> bool:
    """Somebody who stores the same bytes has the row and is about to rename when the sweeper comes to it."""
    sha256 = await store.put_old(b"same")
    store.gates.may_commit.clear()
    storing = asyncio.create_task(store.put(b"same"))
    await store.gates.reached.wait()
    sweeping = await store.bench.blocked(store.files.sweep(unused_seconds=3600))
    store.gates.may_commit.set()
    assert await storing == sha256
    await sweeping
    return await store.is_whole(sha256)


async def test_bytes_stored_while_they_are_swept_stay(store: Store) -> None:
    """Whoever came second waits for the other and puts the file back."""
    assert await stored_while_swept(store)


async def test_bytes_swept_while_they_are_stored_stay(store: Store) -> None:
    """The sweeper waits for the store and then finds the file touched."""
    assert await swept_while_stored(store)


async def test_without_the_lock_of_the_store_the_file_is_lost(store: Store) -> None:
    """The mutant of the first race: a store that does not take the row lets its file be removed."""
    store.spoil("touch_files", store.files._sql["touch_files"], "select $1::bytea[], $2::bigint[], $3::text")
    await store.bench.other.execute("insert into files (sha256, size) values (sha256('same'), 4)")
    assert not await stored_while_swept(store)


async def test_without_the_second_look_of_the_sweeper_the_file_is_lost(store: Store) -> None:
    """The mutant of the second race: a sweeper that trusts its first look removes what was just stored."""
    store.spoil("lock_unused_file", "and f.touched_at < now() - $2 * interval '1 second'", "and $2::float8 > 0")
    assert not await swept_while_stored(store)


async def test_a_submit_that_meets_the_sweeper_hears_that_its_source_is_gone(store: Store) -> None:
    """It waits for the sweeper, and no task is stored that refers to nothing."""
    sha256 = await store.put_old(b"late")
    store.gates.may_unlink.clear()
    sweeping = asyncio.create_task(store.files.sweep(unused_seconds=3600))
    await store.gates.reached.wait()
    submitting = await store.bench.blocked(store.bench.submit(source=Source(sha256, 4, "n")))
    store.gates.may_unlink.set()
    with pytest.raises(SourceNotFoundError) as caught:
        await submitting
    assert caught.value.sha256 == sha256
    assert await sweeping == 1
    await eventually(lambda: not (store.gates.path_of(sha256)).exists())


async def reuploads_against_sweeps(store: Store, rounds: int = 8) -> list[str]:
    """Store the same bytes and submit them, again and again, while two sweepers take all that nothing refers to."""
    wrong: list[str] = []
    done = asyncio.Event()

    async def sweep() -> None:
        while not done.is_set():
            await store.files.sweep(unused_seconds=0)
            await asyncio.sleep(0)

    async def upload(number: int) -> None:
        for round_ in range(rounds):
            data = f"{number % 2} {round_}".encode()
            sha256 = await store.put(data)
            try:
                task_id = await store.bench.submit(source=Source(sha256, len(data), "n"))
            except (SourceNotFoundError, InvalidInputError):
                continue  # swept before it was submitted, as one that waits for an hour may be: it was told
            if not await store.is_whole(sha256):
                wrong.append(f"{data!r} of a stored task is gone")
            await store.bench.transitions.delete(task_id, if_version=None)

    sweepers = [asyncio.create_task(sweep()) for _ in range(2)]
    await asyncio.gather(*(upload(number) for number in range(4)))
    done.set()
    await asyncio.gather(*sweepers)
    return wrong


async def test_a_source_of_a_task_is_never_swept(store: Store) -> None:
    """However often the same bytes come and go while sweepers look: whoever got a task has its file."""
    assert await reuploads_against_sweeps(store) == []


async def test_the_files_of_a_zombie_are_swept_and_those_of_a_result_are_not(store: Store) -> None:
    """A late end leaves its artifact's file to nobody; the rightful one's stays, though both are old."""
    late, rightful = await store.put_old(b"late"), await store.put_old(b"rightful")
    task_id = await store.bench.submit()
    [first] = await store.bench.claim(1)
    await store.bench.rescue(first, holder=1)
    [second] = await store.bench.claim(2)
    for claim, holder, sha256 in ((first, 1, late), (second, 2, rightful)):
        kept = NewArtifact(name="a", content_type="t", size=4, sha256=sha256)
        await store.bench.end(claim, Completed(artifacts=(kept,)), holder=holder)
    assert (await store.bench.state(task_id))[0] == "completed"
    assert await store.files.sweep(unused_seconds=3600) == 1
    assert (await store.is_whole(late), await store.is_whole(rightful)) == (False, True)


async def test_the_work_of_ended_tasks_is_swept(store: Store) -> None:
    """Work folders of tasks that are gone or at their end go; those of unfinished ones, and young ones, stay."""
    waiting, over, gone = await store.bench.submit(), await store.bench.submit(), new_task_id()
    await store.bench.transitions.cancel(over, reason="", if_version=None)
    for task_id in (waiting, over, gone):
        adopt_work(store.files.work_folder / task_id.hex, 1)
    (store.files.work_folder / "not-ours").mkdir()

    assert await store.files.sweep_temporary(older_than_seconds=3600) == 0
    assert await store.files.sweep_temporary(older_than_seconds=-1) == 2

    assert sorted(path.name for path in store.files.work_folder.iterdir()) == sorted([waiting.hex, "not-ours"])
