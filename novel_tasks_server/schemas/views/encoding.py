"""From view classes to bytes."""

from __future__ import annotations

from typing import Any

import msgspec


def encode(value: Any) -> bytes:
    """Write a value as JSON in UTF-8; times as RFC 3339 in UTC, NaN and infinities as null."""
    return msgspec.json.encode(value)
