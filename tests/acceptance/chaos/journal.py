"""What a process saw, written down outside the database: one line each, which outlives its own kill -9."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

FOLDER = "CHAOS_JOURNALS"
"""The environment variable that names the folder; children inherit it."""


class Journal:
    """The file of this process; every line is in the kernel when `write` returns."""

    def __init__(self, folder: Path) -> None:
        path = folder / f"{os.getpid()}.journal"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, what: str, *values: Any) -> None:
        """Add a line: the time of day, what happened, and to what."""
        line = json.dumps([time.time(), what, *values], default=str, ensure_ascii=False)
        os.write(self._descriptor, line.encode() + b"\n")


_journals: dict[int, Journal] = {}


def journal() -> Journal:
    """Return the journal of this process, in the folder that the environment names."""
    pid = os.getpid()
    if pid not in _journals:
        _journals[pid] = Journal(Path(os.environ[FOLDER]))
    return _journals[pid]


@frozen
class Line:
    """One line: when, by which process, what, and its values."""

    at: float
    pid: int
    what: str
    values: tuple[Any, ...]


def read_journals(folder: Path) -> Iterator[Line]:
    """Yield the lines of all processes; the one that a kill tore apart is left out."""
    for path in folder.glob("*.journal"):
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                at, what, *values = json.loads(text)
            except ValueError:
                continue
            yield Line(at, int(path.stem), what, tuple(values))
