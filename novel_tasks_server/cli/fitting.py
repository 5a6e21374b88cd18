"""Text cut to the room that a terminal has for it, measured as terminals do: a Chinese character takes two cells."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

_ELLIPSIS = "…"
_ENDING_CELLS = 8
"""Room for a number and `.txt`, where there is little."""


def cut(text: str, cells: int) -> str:
    """Return `text` if it fits in so many cells, else its beginning and an ellipsis."""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + _ELLIPSIS if cells > 0 else ""


def cut_name(name: str, cells: int) -> str:
    """Return `name` if it fits in so many cells, else its beginning and its end: files often differ only there."""
    if cell_len(name) <= cells:
        return name
    tail_cells = max(cells // 3, min(_ENDING_CELLS, cells // 2))
    start = len(name)
    while start and cell_len(name[start - 1 :]) <= tail_cells:
        start -= 1
    tail = name[start:]
    return cut(name, cells - cell_len(tail)) + tail


def padded(text: str, cells: int) -> str:
    """Return `text` with spaces up to so many cells; what is longer stays as it is."""
    return text + " " * (cells - cell_len(text))
