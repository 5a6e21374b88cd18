"""A file of the server into a file of ours: whole and as it is there, or not at all."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import aiohttp

from novel_tasks_server.client.errors import DamagedDownloadError, ServerRefusedError, ServerUnreachableError
from novel_tasks_server.client.patience import Patience, may_pass
from novel_tasks_server.client.transport import Transport

Progress = Callable[[int, int | None], object]
"""Is told how many bytes have arrived, and of how many; None where nobody knows."""

_CHUNK_BYTES = 256 * 1024
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


async def download(transport: Transport, path: str, to: Path, *, progress: Progress | None) -> None:
    """Write what is at `path` to the file `to`, which appears only when it is complete.

    A connection that breaks is taken up again where it broke, as long as something arrives within the patience.

    Raises: DamagedDownloadError when it does not have the digest that the server told, OSError when it cannot
    be written.
    """
    await asyncio.to_thread(to.parent.mkdir, parents=True, exist_ok=True)
    patience = transport.patience()
    async with _Arriving(to) as file:
        while True:
            try:
                await _receive(transport, path, file, patience, progress)
                break
            except (ServerRefusedError, ServerUnreachableError) as exc:
                if isinstance(exc, ServerRefusedError) and exc.status == 416 and file.size:
                    file.etag, file.size = None, 0  # it has become shorter: from the beginning
                    continue
                if not may_pass(exc) or (isinstance(exc, ServerUnreachableError) and not (exc.reached or file.begun)):
                    raise
                await patience.pause(exc)
        await file.keep()


async def _receive(
    transport: Transport, path: str, file: _Arriving, patience: Patience, progress: Progress | None
) -> None:
    """Take as much as one answer brings."""
    headers = {"Accept-Encoding": "identity", **file.rest()}
    async with transport.answer("GET", path, headers=headers) as response:
        if not file.continues_with(response):
            await file.begin(response.headers)
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            await file.write(chunk)
            patience.succeeded()
            if progress is not None:
                progress(file.size, file.total)


class _Arriving:
    """A file under a name of its own beside the one that it is to have; gone after the block unless kept."""

    def __init__(self, to: Path) -> None:
        self.size = 0
        self.total: int | None = None
        self.etag: str | None = None
        self.begun = False
        self._to = to
        self._partial = to.with_name(f".{uuid4().hex}.part")
        self._digest: bytes | None = None
        self._hash = hashlib.sha256()

    async def __aenter__(self) -> Self:
        self._file = await asyncio.to_thread(self._partial.open, "xb")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._file.close()
        await asyncio.to_thread(self._partial.unlink, missing_ok=True)

    def rest(self) -> dict[str, str]:
        """Return the headers that ask for what is still to come."""
        if not self.size:
            return {}
        wanted = {"Range": f"bytes={self.size}-"}
        return wanted | ({"If-Range": self.etag} if self.etag else {})

    def continues_with(self, response: aiohttp.ClientResponse) -> bool:
        """Whether this answer goes on where the last one ended."""
        told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        return response.status == 206 and told is not None and int(told[1]) == self.size > 0

    async def begin(self, headers: Mapping[str, str]) -> None:
        """Forget what has arrived; this answer begins at the beginning."""
        await asyncio.to_thread(self._truncate)
        self.begun = True
        self.size = 0
        self.etag = headers.get("ETag")
        self.total = int(headers["Content-Length"]) if "Content-Length" in headers else None
        told = _DIGEST.search(headers.get("Repr-Digest", ""))
        self._digest = base64.b64decode(told[1]) if told else None
        self._hash = hashlib.sha256()

    def _truncate(self) -> None:
        self._file.seek(0)
        self._file.truncate()

    async def write(self, chunk: bytes) -> None:
        """Add what has arrived."""
        await asyncio.to_thread(self._write, chunk)
        self.size += len(chunk)

    def _write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._hash.update(chunk)

    async def keep(self) -> None:
        """Check the whole and give it its name. Raises: DamagedDownloadError."""
        if self.total is not None and self.size != self.total:
            raise DamagedDownloadError(self._to, f"it has {self.size} bytes instead of {self.total}")
        if self._digest is not None and self._hash.digest() != self._digest:
            raise DamagedDownloadError(self._to, "its SHA-256 is another one than the server told")
        await asyncio.to_thread(self._file.flush)
        await asyncio.to_thread(self._partial.replace, self._to)
