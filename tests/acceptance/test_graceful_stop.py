"""SIGTERM to a real server that is busy with everything at once: it is gone in time, in order, and leaves no mess."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import asyncpg
from aiohttp import ClientSession, WSCloseCode, WSMsgType

from novel_tasks_core.processors.registry import ENTRY_POINTS

from ..core.support import eventually
from .programs import GRACE_SECONDS, ROOT, Server, serving, slowness, uploaded

BOUND_SECONDS = 2.0
"""How much longer than the grace it may take, on a machine with a core for it."""
SOCKETS = 500
UPLOADS = 5
TASKS = 20
POLITE = 5
ALL_BUSY = f'worker_slots{{state="used"}} {float(TASKS)}'
SLOTS = {"MAX_CONCURRENT_TASKS": str(TASKS)}
ENDLESS = "specimen_processors"


def _offer(folder: Path) -> str:
    """Install processors that never end; return the path where programs find them."""
    package = folder / "endless-1.dist-info"
    package.mkdir()
    (package / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\nwait = {ENDLESS}:wait\ncompute = {ENDLESS}:compute\n")
    return os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "data", folder)))


async def _submit_work(session: ClientSession, server: Server) -> str:
    """Queue as many tasks as there are slots, of which one computes; return its id."""
    first = await uploaded(session, server.url, b"0", processor="compute")
    for number in range(1, TASKS):
        await uploaded(session, server.url, str(number).encode(), processor="wait")
    return str(first["task_id"])


async def test_sigterm_with_everything_open(database_url: str, open_folder: Path) -> None:
    """With tasks running, 500 sockets open of which most never answer, and uploads stalled, it ends with 0 in time."""
    settings = {**SLOTS, "PYTHONPATH": _offer(open_folder)}
    async with (
        asyncio.timeout(240),
        serving(open_folder, database_url, **settings) as server,
        ClientSession() as session,
    ):
        for _ in range(SOCKETS - POLITE):
            await server.silent_socket()
        task_id = await _submit_work(session, server)
        polite = [await session.ws_connect(f"{server.url}/api/v1/ws/tasks/polite") for _ in range(POLITE)]
        for socket in polite:
            await socket.send_json({"type": "subscribe", "task_id": task_id})
            await socket.receive()
        await _in_figures(session, server, f"websockets {float(SOCKETS)}", ALL_BUSY)
        for _ in range(UPLOADS):  # last: one that is silent for long is refused
            await server.stalled_upload()
        await _in_figures(session, server, f"uploads_in_progress {float(UPLOADS)}")
        began, slow = time.monotonic(), slowness()
        server.process.send_signal(signal.SIGTERM)
        assert await _refuses(session, server) == (503, 503, "5")
        codes = [await _close_code(socket) for socket in polite]
        code = await server.process.wait()
        took, slow = time.monotonic() - began, max(slow, slowness())
        log = server.log.read_text()
        assert (code, codes) == (0, [WSCloseCode.SERVICE_RESTART] * len(polite)), log[-3000:]
        assert took < GRACE_SECONDS + BOUND_SECONDS * slow, log[-3000:]
        assert _left_behind(open_folder) == []
        assert await _processing(database_url) == 0
        assert '"level": "error"' not in log
        assert '"level": "critical"' not in log


async def test_a_second_sigterm_does_not_wait(database_url: str, open_folder: Path) -> None:
    """Running tasks are handed back at once, stalled uploads cut off, and it ends with 0 long before the grace."""
    settings = {**SLOTS, "PYTHONPATH": _offer(open_folder), "SHUTDOWN_GRACE_SECONDS": "600"}
    async with (
        asyncio.timeout(240),
        serving(open_folder, database_url, **settings) as server,
        ClientSession() as session,
    ):
        await _submit_work(session, server)
        await server.silent_socket()
        await _in_figures(session, server, ALL_BUSY)
        await server.stalled_upload()
        await _in_figures(session, server, "uploads_in_progress 1.0")
        server.process.send_signal(signal.SIGTERM)
        await _refuses(session, server)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert await server.process.wait() == 0
        assert time.monotonic() - began < 120, server.log.read_text()[-3000:]
        assert _left_behind(open_folder) == []
        assert await _processing(database_url) == 0


async def test_sigusr1_tells_what_everything_waits_for(database_url: str, open_folder: Path) -> None:
    """Every asyncio task is told by the places where it waits, equal ones together: bounded, with many sockets too."""
    async with asyncio.timeout(240), serving(open_folder, database_url, **SLOTS) as server, ClientSession() as session:
        for _ in range(100):
            await server.silent_socket()
        await _in_figures(session, server, "websockets 100.0")
        before = server.log.stat().st_size
        server.process.send_signal(signal.SIGUSR1)
        [line] = await eventually(lambda: [line for line in server.lines() if line["event"] == "stacks_of_tasks"])
        assert line["tasks"] >= line["different"] >= 10
        assert "novel_tasks_server/app/serving.py" in line["stack"]
        assert "novel_tasks_core/worker/worker.py" in line["stack"]
        assert server.log.stat().st_size - before < 100_000
        async with session.get(f"{server.url}/livez") as alive:
            assert alive.status == 200


async def _in_figures(session: ClientSession, server: Server, *wanted: str) -> None:
    """Wait until all these are among the metrics."""
    while True:
        async with session.get(f"{server.url}/metrics") as figures:
            text = await figures.text()
        if all(line in text.splitlines() for line in wanted):
            return


async def _refuses(session: ClientSession, server: Server) -> tuple[int, int, str | None]:
    """Wait until it is not ready; return its status, that of a new upload, and when that may come again."""
    while True:
        async with session.get(f"{server.url}/readyz") as ready:
            if ready.status != 200:
                break
    async with session.post(f"{server.url}/api/v1/tasks/upload", json={}) as upload:
        return ready.status, upload.status, upload.headers.get("Retry-After")


async def _close_code(socket: Any) -> int | None:
    while (message := await socket.receive()).type is WSMsgType.TEXT:
        pass
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
    return int(socket.close_code)


def _left_behind(folder: Path) -> list[str]:
    """Return the temporary files that are still there: in the store, its work folders, and the system's place."""
    left = [*(folder / "tmp").rglob("*"), *(folder / "novel-tasks-data" / "files" / "incoming").rglob("*")]
    return [str(path.relative_to(folder)) for path in left]


async def _processing(database_url: str) -> int:
    db = await asyncpg.connect(database_url)
    try:
        return int(await db.fetchval("select (select count(*) from task_leases) + (select count(*) from workers)"))
    finally:
        await db.close()
