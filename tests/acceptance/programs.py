"""`novel-tasks serve` and `novel-tasks worker` as processes of their own, and what a client says to them."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil
from aiohttp import ClientSession, FormData
from attrs import define, field

from novel_tasks_core.storage.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
GRACE_SECONDS = 2.0
START_SECONDS = 120.0
_OWN = ("DATA_DIR", "UPLOAD_DIR")


@define
class Program:
    """A process, and the file that it logs to, one JSON object a line."""

    process: asyncio.subprocess.Process
    folder: Path
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """Return what was logged, but for a last line that is not all there yet."""
        whole = [line for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [json.loads(line) for line in whole if line.startswith("{")]

    async def kill(self) -> None:
        """End it without a word, if it has not ended."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    @property
    def seen(self) -> psutil.Process:
        """The process as the system sees it."""
        return psutil.Process(self.process.pid)


@define
class Server(Program):
    """`novel-tasks serve`."""

    port: int = 0
    tails: list[asyncio.StreamWriter] = field(factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a bare connection; it is cut when the test ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.tails.append(writer)
        return reader, writer

    async def silent_socket(self) -> None:
        """Open a WebSocket that never says anything again, not even goodbye."""
        reader, writer = await self.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /api/v1/ws/tasks/silent HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in await reader.readline()

    async def stalled_upload(self) -> None:
        """Begin to send a novel, and never go on."""
        _, writer = await self.connect()
        writer.write(
            b"POST /api/v1/tasks/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="half.txt"\r\n\r\n' + b"half a novel\n" * 100
        )
        await writer.drain()


SERVE = ("-m", "novel_tasks_server", "serve", "--port", "0")


@asynccontextmanager
async def serving(
    folder: Path, database_url: str, *arguments: str, command: Sequence[str] = (), **settings: str
) -> AsyncIterator[Server]:
    """Run a server for the length of the block; it is as `start_server` says, and gone afterwards."""
    server = await start_server(folder, database_url, *arguments, command=command, **settings)
    try:
        yield server
    finally:
        for writer in server.tails:
            writer.transport.abort()
        await server.kill()


async def start_server(
    folder: Path, database_url: str, *arguments: str, command: Sequence[str] = (), **settings: str
) -> Server:
    """Start a server and return once it listens.

    `folder` holds the data of all programs that are given it. `command` is what is run in the place of `novel-tasks
    serve`, with the same arguments.
    """
    process, log = await _start(folder, database_url, (*(command or (sys.executable, *SERVE)), *arguments), settings)
    server = Server(process, folder, log)
    try:
        server.port = await _port(server)
    except BaseException:
        await server.kill()
        raise
    return server


@asynccontextmanager
async def working(folder: Path, database_url: str, *arguments: str, **settings: str) -> AsyncIterator[Program]:
    """Run a worker for the length of the block."""
    command = (sys.executable, "-m", "novel_tasks_server", "worker", *arguments)
    process, log = await _start(folder, database_url, command, settings, name="worker")
    program = Program(process, folder, log)
    try:
        yield program
    finally:
        await program.kill()


async def _start(
    folder: Path, database_url: str, command: Sequence[str], settings: dict[str, str], *, name: str = "server"
) -> tuple[asyncio.subprocess.Process, Path]:
    (folder / "tmp").mkdir(exist_ok=True)
    log = folder / f"{name}-{time.monotonic_ns()}.log"
    environment = {
        **{name: value for name, value in os.environ.items() if name not in _OWN},
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'data'}",
        "TMPDIR": str(folder / "tmp"),
        "DATABASE_URL": database_url,
        "SHUTDOWN_GRACE_SECONDS": str(GRACE_SECONDS),
        "LOG_FORMAT": "json",
        "MAX_FILE_SIZE": str(100 << 20),
        "RATE_LIMIT": "off",
        "UPLOAD_RATE_LIMIT": "off",
        "LOG_LEVEL": "info",
        **settings,
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )
    return process, log


async def _port(server: Server) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.returncode is None:
        for line in server.log.read_text().splitlines():
            if '"listening"' in line:
                return int(line.partition("http://127.0.0.1:")[2].partition('"')[0])
        await asyncio.sleep(0.05)
    raise AssertionError(server.log.read_text()[-3000:])


async def crash(database: EmbeddedPostgres) -> None:
    """End every process of the database server at once, as a power cut would."""
    programs = database._programs
    assert programs is not None
    await asyncio.to_thread(programs.stop, database._directory, mode="immediate", timeout_seconds=20)


async def restart(database: EmbeddedPostgres) -> None:
    """Start it again."""
    assert database._programs is not None
    await database._ensure_up(database._programs)


def form(data: bytes, *, name: str = "novel.txt", **fields: str) -> FormData:
    """Return the form of an upload: the fields, then the file."""
    body = FormData()
    for field_name, text in fields.items():
        body.add_field(field_name, text)
    body.add_field("file", BytesIO(data), filename=name, content_type="text/plain")
    return body


async def uploaded(session: ClientSession, url: str, data: bytes, **fields: str) -> dict[str, Any]:
    """Upload a file that is accepted, and return the answer."""
    async with session.post(f"{url}/api/v1/tasks/upload", data=form(data, **fields)) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


def stored_files(folder: Path) -> dict[str, Path]:
    """Return the files of the store by the hashes that are their names; half-made ones are not among them."""
    files = folder / "novel-tasks-data" / "files"
    return {path.name: path for path in files.glob("??/??/*") if path.is_file()}


def staged_files(folder: Path) -> list[Path]:
    """Return the half-made files of the store."""
    return [path for path in (folder / "novel-tasks-data" / "files" / "tmp").rglob("*") if path.is_file()]


def slowness() -> float:
    """Return how many programs want each core, now or in the last minute; at least one."""
    wanted = max(os.getloadavg()[0], int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0]))
    return max(1.0, wanted / (os.cpu_count() or 1))


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which this part of them lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
