"""Making tasks of stored files: the same work on the same bytes is asked for once."""

from __future__ import annotations

import hashlib
from typing import Any

from novel_tasks_core import ReleaseKey, Source, Task, TaskEngine
from novel_tasks_server.schemas.requests import WorkFields
from novel_tasks_server.schemas.views import encode


async def submit_once(engine: TaskEngine, source: Source, fields: WorkFields, *, owner: str, note: str) -> Task:
    """Queue the work that `fields` ask for, or return what `on_duplicate` makes of a task that does it already.

    The fields name a processor, with options that it has validated. Raises: as `TaskEngine.submit`.
    """
    processor = fields.processor or ""
    return await engine.submit(
        source,
        processor=processor,
        options=fields.options,
        priority=fields.priority,
        run_at=fields.run_at,
        max_attempts=fields.max_attempts,
        timeout_seconds=fields.timeout_seconds,
        owner=owner,
        key=upload_key(source, processor, engine.processors.get(processor).version, fields.options),
        on_duplicate=fields.on_duplicate,
        release_at=ReleaseKey.FAILURE,
        extra_data=fields.extra_data,
        session_id=fields.session_id,
        note=note,
    )


def upload_key(source: Source, processor: str, version: str, options: dict[str, Any]) -> str:
    """Return what two uploads share when they ask for the same work on the same bytes."""
    asked = encode([source.sha256, processor, version, sorted_deeply(options)])
    return f"upload:{hashlib.sha256(asked).hexdigest()}"


def sorted_deeply(value: Any) -> Any:
    """Return a JSON value with the members of every object in the order of their names."""
    if isinstance(value, dict):
        return {name: sorted_deeply(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [sorted_deeply(item) for item in value]
    return value
