"""Ages as people write them: 30m, 2h, 7d."""

from __future__ import annotations

import re
from datetime import timedelta

_AGE = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_age(text: str) -> timedelta | None:
    """Read an age; None for what is none. Raises: OverflowError for one beyond all time."""
    age = _AGE.fullmatch(text)
    return timedelta(**{_UNITS[age[2]]: int(age[1])}) if age else None
