"""Named SQL: every statement of the project stands in a file of `sql/`, found here by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_HEADING = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


@cache
def load_queries(file: str) -> Mapping[str, str]:
    """Read the statements of `sql/<file>.sql`: each begins at its line `-- name: <name>`."""
    text = (files(__package__) / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    parts = _HEADING.split(text)[1:]
    return MappingProxyType({name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)})


def query_files() -> tuple[str, ...]:
    """Return the names of all query files, without their ending."""
    return tuple(sorted(f.name.removesuffix(".sql") for f in (files(__package__) / "sql").iterdir()))
