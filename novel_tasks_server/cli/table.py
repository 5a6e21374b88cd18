"""Tasks as a table on stdout."""

from __future__ import annotations

import click
from rich.cells import cell_len

from novel_tasks_server.cli.console import printable
from novel_tasks_server.cli.remote import time_text
from novel_tasks_server.client import RemoteTask

_HEADINGS = ["TASK", "STATUS", "DONE", "PROCESSOR", "UPLOADED", "FILE"]
_LOOKED_AT = 1000
"""How many rows settle the widths of the columns."""


class TaskTable:
    """Rows under headings, as wide as they need: a file's name comes last and may be long."""

    def __init__(self) -> None:
        self._waiting = [_HEADINGS]
        self._widths: list[int] = []

    def add(self, task: RemoteTask) -> None:
        """Show a task, now or at the next `flush`."""
        done, uploaded = f"{task.progress:.0f}%", time_text(task.uploaded_at)
        cells = [task.id, task.status.value, done, task.processor, uploaded, task.file_name or "-"]
        self._waiting.append([printable(cell) for cell in cells])
        if len(self._waiting) > _LOOKED_AT:
            self.flush()

    def flush(self) -> None:
        """Print what waits; nothing if there never was a row."""
        if not self._widths:
            if len(self._waiting) == 1:
                return
            self._widths = [max(map(cell_len, column)) for column in zip(*self._waiting, strict=True)]
        for *cells, last in self._waiting:
            padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, self._widths, strict=False))
            click.echo("  ".join((*padded, last)))
        self._waiting = []
