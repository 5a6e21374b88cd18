"""Progress of several files: a few lines that move at the foot of a terminal, plain lines anywhere else.

On a terminal each file that has ended leaves one line, above a bar for all and a line for each that runs. What is
no terminal gets only the lines of those that have ended, without control codes.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

import click
from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from novel_tasks_server.cli.console import console, is_live, printable, say_error
from novel_tasks_server.cli.drawing import Running, draw, ending, failure

_DRAWN_EVERY_SECONDS = 0.12
_LOST_FROM_SIGHT = 8
"""How many lines after a failure's own make it worth telling again at the end."""

_TOLD_AGAIN = 20


class Display:
    """Shows on stderr how far each file is: a context manager that owns the foot of the terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console: Console = console()
        self.is_live = not quiet and is_live(sys.stderr)
        self._rows: list[Row] = []
        self._counts: Counter[str] = Counter()
        self._failures: list[tuple[int, str, str]] = []
        self._lines = 0
        self._note, self._note_until = "", 0.0
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._drawing = threading.Thread(target=self._keep_drawing, name="display", daemon=True)
        self._foot = Live(
            get_renderable=self._draw,
            console=self.console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        if self.is_live:
            self._foot.start()
            self._drawing.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._ended.set()
        if self.is_live:
            self._drawing.join()
            self._foot.stop()
        if len(self._rows) > 1 and any(row.running.since is not None for row in self._rows):
            self._tell_all()

    @property
    def says_data(self) -> bool:
        """Whether a person reads stdout and stderr on one terminal, so that what a line said need not be said again."""
        return self.is_live and sys.stdout.isatty()

    def data(self, text: str) -> None:
        """Print data to stdout; above the foot, if that is the same terminal."""
        if self.says_data:
            self._print(text, soft_wrap=True)
        else:
            click.echo(text)

    def begin(self, name: str) -> Row:
        """Announce `name`; it is drawn once there is news of it."""
        row = Row(self, printable(name))
        self._rows.append(row)
        return row

    def note(self, text: str, seconds: float = 0.0) -> None:
        """Say what all wait for, and for how long; `""` takes it back.

        It stands at the foot of a terminal, where the seconds run down; elsewhere it is a line, once.
        """
        if text and text != self._note and not self.is_live and not self.quiet:
            self.console.print(f"{printable(text)} {seconds:.0f} s")
        self._note, self._note_until = printable(text), time.monotonic() + seconds

    def tell(self, line: str | Text) -> None:
        """Print a line for good, above the foot; on a terminal it breaks between words."""
        self._lines += 1
        self._print(line, soft_wrap=not self.is_live)

    def count(self, what: str) -> None:
        """Count how a file has ended."""
        self._counts[what] += 1

    def fail(self, name: str, reason: str, what: str) -> None:
        """Say why a file has failed: all of it, on more lines if need be."""
        self.count(what)
        if self.is_live:
            self._failures.append((self._lines, name, reason))
            self.tell(self._failure(name, reason))
        else:
            say_error(f"{name}: {reason}", on=self.console)

    def ending(self, name: str, facts: str, seconds: float) -> Text:
        """Return the line of a file that has ended well, in columns that hold all names."""
        return ending(name, facts, seconds, name_cells=self._name_cells(), width=self.console.width)

    def _failure(self, name: str, reason: str) -> Text:
        return failure(name, printable(reason), name_cells=self._name_cells(), width=self.console.width)

    def _name_cells(self) -> int:
        return min(max(cell_len(row.running.name) for row in self._rows), self.console.width // 2)

    def remove(self, row: Row) -> None:
        """Forget a file."""
        self._rows.remove(row)

    def _print(self, text: str | Text, *, soft_wrap: bool) -> None:
        """Print above the foot: never while that is drawn, or one of them would erase a line of the other."""
        with self._lock:
            self.console.print(text, soft_wrap=soft_wrap)

    def _keep_drawing(self) -> None:
        while not self._ended.wait(_DRAWN_EVERY_SECONDS):
            with self._lock:
                self._foot.refresh()

    def _draw(self) -> Text:
        running = [row.running for row in self._rows if row.is_running]
        lines = draw(
            running,
            done=sum(self._counts.values()),
            total=len(self._rows),
            seconds=time.monotonic() - self._started,
            note=self._note and f"{self._note} {max(0.0, self._note_until - time.monotonic()):.0f} s",
            width=self.console.width,
            height=self.console.height,
        )
        return Text("\n").join(lines)

    def _tell_all(self) -> None:
        """Say how many ended how, and repeat the failures that have left the sight of whoever watches."""
        if self.quiet:
            return
        counts = self._counts + Counter({"not finished": len(self._rows) - sum(self._counts.values())})
        told = ", ".join(f"{number:,} {what}" for what, number in counts.items())
        seconds = time.monotonic() - self._started
        self.console.print(f"{len(self._rows):,} files in {seconds:.1f} s: {told}")
        again = [known for at, *known in self._failures if self._lines - at > _LOST_FROM_SIGHT]
        for name, reason in again[:_TOLD_AGAIN]:
            self.tell(self._failure(name, reason))
        if len(again) > _TOLD_AGAIN:
            self.console.print(f"and {len(again) - _TOLD_AGAIN:,} more, above")


class Row:
    """One file on the display."""

    def __init__(self, display: Display, name: str) -> None:
        self._display = display
        self._name = name
        self.running = Running(name=name)
        self.is_running = False

    def start(self) -> None:
        """Draw the file from now on; its time counts from the first start."""
        if not self.is_running:
            self.is_running = True
            self.running.since = self.running.since or time.monotonic()

    def wait(self) -> None:
        """Draw the file no longer until there is news of it."""
        self.is_running = False

    def update(self, fraction: float, stage: str = "") -> None:
        """Show that the file is at `fraction` (0..1), and what is being worked on."""
        self.start()
        self.running.fraction = fraction
        self.running.stage = printable(stage)

    def count(self, done: int, total: int | None) -> None:
        """Show how many bytes are done, and of how many; where nobody knows, only how many."""
        self.update(done / total if total else 0.0, f"{done / 1e6:,.1f} MB")

    def finish(self, what: str, detail: str = "") -> None:
        """Say what came of the file in a word or two, such as "completed", and what is worth knowing of it."""
        self.is_running = False
        self._display.count(what)
        if self._display.quiet:
            return
        seconds = self.running.seconds
        if self._display.is_live:
            self._display.tell(self._display.ending(self._name, printable(detail) or what, seconds))
        else:
            known = f" ({printable(detail)})" if detail else ""
            self._display.tell(f"{self._name}: {what} in {seconds:.1f} s{known}")

    def fail(self, reason: str, what: str = "failed") -> None:
        """Say why the file failed; `what` is how it is counted."""
        self.is_running = False
        self._display.fail(self._name, reason, what)

    def skip(self, what: str) -> None:
        """Count how the file has ended, and say nothing: the reason is another's."""
        self.is_running = False
        self._display.count(what)

    def remove(self) -> None:
        """Take the file away and say nothing."""
        self._display.remove(self)
