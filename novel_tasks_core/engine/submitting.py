"""From what a caller wants to what is stored: checks, defaults, keys."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from novel_tasks_core.clock import Clock
from novel_tasks_core.conversion import clean_text, read_json, require_json, require_text, result_json
from novel_tasks_core.errors import DuplicateTaskError, IllegalTransitionError, InvalidInputError, TaskNotFoundError
from novel_tasks_core.models import (
    LogLevel,
    NewTask,
    OnDuplicate,
    Source,
    Task,
    TaskId,
    TaskStatus,
    new_task_id,
)
from novel_tasks_core.processors.registry import Processors
from novel_tasks_core.storage.changes import Change
from novel_tasks_core.storage.queue import Queue
from novel_tasks_core.storage.submits import BATCH, Row, Stored, Submitter
from novel_tasks_core.storage.tasks import Tasks
from novel_tasks_core.storage.transitions import Transitions

MAX_JSON_BYTES = 65_536
MAX_KEY_CHARACTERS = 512
MAX_NAME_CHARACTERS = 255
_KEY_TRIES = 10
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Submitting:
    """Checks new tasks and stores them."""

    def __init__(
        self,
        *,
        submitter: Submitter,
        queue: Queue,
        tasks: Tasks,
        transitions: Transitions,
        processors: Processors,
        clock: Clock,
    ) -> None:
        self._submitter = submitter
        self._queue = queue
        self._tasks = tasks
        self._transitions = transitions
        self._processors = processors
        self._clock = clock
        self._lanes: dict[str, int] = {}

    async def submit(self, new: NewTask, *, connection: Any = None) -> tuple[Task, Stored | None, tuple[Change, ...]]:
        """Store one task and return it as it now stands, what was stored, and changes that it made to others.

        With a key that a live task holds, the task's `on_duplicate` decides what is returned or raised.

        Raises: InvalidInputError and its kind, DuplicateTaskError, DatabaseUnavailableError.
        """
        if connection is not None and new.on_duplicate is OnDuplicate.REPLACE:
            raise InvalidInputError("on_duplicate", "a rollback of yours could not undo a replace: use another choice")
        row = await self._row(new)
        changes: list[Change] = []
        for _ in range(_KEY_TRIES):
            stored = await self._store(row, connection)
            if row.id not in stored.taken:
                return self._task(new, row), stored, tuple(changes)
            held = await self._tasks.key_holder(new.owner, row.key or "", connection=connection)
            match new.on_duplicate:
                case OnDuplicate.ALLOW:
                    row = attrs.evolve(row, key=None)
                case OnDuplicate.REJECT if held is not None:
                    raise DuplicateTaskError(row.key or "", held)
                case OnDuplicate.REPLACE if held is not None:
                    changes += await self._replace(held)
                case OnDuplicate.RETURN if held is not None:
                    existing = await self._existing(held, connection)
                    if existing is not None:
                        return existing, None, tuple(changes)
        raise DuplicateTaskError(row.key or "", held or row.id)

    async def _store(self, row: Row, connection: Any) -> Stored:
        if connection is not None:
            return await self._submitter.store([row], connection=connection)
        return await self._submitter.submit(row)

    async def _existing(self, held: TaskId, connection: Any) -> Task | None:
        try:
            return attrs.evolve(await self._tasks.get(held, connection=connection), duplicate=True)
        except TaskNotFoundError:
            return None  # deleted just now, and its key with it: try again

    async def _replace(self, held: TaskId) -> list[Change]:
        """Cancel the holder of a key and free the key, whether or not its attempt has stopped yet."""
        changes = []
        with contextlib.suppress(IllegalTransitionError, TaskNotFoundError):  # finished or gone in the meantime
            changes.append(await self._transitions.cancel(held, reason="replaced", if_version=None))
        await self._transitions.free_key(held)
        return changes

    async def submit_many(self, tasks: Sequence[NewTask]) -> tuple[list[TaskId], list[Stored]]:
        """Store many tasks, a thousand to a statement; all are checked before the first is stored.

        Raises: InvalidInputError for the first that is wrong, when nothing is stored yet. Tasks with a key
        are for `submit`.
        """
        rows = []
        for place, new in enumerate(tasks):
            if new.key is not None:
                raise InvalidInputError(f"tasks.{place}.key", "submit tasks with a key one by one")
            rows.append(await self._row(new))
        stored = [await self._submitter.store(rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)]
        return [row.id for row in rows], stored

    async def lane(self, processor: str) -> int:
        """Return the lane of a processor. Raises: UnknownProcessorError."""
        self._processors.get(processor)
        if processor not in self._lanes:
            self._lanes[processor] = await self._queue.make_lane(processor)
        return self._lanes[processor]

    async def _row(self, new: NewTask) -> Row:
        lane = await self.lane(new.processor)
        now = self._clock.now()
        check_numbers(new)
        options = self._processors.validate(new.processor, new.options)
        return Row(
            id=new_task_id(),
            lane=lane,
            owner=require_text("owner", new.owner, max_length=MAX_NAME_CHARACTERS),
            priority=new.priority,
            max_attempts=new.max_attempts,
            timeout_seconds=new.timeout_seconds,
            run_at=None if new.run_at is None or new.run_at <= now else new.run_at,
            source=None if new.source is None else require_source(new.source),
            options=_json_or_none("options", options),
            extra_data=_json_or_none("extra_data", new.extra_data),
            session_id=None
            if new.session_id is None
            else require_text("session_id", new.session_id, max_length=MAX_NAME_CHARACTERS),
            key=None if new.key is None else require_text("key", new.key, max_length=MAX_KEY_CHARACTERS),
            release_at=new.release_at,
            note=_note(new.note),
            created_at=now,
        )

    def _task(self, new: NewTask, row: Row) -> Task:
        """Return the task as the database has it now, without reading it back."""
        return Task(
            id=row.id,
            processor=new.processor,
            status=TaskStatus.PENDING,
            priority=row.priority,
            owner=row.owner,
            source=row.source,
            session_id=row.session_id,
            extra_data=read_json(row.extra_data, {}),
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
            created_at=row.created_at,
            started_at=None,
            finished_at=None,
            last_seq=0 if row.note is None else 1,
            version="1.0.0",
            options=read_json(row.options, {}),
            key=row.key,
        )


def check_numbers(new: NewTask) -> None:
    """Check what must be in a range. Raises: InvalidInputError naming the field."""
    require_priority(new.priority)
    if new.max_attempts is not None and not 1 <= new.max_attempts <= 1000:
        raise InvalidInputError("max_attempts", f"must be between 1 and 1000, not {new.max_attempts}")
    if new.timeout_seconds is not None and not 0 < new.timeout_seconds <= 31 * 86400:
        raise InvalidInputError("timeout_seconds", f"must be above 0 and at most 31 days, not {new.timeout_seconds}")
    if new.run_at is not None:
        require_aware("run_at", new.run_at)


def require_priority(priority: Any) -> None:
    """Check a priority. Raises: InvalidInputError."""
    if not isinstance(priority, int) or isinstance(priority, bool):
        raise InvalidInputError("priority", "must be a whole number")
    if not -32768 <= priority <= 32767:
        raise InvalidInputError("priority", f"must be between -32768 and 32767, not {priority}")


def require_source(source: Source) -> Source:
    """Check what a caller says of a stored file. Raises: InvalidInputError."""
    if _SHA256.fullmatch(source.sha256) is None:
        raise InvalidInputError("source.sha256", "must be 64 hex digits in lower case")
    if source.size < 0:
        raise InvalidInputError("source.size", "must not be negative")
    require_text("source.name", source.name, max_length=MAX_NAME_CHARACTERS)
    return source


def require_aware(field: str, at: datetime) -> None:
    """Check that a time says its time zone. Raises: InvalidInputError."""
    if at.tzinfo is None:
        raise InvalidInputError(field, "must have a time zone, such as datetime.now(UTC) has")


def _json_or_none(field: str, value: Mapping[str, Any]) -> str | None:
    return require_json(field, dict(value), max_bytes=MAX_JSON_BYTES) if value else None


def _note(note: str | None) -> str | None:
    return None if note is None else result_json({"level": LogLevel.INFO.value, "message": clean_text(note)})
