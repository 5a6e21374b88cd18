"""Live progress of several files: bars on a terminal, one line per finished file anywhere else."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from novel_tasks_server.cli.console import console, printable, say_error

_STAGE_WIDTH = 40


class Display:
    """Shows on stderr how far each file is: a context manager that owns the bars."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console: Console = console()
        self.bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[stage]}", markup=False),
            TimeElapsedColumn(),
            console=self.console,
            disable=quiet or not self.console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.bars.stop()

    def begin(self, name: str) -> Row:
        """Begin to show `name`, at 0."""
        return Row(self, name)


class Row:
    """One file on the display."""

    def __init__(self, display: Display, name: str) -> None:
        self._display = display
        self._name = name
        self._started = time.monotonic()
        self._bar: TaskID = display.bars.add_task(printable(name), total=1.0, stage="")

    def update(self, fraction: float, stage: str = "") -> None:
        """Show that the file is at `fraction` (0..1), and what is being worked on."""
        self._display.bars.update(self._bar, completed=fraction, stage=printable(stage)[:_STAGE_WIDTH])

    def count(self, done: int, total: int | None) -> None:
        """Show how many bytes are done, and of how many; where nobody knows, only how many."""
        self.update(done / total if total else 0.0, f"{done / 1e6:,.1f} MB")

    def finish(self, what: str) -> None:
        """Take the bar away and say what came of the file in a word or two, such as "completed"."""
        self.remove()
        if not self._display.quiet:
            seconds = time.monotonic() - self._started
            self._display.console.print(printable(f"{self._name}: {what} in {seconds:.1f} s"))

    def fail(self, reason: str) -> None:
        """Take the bar away and say why the file failed."""
        self.remove()
        say_error(f"{self._name}: {reason}", on=self._display.console)

    def remove(self) -> None:
        """Take the bar away and say nothing."""
        self._display.bars.remove_task(self._bar)
