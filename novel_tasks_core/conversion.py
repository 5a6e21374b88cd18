"""Conversion at the edges: JSON text to values and back. Models know nothing of it.

PostgreSQL's text and JSON hold neither NUL nor lone surrogates. What comes from callers is refused
(`require_json`), what comes from processors is repaired (`result_json`): their work must not be lost for
one odd character.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import cattrs

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.events import STORED_EVENTS, NewEvent, StoredEvent, own_fields
from novel_tasks_core.models import ErrorInfo, JsonObject, TaskId

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_SCALARS = frozenset({str, int, float, bool, type(None)})

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

_events = cattrs.Converter(detailed_validation=False)
_events.register_structure_hook(datetime, lambda v, _: v if isinstance(v, datetime) else datetime.fromisoformat(v))
_events.register_structure_hook(UUID, lambda value, _: value)
_events.register_unstructure_hook(datetime, datetime.isoformat)


def clean_text(text: str) -> str:
    """Replace what PostgreSQL cannot hold, NUL and lone surrogates, by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


UNSTORABLE = Complaint("must not contain NUL characters or lone surrogates", FaultCode.UNSTORABLE)
"""What is said of text that `is_storable` refuses."""


def is_storable(text: str) -> bool:
    """Say whether PostgreSQL can hold this text."""
    return "\x00" not in text if text.isascii() else _UNSTORABLE.search(text) is None


def require_text(field: str, text: str, *, max_length: int) -> str:
    """Return `text` if it can be stored.

    Raises: InvalidInputError for NUL, lone surrogates, or more than `max_length` characters.
    """
    if len(text) > max_length:
        said = f"must be at most {max_length:,} characters long, not {len(text):,}"
        raise InvalidInputError(field, Complaint(said, FaultCode.LONG, n=max_length))
    if not is_storable(text):
        raise InvalidInputError(field, UNSTORABLE)
    return text


def is_flat(value: Any) -> bool:
    """Say whether this is a dict of names to numbers, texts and the like, which JSON gives back as it is."""
    if type(value) is not dict:
        return False
    for name, item in value.items():  # noqa: SIM110 - a generator costs twice the time, and this is asked of every task
        if type(name) is not str or type(item) not in _SCALARS:
            return False
    return True


def require_json(field: str, value: Any, *, max_bytes: int) -> str:
    """Write a caller's value as JSON text.

    Raises: InvalidInputError if it is not JSON (NaN and infinities are not), holds NUL or lone
    surrogates, or needs more than `max_bytes`.
    """
    try:
        text = _encode(value)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidInputError(field, Complaint(f"must be JSON: {exc}", FaultCode.JSON, reason=str(exc))) from exc
    if ("\\u0000" in text and "\x00" in _all_text(value)) or not is_storable(text):
        raise InvalidInputError(field, UNSTORABLE)
    size = len(text) if text.isascii() else len(text.encode())
    if size > max_bytes:
        said = f"must be at most {max_bytes:,} bytes of JSON, not {size:,}"
        raise InvalidInputError(field, Complaint(said, FaultCode.BYTES, n=max_bytes))
    return text


def _all_text(value: Any) -> str:
    """Join every string inside a JSON value, keys included."""
    match value:
        case str():
            return value
        case Mapping():
            return "".join(_all_text(k) + _all_text(v) for k, v in value.items())
        case list() | tuple():
            return "".join(map(_all_text, value))
        case _:
            return ""


def result_json(value: Any) -> str:
    """Write what a processor returned as JSON text that PostgreSQL takes.

    Raises: InvalidInputError if it is not JSON.
    """
    try:
        text = _encode(value)
    except (TypeError, ValueError, RecursionError) as exc:
        said = Complaint(f"a processor must return JSON: {exc}", FaultCode.JSON, reason=str(exc))
        raise InvalidInputError("result", said) from exc
    if "\\u0000" in text:
        text = re.sub(r"(?<!\\)((?:\\\\)*)\\u0000", "\\1\ufffd", text)
    return clean_text(text)


def read_json(text: str | None, default: Any = None) -> Any:
    """Read stored JSON text; None gives `default`."""
    return default if text is None else json.loads(text)


def error_json(error: ErrorInfo | None) -> str | None:
    """Write an error as JSON text."""
    return None if error is None else result_json(_error_fields(error))


def _error_fields(error: ErrorInfo) -> JsonObject:
    """Return what is stored of an error: of most only what has always been."""
    fields: dict[str, Any] = {"type": error.type, "message": error.message}
    if error.permanent:
        fields["permanent"] = True
    if error.details:
        fields["details"] = error.details
    return fields


_events.register_unstructure_hook(ErrorInfo, _error_fields)


def read_error(text: str | None) -> ErrorInfo | None:
    """Read a stored error."""
    if text is None:
        return None
    value = json.loads(text)
    return ErrorInfo(
        value["type"], value["message"], permanent=value.get("permanent", False), details=value.get("details", {})
    )


def read_event(
    task_id: TaskId, seq: int, at: datetime, *, attempt: int, kind: str, data: JsonObject | None
) -> StoredEvent:
    """Build the event that was stored."""
    fields = {"task_id": task_id, "seq": seq, "at": at, "attempt": attempt, **(data or {})}
    return _events.structure(fields, STORED_EVENTS[kind])


def new_event(event: StoredEvent) -> NewEvent:
    """Turn an event into what is stored of it; its seq is given anew."""
    data = {name: value for name, value in own_fields(event).items() if name != "attempt"}
    return NewEvent(event.kind, event.at, result_json(_events.unstructure(data)) if data else None)
