"""Writes of many callers made together: all that wait at one moment go in one flush.

A flush is under way at a time; what arrives meanwhile makes the next one. So fifty callers pay for one
commit, and a single one waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from novel_tasks_core.errors import EngineClosedError, NovelTasksError, StorageError

Item = TypeVar("Item")
Got = TypeVar("Got")
Waiting: TypeAlias = tuple[Item, asyncio.Future[Got]]


class Coalescer(Generic[Item, Got]):
    """Gathers items from many callers and flushes up to `most` together, one flush at a time.

    `flush` returns a result for each item. What it raises of the kinds in `single` is one item's fault: the
    batch is split until that one stands alone, and the others are flushed. Anything else is everybody's.
    `name` says in errors what is flushed.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Item]], Coroutine[Any, Any, Sequence[Got]]],
        *,
        name: str,
        most: int,
        single: tuple[type[NovelTasksError], ...],
    ) -> None:
        self._store = flush
        self._name = name
        self._most = most
        self._single = single
        self._waiting: deque[Waiting[Item, Got]] = deque()
        self._arrived = asyncio.Event()
        self._closed = False

    def add(self, item: Item) -> asyncio.Future[Got]:
        """Put an item into the next flush and return what it will get. Raises: EngineClosedError."""
        if self._closed:
            raise EngineClosedError
        future: asyncio.Future[Got] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._waiting) == 1:
            self._arrived.set()
        return future

    async def run(self) -> None:
        """Flush for ever; cancelled at the end, when those that still wait get EngineClosedError."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                # Let every caller that is ready to run add its item first: costs one turn of the loop.
                await asyncio.sleep(0)
                while self._waiting:
                    await self._flush_all(self._next())
        except asyncio.CancelledError:
            self._closed = True
            _refuse(self._waiting, EngineClosedError())
            raise

    def _next(self) -> list[Waiting[Item, Got]]:
        """Take the next batch, without those whose callers have gone away."""
        count = min(self._most, len(self._waiting))
        batch = [self._waiting.popleft() for _ in range(count)]
        return [one for one in batch if not one[1].done()]

    async def _flush_all(self, batch: Sequence[Waiting[Item, Got]]) -> None:
        """Flush a batch; whatever happens, nobody in it is left waiting."""
        try:
            if batch:
                await self._flush(batch)
        except asyncio.CancelledError:
            _refuse(batch, EngineClosedError())
            raise
        except Exception as exc:
            _refuse(batch, StorageError(f"the {self._name} failed: {type(exc).__name__}"))
            raise

    async def _flush(self, batch: Sequence[Waiting[Item, Got]]) -> None:
        """Flush a batch; what is refused is split until the item that is meant stands alone."""
        try:
            results = await self._store([item for item, _ in batch])
        except self._single as exc:
            if len(batch) == 1:
                _refuse(batch, exc)
                return
            half = len(batch) // 2
            await self._flush(batch[:half])
            await self._flush(batch[half:])
        except NovelTasksError as exc:
            _refuse(batch, exc)
        else:
            for (_, future), one in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(one)


def _refuse(batch: Iterable[Waiting[Any, Any]], error: NovelTasksError) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
