"""A file as the body of a request: streamed, counted, and able to be sent again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from attrs import define, field

from novel_tasks_core import NovelTasksError
from novel_tasks_server.client.errors import ServerRefusedError, ServerUnreachableError
from novel_tasks_server.client.models import Upload
from novel_tasks_server.client.patience import insist, may_pass, was_not_done
from novel_tasks_server.client.transport import Transport

Progress = Callable[[int, int | None], object]
"""Is told how many bytes of the file were sent, and of how many; None where nobody knows."""

_CHUNK_BYTES = 256 * 1024


@define(kw_only=True)
class Body:
    """A form with text fields and one file.

    `size` is that of the file, None when it is not known before. `failure` is why the file could not be read to
    its end, which the connection would tell as an error of its own.
    """

    content: Path | bytes | AsyncIterator[bytes]
    size: int | None
    name: str
    fields: Mapping[str, str]
    progress: Progress | None = None
    boundary: str = field(factory=lambda: uuid4().hex)
    failure: Exception | None = None

    @classmethod
    async def of(
        cls,
        content: Path | bytes | AsyncIterator[bytes],
        *,
        name: str | None,
        fields: Mapping[str, str],
        progress: Progress | None,
    ) -> Body:
        """Look at what is to be sent. Raises: OSError when it cannot be; ValueError when it has no name."""
        if isinstance(content, Path):
            size: int | None = (await asyncio.to_thread(content.stat)).st_size
            name = name or content.name
        else:
            size = len(content) if isinstance(content, bytes) else None
        if not name:
            raise ValueError("what is no path needs a name")
        return cls(content=content, size=size, name=name, fields=fields, progress=progress)

    @property
    def can_be_repeated(self) -> bool:
        """Whether it can be sent again from the start."""
        return isinstance(self.content, Path | bytes)

    def request(self) -> dict[str, Any]:
        """Return what a request takes: the body, from its beginning, and its headers."""
        head, tail = self._head(), f"\r\n--{self.boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={self.boundary}"}
        if self.size is not None:
            headers["Content-Length"] = str(len(head) + self.size + len(tail))
        return {"data": self._stream(head, tail), "headers": headers}

    def _head(self) -> bytes:
        parts = [
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
            for name, text in self.fields.items()
        ]
        parts.append(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; filename="{_quoted(self.name)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        return "".join(parts).encode("utf-8", "surrogateescape")

    async def _stream(self, head: bytes, tail: bytes) -> AsyncIterator[bytes]:
        """Yield the body, and tell after each piece how much of the file has left."""
        yield head
        sent = 0
        try:
            self._tell(sent)
            async for piece in self._pieces():
                yield piece
                sent += len(piece)
                self._tell(sent)
        except Exception as exc:
            self.failure = exc
            raise
        yield tail

    async def _pieces(self) -> AsyncIterator[bytes]:
        match self.content:
            case bytes():
                for start in range(0, len(self.content), _CHUNK_BYTES):
                    yield self.content[start : start + _CHUNK_BYTES]
            case Path():
                async for piece in _read(self.content, self.size or 0):
                    yield piece
            case _:
                async for piece in self.content:
                    yield piece

    def _tell(self, sent: int) -> None:
        if self.progress is not None:
            self.progress(sent, self.size)


class Sender:
    """Sends a body until it has arrived: again from the start when the connection breaks or the server is busy.

    A body that `may_arrive_twice` is also sent again when nobody knows whether it arrived. A server that was never
    reached is not tried again: its address may be wrong.
    """

    def __init__(self, transport: Transport, body: Body, *, may_arrive_twice: bool) -> None:
        self._transport = transport
        self._body = body
        self._may_arrive_twice = may_arrive_twice
        self._reached = False

    async def send(self, path: str) -> Upload:
        """Return the server's answer. Raises: what kept the file from being read."""
        return await insist(
            lambda: self._send_once(path), patience=self._transport.patience(), may_repeat=self._may_repeat
        )

    async def _send_once(self, path: str) -> Upload:
        try:
            async with self._transport.answer("POST", path, **self._body.request()) as response:
                return self._transport.structure(await self._transport.read_json(response), Upload)
        except ServerUnreachableError as exc:
            if self._body.failure is not None:
                raise self._body.failure from None
            self._reached = self._reached or exc.reached
            raise

    def _may_repeat(self, error: NovelTasksError) -> bool:
        self._reached = self._reached or isinstance(error, ServerRefusedError)
        if not self._body.can_be_repeated:
            return False
        if was_not_done(error):
            return True
        return self._may_arrive_twice and self._reached and may_pass(error)


async def _read(path: Path, size: int) -> AsyncIterator[bytes]:
    """Yield `size` bytes of the file: what is added to it meanwhile was not announced."""
    left = size
    with await asyncio.to_thread(path.open, "rb") as file:
        while left and (piece := await asyncio.to_thread(file.read, min(left, _CHUNK_BYTES))):
            left -= len(piece)
            yield piece
    if left:
        raise OSError(None, "the file has become shorter while it was being sent", str(path))


def _quoted(name: str) -> str:
    """Write a file name as a quoted string; line breaks as browsers do."""
    escaped = re.sub(r'([\\"])', r"\\\1", name)
    return escaped.replace("\r", "%0D").replace("\n", "%0A")
