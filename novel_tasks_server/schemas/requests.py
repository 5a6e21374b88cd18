"""What clients may send: each class says by its validators what it takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen
from attrs import validators as must

from novel_tasks_core import Complaint, FaultCode, LogLevel, OnDuplicate, TaskFilter, TaskStatus
from novel_tasks_server.schemas.decoding import FieldFault, InvalidRequestError

MAX_PAGE = 1_000_000
"""The last page that can be asked for by number; further on, use the cursor."""

MAX_PAGE_SIZE = 100
"""How many tasks one page may have."""

_PRIORITIES = (-32768, 32767)

_Validator = Callable[[Any, "Attribute[Any]", Any], Any]


def _within(low: float, high: float) -> _Validator:
    return must.and_(must.ge(low), must.le(high))


@frozen
class _Matching:
    """A validator like matches_re, which says in words of its own what would be right."""

    pattern: re.Pattern[str]
    says: Complaint

    def __call__(self, instance: object, attribute: Attribute[Any], value: str) -> None:
        if not self.pattern.fullmatch(value):
            raise ValueError(self.says)


_REACHABLE = _Matching(
    re.compile(
        r"^([hH][tT][tT][pP][sS]?://[^\x00-\x20\x7f\\/][^\x00-\x20\x7f\\]*"
        r"|(?![a-zA-Z][a-zA-Z0-9+.-]*:|//)[^\x00-\x20\x7f\\]*)$"
    ),
    Complaint("must be an http or https URL, or a relative path", FaultCode.ADDRESS),
)


@frozen(kw_only=True)
class TaskReport:
    """What an outside service reports of a task; `progress` is 0..100."""

    status: TaskStatus | None = None
    progress: float | None = field(default=None, validator=must.optional(_within(0, 100)))
    result_url: str | None = field(default=None, validator=must.optional(must.and_(must.max_len(2048), _REACHABLE)))
    error_message: str | None = field(default=None, validator=must.optional(must.max_len(10_000)))


@frozen(kw_only=True)
class WorkFields:
    """What work is asked for, and how it is to be done; times are RFC 3339, durations seconds."""

    processor: str | None = field(
        default=None, validator=must.optional(must.max_len(200)), metadata={"examples": ["analyze"]}
    )
    options: dict[str, Any] = field(factory=dict)
    priority: int = field(default=0, validator=_within(*_PRIORITIES))
    run_at: datetime | None = field(default=None, metadata={"examples": ["2026-12-24T18:00:00Z"]})
    extra_data: dict[str, Any] = field(factory=dict)
    session_id: str | None = field(
        default=None, validator=must.optional(must.max_len(200)), metadata={"examples": ["evening"]}
    )
    max_attempts: int | None = field(default=None, validator=must.optional(_within(1, 1000)))
    timeout_seconds: float | None = field(default=None, validator=must.optional(_within(0.01, 31 * 86400)))
    on_duplicate: OnDuplicate = OnDuplicate.RETURN


@frozen(kw_only=True)
class UploadFields(WorkFields):
    """The text fields that may accompany an uploaded file, before or after it."""


@frozen(kw_only=True)
class PreviewFields:
    """How to read the beginning of a novel: options of the processor `split`, such as `chapter_rule`."""

    options: dict[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class ProcessRequest(WorkFields):
    """More work on the novel of a task: on its source, or on the `artifact` of this name."""

    artifact: str | None = field(
        default=None, validator=must.optional(must.max_len(200)), metadata={"examples": ["novel.epub"]}
    )


@frozen(kw_only=True)
class FollowQuery:
    """Which tasks to follow: all conditions must hold.

    `q` is the beginning of a file name or of an id, or an asterisk and any part of a name.
    """

    status: TaskStatus | None = None
    q: str | None = field(default=None, validator=must.optional(must.max_len(255)))
    processor: str | None = field(default=None, validator=must.optional(must.max_len(200)))
    owner: str | None = field(default=None, validator=must.optional(must.max_len(200)))


@frozen(kw_only=True)
class TaskChoice(FollowQuery):
    """Which tasks: all conditions must hold."""

    created_after: datetime | None = None
    created_before: datetime | None = None

    def filter(self, owner: str | None) -> TaskFilter:
        """Return the engine's filter, for the tasks of `owner`, or those of all (None)."""
        return TaskFilter(
            status=self.status,
            processor=self.processor,
            owner=owner,
            created_after=self.created_after,
            created_before=self.created_before,
            query=self.q,
        )


_SORTS = {"uploaded_at": "created_at", "file_name": "file_name", "status": "status", "priority": "priority"}


@frozen(kw_only=True)
class ListQuery(TaskChoice):
    """The query of a list of tasks. With `cursor`, `page` is of no effect."""

    page: int = field(default=1, validator=_within(1, MAX_PAGE))
    page_size: int = field(default=20, validator=_within(1, MAX_PAGE_SIZE))
    sort_by: str = field(default="uploaded_at", validator=must.in_(tuple(_SORTS)))
    order: str = field(default="desc", validator=must.in_(("asc", "desc")))
    cursor: str | None = field(default=None, validator=must.optional(must.max_len(1000)))

    @property
    def sort(self) -> str:
        """The engine's name of the sort order."""
        return _SORTS[self.sort_by]

    @property
    def offset(self) -> int | None:
        """How many tasks come before the page; None when a cursor says so."""
        return None if self.cursor is not None else (self.page - 1) * self.page_size


class BulkAction(StrEnum):
    """What can be done to many tasks at once."""

    RETRY = "retry"
    CANCEL = "cancel"
    DELETE = "delete"
    REPRIORITIZE = "reprioritize"


@frozen(kw_only=True)
class BulkRequest:
    """One action on all tasks that `filter` matches; `{}` stands for all. `dry_run` only counts.

    `priority` belongs to the action `reprioritize`, which needs it.
    """

    action: BulkAction
    filter: TaskChoice
    dry_run: bool = False
    priority: int | None = field(default=None, validator=must.optional(_within(*_PRIORITIES)))

    def __attrs_post_init__(self) -> None:
        """Check that there is a priority where one is needed, and nowhere else."""
        if (self.action is BulkAction.REPRIORITIZE) != (self.priority is not None):
            needless = Complaint(f"means nothing to the action {self.action}", FaultCode.NEEDLESS)
            fault = needless if self.priority is not None else Complaint("is required", FaultCode.REQUIRED)
            raise InvalidRequestError(FieldFault("/priority", fault))


class Inclusion(StrEnum):
    """What can be shown along with a task."""

    LOGS = "logs"


@frozen(kw_only=True)
class ShowQuery:
    """The query of one task: what to include."""

    include: Inclusion | None = None


_MAX_SIGNATURE = 4096


@frozen(kw_only=True)
class LinkQuery:
    """What a signed link says in its query: until when it is good, in Unix time, and the proof of it.

    Both come from whoever made the link, and mean something only together, without a token beside them.
    """

    expires: int | None = field(default=None, validator=must.optional(_within(0, 10**12 - 1)))
    signature: str | None = field(default=None, validator=must.optional(must.max_len(_MAX_SIGNATURE)))


@frozen(kw_only=True)
class FileQuery(LinkQuery):
    """The query of a file: `download` 1 has browsers store it, also where they could show it."""

    download: int = field(default=0, validator=_within(0, 1))


@frozen(kw_only=True)
class LinkRequest:
    """Which file of a task: `source`, `result`, or `artifacts/` and the name of an artifact."""

    file: str = field(
        validator=must.and_(
            must.max_len(300),
            _Matching(
                re.compile(r"^(source|result|artifacts/[^/\x00-\x1f]+)$"),
                Complaint("must be source, result, or artifacts/ and the name of an artifact", FaultCode.FILE_OF_TASK),
            ),
        ),
        metadata={"examples": ["artifacts/report.html"]},
    )


_MAX_SEQ = 2**31 - 1
"""The highest seq that an event can have."""


@frozen(kw_only=True)
class SeqQuery:
    """Which part of a history: what came after seq `after`, at most `limit`."""

    after: int = field(default=0, validator=_within(0, _MAX_SEQ))
    limit: int = field(default=1000, validator=_within(1, 1000))


@frozen(kw_only=True)
class EventsQuery(SeqQuery):
    """The query of events; with `logs` false those that are not log entries."""

    logs: bool = True


@frozen(kw_only=True)
class LogsQuery(SeqQuery):
    """The query of log entries: of which level at least; None is any."""

    level: LogLevel | None = None


@frozen(kw_only=True)
class HistoryQuery:
    """The query of what the queue did: over how many minutes, and of which processor alone."""

    minutes: int = field(default=60, validator=_within(1, 7 * 24 * 60))
    processor: str | None = field(default=None, validator=must.optional(must.max_len(200)))
