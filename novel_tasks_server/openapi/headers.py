"""The headers that requests and answers carry, each described once."""

from __future__ import annotations

from typing import Any

_TAG = r'(W/)?"[!#-~]+"'
_TAGS = {"anyOf": [{"const": "*"}, {"type": "string", "pattern": rf"^{_TAG}( *, *{_TAG})*$"}]}
_TEXT = {"type": "string"}

REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    "If-Match": {
        "description": "Versions of the task, as its ETag tells them: at another one, nothing is done (412).",
        "schema": _TAGS,
        "example": '"1.0.0"',
    },
    "If-None-Match": {
        "description": "Versions that the client has: if it is one of them, it is not sent again (304).",
        "schema": _TEXT,
    },
    "Range": {
        "description": "One part of the file, in bytes: `bytes=0-999`. Several parts, and other units, are not split.",
        "schema": _TEXT,
    },
    "If-Range": {
        "description": "Send the part only if the file still has this ETag or date, else the whole file.",
        "schema": _TEXT,
    },
    "Last-Event-ID": {
        "description": "The seq of the last event that a stream's client got before it lost the connection.",
        "schema": _TEXT,
    },
}
"""What a request may say in headers."""

RESPONSE_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "What names this request in the logs: the client's own X-Request-ID if it is sane.",
        "schema": _TEXT,
    },
    "ETag": {"description": "The version of what is sent.", "schema": {"type": "string", "pattern": rf"^{_TAG}$"}},
    "Location": {"description": "The path of the task.", "schema": _TEXT},
    "Link": {
        "description": "The way to other pages (RFC 8288), relative to this one: `first`, `prev`, `next`.",
        "schema": _TEXT,
    },
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Content-Disposition": {"description": "The name of the file (RFC 6266).", "schema": _TEXT},
    "Repr-Digest": {
        "description": "The SHA-256 of the whole file (RFC 9530).",
        "schema": {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
    },
    "Accept-Ranges": {"description": "Parts of the file can be asked for.", "schema": {"const": "bytes"}},
    "Content-Range": {"description": "Which part of the file this is.", "schema": _TEXT},
}
"""What an answer may say in headers."""
