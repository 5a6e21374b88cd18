"""Every system call that an upload makes on the disk fails once: the client is told, and nothing half-done stays.

`strace` makes them fail, in the process of a real server.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientResponse, ClientSession
from attrs import define

from ..acceptance.programs import Server, form, serving, staged_files, stored_files, uploaded
from . import one_disk_thread

CALLS = {
    "open": "openat,open,creat",
    "mkdir": "mkdir,mkdirat",
    "write": "write,pwrite64,writev",
    "fsync": "fsync,fdatasync",
    "rename": "rename,renameat,renameat2",
}
ANSWERS = {"ENOSPC": 507, "EIO": 500}
MOST = 60
LARGE = 1_200_000
"""More than is staged in one piece."""


@define
class Fault:
    """What `strace` does to the threads of a server that work on the disk."""

    log: Path

    @property
    def happened(self) -> bool:
        """Whether a call was made to fail."""
        return "(INJECTED)" in self.log.read_text()


@asynccontextmanager
async def failing(server: Server, calls: str, error: str, number: int, log: Path) -> AsyncIterator[Fault]:
    """Let the call of this number fail once, in every thread but the one of the event loop."""
    log.unlink(missing_ok=True)
    threads = [str(thread.id) for thread in server.seen.threads() if thread.id != server.process.pid]
    process = await asyncio.create_subprocess_exec(
        *("strace", "-o", str(log), *(word for thread in threads for word in ("-p", thread))),
        *("-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={number}"),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            for _ in threads:
                line = await process.stderr.readline()
                if b"attached" not in line:
                    pytest.skip(f"strace may not attach to a process here: {line.decode().strip()}")
        yield Fault(log)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.communicate()


@define
class World:
    """A server, its database and its store."""

    server: Server
    session: ClientSession
    db: Any
    folder: Path
    dice: random.Random

    async def upload(self, data: bytes) -> ClientResponse:
        """Upload a file, and read the answer."""
        response = await self.session.post(f"{self.server.url}/api/v1/tasks/upload", data=form(data))
        await response.read()
        return response

    async def check(self) -> None:
        """Assert that files and rows belong together, and that nothing half-made is left."""
        files = stored_files(self.folder)
        rows = {row[0] for row in await self.db.fetch("select encode(sha256, 'hex') from files")}
        assert files.keys() - rows == set(), "a file that no row knows of: nobody would ever remove it"
        assert rows - files.keys() == set(), "a row without its file"
        assert all(hashlib.sha256(path.read_bytes()).hexdigest() == name for name, path in files.items())
        assert staged_files(self.folder) == []

    async def sweep(self, name: str, error: str, size: int) -> int:
        """Let the first, the second... of these calls of an upload fail, and return how many it makes."""
        for number in range(1, MOST):
            data = self.dice.randbytes(size)
            async with failing(self.server, CALLS[name], error, number, self.folder / "strace.log") as fault:
                response = await self.upload(data)
            if not fault.happened:
                assert response.status == 200
                return number - 1
            text = await response.text()
            assert (response.status, response.content_type) == (ANSWERS[error], "application/problem+json"), (
                f"{name} {number} of {size} bytes failed with {error}: {response.status} {text}"
            )
            assert "Traceback" not in text
            assert str(self.folder) not in text
            await self.check()
            answer = await uploaded(self.session, self.server.url, data)
            assert not answer["duplicate"], "the upload that was refused made a task"
            await self.check()
        raise AssertionError(f"an upload makes more than {MOST} calls of {name}")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
async def test_a_disk_that_fails_at_any_call_leaves_nothing_half_done(database_url: str, tmp_path: Path) -> None:
    """Whichever call fails for want of room or by a fault: 507 or 500, no stray file or row, and the next try works."""
    command = (sys.executable, "-m", one_disk_thread.__name__, "serve", "--port", "0")
    db = await asyncpg.connect(database_url)
    made: Counter[str] = Counter()
    try:
        async with (
            serving(tmp_path, database_url, "--no-worker", command=command) as server,
            ClientSession() as session,
        ):
            world = World(server, session, db, tmp_path, random.Random(1))
            await uploaded(session, server.url, b"the thread for the disk exists from now on")
            for name in CALLS:
                for error in ANSWERS:
                    made[name] += await world.sweep(name, error, 5_000)
            made["write"] += await world.sweep("write", "ENOSPC", LARGE)
            made["fsync"] += await world.sweep("fsync", "EIO", LARGE)
    finally:
        await db.close()
    print(f"\n{made.total()} calls failed: {dict(made)}; orphans 0, partial files 0")  # noqa: T201 - figures: pytest -s
    assert all(made[name] for name in CALLS)
