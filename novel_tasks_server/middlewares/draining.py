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
        self._uploads = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self) -> None:
        """Refuse uploads from now on."""
        self.begun = True

    async def uploads_finished(self) -> None:
        """Wait until no upload is on its way."""
        await self._idle.wait()

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
        self._uploads += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._uploads -= 1
            if not self._uploads:
                self._idle.set()


DRAINING = web.AppKey("draining", Draining)
