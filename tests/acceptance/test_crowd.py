"""Many uploads at once to one real server: all are taken, all are done, and readers hardly notice."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector
from attrs import define, field

from ..core.support import eventually
from .programs import Server, percentile, serving, slowness, stored_files, uploaded

UPLOADS = 80
SAME = 50
SECONDS = 240
"""How long all may take where the machine is busy with other things."""


def novel(number: int, *, size: int = 60_000) -> bytes:
    """Return a novel like no other, of about this size."""
    return "".join(
        f"Chapter {n}\n\nNovel {number:04} goes on, said Mary to John, line {n:05}.\n" for n in range(size // 65)
    ).encode()


@define
class Reader:
    """Somebody who keeps asking for lists, and how long each took."""

    session: ClientSession
    url: str
    latencies: list[float] = field(factory=list)

    async def read_on(self) -> None:
        """Ask until cancelled."""
        while True:
            began = time.perf_counter()
            async with self.session.get(f"{self.url}/api/v1/tasks?page_size=20") as response:
                assert response.status == 200
                await response.read()
            self.latencies.append(time.perf_counter() - began)
            await asyncio.sleep(0.01)

    def p99(self) -> float:
        """Return it, and begin anew."""
        taken, self.latencies = self.latencies, []
        return percentile(taken, 0.99)


async def _completed(session: ClientSession, url: str) -> dict[str, Any]:
    """Wait until no task waits or runs, and return the statistics."""
    while True:
        async with session.get(f"{url}/api/v1/tasks/statistics") as response:
            statistics: dict[str, Any] = await response.json()
        if not statistics["pending"] and not statistics["processing"]:
            return statistics
        await asyncio.sleep(0.1)


async def test_eighty_uploads_at_once_are_all_answered_and_all_done(database_url: str, open_folder: Path) -> None:
    """Eighty uploads that start together get 200 and complete, while lists are answered as before."""
    async with (
        asyncio.timeout(SECONDS),
        serving(open_folder, database_url) as server,
        ClientSession(connector=TCPConnector(limit=0)) as crowd,
        ClientSession() as session,
    ):
        reader = Reader(session, server.url)
        reading = asyncio.create_task(reader.read_on())
        await _quiet(reader)
        quiet, slow = reader.p99(), slowness()
        began = time.perf_counter()
        answers = await asyncio.gather(
            *(uploaded(crowd, server.url, novel(number), processor="split") for number in range(UPLOADS))
        )
        taken = time.perf_counter() - began
        statistics = await _completed(session, server.url)
        done = time.perf_counter() - began
        busy, asked = percentile(reader.latencies, 0.99), len(reader.latencies)
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled(), reading.exception()
    print(  # noqa: T201 - figures for whoever looks: `pytest -s`
        f"\n{UPLOADS} uploads at once: all answered with 200 in {taken:.2f} s, all completed in {done:.2f} s; "
        f"{asked} lists meanwhile within {busy * 1000:.0f} ms (p99), before within {quiet * 1000:.0f} ms"
    )
    assert len({answer["task_id"] for answer in answers}) == UPLOADS
    assert not any(answer["duplicate"] for answer in answers)
    assert (statistics["completed"], statistics["total"]) == (UPLOADS, UPLOADS)
    assert busy < slow + 20 * quiet


async def _quiet(reader: Reader) -> None:
    """Let the reader warm up, and then ask a hundred times."""
    await eventually(lambda: len(reader.latencies) > 100)
    reader.latencies.clear()
    await eventually(lambda: len(reader.latencies) > 100)


async def test_fifty_identical_uploads_at_once_are_one_task(database_url: str, open_folder: Path) -> None:
    """At two servers at once: one makes the task, 49 are told its id as a duplicate's, one file is stored."""
    async with (
        asyncio.timeout(SECONDS),
        serving(open_folder, database_url, "--no-worker") as a,
        serving(open_folder, database_url, "--no-worker") as b,
        ClientSession(connector=TCPConnector(limit=0)) as session,
    ):
        data = novel(0)
        answers = await asyncio.gather(*(uploaded(session, (a, b)[n % 2].url, data) for n in range(SAME)))
        async with session.get(f"{b.url}/api/v1/tasks") as response:
            total = (await response.json())["total"]
    assert len({answer["task_id"] for answer in answers}) == 1
    assert sum(answer["duplicate"] for answer in answers) == SAME - 1
    assert total == 1
    assert list(stored_files(open_folder)) == [hashlib.sha256(data).hexdigest()]


async def test_an_upload_cut_anywhere_leaves_nothing(database_url: str, open_folder: Path) -> None:
    """Cut at every 4 KB, by a reset or a goodbye, an upload makes neither task nor file; whole, it makes both."""
    async with (
        asyncio.timeout(SECONDS),
        serving(open_folder, database_url, "--no-worker") as server,
        ClientSession() as session,
    ):
        data = novel(1, size=100_000)
        request = _request(data)
        cuts = [*range(4096, len(request), 4096), len(request) - 1]
        for cut in cuts:
            await _cut(server, request[:cut], politely=cut % 8192 == 0)
        await _no_upload_is_under_way(session, server)
        async with session.get(f"{server.url}/api/v1/tasks") as response:
            assert (await response.json())["total"] == 0
        left = [path for path in (open_folder / "novel-tasks-data" / "files").rglob("*") if path.is_file()]
        assert left == []
        reader, writer = await server.connect()
        writer.write(request)
        assert b" 200 " in await reader.readline()
        assert list(stored_files(open_folder)) == [hashlib.sha256(data).hexdigest()]
        async with session.get(f"{server.url}/api/v1/tasks") as response:
            assert (await response.json())["total"] == 1
        errors = [line for line in server.lines() if line["level"] in ("error", "critical")]
    print(f"\n{len(cuts)} uploads cut short: no task, no file")  # noqa: T201 - figures for whoever looks: `pytest -s`
    assert errors == []


def _request(data: bytes) -> bytes:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="cut.txt"\r\n\r\n'
        + data
        + b'\r\n--b\r\nContent-Disposition: form-data; name="priority"\r\n\r\n3\r\n--b--\r\n'
    )
    return (
        b"POST /api/v1/tasks/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )


async def _cut(server: Server, sent: bytes, *, politely: bool) -> None:
    """Send the beginning of a request, and leave once it is on its way."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    await writer.drain()
    if politely:
        writer.write_eof()
        assert b" 200 " not in await reader.read()
    writer.transport.abort()


async def _no_upload_is_under_way(session: ClientSession, server: Server) -> None:
    while True:
        async with session.get(f"{server.url}/metrics") as figures:
            if "uploads_in_progress 0.0" in (await figures.text()).splitlines():
                return
        await asyncio.sleep(0.05)
