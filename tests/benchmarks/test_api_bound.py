"""The bare server that reads are measured against, and the load that both get."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from benchmarks import api
from benchmarks.harness.history import multiply
from benchmarks.harness.http_reads import read_all, read_request
from benchmarks.harness.loads import Load, Loads, load_of
from benchmarks.harness.run import BenchmarkError, Run
from benchmarks.harness.service import engine_beside, service
from novel_tasks_core import format_task_id


@pytest.fixture
def run(postgres_url: str, tmp_path: Path) -> Run:
    """A run on the server of the tests."""
    return Run(quick=True, server_url=postgres_url, folder=tmp_path)


async def fetched(port: int, path: str) -> Any:
    """Return the JSON at a path."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        assert response.status == 200
        return json.loads(await response.read())


async def test_the_bare_server_shows_the_same_tasks(run: Run) -> None:
    """The bound reads what ours reads: the same pages, the same tasks, the same counts, made by copies too."""
    async with run.database() as url, service(run, url) as ours, api._bare(run, url) as bare:
        async with engine_beside(run, url) as engine:
            await api._ten(engine)
            await multiply(url, tasks=40)
            ids = await api._ids(engine)
        assert len(ids) == 50
        for path in (api._LIST, api._LIST_50, api._PAGES[1]):
            shown, read = await fetched(ours.port, path), await fetched(bare.port, path)
            assert [task["id"] for task in shown["tasks"]] == [
                "task-" + t["id"].replace("-", "") for t in read["tasks"]
            ]
            assert shown["total"] == 50
        path = f"{api._TASKS}/{format_task_id(ids[0])}"
        assert (await fetched(ours.port, path))["file_name"] == (await fetched(bare.port, path))["source_name"]
        counts = await fetched(ours.port, api._STATISTICS)
        assert (counts["completed"], counts["failed"], counts["processing"], counts["pending"]) == (41, 1, 3, 5)
        assert (await fetched(bare.port, api._STATISTICS))["completed"][0] == 41
        assert len(await read_all(ours.port, [read_request(api._LIST)] * 5, connections=2)) == 5


class Answering:
    """A server that answers each request with the same pieces, and closes the connection after so many."""

    def __init__(self, *pieces: bytes, closes_after: int = 1_000) -> None:
        self._pieces = pieces
        self._left = closes_after

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until it is time to close."""
        while await reader.read(1000):
            for piece in self._pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.005)
            self._left -= 1
            if not self._left:
                break
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def asked(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """The port of such a server."""
    server = await asyncio.start_server(request.param.serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=60)  # what serves connections notices that these are closed


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize("asked", [Answering(WHOLE[:20], WHOLE[20:40], WHOLE[40:])], indirect=True)
async def test_an_answer_counts_when_it_is_whole(asked: int) -> None:
    """However it is cut, the next request waits for all of it."""
    took = await read_all(asked, [read_request("/")] * 3, connections=1)
    assert len(took) == 3
    assert min(took) >= 0.01


@pytest.mark.parametrize("asked", [Answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")], indirect=True)
async def test_another_answer_than_200_stops_the_run(asked: int) -> None:
    """Refused requests must not count as fast ones."""
    with pytest.raises(BenchmarkError, match="503"):
        await read_all(asked, [read_request("/")], connections=1)


@pytest.mark.parametrize("asked", [Answering(WHOLE, closes_after=2)], indirect=True)
async def test_a_closed_connection_stops_the_run(asked: int) -> None:
    """A server that hangs up has not answered."""
    with pytest.raises(BenchmarkError, match="has closed a connection"):
        await read_all(asked, [read_request("/")] * 3, connections=1)


async def test_loads_tell_rates_and_costs() -> None:
    """More a second is better, more CPU time is not; both are compared with what ran beside them."""
    loads = Loads(ours=(Load(50.0, 30.0),), bounds=(Load(100.0, 10.0), Load(100.0, 10.0)))
    rate = loads.rate("api.get", unit="request", reference="bare", target=0.5)
    cost = loads.cpu("api.get_cpu", unit="request", reference="bare")
    assert (rate.ratio, rate.unit, rate.met) == (0.5, "requests/s", True)
    assert (cost.ratio, cost.unit, cost.better.value) == (3.0, "us/request", "lower")


async def test_the_load_of_a_process_is_its_own_cpu_time() -> None:
    """Waiting costs no CPU time, and the rate counts the time that passed."""
    load = await load_of(os.getpid(), asyncio.sleep(0.1), amount=10)
    assert load.per_second <= 100
    assert load.cpu_microseconds < 10_000
