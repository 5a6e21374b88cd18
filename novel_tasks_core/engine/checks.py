"""What is asked of a new task before anything of it is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from novel_tasks_core.complaints import Complaint, FaultCode
from novel_tasks_core.conversion import clean_text, is_flat, read_json, require_json, require_text, result_json
from novel_tasks_core.errors import InvalidInputError
from novel_tasks_core.models import MAX_JSON_BYTES, JsonObject, LogLevel, NewTask, OnDuplicate, ReleaseKey, Source
from novel_tasks_core.processors.options import json_problems

MAX_KEY_CHARACTERS = 512
MAX_NAME_CHARACTERS = 255
MAX_NOTE_CHARACTERS = 4_000
MAX_TIMEOUT_SECONDS = 31 * 86_400
_MAX_SIZE = (1 << 63) - 1
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def require_priority(priority: Any) -> int:
    """Check a priority. Raises: InvalidInputError."""
    return require_whole("priority", priority, low=-32768, high=32767)


def require_attempts(attempts: Any) -> int:
    """Check a limit of attempts. Raises: InvalidInputError."""
    return require_whole("max_attempts", attempts, low=1, high=1000)


def require_whole(field: str, number: Any, *, low: int, high: int) -> int:
    """Check a whole number. Raises: InvalidInputError."""
    if not isinstance(number, int) or isinstance(number, bool):
        raise InvalidInputError(field, Complaint(f"must be a whole number, not {_shown(number)}", FaultCode.INTEGER))
    if not low <= number <= high:
        said = f"must be between {low:,} and {high:,}, not {_shown(number)}"
        raise InvalidInputError(field, Complaint(said, FaultCode.RANGE, low=low, high=high))
    return number


def require_timeout(seconds: Any) -> float:
    """Check a timeout. Raises: InvalidInputError."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        said = f"must be a number of seconds, not {_shown(seconds)}"
        raise InvalidInputError("timeout_seconds", Complaint(said, FaultCode.NUMBER))
    if not 0 < seconds <= MAX_TIMEOUT_SECONDS:
        said = f"must be above 0 and at most 31 days, not {_shown(seconds)}"
        raise InvalidInputError("timeout_seconds", Complaint(said, FaultCode.RANGE, low=0, high=MAX_TIMEOUT_SECONDS))
    return seconds


def require_moment(field: str, at: Any) -> datetime:
    """Return a time in UTC. Raises: InvalidInputError unless it is a datetime that says its time zone."""
    if not isinstance(at, datetime):
        raise InvalidInputError(field, Complaint(f"must be a datetime, not {_shown(at)}", FaultCode.MOMENT))
    if at.utcoffset() is None:
        said = "must have a time zone, such as datetime.now(UTC) has"
        raise InvalidInputError(field, Complaint(said, FaultCode.MOMENT))
    try:
        return at.astimezone(UTC)
    except OverflowError as exc:
        said = Complaint("must be between the years 1 and 9999 in UTC", FaultCode.MOMENT)
        raise InvalidInputError(field, said) from exc


def require_name(field: str, text: Any) -> str:
    """Check an owner, a session or a file name. Raises: InvalidInputError."""
    return _text(field, text, max_length=MAX_NAME_CHARACTERS)


def require_key(new: NewTask) -> str:
    """Check a key, and what is to become of it. Raises: InvalidInputError."""
    if new.key == "":
        said = "must not be empty; leave it out for a task without a key"
        raise InvalidInputError("key", Complaint(said, FaultCode.SHORT, n=1))
    _choice("on_duplicate", new.on_duplicate, OnDuplicate)
    _choice("release_at", new.release_at, ReleaseKey)
    return _text("key", new.key, max_length=MAX_KEY_CHARACTERS)


def _choice(field: str, value: Any, choices: type[OnDuplicate | ReleaseKey]) -> None:
    if value not in list(choices):
        said = f"must be one of {', '.join(choices)}, not {_shown(value)}"
        raise InvalidInputError(field, Complaint(said, FaultCode.CHOICE))


def _text(field: str, text: Any, *, max_length: int) -> str:
    if not isinstance(text, str):
        raise InvalidInputError(field, Complaint(f"must be text, not {_shown(text)}", FaultCode.TEXT))
    return require_text(field, text, max_length=max_length)


def require_source(source: Any) -> Source:
    """Check what a caller says of a stored file. Raises: InvalidInputError."""
    if not isinstance(source, Source):
        raise InvalidInputError("source", f"must be a Source, as `store` returns it, not {_shown(source)}")
    if _SHA256.fullmatch(_text("source.sha256", source.sha256, max_length=64)) is None:
        raise InvalidInputError("source.sha256", "must be 64 hex digits in lower case")
    require_whole("source.size", source.size, low=0, high=_MAX_SIZE)
    require_name("source.name", source.name)
    return source


def checked_json(field: str, value: Any) -> tuple[str | None, JsonObject]:
    """Return a JSON object as text, None for an empty one, and as it is when it is read back.

    Raises: InvalidInputError.
    """
    if not isinstance(value, Mapping):
        raise InvalidInputError(field, Complaint(f"must be a JSON object, not {_shown(value)}", FaultCode.OBJECT))
    if not value:
        return None, {}
    if is_flat(value):
        return require_json(field, value, max_bytes=MAX_JSON_BYTES), dict(value)
    for path, reason in json_problems(value, ""):
        raise InvalidInputError(field, Complaint(f"{path}: {reason}", reason.code, **reason.values))
    text = require_json(field, dict(value), max_bytes=MAX_JSON_BYTES)
    return text, read_json(text)


def checked_note(note: Any) -> str:
    """Return the first log entry as JSON text; what cannot be stored in it is replaced. Raises: InvalidInputError."""
    if not isinstance(note, str):
        raise InvalidInputError("note", Complaint(f"must be text, not {_shown(note)}", FaultCode.TEXT))
    text = require_text("note", clean_text(note), max_length=MAX_NOTE_CHARACTERS)
    return result_json({"level": LogLevel.INFO.value, "message": text})


def _shown(value: Any) -> str:
    """Write a wrong value for an error, if it is short."""
    if isinstance(value, int | float | bool | None):
        try:
            text = repr(value)
        except ValueError:  # more digits than Python writes
            return "a number with very many digits"
        return text if len(text) <= 40 else f"{text[:40]}..."
    return type(value).__name__
