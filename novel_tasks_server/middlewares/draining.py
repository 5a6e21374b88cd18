"""While the server stops it takes no new novels, and lets those on their way arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from novel_tasks_server.problems import RequestRefusedError


class Draining:
    """Whether the server is stopping, and how many uploads are on their way."""

    def __init__(self) -> None:
        self.begun = False
        self._uploads: set[asyncio.Task[object]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self) -> None:
        """Refuse uploads from now on."""
        self.begun = True

    async def uploads_finished(self) -> None:
        """Wait until no upload is on its way."""
        await self._idle.wait()

    def give_up_uploads(self) -> None:
        """Cut off the uploads that are still on their way; what they have sent is thrown away."""
        for upload in self._uploads:
            upload.cancel()

    @contextmanager
    def upload(self) -> Iterator[None]:
        """Count one upload while the block runs. Raises: RequestRefusedError (503) once the server is stopping."""
        if self.begun:
            raise RequestRefusedError(
                503,
                "stopping",
                "The service is stopping. Another try will reach it when it is back.",
                headers={"Retry-After": "5", "Connection": "close"},
            )
        task = asyncio.current_task()
        assert task is not None
        self._uploads.add(task)
        self._idle.clear()
        try:
            yield
        finally:
            self._uploads.discard(task)
            if not self._uploads:
                self._idle.set()


DRAINING = web.AppKey("draining", Draining)
