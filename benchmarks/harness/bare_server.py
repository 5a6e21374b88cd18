"""The bound of uploads: an aiohttp handler that makes a file and a row durable, and does nothing else.

`python -m benchmarks.harness.bare_server PORT FOLDER DATABASE_URL`
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import asyncpg
from aiohttp import BodyPartReader, web

from benchmarks.harness.machine import runner

_SCHEMA = "create table raw_uploads (id uuid primary key, name text not null, size bigint not null)"
_INSERT = "insert into raw_uploads (id, name, size) values ($1, $2, $3)"
_BLOCK = 1 << 20
_CONNECTIONS = 32


def make_app(folder: Path, url: str) -> web.Application:
    """Build the application."""

    async def database(app: web.Application) -> AsyncIterator[None]:
        async with asyncpg.create_pool(url, min_size=1, max_size=_CONNECTIONS) as pool:
            await pool.execute(_SCHEMA)
            app["pool"] = pool
            yield

    async def upload(request: web.Request) -> web.Response:
        part = await (await request.multipart()).next()
        assert isinstance(part, BodyPartReader)
        upload_id = uuid4()
        size = await _keep(part, folder / upload_id.hex)
        await request.app["pool"].execute(_INSERT, upload_id, part.filename or "", size)
        return web.json_response({"id": upload_id.hex})

    app = web.Application()
    app.cleanup_ctx.append(database)
    app.router.add_post("/api/v1/tasks/upload", upload)
    return app


async def _keep(part: BodyPartReader, path: Path) -> int:
    """Stream a part into a file that is durable under its name; a trip to a thread for each megabyte."""
    size, block = 0, bytearray()
    temporary = path.with_suffix(".part")
    while chunk := await part.read_chunk(1 << 18):
        block += chunk
        size += len(chunk)
        if len(block) >= _BLOCK:
            await asyncio.to_thread(_append, temporary, bytes(block))
            block.clear()
    await asyncio.to_thread(_finish, temporary, bytes(block), path)
    return size


def _append(path: Path, data: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(data)


def _finish(temporary: Path, data: bytes, path: Path) -> None:
    with temporary.open("ab", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno())
    temporary.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM."""
    port, folder, url = arguments
    with runner() as loops:
        app = make_app(Path(folder), url)
        web.run_app(app, host="127.0.0.1", port=int(port), print=None, access_log=None, loop=loops.get_loop())


if __name__ == "__main__":
    main(sys.argv[1:])
