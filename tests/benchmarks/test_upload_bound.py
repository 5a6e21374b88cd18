"""The bare server that uploads are measured against, and the load that both get."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from benchmarks.harness.http_load import send_all, upload_request
from benchmarks.harness.processes import PeakMemory, free_port, serving
from benchmarks.harness.pure import cpu_seconds
from benchmarks.harness.run import BenchmarkError, Run


@pytest.fixture
async def empty_url(postgres_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database."""
    async with Run(quick=True, server_url=postgres_url, folder=tmp_path).database() as url:
        yield url


async def test_the_bare_server_keeps_files_and_rows(empty_url: str, tmp_path: Path) -> None:
    """The bound does the same durable work: every file whole under its name, and a row for it."""
    files, port = tmp_path / "files", free_port()
    files.mkdir()
    contents = [b"a" * 10, b"b" * 3_000_000, b"c" * 100]
    arguments = ("benchmarks.harness.bare_server", str(port), str(files), empty_url)
    async with serving(arguments, port=port, log=tmp_path / "log", env={}) as pid:
        memory = PeakMemory(pid)
        requests = [upload_request(f"{n}.txt", content) for n, content in enumerate(contents)]
        assert await send_all(port, requests, connections=2) > 0
        assert memory.growth_bytes() >= 0
    assert sorted(path.read_bytes() for path in files.iterdir()) == contents
    connection = await asyncpg.connect(empty_url)
    rows = await connection.fetch("select name, size from raw_uploads order by name")
    await connection.close()
    assert [tuple(row) for row in rows] == [("0.txt", 10), ("1.txt", 3_000_000), ("2.txt", 100)]


async def test_an_answer_that_is_not_200_stops_the_run(empty_url: str, tmp_path: Path) -> None:
    """Refused uploads must not count as fast ones."""
    port = free_port()
    arguments = ("benchmarks.harness.bare_server", str(port), str(tmp_path / "missing"), empty_url)
    async with serving(arguments, port=port, log=tmp_path / "log", env={}):
        with pytest.raises(BenchmarkError, match="500"):
            await send_all(port, [upload_request("a.txt", b"a")], connections=1)


async def test_a_server_that_does_not_start_is_explained(tmp_path: Path) -> None:
    """The end of its log says what was wrong."""
    with pytest.raises(BenchmarkError, match="No module named"):
        async with serving(("no_such_module",), port=free_port(), log=tmp_path / "log", env={}):
            pytest.fail("it started")


async def test_the_pure_time_of_a_processor_is_measured_alone(tmp_path: Path) -> None:
    """Processing costs CPU time, a longer novel more of it."""
    short, long = tmp_path / "short.txt", tmp_path / "long.txt"
    chapter = "Chapter {}\n\nIt rained. The ferry was late, as ever.\n\n"
    short.write_text("".join(chapter.format(n) for n in range(10)))
    long.write_text("".join(chapter.format(n) for n in range(5000)))
    assert await cpu_seconds("split", [short]) < await cpu_seconds("split", [long])


async def test_a_novel_that_cannot_be_processed_stops_the_run(tmp_path: Path) -> None:
    """A bound over fewer books would be too high."""
    with pytest.raises(BenchmarkError, match="exit code 1"):
        await cpu_seconds("split", [tmp_path / "missing.txt"])
