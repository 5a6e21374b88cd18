"""What clients may send: each class says by its validators what it takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import Attribute, field, frozen
from attrs import validators as must

from novel_tasks_core import LogLevel, OnDuplicate, TaskFilter, TaskStatus

MAX_PAGE = 1_000_000
"""The last page that can be asked for by number; further on, use the cursor."""


_Validator = Callable[[Any, "Attribute[Any]", Any], Any]


def _within(low: float, high: float) -> _Validator:
    return must.and_(must.ge(low), must.le(high))


def _reachable(instance: object, attribute: Attribute[Any], value: str) -> None:
    relative = not re.match(r"[a-z][a-z0-9+.-]*:|//", value, re.IGNORECASE | re.ASCII)
    if re.search(r"[\x00-\x20\x7f\\]", value) or not (relative or re.match(r"https?://[^/]", value, re.IGNORECASE)):
        raise ValueError("must be an http or https URL, or a relative path")


@frozen(kw_only=True)
class TaskReport:
    """What an outside service reports of a task; `progress` is 0..100."""

    status: TaskStatus | None = None
    progress: float | None = field(default=None, validator=must.optional(_within(0, 100)))
    result_url: str | None = field(default=None, validator=must.optional(must.and_(must.max_len(2048), _reachable)))
    error_message: str | None = field(default=None, validator=must.optional(must.max_len(10_000)))


@frozen(kw_only=True)
class UploadFields:
    """The text fields that may accompany an uploaded file, before or after it."""

    processor: str | None = field(default=None, validator=must.optional(must.max_len(200)))
    options: dict[str, Any] = field(factory=dict)
    priority: int = field(default=0, validator=_within(-32768, 32767))
    run_at: datetime | None = None
    extra_data: dict[str, Any] = field(factory=dict)
    session_id: str | None = field(default=None, validator=must.optional(must.max_len(200)))
    max_attempts: int | None = field(default=None, validator=must.optional(_within(1, 1000)))
    timeout_seconds: float | None = field(default=None, validator=must.optional(_within(0.01, 31 * 86400)))
    on_duplicate: OnDuplicate = OnDuplicate.RETURN


_SORTS = {"uploaded_at": "created_at", "file_name": "file_name", "status": "status", "priority": "priority"}


@frozen(kw_only=True)
class ListQuery:
    """The query of a list of tasks. With `cursor`, `page` is of no effect."""

    page: int = field(default=1, validator=_within(1, MAX_PAGE))
    page_size: int = field(default=20, validator=_within(1, 100))
    status: TaskStatus | None = None
    sort_by: str = field(default="uploaded_at", validator=must.in_(tuple(_SORTS)))
    order: str = field(default="desc", validator=must.in_(("asc", "desc")))
    cursor: str | None = field(default=None, validator=must.optional(must.max_len(1000)))
    q: str | None = field(default=None, validator=must.optional(must.max_len(255)))
    processor: str | None = field(default=None, validator=must.optional(must.max_len(200)))
    owner: str | None = field(default=None, validator=must.optional(must.max_len(200)))
    created_after: datetime | None = None
    created_before: datetime | None = None

    @property
    def sort(self) -> str:
        """The engine's name of the sort order."""
        return _SORTS[self.sort_by]

    @property
    def offset(self) -> int | None:
        """How many tasks come before the page; None when a cursor says so."""
        return None if self.cursor is not None else (self.page - 1) * self.page_size

    def filter(self, sees: str | None) -> TaskFilter:
        """Return the engine's filter for somebody who sees only the tasks of an owner, or those of all (None)."""
        return TaskFilter(
            status=self.status,
            processor=self.processor,
            owner=self.owner if sees is None else sees,
            created_after=self.created_after,
            created_before=self.created_before,
            query=self.q,
        )


_MAX_SEQ = 2**62


@frozen(kw_only=True)
class EventsQuery:
    """The query of events: those after seq `after`, at most `limit`."""

    after: int = field(default=0, validator=_within(0, _MAX_SEQ))
    limit: int = field(default=1000, validator=_within(1, 1000))


@frozen(kw_only=True)
class LogsQuery(EventsQuery):
    """The query of log entries: as of events, and of which level; None is any."""

    level: LogLevel | None = None
