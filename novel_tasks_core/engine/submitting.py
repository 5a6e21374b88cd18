"""Submits: one task, many, or an import; what is done with a key that is taken, and who is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any

from attrs import Factory, define, frozen

from novel_tasks_core.clock import Clock
from novel_tasks_core.engine.preparing import Preparing
from novel_tasks_core.errors import DatabaseUnavailableError, DuplicateTaskError
from novel_tasks_core.models import JsonObject, NewTask, OnDuplicate, Source, Task, TaskId, TaskStatus
from novel_tasks_core.observers import Observer
from novel_tasks_core.processors.registry import Processors
from novel_tasks_core.storage.changes import Change
from novel_tasks_core.storage.imports import Importer
from novel_tasks_core.storage.keys import Keys
from novel_tasks_core.storage.queue import Head, Queue
from novel_tasks_core.storage.submits import BATCH, Placed, Row, Submitter

_KEY_TRIES = 50


@frozen(kw_only=True)
class SubmittingParts:
    """What submits are made with, and whom they tell."""

    submitter: Submitter
    importer: Importer
    keys: Keys
    queue: Queue
    processors: Processors
    clock: Clock
    observer: Observer
    announce: Callable[[Iterable[Head]], None]
    announce_change: Callable[[Change], None]


@define
class _Call:
    """One call: the caller's connection if there is one, and whom to tell what once all is stored."""

    connection: Any = None
    heads: list[Head] = Factory(list)
    changes: list[Change] = Factory(list)
    made: Counter[str] = Factory(Counter)


class Submitting:
    """Checks new tasks and stores them."""

    def __init__(self, parts: SubmittingParts) -> None:
        self._parts = parts
        self._submitter = parts.submitter
        self._preparing = Preparing(queue=parts.queue, processors=parts.processors, clock=parts.clock)

    async def submit(self, new: NewTask, *, connection: Any = None) -> Task:
        """Store one task and return it as it now stands.

        With a key that a live task holds, the task's `on_duplicate` decides what is returned or raised.

        Raises: InvalidInputError and its kind, DuplicateTaskError, SourceNotFoundError.
        """
        row, options, extra_data = self._preparing.row(
            new, self._preparing.known_lane(new) or await self._preparing.lane(new.processor)
        )
        placed = await self._submitter.submit(row) if connection is None else None
        if placed is None:
            call = _Call(connection)
            met = await self._meet(new, row, call, is_taken=connection is None)
            self._tell(call)
            if isinstance(met, Task):
                return met
            placed = met
        self._parts.observer.submitted(processor=new.processor, tasks=1)
        return _task(new.processor, row, placed, options, extra_data)

    async def _meet(self, new: NewTask, row: Row, call: _Call, *, is_taken: bool) -> Placed | Task:
        """Store a row, or do what is wanted if another task holds its key: return that, or what the new one got."""
        for _ in range(_KEY_TRIES):
            met = await (self._duplicate(new, row, call) if is_taken else self._store(row, call))
            if met is not None:
                return met
            is_taken = not is_taken  # taken after all, or let go of just now
        raise DatabaseUnavailableError(f"the key {row.key!r} changes hands too fast")

    async def _store(self, row: Row, call: _Call) -> Placed | None:
        """Store a row by a statement of its own; None if its key is taken."""
        stored = await self._submitter.store([row], connection=call.connection)
        call.heads += stored.heads
        return stored.placed()[0]

    async def _duplicate(self, new: NewTask, row: Row, call: _Call) -> Placed | Task | None:
        """Do what is wanted with a task whose key another one holds; None if that one let go of it just now."""
        match new.on_duplicate:
            case OnDuplicate.ALLOW:
                allowed = await self._store(row._replace(key=None, key_release=None), call)
                return allowed and allowed._replace(keyed=False)
            case OnDuplicate.REPLACE:
                return await self._replace(row, call)
        held = await self._parts.keys.holder(row, connection=call.connection)
        if held is not None and new.on_duplicate == OnDuplicate.REJECT:
            raise DuplicateTaskError(row.key or "", held)
        return None if held is None else await self._parts.keys.task(held, connection=call.connection)

    async def _replace(self, row: Row, call: _Call) -> Placed | None:
        replaced = await self._parts.keys.replace(row, connection=call.connection)
        if replaced is None:
            return None
        call.changes.append(replaced.change)
        call.heads += replaced.stored.heads
        return replaced.stored.placed()[0]

    def _tell(self, call: _Call) -> None:
        """Tell of what is stored. With the caller's connection it is not: then workers are told where to look."""
        self._parts.announce(call.heads)
        if call.connection is None:
            for change in call.changes:
                self._parts.announce_change(change)
        for processor, tasks in (+call.made).items():
            self._parts.observer.submitted(processor=processor, tasks=tasks)

    async def submit_many(self, tasks: Iterable[NewTask], *, connection: Any = None) -> list[TaskId]:
        """Store many tasks, a thousand to a statement; all are checked before the first is stored.

        Raises: InvalidInputError for the first that is wrong, DuplicateTaskError, SourceNotFoundError.
        """
        wanted = list(tasks)
        rows: list[Row] = []
        async for part in self._preparing.checked(wanted):
            rows += part
        call = _Call(connection)
        if connection is None and any(row.key is not None for row in rows):
            ids = await self._store_together(wanted, rows, call)
        else:
            ids = await self._store_all(wanted, rows, call)
        self._tell(call)
        return ids

    async def _store_all(self, wanted: Sequence[NewTask], rows: Sequence[Row], call: _Call) -> list[TaskId]:
        """Store rows by the thousand; of each thousand, settle those whose key is taken after the others, in order."""
        ids: list[TaskId] = []
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            stored = await self._submitter.store(part, connection=call.connection)
            if call.connection is None:
                self._parts.announce(stored.heads)
            else:
                call.heads += stored.heads
            for new, row, task_id in zip(wanted[start : start + BATCH], part, stored.ids, strict=True):
                if task_id is None:
                    met = await self._meet(new, row, call, is_taken=True)
                    ids.append(met.id)
                    call.made[new.processor] += not isinstance(met, Task)
                else:
                    ids.append(task_id)
                    call.made[new.processor] += 1
        return ids

    async def _store_together(self, wanted: Sequence[NewTask], rows: Sequence[Row], call: _Call) -> list[TaskId]:
        """Store rows in one transaction, so that a duplicate that is refused leaves nothing behind."""
        ids: list[TaskId] = []
        try:
            async with self._parts.keys.transaction() as own:
                inside = _Call(own, call.heads, call.changes, call.made)
                ids = await self._store_all(wanted, rows, inside)
        except DatabaseUnavailableError:
            if not ids or not await self._submitter.present(ids) >= set(ids):
                raise
        return ids

    async def import_tasks(self, tasks: Iterable[NewTask] | AsyncIterable[NewTask], *, connection: Any = None) -> int:
        """Copy any number of tasks in, all or nothing, and return how many.

        Raises: InvalidInputError for the first that is wrong or has a key, SourceNotFoundError; what `tasks` raises.
        """
        call = _Call(connection)
        async with aclosing(self._preparing.checked(tasks, call.made)) as chunks:
            imported = await self._parts.importer.run(chunks, connection=connection)
        call.heads += imported.heads
        self._tell(call)
        return imported.tasks

    async def lane(self, processor: str) -> int:
        """Return the lane of a processor. Raises: UnknownProcessorError."""
        return await self._preparing.lane(processor)


def _task(processor: str, row: Row, placed: Placed, options: JsonObject, extra_data: JsonObject) -> Task:
    """Return the task as the database has it now, without reading it back."""
    source = None
    if row.source_sha256 is not None:
        source = Source(row.source_sha256.hex(), row.source_size or 0, row.source_name or "")
    return Task(
        id=placed.id,
        processor=processor,
        status=TaskStatus.PENDING,
        priority=row.priority,
        owner=row.owner,
        source=source,
        session_id=row.session_id,
        extra_data=extra_data,
        max_attempts=row.max_attempts,
        timeout_seconds=row.timeout_seconds,
        run_at=row.run_at,
        attempt=0,
        failures=0,
        progress=0.0,
        stage="",
        cancel_requested=False,
        error=None,
        result_url=None,
        created_at=placed.created_at,
        started_at=None,
        finished_at=None,
        last_seq=0 if row.note is None else 1,
        version="1.0.0",
        options=options,
        key=row.key if placed.keyed else None,
    )
