"""What a caller may ask of a list, checked before anything is asked of the database: filters, orders, cursors."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from attrs import evolve, frozen

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.conversion import UNSTORABLE, is_storable
from novel_tasks_core.errors import InvalidFilterError
from novel_tasks_core.models import TaskFilter, TaskStatus, TaskSummary

MAX_LIMIT = 1000
MAX_OFFSET = 10_000
MAX_SORTED = 10_000
MAX_TEXT = 1000
SORTS = ("created_at", "file_name", "status", "priority")

FIRST_ID = UUID(int=0)
LAST_ID = UUID(int=(1 << 128) - 1)
_CHECK_BYTES = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIKE = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
_ID_PREFIX = re.compile(r"task-([0-9a-f]{1,32})|((?=(?:-?[0-9a-f]){8})[0-9a-f-]{8,36})", re.ASCII)


@frozen(kw_only=True)
class Listing:
    """How to list: checked at construction. Raises: InvalidFilterError."""

    sort: str = "created_at"
    descending: bool = True
    limit: int = 20
    cursor: str | None = None
    offset: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.sort not in SORTS:
            said = f"must be one of {', '.join(SORTS)}, not {self.sort!r}"
            raise InvalidFilterError("sort", Complaint(said, FaultCode.CHOICE))
        if not _is_whole(self.limit) or not 1 <= self.limit <= MAX_LIMIT:
            said = f"must be a whole number between 1 and {MAX_LIMIT:,}, not {self.limit!r}"
            raise InvalidFilterError("limit", Complaint(said, FaultCode.RANGE, low=1, high=MAX_LIMIT))
        if self.offset is not None and (not _is_whole(self.offset) or not 0 <= self.offset <= MAX_OFFSET):
            said = f"must be a whole number between 0 and {MAX_OFFSET:,}; go on from a cursor instead"
            raise InvalidFilterError("offset", Complaint(said, FaultCode.RANGE, low=0, high=MAX_OFFSET))
        if self.cursor is not None and self.offset is not None:
            said = "cannot be used together with an offset"
            raise InvalidFilterError("cursor", Complaint(said, FaultCode.CURSOR))
        if self.cursor is not None and not self.by_id:
            said = "works only with the sort created_at; use an offset"
            raise InvalidFilterError("cursor", Complaint(said, FaultCode.CURSOR))

    @property
    def by_id(self) -> bool:
        """Whether this is the order of the ids, which begin with the time, in one direction or the other."""
        return self.sort == "created_at"

    @property
    def needed(self) -> int:
        """How many ids to look for: those before the page, the page, and one that tells whether there is another."""
        return (self.offset or 0) + self.limit + 1

    @property
    def is_newest_first(self) -> bool:
        """Whether this is the order that nearly everybody wants."""
        return self.by_id and self.descending


@frozen(kw_only=True)
class Criteria:
    """A filter as the statements take it: ids from `low` up to `high`, which is left out, and conditions or None.

    `pattern` is for LIKE on file names. A query that reads as the beginning of an id also finds the ids
    from `id_low` up to `id_high`, which are the other way round for any other. `inside` says that
    the pattern may begin anywhere. `text` is what the pattern was made of.
    """

    low: UUID
    high: UUID
    owner: str | None
    processor: str | None
    status: TaskStatus | None
    pattern: str | None
    id_low: UUID
    id_high: UUID
    inside: bool
    text: str

    @classmethod
    def of(cls, wanted: TaskFilter) -> Criteria:
        """Check a filter. Raises: InvalidFilterError."""
        query = (_text("query", wanted.query) or "").strip()
        inside, text = query.startswith("*"), query.lstrip("*")
        prefix = None if inside else _ID_PREFIX.fullmatch(query.lower())
        id_low, id_high = _ids_from(prefix[0]) if prefix else (LAST_ID, FIRST_ID)
        return cls(
            low=FIRST_ID if wanted.created_after is None else _first_id("created_after", wanted.created_after),
            high=LAST_ID if wanted.created_before is None else _first_id("created_before", wanted.created_before),
            owner=_text("owner", wanted.owner),
            processor=_text("processor", wanted.processor),
            status=_status(wanted.status),
            pattern=_pattern(text, inside=inside),
            id_low=id_low,
            id_high=id_high,
            inside=inside,
            text=text,
        )

    def matches(self, task: TaskSummary) -> bool:
        """Say whether a task is one of those that the statements find."""
        return (
            self.low <= task.id < self.high
            and (self.owner is None or task.owner == self.owner)
            and (self.processor is None or task.processor == self.processor)
            and (self.status is None or task.status is self.status)
            and (self.pattern is None or self._is_named(task) or self.id_low <= task.id < self.id_high)
        )

    def _is_named(self, task: TaskSummary) -> bool:
        if task.source is None:
            return False
        name, wanted = task.source.name.lower(), self.text.lower()
        return wanted in name if self.inside else name.startswith(wanted)

    @property
    def counted(self) -> bool:
        """Whether the counters know how many tasks match."""
        return self.pattern is None and self.full_time

    @property
    def full_time(self) -> bool:
        """Whether tasks of any age may match."""
        return (self.low, self.high) == (FIRST_ID, LAST_ID)

    @property
    def is_plain(self) -> bool:
        """Whether all tasks match, or all of an owner who has a name."""
        return self.counted and self.processor is None and self.status is None and self.owner != ""

    def by_id(self) -> Criteria:
        """Let the query mean ids only."""
        return evolve(self, low=max(self.low, self.id_low), high=min(self.high, self.id_high), pattern=None)

    def within(self, part: Criteria) -> Criteria:
        """Return these criteria for the ids that a part of the list has."""
        return evolve(self, low=max(self.low, part.low), high=min(self.high, part.high))

    def args(self, lane: int | None) -> list[Any]:
        """Return the parameters that all statements share; `lane` is that of the processor."""
        status = None if self.status is None else self.status.value
        return [self.low, self.high, self.owner, lane, status, self.pattern, self.id_low, self.id_high]

    def beyond(self, listing: Listing) -> Criteria:
        """Leave out what the pages before the listing's cursor had. Raises: InvalidFilterError for a foreign cursor."""
        if listing.cursor is None:
            return self
        last = self._last_of(listing.cursor, descending=listing.descending)
        if listing.descending:
            return evolve(self, high=min(self.high, last))
        return evolve(self, low=max(self.low, UUID(int=min(last.int + 1, LAST_ID.int))))

    def cursor(self, last: UUID, *, descending: bool) -> str:
        """Write the cursor of a page that ends with the id `last`: good for this filter and this direction only."""
        return base64.urlsafe_b64encode(last.bytes + self._check(last, descending=descending)).decode()

    def _last_of(self, cursor: str, *, descending: bool) -> UUID:
        said = "is not one that this list gave out; cursors hold for one filter and one order"
        foreign = InvalidFilterError("cursor", Complaint(said, FaultCode.CURSOR))
        try:
            raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise foreign from None
        if len(raw) != 16 + _CHECK_BYTES:
            raise foreign
        last = UUID(bytes=raw[:16])
        if raw[16:] != self._check(last, descending=descending):
            raise foreign
        return last

    def _check(self, last: UUID, *, descending: bool) -> bytes:
        bound = (
            last.hex,
            descending,
            self.low.hex,
            self.high.hex,
            self.owner,
            self.processor,
            self.status,
            self.pattern,
        )
        said = "\0".join("" if part is None else f"={part}" for part in bound)
        return blake2b(said.encode(), digest_size=_CHECK_BYTES, person=b"task list").digest()


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(field: str, text: Any) -> str | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidFilterError(field, Complaint(f"must be a text, not {text!r}", FaultCode.TEXT))
    if len(text) > MAX_TEXT:
        said = f"must be at most {MAX_TEXT:,} characters long, not {len(text):,}"
        raise InvalidFilterError(field, Complaint(said, FaultCode.LONG, n=MAX_TEXT))
    if not is_storable(text):
        raise InvalidFilterError(field, UNSTORABLE)
    return text


def _status(status: Any) -> TaskStatus | None:
    try:
        return None if status is None else TaskStatus(status)
    except ValueError:
        said = f"must be one of {', '.join(TaskStatus)}, not {status!r}"
        raise InvalidFilterError("status", Complaint(said, FaultCode.CHOICE)) from None


def _first_id(field: str, at: Any) -> UUID:
    """Check a time, and return the lowest id that a task made then can have."""
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise InvalidFilterError(field, Complaint("must be a time with a time zone", FaultCode.MOMENT))
    return first_id(at)


def first_id(at: datetime) -> UUID:
    """Return the lowest id that a task made at this time can have."""
    return UUID(int=max(0, (at - _EPOCH) // timedelta(milliseconds=1)) << 80)


def _ids_from(prefix: str) -> tuple[UUID, UUID]:
    """Return the first id with these first digits, and the first one after them."""
    digits = prefix.removeprefix("task-").replace("-", "")[:32]
    free = 4 * (32 - len(digits))
    low = int(digits, 16) << free
    return UUID(int=low), UUID(int=min(low + (1 << free), LAST_ID.int))


def _pattern(text: str, *, inside: bool) -> str | None:
    """Return the LIKE pattern of a search: the start of a file name, or any part of it."""
    if not text.strip():
        return None
    return ("%" if inside else "") + text.translate(_LIKE) + "%"
