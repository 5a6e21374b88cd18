"""What processors hand out, made fit for storing: JSON that PostgreSQL accepts, names that are only names."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from novel_tasks_core.errors import InvalidInputError

MAX_VALUE_BYTES = 8 << 20
"""How large a result or a checkpoint may be as JSON; more than this belongs into an artifact."""
_PLAIN_CHARACTERS = 10_000
_PLAIN = frozenset({str, int, bool, type(None)})
_TEXT = frozenset({str})
MAX_LOG_CHARACTERS = 4000
MAX_STAGE_CHARACTERS = 200
MAX_NAME_CHARACTERS = 200

# PostgreSQL refuses NUL in text and jsonb, and surrogates cannot be written as UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff/\\]")
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_CONTENT_TYPES = {
    "txt": "text/plain; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xml": "application/xml",
    "epub": "application/epub+zip",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
}


def storable_text(text: str, *, limit: int = MAX_LOG_CHARACTERS) -> str:
    """Replace what no database stores (NUL, lone surrogates) by U+FFFD, and cut at `limit` characters."""
    if len(text) > limit:
        text = f"{text[: limit - 1]}…"
    return _UNSTORABLE.sub("\ufffd", text)


def storable_value(value: Any, *, name: str) -> Any:
    """Return `value` as it will come back from JSON, with what no database stores replaced by U+FFFD.

    `name` says in errors what the value is. Tuples become lists, keys become text.

    Raises: InvalidInputError when it is not JSON (NaN and Infinity are not), or larger than `MAX_VALUE_BYTES`.
    """
    return storable_json(value, name=name)[0]


def storable_json(value: Any, *, name: str) -> tuple[Any, str | None]:
    """Return what `storable_value` does, and its JSON text where it needed to be written anyway.

    Raises: InvalidInputError as `storable_value` does.
    """
    if value is None or value is True or value is False:
        return value, None
    text = _json(value, name)
    if _is_plain(value, text):
        return value, text
    if len(text) * 4 > MAX_VALUE_BYTES and (size := len(text.encode("utf-8", "replace"))) > MAX_VALUE_BYTES:
        limit = MAX_VALUE_BYTES >> 20
        raise InvalidInputError(name, f"{size:,} bytes of JSON are more than {limit} MiB: store it as an artifact")
    plain = json.loads(text)
    if "\\u0000" in text or _UNSTORABLE.search(text):
        return _cleaned(plain), None
    return plain, text


def _is_plain(value: Any, text: str) -> bool:
    """Say whether this is a small dict of plain values, written in ASCII: it comes back as it is, like most results."""
    return (
        type(value) is dict
        and len(text) <= _PLAIN_CHARACTERS
        and text.isascii()  # so without surrogates, and a NUL would be escaped
        and "\\u0000" not in text
        and _PLAIN.issuperset(map(type, value.values()))
        and _TEXT.issuperset(map(type, value))
    )


def _json(value: Any, name: str) -> str:
    try:
        return _encode(value)
    except TypeError as exc:
        raise InvalidInputError(name, f"must be JSON: {exc}") from exc
    except ValueError as exc:
        reason = "JSON has no NaN and no Infinity" if _has_nan(value) else str(exc)
        raise InvalidInputError(name, f"must be JSON: {reason}") from exc
    except RecursionError as exc:
        raise InvalidInputError(name, "must be JSON: nested too deeply") from exc


def _has_nan(value: Any) -> bool:
    """Say whether `json.dumps` refused `value` for a number rather than for a circle."""
    try:
        json.dumps(value)
    except ValueError:
        return False
    return True


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return _UNSTORABLE.sub("\ufffd", value)
        case list():
            return [_cleaned(item) for item in value]
        case dict():
            return {_UNSTORABLE.sub("\ufffd", key): _cleaned(item) for key, item in value.items()}
        case _:
            return value


def fraction_of(done: float, total: float) -> float:
    """Return `done` / `total` within 0..1; 0 where that is no number, since progress must not fail an attempt."""
    share = done / total if total else 0.0
    return min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0


def artifact_name(name: str) -> str:
    """Return the name unchanged if it can be the name of a file on any system and in any archive.

    Raises: InvalidInputError for one that is empty, a dot or two, has a slash, a backslash or control
    characters, or is longer than 200 characters or, in UTF-8, than a file name may be (255 bytes).
    """
    if name in ("", ".", ".."):
        raise InvalidInputError("name", "an artifact needs a name other than . and ..")
    if _CONTROL.search(name):
        raise InvalidInputError("name", "the name of an artifact must not have slashes or control characters")
    if len(name) > MAX_NAME_CHARACTERS or len(name.encode()) > 255:
        raise InvalidInputError("name", f"the name of an artifact has at most {MAX_NAME_CHARACTERS} characters")
    return name


def content_type_of(name: str) -> str:
    """Guess the media type from the extension; `application/octet-stream` for one we do not know."""
    return _CONTENT_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
