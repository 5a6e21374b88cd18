"""Looks at the beginning of a novel: few at once, each in a process of its own that is killed when it takes long."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web
from attrs import evolve

from novel_tasks_core import (
    Complaint,
    EngineClosedError,
    EngineConfig,
    FaultCode,
    Processors,
    TaskProcessingError,
    TaskTimeoutError,
    process_file,
)
from novel_tasks_server.problems import RequestRefusedError
from novel_tasks_server.schemas.decoding import FieldFault

MAX_PREVIEW_BYTES = 2 * 1024 * 1024
"""How much of a novel is looked at."""

MOST_AT_ONCE = 2
"""How many looks are taken at the same time."""

MOST_PRESENT = 8
"""How many may be there at once: looked at, waiting, or on their way here."""

PREVIEW_SECONDS = 5.0
"""How long one may take, with the start of its process."""

_GRACE_SECONDS = 0.1
_ASK_SECONDS = 0.2
_MEMORY_MB = 1024
_PROCESSOR = "split"
_EXCESSES = ("TaskTimeoutError", "ChildCrashedError", "MemoryError")


class Previews:
    """Runs the processor `split` on beginnings of novels; nothing of them stays. `present` counts them."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = evolve(
            config,
            cancel_grace_seconds=min(config.cancel_grace_seconds, _GRACE_SECONDS),
            child_memory_mb=min(config.child_memory_mb, _MEMORY_MB),
        )
        self._processors = Processors.builtin()
        self._free = asyncio.Semaphore(MOST_AT_ONCE)
        self._looks: set[asyncio.Task[Mapping[str, Any]]] = set()
        self._closed = False
        self.present = 0

    def options(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options of a look, from those that a client gave. Raises: InvalidOptionsError."""
        return self._processors.validate(_PROCESSOR, {**wanted, "preview": True})

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take up a place while the block runs. Raises: RequestRefusedError (503) when all are taken."""
        if self.present >= MOST_PRESENT:
            raise _busy("Many are trying chapter rules out just now.")
        self.present += 1
        try:
            yield
        finally:
            self.present -= 1

    async def look(
        self, beginning: bytes, *, extension: str, options: Mapping[str, Any], is_unwanted: Callable[[], bool]
    ) -> Mapping[str, Any]:
        """Return what `split` finds. A cancellation kills its process, and so does nobody's wanting it any more.

        Raises: RequestRefusedError: 422 for a rule that takes too long or too much memory, 503 when no rule is at
        fault for that; DecodingError when it is not text; ConnectionResetError when it is unwanted; EngineClosedError
        when all this is closed, before or meanwhile.
        """
        if self._closed:
            raise EngineClosedError
        task = asyncio.create_task(self._look(beginning, extension, options))
        self._looks.add(task)
        try:
            while not (await asyncio.wait([task], timeout=_ASK_SECONDS))[0]:
                if is_unwanted():
                    raise ConnectionResetError
            if task.cancelled():
                raise EngineClosedError
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])
            self._looks.discard(task)

    async def close(self) -> None:
        """Kill the processes of all looks, and wait until they are gone. Idempotent."""
        self._closed = True
        for look in self._looks:
            look.cancel()
        if self._looks:
            await asyncio.wait(self._looks)

    async def _look(self, beginning: bytes, extension: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        async with self._free, _written(beginning, extension) as path:
            try:
                processed = await process_file(
                    path,
                    processor=_PROCESSOR,
                    options=options,
                    processors=self._processors,
                    timeout_seconds=PREVIEW_SECONDS,
                    config=self._config,
                )
            except TaskProcessingError as exc:
                if exc.type not in _EXCESSES:
                    raise
                raise _too_much(exc, has_rule=options.get("chapter_rule") is not None) from exc
        found: Mapping[str, Any] = processed.result
        return found


@asynccontextmanager
async def _written(data: bytes, extension: str) -> AsyncIterator[Path]:
    """Keep bytes in a file while the block runs."""
    folder = Path(await asyncio.to_thread(tempfile.gettempdir)) / f"novel-tasks-preview-{uuid4().hex}"
    path = folder / f"novel{extension}"
    writing = asyncio.ensure_future(asyncio.to_thread(_write, path, data))
    try:
        await asyncio.shield(writing)
        yield path
    finally:
        await asyncio.wait([writing])
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(data)


def _too_much(exc: Exception, *, has_rule: bool) -> RequestRefusedError:
    if not has_rule:
        return _busy("The server had not the time to look at this text.")
    is_slow = isinstance(exc, TaskTimeoutError)
    needs = f"more than {PREVIEW_SECONDS:g} seconds" if is_slow else "too much memory"
    said = f"takes {needs} on this text: a simpler one finds the same sooner"
    slow = Complaint(said, FaultCode.SLOW, seconds=PREVIEW_SECONDS)
    detail = slow if is_slow else Complaint(said, FaultCode.MEMORY)
    return RequestRefusedError(
        422, "rule-too-slow", f"The chapter rule {detail}.", faults=(FieldFault("/options/chapter_rule", detail),)
    )


def _busy(detail: str) -> RequestRefusedError:
    return RequestRefusedError(503, "preview-busy", f"{detail} Try again soon.", headers={"Retry-After": "5"})


PREVIEWS = web.AppKey("previews", Previews)
