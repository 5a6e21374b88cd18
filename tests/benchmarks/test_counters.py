"""What is counted between a program and its database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg
import pytest

from benchmarks.harness import bounds
from benchmarks.harness.costs import BufferLink, Records, Touched, log_of
from benchmarks.harness.noops import Counter, wave
from benchmarks.harness.run import Run
from benchmarks.harness.wire import CLOCKED, Reader, Traffic, counted, project_statements
from benchmarks.snapshot import drain_under_snapshot
from benchmarks.wal import Logged, by_statement, table
from novel_tasks_core import EngineConfig, TaskEngine


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A folder with a path that is short enough for a socket."""
    with TemporaryDirectory(prefix="nt-") as made:
        yield Path(made)


@pytest.fixture
async def empty_url(postgres_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database."""
    async with Run(quick=True, server_url=postgres_url, folder=tmp_path).database() as url:
        yield url


async def test_statements_and_round_trips_are_counted_by_name(empty_url: str, socket_folder: Path) -> None:
    """A prepared statement that runs three times counts three times, and its preparation is a round trip more."""
    async with counted(empty_url, folder=socket_folder) as (url, traffic):
        connection = await asyncpg.connect(url)
        for number in range(3):
            assert await connection.fetchval("select $1::int", number) == number
        await connection.execute("begin; commit")
        await connection.close()
    assert traffic.statements["select $1::int"] == 3
    assert traffic.round_trips["select $1::int"] == 4
    assert traffic.statements["begin; commit"] == traffic.round_trips["begin; commit"] == 1


async def test_a_lost_server_ends_the_connection(empty_url: str, socket_folder: Path) -> None:
    """When the server hangs up, the program behind the relay notices."""
    async with counted(empty_url, folder=socket_folder) as (url, _):
        connection = await asyncpg.connect(url)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")
        connection.terminate()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_messages_are_read_however_they_are_cut(size: int) -> None:
    """The pieces in which bytes arrive change no count."""

    def message(kind: bytes, body: bytes) -> bytes:
        return kind + (len(body) + 4).to_bytes(4, "big") + body

    sent = (
        message(b"", b"\0\3\0\0user\0postgres\0\0")
        + message(b"P", b"s1\0select 1\0\0\0")
        + message(b"H", b"")
        + message(b"B", b"\0s1\0\0\0\0\0\0\0")
        + message(b"E", b"\0\0\0\0\0")
        + message(b"S", b"")
        + message(b"Q", b"commit\0")
    )
    traffic = Traffic()
    reader = Reader(traffic, {"select 1": "one"})
    for start in range(0, len(sent), size):
        reader.feed(sent[start : start + size])
    assert traffic.statements == {"one": 1, "commit": 1}
    assert traffic.round_trips == {"one": 2, "commit": 1}


def test_what_the_clock_sets_off_is_left_out() -> None:
    """Totals can leave statements out; clearing begins anew."""
    traffic = Traffic()
    traffic.statements.update({"workers.beat": 5, "queue.claim": 2})
    traffic.round_trips.update({"workers.beat": 5, "queue.claim": 3})
    assert traffic.totals(without=CLOCKED) == (2, 3)
    traffic.clear()
    assert traffic.totals(without=frozenset()) == (0, 0)


def test_the_statements_of_the_clock_exist() -> None:
    """A statement that was renamed must not be counted all of a sudden."""
    known = set(project_statements().values())
    assert {name for name in CLOCKED if not name.startswith("select ")} <= known


async def test_bytes_of_log_grow_with_what_is_written(empty_url: str) -> None:
    """A thousand rows log more than ten, and reading logs next to nothing."""
    await bounds.create(empty_url)
    logged = []
    async with log_of(empty_url) as log:
        for rows in (100, 1000):
            await log.begin()
            await bounds.insert_many(empty_url, tasks=rows)
            logged.append(await log.count())
    assert logged[0] > 100 * 100
    assert 8 < logged[1] / logged[0] < 12


async def test_buffers_are_counted_for_each_statement_alone(empty_url: str, tmp_path: Path) -> None:
    """What an earlier statement touched is not counted again."""
    await bounds.create(empty_url, tasks=500)
    link = BufferLink(empty_url, config=EngineConfig(database_url=empty_url, data_dir=tmp_path))
    for _ in range(3):
        await link.fetch("select count(*) from raw_tasks")
    await link.fetch("select 1")
    await link.close()
    first, second, third, nothing = (one.buffers for one in link.counted)
    assert first >= second == third > 0  # the first is also planned
    assert nothing == 0
    assert link.counted[-1] == Touched("select 1", 1, 0)


async def test_the_bounds_of_submits_store_what_they_say(empty_url: str) -> None:
    """A bound that stored less than it counts would be too high."""
    await bounds.create(empty_url)
    assert await bounds.insert_many(empty_url, tasks=300) > 0
    assert await bounds.insert_singly(empty_url, tasks=200, connections=5) > 0
    connection = await asyncpg.connect(empty_url)
    assert await connection.fetchval("select count(*) from raw_tasks where payload ? 'novel'") == 500
    await connection.close()


async def test_the_bound_of_the_drain_finishes_every_row(empty_url: str) -> None:
    """Rows and results are kept."""
    await bounds.create(empty_url, tasks=250)
    assert await bounds.drain(empty_url, tasks=250) > 0
    connection = await asyncpg.connect(empty_url)
    assert await connection.fetchval("select count(*) from raw_tasks where status = 2 and result is not null") == 250
    await connection.close()


async def test_waves_of_no_ops_are_counted_through_a_relay(
    database_url: str, tmp_path: Path, socket_folder: Path
) -> None:
    """A wave takes one submit and one finish, whatever its size."""
    counter = Counter()
    async with counted(database_url, folder=socket_folder) as (relayed, traffic):
        config = EngineConfig(database_url=relayed, data_dir=tmp_path / uuid4().hex)
        async with (
            TaskEngine.open(config, processors=counter.processors(), observers=[counter]) as engine,
            engine.worker(concurrency=20),
        ):
            await wave(engine, counter, tasks=20)
            traffic.clear()
            await wave(engine, counter, tasks=20)
    assert (traffic.statements["submits.submit"], traffic.statements["queue.finish"]) == (1, 1)


async def test_the_log_is_told_apart_by_table_and_kind(empty_url: str) -> None:
    """The records of a thousand inserted rows name the table, and together they are all that was logged."""
    await bounds.create(empty_url)
    async with log_of(empty_url) as log:
        await log.begin()
        await bounds.insert_many(empty_url, tasks=1000)
        records = await log.records()
        # Each look logs a little itself.
        assert sum(one.bytes for one in records) == pytest.approx(await log.count(), rel=0.01)
    inserts = [one for one in records if one.relation == "raw_tasks" and one.kind.startswith("Heap/INSERT")]
    assert sum(one.records for one in inserts) == 1000
    assert len({one.transaction for one in inserts}) == 10


def test_transactions_are_known_by_what_they_do() -> None:
    """Each statement is recognised; what nobody knows counts all the same, except what the clock sets off."""

    def logged(transaction: int, *places: tuple[str, str]) -> list[Records]:
        return [Records(transaction, kind, relation, 1, 10) for kind, relation in places]

    commit = ("Transaction/COMMIT", "")
    records = [
        *logged(1, ("Heap/INSERT+INIT", "tasks"), ("Btree/INSERT_LEAF", "task_ready_pkey"), commit),
        *logged(2, ("Heap/DELETE", "task_ready"), ("Heap/INSERT", "task_leases"), commit),
        *logged(3, ("Heap/HOT_UPDATE", "tasks"), ("Heap/INSERT", "task_counts"), commit),
        *logged(4, ("Heap/HOT_UPDATE", "workers"), commit),
        *logged(5, ("Heap/DELETE", "task_counts"), ("Btree/INSERT_LEAF", "task_counts_by_owner"), commit),
        *logged(6, commit),
        *logged(7, ("Heap/UPDATE", "task_leases"), commit),
        *logged(0, ("Heap2/PRUNE_ON_ACCESS", "task_ready")),
    ]
    told = by_statement(records)
    assert {(statement, one.transaction) for statement, one in told} == {
        ("submit", 1),
        ("claim", 2),
        ("finish", 3),
        ("other", 7),
        ("other", 0),
    }
    shown = table(Logged("", 2, tuple(by_statement(records))))
    assert "2 tasks, 60 bytes a task" in shown
    assert "task_ready_pkey" in shown


async def test_claims_under_a_held_snapshot_are_counted_one_by_one(template: str, tmp_path: Path) -> None:
    """A round is nine claims of a hundred tasks and six of one, through the real worker, and a refresh."""
    touched, first = await drain_under_snapshot(Run(quick=True, server_url=template, folder=tmp_path), rounds=1)
    claims = [one for one in touched if one.statement == "queue.claim"]
    assert [one.rows for one in claims] == [100] * 9 + [1] * 6
    assert min(one.buffers for one in claims) > 0
    assert first == len(touched)
    assert "queue.ready_heads" in {one.statement for one in touched}
