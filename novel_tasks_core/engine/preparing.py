"""From new tasks to rows: checks, defaults, lanes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from datetime import datetime
from itertools import islice
from typing import Any

from novel_tasks_core.clock import Clock
from novel_tasks_core.engine.checks import (
    checked_json,
    checked_note,
    require_attempts,
    require_key,
    require_moment,
    require_name,
    require_priority,
    require_source,
    require_timeout,
)
from novel_tasks_core.errors import InvalidInputError, InvalidOptionsError
from novel_tasks_core.models import JsonObject, NewTask
from novel_tasks_core.processors.registry import Processors
from novel_tasks_core.storage.queue import Queue
from novel_tasks_core.storage.submits import BATCH, KEY_RELEASE, Row


class Preparing:
    """Checks new tasks and makes rows of them."""

    def __init__(self, *, queue: Queue, processors: Processors, clock: Clock) -> None:
        self._queue = queue
        self._processors = processors
        self._clock = clock
        self._lanes: dict[str, int] = {}

    async def checked(
        self, tasks: Iterable[NewTask] | AsyncIterable[NewTask], importing: Counter[str] | None = None
    ) -> AsyncGenerator[list[Row], None]:
        """Check tasks and yield their rows by the thousand; an import takes no keys, and counts its tasks by processor.

        Raises: InvalidInputError that names the task.
        """
        start = 0
        async with aclosing(_by_the_thousand(tasks)) as parts:
            async for part in parts:
                rows: list[Row] = []
                try:
                    for new in part:
                        lane = self.known_lane(new, keyed=importing is None) or await self.lane(new.processor)
                        rows.append(self.row(new, lane)[0])
                except InvalidInputError as exc:
                    raise InvalidInputError(f"tasks.{start + len(rows)}{_path(exc)}", exc.reason) from exc
                yield rows
                start += len(rows)
                if importing is not None:
                    importing.update(new.processor for new in part)
                await asyncio.sleep(0)  # others want the loop too

    def known_lane(self, new: Any, *, keyed: bool = True) -> int | None:
        """Return the lane of a task if we know it. Raises: InvalidInputError for what is no task, or a key too many."""
        if not isinstance(new, NewTask):
            raise InvalidInputError("", f"must be a NewTask, not {type(new).__name__}")
        if not keyed and new.key is not None:
            raise InvalidInputError("key", "an import takes no keys: use submit_many")
        processor: Any = new.processor
        return self._lanes.get(processor) if isinstance(processor, str) else None

    async def lane(self, processor: str) -> int:
        """Return the lane of a processor. Raises: UnknownProcessorError."""
        self._processors.get(processor)
        if processor not in self._lanes:
            self._lanes[processor] = await self._queue.make_lane(processor)
        return self._lanes[processor]

    def row(self, new: NewTask, lane: int) -> tuple[Row, JsonObject, JsonObject]:
        """Check a task; return its row, and its options and extra data as they are read back.

        Raises: InvalidInputError and its kind.
        """
        options_json, options = self._options(new)
        extra_json, extra_data = checked_json("extra_data", new.extra_data)
        source = None if new.source is None else require_source(new.source)
        row = Row(
            lane,
            "" if new.owner == "" else require_name("owner", new.owner),
            require_priority(new.priority),
            None if new.max_attempts is None else require_attempts(new.max_attempts),
            None if new.timeout_seconds is None else require_timeout(new.timeout_seconds),
            None if new.run_at is None else self._in_future(new.run_at),
            None if source is None else bytes.fromhex(source.sha256),
            None if source is None else source.size,
            None if source is None else source.name,
            options_json,
            extra_json,
            None if new.session_id is None else require_name("session_id", new.session_id),
            None if new.key is None else require_key(new),
            None if new.key is None else KEY_RELEASE[new.release_at],
            None if new.note is None else checked_note(new.note),
        )
        return row, options, extra_data

    def _options(self, new: NewTask) -> tuple[str | None, JsonObject]:
        processors = self._processors
        if new.options == {} and processors.get(new.processor).options_type is None:
            return None, {}
        return checked_json("options", processors.validate(new.processor, new.options))

    def _in_future(self, run_at: Any) -> datetime | None:
        """Return when a task is to run, None for at once."""
        at = require_moment("run_at", run_at)
        return None if at <= self._clock.now() else at


def _path(exc: InvalidInputError) -> str:
    """Return which part of a task an error is about, to follow the name of the task."""
    if isinstance(exc, InvalidOptionsError):
        return f".options{exc.field}".replace("/", ".").rstrip(".")
    return f".{exc.field}" if exc.field else ""


async def _by_the_thousand(
    tasks: Iterable[NewTask] | AsyncIterable[NewTask],
) -> AsyncGenerator[list[NewTask], None]:
    if not isinstance(tasks, AsyncIterable):
        iterator = iter(tasks)
        while part := list(islice(iterator, BATCH)):
            yield part
        return
    part = []
    async for new in tasks:
        part.append(new)
        if len(part) == BATCH:
            yield part
            part = []
    if part:
        yield part
