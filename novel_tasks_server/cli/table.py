"""Tasks as a table on stdout: whole where it is read by a program, fitted where it is a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.cells import cell_len

from novel_tasks_server.cli.console import printable
from novel_tasks_server.cli.fitting import cut_name, padded
from novel_tasks_server.cli.remote import time_text
from novel_tasks_server.client import RemoteTask

_HEADINGS = ["TASK", "STATUS", "DONE", "PROCESSOR", "UPLOADED", "FILE"]
_BRIEF_HEADINGS = ["TASK", "STATUS", "PROCESSOR", "UPLOADED", "FILE"]
_LOOKED_AT = 1000
"""How many rows settle the widths of the columns."""

_SHORTEST_NAME = 12
_ID_CHARACTERS = len("task-") + 17
"""The beginning of an id that tells it from others: its time, and a part of what is random in it."""

_AGES = ((86_400 * 2, 86_400, "d"), (3_600 * 2, 3_600, "h"), (60 * 2, 60, "min"), (0, 1, "s"))


def age_text(moment: datetime, now: datetime) -> str:
    """Write how long ago something was, in one unit: `45 s`, `3 min`, `5 h`, `12 d`."""
    seconds = max(0.0, (now - moment).total_seconds())
    size, unit = next((size, unit) for least, size, unit in _AGES if seconds >= least)
    return f"{seconds // size:.0f} {unit} ago"


class TaskTable:
    """Rows under headings, as wide as they need. A file's name comes last and may be long.

    On a terminal every row is one line: where it is too narrow, an id is told by its beginning, which all commands
    take, a time as an age, and a name may be cut.
    """

    def __init__(self) -> None:
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        self._now = datetime.now(UTC)
        self._waiting: list[RemoteTask] = []
        self._widths: list[int] = []
        self._is_brief = False

    def add(self, task: RemoteTask) -> None:
        """Show a task, now or at the next `flush`."""
        self._waiting.append(task)
        if len(self._waiting) > _LOOKED_AT:
            self.flush()

    def flush(self) -> None:
        """Print what waits; nothing if there never was a row."""
        if not self._waiting:
            return
        rows = [self._cells(task) for task in self._waiting]
        if not self._widths:
            rows = self._settle(rows)
        for row in rows:
            self._print(row)
        self._waiting = []

    def _settle(self, rows: list[list[str]]) -> list[list[str]]:
        """Choose between the whole and the brief table, and how wide the columns are; return rows with headings."""
        rows = [_HEADINGS, *rows]
        self._widths = _widths(rows)
        if self._width is not None and sum(self._widths) + 2 * len(self._widths) > self._width:
            self._is_brief = True
            rows = [_BRIEF_HEADINGS, *(self._cells(task) for task in self._waiting)]
            self._widths = _widths(rows)
        return rows

    def _cells(self, task: RemoteTask) -> list[str]:
        name = task.file_name or "-"
        if not self._is_brief:
            uploaded = time_text(task.uploaded_at)
            cells = [task.id, task.status.value, f"{task.progress:.0f}%", task.processor, uploaded, name]
        else:
            done = f" {task.progress:.0f}%" if task.status.value == "processing" else ""
            age = age_text(task.uploaded_at, self._now)
            cells = [task.id[:_ID_CHARACTERS], task.status.value + done, task.processor, age, name]
        return [printable(cell) for cell in cells]

    def _print(self, row: Sequence[str]) -> None:
        *cells, last = row
        columns = [padded(cell, width) for cell, width in zip(cells, self._widths, strict=False)]
        if self._width is not None:
            left = self._width - sum(cell_len(column) + 2 for column in columns)
            last = cut_name(last, max(_SHORTEST_NAME, left))
        click.echo("  ".join((*columns, last)))


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
