"""What the display draws, as lines that fit: pure functions of what runs and of the terminal's size."""

from __future__ import annotations

import time
from collections.abc import Sequence

from attrs import define
from rich.cells import cell_len
from rich.text import Text

from novel_tasks_server.cli.fitting import cut, cut_name, padded

_WIDEST = 110
_NARROW = 60
_MOST_ROWS = 8
_BAR_CELLS = 20
_SHORTEST_NAME, _LONGEST_NAME = 12, 40
_FULL, _EMPTY = "█", "░"  # told apart without colour


@define(kw_only=True)
class Running:
    """A file that is being worked on: how far it is (0..1), with what, and since when (monotonic seconds)."""

    name: str
    fraction: float = 0.0
    stage: str = ""
    since: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has taken so far; 0 if it was never begun."""
        return time.monotonic() - self.since if self.since is not None else 0.0


def draw(
    running: Sequence[Running], *, done: int, total: int, seconds: float, note: str, width: int, height: int
) -> list[Text]:
    """Draw a bar for all if there are several, a line for each that runs as far as there is room, and the note.

    No line is wider than the terminal, and there are never more than it is high.
    """
    width = min(width - 1, _WIDEST)
    room = max(1, min(_MOST_ROWS, height - 4))
    shown = running[: room if len(running) <= room else room - 1]
    lines = [_row(one, width) for one in shown]
    if hidden := len(running) - len(shown):
        lines.append(Text(cut(f"  and {hidden:,} more", width), style="dim"))
    if total > 1:
        fraction = (done + sum(one.fraction for one in running)) / total
        lines.append(_overall(done, total, len(running), fraction, seconds, width))
    if note:
        lines.append(Text(cut(note, width), style="yellow"))
    for line in lines:
        line.truncate(width)
    return lines[-max(1, height - 1) :]


def _row(one: Running, width: int) -> Text:
    """Draw the name, a bar where there is room, the share, the stage, and the seconds."""
    share, took = f"{one.fraction:>4.0%}", f"{one.seconds:>4.0f} s"
    bar = f"{_bar(one.fraction, _BAR_CELLS // 2)} " if width >= _NARROW else ""
    fixed = 2 + 1 + cell_len(bar) + len(share) + len(took) + 1
    name_cells = min(max(_SHORTEST_NAME, (width - fixed) // 2), max(width - fixed, 4), _LONGEST_NAME)
    stage_cells = max(0, width - fixed - name_cells - 1)
    name = padded(cut_name(one.name, name_cells), name_cells)
    stage = padded(f" {cut(one.stage, stage_cells)}", stage_cells + 1) if stage_cells > 4 else ""
    return Text.assemble("  ", name, " ", (bar, "cyan"), share, (stage, "dim"), " ", (took, "dim"))


def _overall(done: int, total: int, running: int, fraction: float, seconds: float, width: int) -> Text:
    waiting = total - done - running
    words = [f"{done:,} of {total:,} files", f"{running:,} running" if running else "", f"{waiting:,} to come"]
    text = ", ".join(filter(None, words if waiting else words[:2]))
    took = f"  {_clock(seconds)}"
    bar = f"{_bar(fraction, _BAR_CELLS)} {fraction:>4.0%}  " if width >= _NARROW else f"{fraction:>4.0%}  "
    return Text.assemble((bar, "green"), cut(text, width - cell_len(bar) - len(took)), (took, "dim"))


def _bar(fraction: float, cells: int) -> str:
    full = round(min(max(fraction, 0.0), 1.0) * cells)
    return _FULL * full + _EMPTY * (cells - full)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ending(name: str, facts: str, seconds: float, *, name_cells: int, width: int) -> Text:
    """Draw the line that stays of a file that has ended well, in columns; the name gives way when there is no room."""
    took = f"{seconds:.1f} s"
    room = width - 1 - len("✓ ") - len("  ") - len("  ") - len(took)
    facts = cut(facts, max(8, room - _SHORTEST_NAME))
    cells = max(_SHORTEST_NAME, min(name_cells, _LONGEST_NAME, room - cell_len(facts)))
    return Text.assemble(("✓ ", "bold green"), padded(cut_name(name, cells), cells), f"  {facts}  ", (took, "dim"))


def failure(name: str, reason: str, *, name_cells: int, width: int) -> Text:
    """Draw what stays of a file that has failed: its reason is never cut, and leaves the columns if it is long."""
    cells = min(name_cells, _LONGEST_NAME)
    if cells + cell_len(reason) + len("✗   ") > width:
        cells = min(cells, cell_len(name))
    return Text.assemble(("✗ ", "bold red"), padded(cut_name(name, cells), cells), "  ", (reason, "red"))
