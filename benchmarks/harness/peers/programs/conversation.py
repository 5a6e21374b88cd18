"""What the programs of the Python peers share: the conversation, the clock, and the counting of handler calls.

A program reads one JSON object a line and answers each with one. The first opens it: the URL of an empty
database, the payload of a task, and settings; the answer says the version. After that: `submit`, `bulk`,
`start`, `stop` and `latency`, as `Program` tells. Times are seconds of the monotonic clock, which on one
machine is the same for every process. What libraries print goes to stderr.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from importlib.metadata import version
from typing import IO, Any

import uvloop

Payload = Mapping[str, Any]
Submit = Callable[[Payload], Awaitable[object]]
SubmitMany = Callable[[Payload, int], Awaitable[object]]
Handle = Callable[[Any], None]
"""Is called with the payload as the queue hands it to a handler: decoded, or as bytes."""

_REST_SECONDS = 1.0


class Peer(ABC):
    """One queue behind the words that every queue has. `settings` are those of its worker and its connections."""

    distribution: str

    def __init__(self, url: str, settings: Mapping[str, Any]) -> None:
        self.url = url
        self.settings = settings

    @abstractmethod
    async def install(self) -> None:
        """Make the tables."""

    @abstractmethod
    def submitting(self, callers: int) -> AbstractAsyncContextManager[Submit]:
        """Be ready for so many concurrent single submits; yields what submits one task."""

    @abstractmethod
    def submitting_many(self) -> AbstractAsyncContextManager[SubmitMany]:
        """Be ready for a bulk submit; yields what submits a payload so many times, as fast as the queue can."""

    @abstractmethod
    def working(self, handle: Handle) -> AbstractAsyncContextManager[None]:
        """Run one worker that calls `handle` with the payload of each task; finish what it has at the end."""


class Calls:
    """Counts handler calls, and knows when the first came and when there were enough."""

    def __init__(self, wanted: int) -> None:
        self.count = 0
        self.began = 0.0
        self.enough = asyncio.Event()
        self._wanted = wanted

    def __call__(self, _: object) -> None:
        """Count one."""
        if not self.count:
            self.began = time.monotonic()
        self.count += 1
        if self.count == self._wanted:
            self.enough.set()


class Program:
    """Carries out what it is told."""

    def __init__(self, peer: Peer, payload: Payload) -> None:
        self._peer = peer
        self._payload = payload
        self._calls = Calls(0)
        self._worker = AsyncExitStack()

    async def submit(self, *, tasks: int, callers: int) -> dict[str, Any]:
        """Share single submits among callers, after one to warm up."""
        async with self._peer.submitting(callers) as submit:
            await submit(self._payload)
            left = iter(range(tasks))

            async def call() -> None:
                for _ in left:
                    await submit(self._payload)

            began = time.monotonic()
            await asyncio.gather(*(call() for _ in range(callers)))
            return {"seconds": time.monotonic() - began}

    async def bulk(self, *, tasks: int) -> dict[str, Any]:
        """Submit tasks in bulk."""
        async with self._peer.submitting_many() as submit_many:
            began = time.monotonic()
            await submit_many(self._payload, tasks)
            return {"seconds": time.monotonic() - began}

    async def start(self, *, tasks: int) -> dict[str, Any]:
        """Run a worker until the handler was called so many times; say when the first call came."""
        self._calls = Calls(tasks)
        await self._worker.enter_async_context(self._peer.working(self._calls))
        await self._calls.enough.wait()
        return {"began": self._calls.began}

    async def stop(self) -> dict[str, Any]:
        """Stop the worker; say how often the handler was called in all."""
        await self._worker.aclose()
        return {"calls": self._calls.count}

    async def latency(self, *, tasks: int, gap_seconds: float) -> dict[str, Any]:
        """Submit to an idle worker now and then; say how long each task waited for its handler."""
        waited: list[float] = []
        async with (
            self._peer.working(lambda payload: waited.append(time.monotonic() - _decoded(payload)["sent"])),
            self._peer.submitting(1) as submit,
        ):
            await asyncio.sleep(_REST_SECONDS)
            for _ in range(tasks):
                await submit({**self._payload, "sent": time.monotonic()})
                await asyncio.sleep(gap_seconds)
            await asyncio.sleep(_REST_SECONDS)
        return {"waited": waited}


def _decoded(payload: Any) -> Any:
    return json.loads(payload) if isinstance(payload, bytes) else payload


def run(make: type[Peer]) -> None:
    """Hold the conversation on stdin and stdout until stdin ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.disable(logging.CRITICAL)
    uvloop.run(_talk(make, answers))


async def _talk(make: type[Peer], answers: IO[str]) -> None:
    opening = json.loads(await _line())
    peer = make(opening["url"], opening["settings"])
    await peer.install()
    program = Program(peer, opening["payload"])
    answer: dict[str, Any] = {"version": version(peer.distribution)}
    while True:
        print(json.dumps(answer), file=answers)
        if not (line := await _line()):
            return
        told = json.loads(line)
        answer = await getattr(program, told.pop("do"))(**told)


async def _line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)
